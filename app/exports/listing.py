"""What can be taken away: the name, the format and the meaning of every export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Export:
    """One export.

    Attributes:
        name: File name.
        path: Path of its address.
        title: What it is called.
        media_type: Its media type.
        format: What its format is called.
        description: What it is and what it is good for.
        conforms_to: Address of the standard that it follows, where there is one.
    """

    name: str
    path: str
    title: str
    media_type: str
    format: str
    description: str
    conforms_to: str | None = None


RECORD = Export(
    "record.json",
    "/v1/record",
    "The record as JSON",
    "application/json",
    "JSON",
    "Every resource and every citation as the API gives them, one list a type.",
)
TABLES = Export(
    "tables.zip",
    "/v1/exports/tables.zip",
    "The record as CSV in a Data Package",
    "application/zip",
    "CSV",
    "One CSV file a collection, and one for each list of references, described by "
    "datapackage.json: types, keys, sources and the digest of each file.",
    "https://datapackage.org/profiles/2.0/datapackage.json",
)
DATABASE = Export(
    "record.sqlite",
    "/v1/exports/record.sqlite",
    "The record as an SQLite database",
    "application/vnd.sqlite3",
    "SQLite",
    "The same tables with foreign keys, the outlines of the regions, and in the table about "
    "what the record says of itself; for Datasette, DuckDB or the sqlite3 shell.",
)
REGIONS = Export(
    "regions.geojson",
    "/v1/exports/regions.geojson",
    "The regions as GeoJSON",
    "application/geo+json",
    "GeoJSON",
    "Every region with its outline, which is illustrative and not authoritative.",
    "https://www.rfc-editor.org/rfc/rfc7946",
)
IATI = Export(
    "iati.xml",
    "/v1/exports/iati.xml",
    "The partnerships as IATI activities",
    "application/xml",
    "IATI XML",
    "One activity a partnership, reported by a secondary reporter (IATI 2.03): its whole "
    "investment as one commitment, its objectives as tags. Nothing that the source does not give.",
    "https://iatistandard.org/en/iati-standard/203/",
)
CATALOG = Export(
    "data.json",
    "/data.json",
    "The catalogue entry of the record",
    "application/json",
    "DCAT-US",
    "The record as a dataset with these files as its distributions, for catalogues that harvest "
    "DCAT-US 1.1.",
    "https://project-open-data.cio.gov/v1.1/schema",
)

EXPORTS: Mapping[str, Export] = {
    one.name: one for one in (RECORD, TABLES, DATABASE, REGIONS, IATI, CATALOG)
}
"""Every export by its name."""

FILES: Mapping[str, Export] = {one.name: one for one in (TABLES, DATABASE, REGIONS, IATI)}
"""Those that are files of their own under `/v1/exports`."""
