"""The search index of the documentation, which the browser searches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from html import unescape

from app.pages.guide.documents import Document
from app.pages.guide.reference import Operation, Reference
from app.responses.problems import PROBLEMS

_SECTION = re.compile(r'<section aria-labelledby="([\w-]+)">(.*?)</section>', re.DOTALL)
_MARKUP = re.compile(r"<figure.*?</figure>|<h2.*?</h2>|<[^>]*>", re.DOTALL)
_MAX_TEXT_CHARACTERS = 1_500
SYNONYMS: Mapping[str, str] = {
    "start": "begin quickstart null zero not stated",
    "filtering": "query search range order sorting",
    "paging": "pagination pages limit cursor offset",
    "fields": "columns sparse projection",
    "related": "include expand embed join facet count",
    "formats": "csv ndjson geojson excel download",
    "evidence": "citations quotes provenance",
    "cite": "citation bibtex ris bibliography reference doi",
    "caching": "etag conditional",
    "changes": "history diff versions corrections",
    "copy": "sync mirror update",
    "clients": "sdk generator typescript",
    "stability": "deprecation breaking",
}
"""Words by which people look for a section of the guide, other than those of its title."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A part of the documentation that a search can find.

    Attributes:
        title: What it is called.
        kind: What it is, or is part of.
        url: Path with a fragment.
        text: More words to find it by.
        synonyms: Words that count as much as those of the title.
    """

    title: str
    kind: str
    url: str
    text: str
    synonyms: str = ""


def search_entries(
    guide: str,
    sections: Mapping[str, str],
    reference: Reference,
    documents: Iterable[Document],
) -> list[dict[str, str]]:
    """Every part of the documentation, as JSON.

    Args:
        guide: HTML of the guide.
        sections: Title of each of its sections, by its anchor.
        reference: The reference.
        documents: The other documents.
    """
    entries = [
        *_sections(guide, sections),
        *_tags(reference),
        *_operations(reference),
        *_fields(reference),
        *_problems(),
        *_parts(documents),
    ]
    return [_as_json(entry) for entry in entries]


def _as_json(entry: Entry) -> dict[str, str]:
    """An entry without what is empty."""
    members = asdict(entry) | {"text": entry.text.replace("`", "")}
    return {name: value for name, value in members.items() if value or name == "text"}


def _sections(guide: str, titles: Mapping[str, str]) -> Iterator[Entry]:
    for anchor, html in _SECTION.findall(guide):
        text = " ".join(unescape(_MARKUP.sub(" ", html)).split())
        url, synonyms = f"/docs#{anchor}", SYNONYMS.get(anchor, "")
        yield Entry(titles[anchor], "Guide", url, text[:_MAX_TEXT_CHARACTERS], synonyms)


def _tags(reference: Reference) -> Iterator[Entry]:
    """The headings of the reference: its subjects, and the objects that have a table."""
    for tag in reference.tags:
        yield Entry(tag.name.capitalize(), "Reference", f"/docs#{tag.anchor}", tag.description)
        for table in tag.objects:
            names = ", ".join(row.name for row in table.fields)
            text = f"{names}. {table.description}"
            yield Entry(f"Fields of {table.name}", "Object", f"/docs#{table.anchor}", text)


def _operations(reference: Reference) -> Iterator[Entry]:
    operations = [operation for tag in reference.tags for operation in tag.operations]
    for operation in operations:
        url = f"/docs#{operation.anchor}"
        yield Entry(operation.summary, f"GET {operation.path}", url, operation.description)
    yield from _parameters(operations)


def _parameters(operations: Iterable[Operation]) -> Iterator[Entry]:
    """One entry for parameters that are the same in several operations."""
    paths: dict[tuple[str, str], list[str]] = {}
    urls: dict[tuple[str, str], str] = {}
    for operation in operations:
        for row in (row for group in operation.groups for row in group.rows):
            key = row.name, " ".join((row.description, *row.values))
            paths.setdefault(key, []).append(operation.path)
            urls.setdefault(key, f"/docs#{operation.id}.{row.name}")
    for key, found in paths.items():
        others = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield Entry(key[0], f"Parameter of {found[0]}{others}", urls[key], key[1])


def _fields(reference: Reference) -> Iterator[Entry]:
    for tag in reference.tags:
        for table in tag.objects:
            prefix = table.anchor.removesuffix("-object")
            for row in table.fields:
                type_ = f"{row.type} or null" if row.nullable else row.type
                text = " ".join((row.description, type_, *row.values))
                yield Entry(row.name, f"Field of {table.name}", f"/docs#{prefix}.{row.name}", text)


def _problems() -> Iterator[Entry]:
    for slug, problem in PROBLEMS.items():
        text = f"{slug} {problem.explanation} {problem.remedy}"
        yield Entry(problem.title, f"Error {problem.status}", f"/problems/{slug}", text)


def _parts(documents: Iterable[Document]) -> Iterator[Entry]:
    for document in documents:
        for part in document.parts:
            title = part.heading.title
            kind = "More guides" if title == document.title else document.title
            url = f"/docs/{document.slug}"
            if title != document.title:
                url += f"#{part.heading.id}"
            yield Entry(title, kind, url, part.text[:_MAX_TEXT_CHARACTERS])
