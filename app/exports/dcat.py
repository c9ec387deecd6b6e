"""The record as a DCAT-US 1.1 catalog with one dataset, for harvesting by data catalogs.

`bureauCode` and `programCode` are left out: only a U.S. agency may use them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.archive.archive import Archive
from app.exports.listing import Export
from app.exports.terms import full_description, rights
from app.models.dates import first_day, last_day
from app.models.outline import union_box
from app.responses.representations import encode_json

Json = dict[str, Any]

_SCHEMA = "https://project-open-data.cio.gov/v1.1/schema"
_MAX_RIGHTS_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class Publisher:
    """The publisher of the record.

    Attributes:
        origin: Public URL of the API.
        name: Name of the publisher.
        contact_name: Name of the contact for questions.
        contact_email: Email address of the contact.
    """

    origin: str
    name: str
    contact_name: str
    contact_email: str

    @property
    def dataset(self) -> str:
        """Identifier of the dataset, a URL."""
        return f"{self.origin}/v1/record"


def dcat_catalog(
    archive: Archive,
    publisher: Publisher,
    exports: Iterable[Export],
    connection: sqlite3.Connection,
) -> bytes:
    """The catalog as JSON, with every given export as a distribution."""
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
    metadata = archive.metadata
    optional = {
        "rights": _rights(metadata),
        "spatial": ",".join(map(str, outline_bounds(connection) or ())),
        "temporal": temporal_coverage(connection),
        "references": source_urls(connection),
    }
    return {
        "@id": publisher.dataset,
        "@type": "dcat:Dataset",
        "identifier": publisher.dataset,
        "title": metadata["title"],
        "description": full_description(metadata),
        "keyword": metadata["keywords"],
        "modified": metadata["modified"],
        "publisher": {"@type": "org:Organization", "name": publisher.name},
        "contactPoint": {
            "@type": "vcard:Contact",
            "fn": publisher.contact_name,
            "hasEmail": f"mailto:{publisher.contact_email}",
        },
        "accessLevel": "public",
        "license": metadata["license"]["url"],
        "language": ["en"],
        "landingPage": f"{publisher.origin}/",
        "describedBy": f"{publisher.origin}/openapi.json",
        "describedByType": "application/json",
        **{name: value for name, value in optional.items() if value},
        "distribution": [_distribution(export, publisher.origin) for export in exports],
    }


def _rights(metadata: Mapping[str, Any]) -> str | None:
    """Every license; without that of the project's own words if the text would be too long."""
    texts = (rights(metadata), metadata["license"]["title"])
    return next((text for text in texts if len(text) <= _MAX_RIGHTS_CHARACTERS), None)


def _distribution(export: Export, origin: str) -> Json:
    distribution = {
        "@id": distribution_id(export, origin),
        "@type": "dcat:Distribution",
        "title": export.title,
        "description": export.description,
        "format": export.format,
        "mediaType": export.bare_media_type,
        "downloadURL": f"{origin}{export.path}",
    }
    return distribution | ({"conformsTo": export.conforms_to} if export.conforms_to else {})


def distribution_id(export: Export, origin: str) -> str:
    """Identifier of a distribution, in every catalog; the address of the file is another one."""
    return f"{origin}/v1/exports#{export.name}"


def outline_bounds(connection: sqlite3.Connection) -> tuple[float, float, float, float] | None:
    """Bounding box of all regions: west, south, east and north, in degrees.

    None if a region has no outline, as the extent of the others would look like that of the record.
    """
    rows = connection.execute(
        "SELECT bbox FROM regions LEFT JOIN outlines ON outlines.region = regions.id"
    )
    boxes = [json.loads(bbox or "null") for (bbox,) in rows]
    return union_box(boxes) if boxes and None not in boxes else None


def temporal_coverage(connection: sqlite3.Connection) -> str | None:
    """The period of the record as an ISO 8601 interval."""
    period = temporal_period(connection)
    return "/".join(period) if period else None


def temporal_period(connection: sqlite3.Connection) -> tuple[str, str] | None:
    """The first signature and the last end date, as precise as the source."""
    starts = _distinct(connection, "SELECT signed FROM partnerships")
    ends = _distinct(connection, "SELECT ends FROM awards UNION SELECT ends FROM partnerships")
    if not starts or not ends:
        return None
    return min(starts, key=first_day), max(ends, key=last_day)


def _distinct(connection: sqlite3.Connection, statement: str) -> list[str]:
    """Distinct values of a statement's single column, sorted, without null."""
    rows = connection.execute(f"SELECT DISTINCT * FROM ({statement}) ORDER BY 1")  # noqa: S608 - fixed
    return [value.decode() for (value,) in rows if value is not None]


def source_urls(connection: sqlite3.Connection) -> list[str]:
    """URLs of the archived pages."""
    return _distinct(connection, "SELECT url FROM sources")
