"""The record as a catalogue of one dataset (DCAT-US 1.1), for harvesters of data catalogues.

`bureauCode` and `programCode` are left out: only an agency of the United States may claim them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.archive.archive import Archive
from app.exports.datapackage import KEYWORDS
from app.exports.listing import Export
from app.models.dates import first_day, last_day
from app.responses.representations import encode_json

Json = dict[str, Any]

_SCHEMA = "https://project-open-data.cio.gov/v1.1/schema"
_LONGEST_RIGHTS = 255


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes the record, and where.

    Attributes:
        origin: Where the API is.
        name: Name of the publisher.
        contact_name: Name of who answers questions.
        contact_email: Address of who answers questions.
    """

    origin: str
    name: str
    contact_name: str
    contact_email: str


def dcat_catalog(
    archive: Archive,
    publisher: Publisher,
    exports: Iterable[Export],
    connection: sqlite3.Connection,
) -> bytes:
    """The catalogue as JSON, with every export on offer as a distribution."""
    document = {
        "@context": f"{_SCHEMA}/catalog.jsonld",
        "@id": f"{publisher.origin}/data.json",
        "@type": "dcat:Catalog",
        "conformsTo": _SCHEMA,
        "describedBy": f"{_SCHEMA}/catalog.json",
        "dataset": [_dataset(archive, publisher, exports, connection)],
    }
    return encode_json(document)


def _dataset(
    archive: Archive,
    publisher: Publisher,
    exports: Iterable[Export],
    connection: sqlite3.Connection,
) -> Json:
    terms = archive.header["license"]
    known = {
        "rights": terms["title"] if len(terms["title"]) <= _LONGEST_RIGHTS else None,
        "spatial": ",".join(map(str, outline_bounds(connection) or ())),
        "temporal": temporal_coverage(connection),
        "references": source_urls(connection),
    }
    return {
        "@type": "dcat:Dataset",
        "identifier": f"{publisher.origin}/v1/record",
        "title": "Child Protection Compact record",
        "description": archive.header["archive_notice"],
        "keyword": list(KEYWORDS),
        "modified": archive.header["modified"],
        "publisher": {"@type": "org:Organization", "name": publisher.name},
        "contactPoint": {
            "@type": "vcard:Contact",
            "fn": publisher.contact_name,
            "hasEmail": f"mailto:{publisher.contact_email}",
        },
        "accessLevel": "public",
        "license": terms["url"],
        "language": ["en"],
        "landingPage": f"{publisher.origin}/",
        "describedBy": f"{publisher.origin}/openapi.json",
        "describedByType": "application/json",
        **{name: value for name, value in known.items() if value},
        "distribution": [_distribution(one, publisher.origin) for one in exports],
    }


def _distribution(export: Export, origin: str) -> Json:
    distribution = {
        "@type": "dcat:Distribution",
        "title": export.title,
        "description": export.description,
        "format": export.format,
        "mediaType": export.media_type,
        "downloadURL": f"{origin}{export.path}",
    }
    return distribution | ({"conformsTo": export.conforms_to} if export.conforms_to else {})


def outline_bounds(connection: sqlite3.Connection) -> tuple[float, float, float, float] | None:
    """West, south, east and north of all outlines, in degrees."""
    rows = connection.execute("SELECT bbox FROM outlines WHERE bbox <> 'null'")
    boxes = [json.loads(row[0]) for row in rows]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def temporal_coverage(connection: sqlite3.Connection) -> str | None:
    """From the first signature until the last end that is known, at the source's precision."""
    signed = _distinct(connection, "SELECT signed FROM partnerships")
    ends = _distinct(connection, "SELECT ends FROM awards UNION SELECT ends FROM partnerships")
    if not signed or not ends:
        return None
    return f"{min(signed, key=first_day)}/{max(ends, key=last_day)}"


def _distinct(connection: sqlite3.Connection, statement: str) -> list[str]:
    """The values of a statement's one column, in order, without null."""
    rows = connection.execute(f"SELECT DISTINCT * FROM ({statement}) ORDER BY 1")  # noqa: S608 - fixed
    return [row[0].decode() for row in rows if row[0] is not None]


def source_urls(connection: sqlite3.Connection) -> list[str]:
    """Addresses of the archived pages."""
    return _distinct(connection, "SELECT url FROM sources")
