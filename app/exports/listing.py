"""Name, format and description of every export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Export:
    """A downloadable representation of the record.

    Attributes:
        name: File name.
        path: URL path.
        title: Title for people.
        media_type: Media type.
        format: Short name of the format.
        description: Content and intended use.
        conforms_to: URL of the standard that it follows, if any.
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
    "All resources and citations as the API returns them, one list per collection.",
)
TABLES = Export(
    "tables.zip",
    "/v1/exports/tables.zip",
    "The record as CSV in a Data Package",
    "application/zip",
    "CSV",
    "One CSV file per collection, and link tables for its lists. datapackage.json describes "
    "column types, primary and foreign keys, sources, and the SHA-256 of each file.",
    "https://datapackage.org/profiles/2.0/datapackage.json",
)
DATABASE = Export(
    "record.sqlite",
    "/v1/exports/record.sqlite",
    "The record as an SQLite database",
    "application/vnd.sqlite3",
    "SQLite",
    "The same tables with foreign keys, the outlines of the regions, and a table named about "
    "with release and license. Opens in Datasette, DuckDB or the sqlite3 shell.",
)
REGIONS = Export(
    "regions.geojson",
    "/v1/exports/regions.geojson",
    "The regions as GeoJSON",
    "application/geo+json",
    "GeoJSON",
    "Every region with its outline. Outlines are illustrative, not authoritative.",
    "https://www.rfc-editor.org/rfc/rfc7946",
)
IATI = Export(
    "iati.xml",
    "/v1/exports/iati.xml",
    "The partnerships as IATI activities",
    "application/xml",
    "IATI XML",
    "One IATI 2.03 activity per partnership, from a secondary reporter: the awards as "
    "commitments, or else the whole investment as one; the objectives as tags. Values that the "
    "source does not state are left out.",
    "https://iatistandard.org/en/iati-standard/203/",
)
CATALOG = Export(
    "data.json",
    "/data.json",
    "The record as a catalog entry",
    "application/json",
    "DCAT-US",
    "The record as a dataset with these files as its distributions, for data catalogs that "
    "harvest DCAT-US 1.1.",
    "https://project-open-data.cio.gov/v1.1/schema",
)

EXPORTS: Mapping[str, Export] = {
    export.name: export for export in (RECORD, TABLES, DATABASE, REGIONS, IATI, CATALOG)
}
"""Every export, by name."""

FILES: Mapping[str, Export] = {export.name: export for export in (TABLES, DATABASE, REGIONS, IATI)}
"""The exports served under `/v1/exports`, by name."""
