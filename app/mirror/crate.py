"""Describes a mirror as a research object (RO-Crate 1.2): `ro-crate-metadata.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.exports.citing import author_name, release_address
from app.exports.listing import EXPORTS
from app.exports.terms import full_description, licenses
from app.mirror.entries import FILES, Entry

CRATE = "ro-crate-metadata.json"
"""Name of the file, which the standard prescribes."""

Json = dict[str, Any]

_VERSION = "https://w3id.org/ro/crate/1.2"
_ROOT, _AUTHOR, _PUBLISHER = "./", "#author", "#publisher"
_DESCRIBED: Mapping[str, tuple[str, str]] = {
    "/": ("The record as a page", "The record page for browsers, with a source for every value."),
    "/openapi.json": ("Description of the API", "The paths and types of the API, as OpenAPI."),
    "/v1/meta": ("Metadata of the record", "Release, licenses, counts and archive notice."),
    "/v1/releases": ("Releases of the record", "Every release with its date and digest."),
}
"""Title and description of files other than exports, by URL."""


@dataclass(frozen=True, slots=True)
class CrateFile:
    """A file of the mirror that is not in its manifest.

    Attributes:
        name: Path in the mirror.
        title: Title for people.
        media_type: Media type.
    """

    name: str
    title: str
    media_type: str


@dataclass(frozen=True, slots=True)
class CrateSubject:
    """What the record states about itself.

    Attributes:
        metadata: The record's metadata.
        label: Label of the release.
        date: Date of the release.
        origin: Public base URL of the API; without it, files have no URLs.
        publisher: Name of the publisher.
        sources: Title and URL of each archived page; the URL may be missing.
    """

    metadata: Mapping[str, Any]
    label: str
    date: str
    origin: str | None
    publisher: str | None
    sources: Iterable[tuple[str, str | None]]


def render_crate(subject: CrateSubject, pages: Iterable[Entry], others: Iterable[CrateFile]) -> str:
    """The metadata document of a mirror.

    The exports and the files that describe the record are listed one by one; the rest is in the
    directory that holds all of them, and in the mirror's manifest.
    """
    files = [file for page in pages if (file := _page_file(page, subject.origin))]
    files += [_other_file(file) for file in others]
    everything: Json = {
        "@id": f"{FILES}/",
        "@type": "Dataset",
        "name": "Files of the mirror",
        "description": "The response of every URL, with its content codings.",
    }
    parts = [everything, *files]
    graph = [_descriptor(), _root(subject, parts), *parts, *_context_entities(subject)]
    document = {"@context": f"{_VERSION}/context", "@graph": graph}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _descriptor() -> Json:
    return {
        "@id": CRATE,
        "@type": "CreativeWork",
        "conformsTo": _reference(_VERSION),
        "about": _reference(_ROOT),
    }


def _root(subject: CrateSubject, parts: Iterable[Json]) -> Json:
    metadata = subject.metadata
    address = release_address(subject.label, subject.origin) if subject.origin else None
    optional = {
        "identifier": address,
        "url": f"{subject.origin}/" if subject.origin else None,
        "publisher": _reference(_PUBLISHER) if subject.publisher else None,
        "isBasedOn": [_reference(url) for _, url in subject.sources if url],
    }
    return {
        "@id": _ROOT,
        "@type": "Dataset",
        "name": metadata["title"],
        "description": full_description(metadata),
        "keywords": ", ".join(metadata["keywords"]),
        "version": subject.label,
        "datePublished": subject.date,
        "license": [_reference(terms["url"]) for terms in licenses(metadata)],
        "author": _reference(_AUTHOR),
        **{name: value for name, value in optional.items() if value},
        "hasPart": [_reference(part["@id"]) for part in parts],
    }


def _page_file(page: Entry, origin: str | None) -> Json | None:
    """The file of an export, or of another page that is described; None for all others."""
    export = next((export for export in EXPORTS.values() if export.path == page.url), None)
    title, description = (
        (export.title, export.description) if export else _DESCRIBED.get(page.url, ("", ""))
    )
    if not title:
        return None
    file = {
        "@id": f"{FILES}/{page.plain.file}",
        "@type": "File",
        "name": title,
        "description": description,
        "encodingFormat": page.media_type.partition(";")[0],
        "contentSize": str(page.plain.bytes),
        "sha256": page.plain.sha256,
    }
    return file | ({"url": f"{origin}{page.url}"} if origin else {})


def _other_file(file: CrateFile) -> Json:
    return {
        "@id": file.name,
        "@type": "File",
        "name": file.title,
        "encodingFormat": file.media_type,
    }


def _context_entities(subject: CrateSubject) -> list[Json]:
    """What the root refers to: licenses, the author, the publisher and the archived pages."""
    author = {"@id": _AUTHOR, "@type": "Organization", "name": author_name(subject.metadata)}
    publisher = {"@id": _PUBLISHER, "@type": "Organization", "name": subject.publisher}
    return [
        *(
            {"@id": terms["url"], "@type": "CreativeWork", "name": terms["title"]}
            for terms in licenses(subject.metadata)
        ),
        author,
        *([publisher] if subject.publisher else []),
        *({"@id": url, "@type": "WebPage", "name": title} for title, url in subject.sources if url),
    ]


def _reference(identifier: str) -> Json:
    return {"@id": identifier}
