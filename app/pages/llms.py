"""An overview of the record and the API for language models, as llmstxt.org proposes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from app.archive.archive import COLLECTIONS, Archive
from app.exports.citing import release_address
from app.exports.feed import FEED_PATH, HISTORY_PATH
from app.exports.listing import EXPORTS, Export
from app.exports.terms import full_description, licenses
from app.models.notation import one_line
from app.pages.guide.documents import document_groups
from app.query.examples import example_resource, first_ids

_SENTENCE = re.compile(r".+?[.!?](?=\s|$)")
_SECTIONS: Mapping[str, Sequence[str]] = {
    "Collections": tuple(COLLECTIONS),
    "Search, releases and citation": ("search", "record", "releases", "meta"),
}
"""Tags of the operations in each section."""
_LISTED_ELSEWHERE = {"/", FEED_PATH, *(export.path for export in EXPORTS.values())}
_NOTES = (
    "The API is read-only and needs no key. Responses are JSON.",
    (
        "A field for which the sources give no value is `null` and listed in `not_stated`: its "
        "value is unknown, neither zero nor none. A `null` that is not listed means that the field "
        "does not apply."
    ),
    (
        "Every value has citations ({citations}, for example): a quote with its position in the "
        "archived page, or another publication. Their `basis` tells what the page states from what "
        "was derived or reworded."
    ),
    (
        "Repeat a parameter for several values{repeated}. If a parameter is unknown or "
        "invalid, the 422 names it, the allowed values and the nearest one (`did_you_mean`)."
    ),
    "To cite the record, use {release}, the permanent address of this release.",
)
"""What a reader has to know to use the record rightly."""

Json = Mapping[str, Any]


def llms_text(
    archive: Archive, document: Json, exports: Iterable[Export], origin: str | None
) -> str:
    """The overview in Markdown: title, summary, what to know, and links with one line each.

    Args:
        archive: The record.
        document: The OpenAPI document of the API.
        exports: Exports that can be downloaded.
        origin: Public base URL of the API; without it, links are paths.
    """
    base = origin or ""
    sections = {
        **{
            title: _operation_links(archive, document, base, tags)
            for title, tags in _SECTIONS.items()
        },
        "Downloads": [
            _link(export.title, f"{base}{export.path}", export.description) for export in exports
        ],
        "Documentation": [
            _link("OpenAPI document", f"{base}/openapi.json", "Every path and parameter."),
            _link(
                "OpenAPI document for clients and tools",
                f"{base}/openapi-clients.json",
                "The same with responses in JSON alone.",
            ),
            _link("API guide", f"{base}/docs", "How to query the API, with examples, as HTML."),
        ],
        "Optional": _pages(base, has_feed=origin is not None),
    }
    head = [f"# {one_line(archive.metadata['title'])}"]
    head.append(f"> {one_line(full_description(archive.metadata))}")
    head.append("\n".join(_notes(archive, base)))
    body = ("\n\n".join([f"## {title}", "\n".join(links)]) for title, links in sections.items())
    return "\n\n".join([*head, *body]) + "\n"


def _notes(archive: Archive, base: str) -> Iterator[str]:
    """The notes and the licenses, as items of a list."""
    regions = first_ids(archive, "regions", 2)
    values = {
        "citations": f"{base}{example_resource(archive).citations_path}",
        "repeated": f" (`region={'&region='.join(regions)}`)" if len(regions) > 1 else "",
        "release": release_address(archive.label, base),
    }
    yield from (f"- {note.format(**values)}" for note in _NOTES)
    for terms in licenses(archive.metadata):
        yield f"- License: {one_line(terms['title'])} ({terms['url']})"


def _operation_links(
    archive: Archive, document: Json, base: str, tags: Sequence[str]
) -> Iterator[str]:
    """Links to the operations with one of these tags whose paths have no parameters."""
    for path, operations in document["paths"].items():
        operation = operations["get"]
        if "{" in path or path in _LISTED_ELSEWHERE or operation["tags"][0] not in tags:
            continue
        count = archive.counts.get(path.removeprefix("/v1/"))
        items = "" if count is None else f" Items: {count:,}."
        description = f"{_first_sentence(operation['description'])}{items}"
        yield _link(operation["summary"], f"{base}{path}{_required_query(operation)}", description)


def _required_query(operation: Json) -> str:
    """A query string with the examples of the required parameters."""
    pairs = {
        parameter["name"]: parameter["example"]
        for parameter in operation.get("parameters", ())
        if parameter["required"] and parameter["in"] == "query"
    }
    return f"?{urlencode(pairs)}" if pairs else ""


def _pages(base: str, *, has_feed: bool) -> list[str]:
    pages = [
        _link("Record page", f"{base}/", "The record as HTML, with a footnote for every value."),
        _link("History", f"{base}{HISTORY_PATH}", "What each release changed, as HTML."),
    ]
    if has_feed:
        pages.append(
            _link("Feed of releases", f"{base}{FEED_PATH}", "The releases as an Atom feed.")
        )
    documents = (document for group in document_groups().values() for document in group)
    pages += [_link(each.title, f"{base}/docs/{each.slug}", each.subject) for each in documents]
    return pages


def _link(title: str, url: str, description: str) -> str:
    return f"- [{title}]({url}): {one_line(description)}"


def _first_sentence(text: str) -> str:
    line = one_line(text)
    found = _SENTENCE.match(line)
    return found[0] if found else line
