"""Describes a mirror as a research object (RO-Crate 1.2): `ro-crate-metadata.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.exports.citing import author_name, release_address
from app.exports.listing import EXPORTS
from app.exports.terms import full_description, licenses
from app.mirror.entries import FILES, Entry
from app.settings import Settings

CRATE = "ro-crate-metadata.json"
"""Name of the file, which the standard prescribes."""

Json = dict[str, Any]

_VERSION = "https://w3id.org/ro/crate/1.2"
_ROOT, _ALL, _AUTHOR, _PUBLISHER = "./", f"{FILES}/", "#author", "#publisher"
_LICENSED = ("The facts of the record.", "The project's own words in the record.")
"""What each license of a record is for, in the order of `licenses`."""
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
        path: Where it is.
        title: Title for people.
        description: Contents and intended use.
        media_type: Media type.
    """

    path: Path
    title: str
    description: str
    media_type: str


@dataclass(frozen=True, slots=True)
class CrateSubject:
    """What is known about the record as a whole.

    Attributes:
        metadata: The record's metadata.
        label: Label of the release.
        date: Date of the release.
        sources: Title and URL of each archived page that has a URL.
        settings: The settings, which name the publisher, the contact and the public URL.
    """

    metadata: Mapping[str, Any]
    label: str
    date: str
    sources: Sequence[tuple[str, str]]
    settings: Settings


def render_crate(subject: CrateSubject, pages: Iterable[Entry], others: Iterable[CrateFile]) -> str:
    """The metadata document of a mirror.

    The exports and the files that describe the record are listed one by one; the others are in the
    directory that holds all of them, and in the mirror's manifest.
    """
    served = [file for page in pages if (file := _page_file(page, subject.settings.public_url))]
    everything: Json = {
        "@id": _ALL,
        "@type": "Dataset",
        "name": "Files of the mirror",
        "description": "The response of every URL, with its content codings.",
        "hasPart": _references(file["@id"] for file in served),
    }
    parts = [everything, *served, *map(_other_file, others)]
    entities = [
        *_licenses(subject),
        *_organizations(subject),
        *_identifiers(subject),
        *({"@id": url, "@type": "WebPage", "name": title} for title, url in subject.sources),
    ]
    graph = [_descriptor(), _root(subject, parts), *parts, *entities]
    unique = {entity["@id"]: entity for entity in graph}  # two licenses may be the same
    document = {"@context": f"{_VERSION}/context", "@graph": list(unique.values())}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _descriptor() -> Json:
    return {
        "@id": CRATE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": _VERSION},
        "about": {"@id": _ROOT},
    }


def _root(subject: CrateSubject, parts: Iterable[Json]) -> Json:
    metadata, origin = subject.metadata, subject.settings.public_url
    return _without_empty(
        {
            "@id": _ROOT,
            "@type": "Dataset",
            "name": metadata["title"],
            "description": full_description(metadata),
            "keywords": ", ".join(metadata["keywords"]),
            "version": subject.label,
            "identifier": _references(entity["@id"] for entity in _identifiers(subject)),
            "url": origin and f"{origin}/",
            "datePublished": subject.date,
            "license": _references(terms["@id"] for terms in _licenses(subject)),
            "author": {"@id": _AUTHOR},
            "publisher": subject.settings.publisher_name and {"@id": _PUBLISHER},
            "isBasedOn": _references(url for _, url in subject.sources),
            "hasPart": _references(part["@id"] for part in parts),
        }
    )


def _page_file(page: Entry, origin: str | None) -> Json | None:
    """The file of an export, or of another page that is described; None for all others."""
    export = next((export for export in EXPORTS.values() if export.path == page.url), None)
    described = (export.title, export.description) if export else _DESCRIBED.get(page.url)
    if described is None:
        return None
    title, description = described
    return _without_empty(
        {
            "@id": f"{_ALL}{page.plain.file}",
            "@type": "File",
            "name": title,
            "description": description,
            "encodingFormat": page.media_type.partition(";")[0],
            "contentSize": str(page.plain.bytes),
            "sha256": page.plain.sha256,
            "url": origin and f"{origin}{page.url}",
        }
    )


def _other_file(file: CrateFile) -> Json:
    return {
        "@id": file.path.name,
        "@type": "File",
        "name": file.title,
        "description": file.description,
        "encodingFormat": file.media_type,
        "contentSize": str(file.path.stat().st_size),
    }


def _licenses(subject: CrateSubject) -> list[Json]:
    terms = zip(licenses(subject.metadata), _LICENSED, strict=False)
    return [
        {"@id": license_["url"], "@type": "CreativeWork", "name": license_["title"]}
        | {"description": description}
        for license_, description in terms
    ]


def _organizations(subject: CrateSubject) -> list[Json]:
    """Who made the record, and who publishes it, with the contact."""
    settings = subject.settings
    name, email = settings.contact_name, settings.contact_email
    contact = {"@id": f"mailto:{email}", "@type": "ContactPoint", "name": name, "email": email}
    shared: Json = {
        "@type": "Organization",
        "url": settings.public_url and f"{settings.public_url}/",
        "contactPoint": email and {"@id": contact["@id"]},
    }
    author = {"@id": _AUTHOR, "name": author_name(subject.metadata), **shared}
    publisher = {"@id": _PUBLISHER, "name": settings.publisher_name, **shared}
    entities = [author, publisher] if settings.publisher_name else [author]
    return [_without_empty(entity) for entity in ([*entities, contact] if email else entities)]


def _identifiers(subject: CrateSubject) -> list[Json]:
    """The permanent address of the release, if it is known."""
    if subject.settings.public_url is None:
        return []
    address = release_address(subject.label, subject.settings.public_url)
    return [{"@id": address, "@type": "PropertyValue", "name": "Release", "value": address}]


def _references(identifiers: Iterable[str]) -> Json | list[Json]:
    """References to entities: one as such, as the standard recommends, and several as a list."""
    references = [{"@id": identifier} for identifier in dict.fromkeys(identifiers)]
    return references[0] if len(references) == 1 else references


def _without_empty(entity: Json) -> Json:
    return {name: value for name, value in entity.items() if value}
