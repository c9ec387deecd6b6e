"""The record as a dataset, for search engines (schema.org, as JSON-LD)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from app.archive.archive import Archive
from app.exports.datapackage import KEYWORDS
from app.exports.dcat import outline_bounds, source_urls, temporal_coverage
from app.exports.listing import CATALOG, Export
from app.responses.representations import encode_json

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Publication:
    """Where the record is published, and by whom, as far as the settings say it.

    Attributes:
        origin: Where the API is found from outside.
        publisher: Name of who publishes it.
        exports: The files that it can be taken away as.
    """

    origin: str | None = None
    publisher: str | None = None
    exports: Sequence[Export] = ()


def dataset_json_ld(
    archive: Archive, publication: Publication, connection: sqlite3.Connection
) -> Markup:
    """The dataset as JSON that can stand in a script element of HTML."""
    text = encode_json(dataset_description(archive, publication, connection)).decode()
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)  # noqa: S704 - nothing in it ends the element


def dataset_description(
    archive: Archive, publication: Publication, connection: sqlite3.Connection
) -> Json:
    """The dataset; what needs the address of the API is left out where that is not set."""
    known: Json = {
        "temporalCoverage": temporal_coverage(connection),
        "spatialCoverage": _places(connection),
        "isBasedOn": source_urls(connection),
        "dateModified": archive.header["modified"],
        "publisher": publication.publisher
        and {"@type": "Organization", "name": publication.publisher},
        **(_located(publication, publication.origin) if publication.origin else {}),
    }
    return {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": "Child Protection Compact record",
        "description": archive.header["archive_notice"],
        "keywords": list(KEYWORDS),
        "license": archive.header["license"]["url"],
        "version": archive.release,
        "inLanguage": "en",
        "isAccessibleForFree": True,
        **{name: value for name, value in known.items() if value},
    }


def _located(publication: Publication, origin: str) -> Json:
    return {
        "@id": f"{origin}/",
        "url": f"{origin}/",
        "identifier": f"{origin}/v1/record",
        "distribution": [
            {
                "@type": "DataDownload",
                "name": one.title,
                "description": one.description,
                "encodingFormat": one.media_type,
                "contentUrl": f"{origin}{one.path}",
            }
            for one in publication.exports
            if one != CATALOG
        ],
    }


def _places(connection: sqlite3.Connection) -> Json | None:
    """The box around all outlines: south, west, north and east, in degrees."""
    extent = outline_bounds(connection)
    if extent is None:
        return None
    west, south, east, north = extent
    box = f"{south} {west} {north} {east}"
    return {"@type": "Place", "geo": {"@type": "GeoShape", "box": box}}
