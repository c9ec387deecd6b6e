"""How to cite a release of the record, or one resource in it, in the formats of citation tools."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.archive.archive import Archive
from app.models.notation import one_line
from app.models.text_folding import fold
from app.responses.formats import BIBTEX, CSL, JSON, RIS, TEXT, Format
from app.responses.representations import encode_json

_MAX_KEY_WORDS = 5
_MAX_SOURCES = 3
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
"""BibTeX's macros for the months; some readers do not understand their names."""
_BETWEEN_WORDS = re.compile(r"([\s/\-\N{EN DASH}\N{EM DASH}]+)")
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": "(",
        "}": ")",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{character: f"\\{character}" for character in "#$%&_"},
    }
)
"""LaTeX of its special characters. Braces become parentheses, as BibTeX counts even escaped ones,
and readers drop what LaTeX has for them."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is cited. Texts are on one line each.

    There is always exactly one author, the institution that made the record: without an author,
    processors print the title twice.

    Attributes:
        key: Identifier for use in manuscripts, in ASCII.
        title: Title.
        author: Name of the institution.
        version: Label of the release.
        date: Day of the release.
        url: Permanent address of the release.
        publisher: Who publishes the record, if known.
        note: What the record is based on; empty without sources.
    """

    key: str
    title: str
    author: str
    version: str
    date: str
    url: str
    publisher: str | None
    note: str


def csl_json(work: Work) -> bytes:
    """A list with one item of CSL-JSON (Citation Style Language 1.0.2).

    The date is numbers in `date-parts`, as processors disagree about all other forms.
    """
    item = {
        "id": work.key,
        "type": "dataset",
        "title": work.title,
        "author": [{"literal": work.author}],
        "issued": {"date-parts": [[int(part) for part in work.date.split("-")]]},
        "version": work.version,
        "publisher": work.publisher,
        "URL": work.url,
        "note": work.note,
        "language": "en",
    }
    return encode_json([{name: value for name, value in item.items() if value}])


def bibtex(work: Work) -> bytes:
    """Two entries for the same work: `@dataset` for BibLaTeX, `@misc` for classic BibTeX.

    A reader of one of them ignores the other, or both have all that it needs.
    """
    year, month, _ = work.date.split("-")
    shared = {
        "author": f"{{{{{_latex(work.author)}}}}}",
        "title": f"{{{_latex_title(work.title)}}}",
        "year": f"{{{year}}}",
        "month": _MONTHS[int(month) - 1],
        "publisher": work.publisher and f"{{{{{_latex(work.publisher)}}}}}",
        "url": f"{{{work.url}}}",
        "annotation": work.note and f"{{{_latex(work.note)}}}",
    }
    dataset = {"date": f"{{{work.date}}}", "version": f"{{{_latex(work.version)}}}"}
    misc = {"note": f"{{Version {_latex(work.version)}}}"}
    entries = (
        _bibtex_entry("dataset", work.key, shared | dataset),
        _bibtex_entry("misc", f"{work.key}-misc", shared | misc),
    )
    return "\n".join(entries).encode()


def _bibtex_entry(type_: str, key: str, fields: Mapping[str, str | None]) -> str:
    lines = (f"  {name} = {value},\n" for name, value in fields.items() if value)
    return f"@{type_}{{{key},\n{''.join(lines)}}}\n"


def _latex_title(title: str) -> str:
    """A title in which braces protect the case of proper names, on both sides of a dash."""
    return "".join(
        f"{{{_latex(word)}}}" if word.lower() != word else _latex(word)
        for word in _BETWEEN_WORDS.split(title)
    )


def _latex(text: str) -> str:
    return text.translate(_LATEX)


def ris(work: Work) -> bytes:
    """A record of RIS, with the end-of-record tag that readers need to see any record at all.

    A comma ends the name of an institution. Others, which would split it, are left out.
    """
    tags = (
        ("TY", "DATA"),
        ("ID", work.key),
        ("AU", work.author.replace(",", "") + ","),
        ("TI", work.title),
        ("PY", work.date[:4]),
        ("DA", work.date.replace("-", "/") + "/"),
        ("ET", work.version),
        ("PB", work.publisher),
        ("UR", work.url),
        ("N1", work.note),
        ("LA", "en"),
    )
    lines = (f"{tag}  - {value}\r\n" for tag, value in tags if value)
    return f"{''.join(lines)}ER  - \r\n".encode()


def plain_text(work: Work) -> bytes:
    """A line of text in the manner of the APA style, for documents without a reference manager."""
    publisher = f" {_sentence(work.publisher)}" if work.publisher else ""
    title = f"{work.title} (Version {work.version}) [Data set]."
    return f"{work.author}. ({work.date[:4]}). {title}{publisher} {work.url}\n".encode()


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


RENDERERS: Mapping[Format, Callable[[Work], bytes]] = {
    CSL: csl_json,
    JSON: csl_json,
    BIBTEX: bibtex,
    RIS: ris,
    TEXT: plain_text,
}
"""Every format of a citation. CSL-JSON is available as any other JSON, too."""

FILES: Mapping[str, Format] = {
    "citation.json": CSL,
    "citation.bib": BIBTEX,
    "citation.ris": RIS,
    "citation.txt": TEXT,
}
"""The citation of the record at an address of its own for each format, by file name."""


def cited_record(
    archive: Archive, origin: str | None, publisher: str | None, connection: sqlite3.Connection
) -> Work:
    """The record in its present release.

    Args:
        archive: The record.
        origin: Public base URL of the API; without it, the address is a path.
        publisher: Name of the publisher.
        connection: Connection of the current thread.
    """
    title = one_line(archive.metadata["title"])
    words = re.findall("[a-z0-9]+", fold(title))[:_MAX_KEY_WORDS] or ["record"]
    return Work(
        key="-".join([*words, archive.label]),
        title=title,
        author=author_name(archive.metadata),
        version=archive.label,
        date=archive.date,
        url=release_address(archive.label, origin),
        publisher=publisher and one_line(publisher),
        note=_sources_note(archive, connection),
    )


def cited_resource(record: Work, document: Mapping[str, Any], type_: str) -> Work:
    """One resource of the record. Its title names the record too, as not every format has a field.

    Args:
        record: The record.
        document: The resource as JSON.
        type_: Its type.
    """
    name = one_line(document["title"] if "title" in document else document["name"])
    return replace(
        record,
        key=f"{record.key}-{type_}-{document['id']}",
        title=f"{name} ({type_} {document['id']}), in {record.title}",
    )


def author_name(metadata: Mapping[str, Any]) -> str:
    """Name of the institution that made the record."""
    return f"{one_line(metadata['title'])} maintainers"


def release_address(label: str, origin: str | None) -> str:
    """Permanent address of a release: a URL if the public base URL is known."""
    return f"{origin or ''}/v1/releases/{label}"


def _sources_note(archive: Archive, connection: sqlite3.Connection) -> str:
    """The first archived pages that the record is based on, and how many more there are."""
    rows = connection.execute(
        "SELECT organizations.name, sources.title, sources.url FROM sources "
        "LEFT JOIN organizations ON organizations.id = sources.publisher "
        "ORDER BY sources.rowid LIMIT ?",
        (_MAX_SOURCES,),
    ).fetchall()
    pages = [", ".join(one_line(part.decode()) for part in row if part) for row in rows]
    if more := archive.counts["sources"] - len(pages):
        pages.append(f"and {more:,} more")
    return f"Based on: {'; '.join(pages)}" if pages else ""
