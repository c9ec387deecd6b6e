"""Describes the record as a schema.org Dataset in JSON-LD, for search engines."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from app.archive.archive import Archive
from app.exports.citing import author_name
from app.exports.dcat import outline_bounds, source_urls, temporal_coverage
from app.exports.listing import CATALOG_NAMES, Export
from app.exports.terms import full_description, licenses
from app.pages.record.words import shorten
from app.responses.representations import encode_json

Json = dict[str, Any]

_MAX_DESCRIPTION_CHARACTERS = 5_000
"""Longest description that search engines accept."""
_MAX_SOURCES = 24


@dataclass(frozen=True, slots=True)
class Publication:
    """Where and by whom the record is published, from the settings.

    Attributes:
        origin: Public base URL of the API.
        publisher: Name of the publisher.
        exports: Export files that can be downloaded.
    """

    origin: str | None = None
    publisher: str | None = None
    exports: Sequence[Export] = ()


def dataset_json_ld(
    archive: Archive, publication: Publication, connection: sqlite3.Connection
) -> Markup:
    """The description as JSON, escaped for an HTML script element."""
    text = encode_json(dataset_description(archive, publication, connection)).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - cannot end the element


def dataset_description(
    archive: Archive, publication: Publication, connection: sqlite3.Connection
) -> Json:
    """The Dataset object, without URLs of the API if its public URL is not set."""
    metadata, origin = archive.metadata, publication.origin
    optional: Json = {
        "temporalCoverage": temporal_coverage(connection),
        "spatialCoverage": _spatial_coverage(connection),
        "isBasedOn": source_urls(connection)[:_MAX_SOURCES],
        "dateModified": metadata["modified"],
        "publisher": publication.publisher and _organization(publication.publisher),
        **(_urls(publication, origin) if origin else {}),
    }
    return {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": metadata["title"],
        "description": shorten(full_description(metadata), _MAX_DESCRIPTION_CHARACTERS),
        "keywords": metadata["keywords"],
        "license": [terms["url"] for terms in licenses(metadata)],
        "creator": _organization(author_name(metadata), url=origin and f"{origin}/"),
        "datePublished": archive.date,
        "version": archive.label,
        "inLanguage": "en",
        "isAccessibleForFree": True,
        **{name: value for name, value in optional.items() if value},
    }


def _organization(name: str, url: str | None = None) -> Json:
    return {"@type": "Organization", "name": name, **({"url": url} if url else {})}


def _urls(publication: Publication, origin: str) -> Json:
    """Properties with URLs of the API: identifiers and downloads."""
    return {
        "@id": f"{origin}/",
        "url": f"{origin}/",
        "identifier": f"{origin}/v1/record",
        "distribution": [
            {
                "@type": "DataDownload",
                "name": export.title,
                "description": export.description,
                "encodingFormat": export.media_type,
                "contentUrl": f"{origin}{export.path}",
            }
            for export in publication.exports
            if export.name not in CATALOG_NAMES
        ],
    }


def _spatial_coverage(connection: sqlite3.Connection) -> Json | None:
    """A Place with the bounding box of all outlines: south, west, north and east, in degrees."""
    extent = outline_bounds(connection)
    if extent is None:
        return None
    west, south, east, north = extent
    box = f"{south} {west} {north} {east}"
    return {"@type": "Place", "geo": {"@type": "GeoShape", "box": box}}
