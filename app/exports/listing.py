"""Name, format and description of every export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.archive.archive import COLLECTIONS
from app.responses.formats import CSV

FILES_PREFIX = "/v1/exports/"
"""Start of the path of an export file."""
PARQUET_TYPE = "application/vnd.apache.parquet"
"""Media type of Parquet, and of GeoParquet."""


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

    def file_name(self, label: str) -> str:
        """Name of the file when it is saved, with the label of the release."""
        stem, _, suffix = self.name.partition(".")
        return f"{stem}-{label}.{suffix}"

    @property
    def bare_media_type(self) -> str:
        """The media type without parameters, for those who look it up in a list."""
        return self.media_type.partition(";")[0]


RECORD = Export(
    "record.json",
    "/v1/record",
    "The record as JSON",
    "application/json",
    "JSON",
    "All resources and citations as the API returns them, one list per collection.",
)
SEED = Export(
    "seed.json",
    f"{FILES_PREFIX}seed.json",
    "The seed of the record",
    "application/json",
    "JSON",
    "The file that the record is written in, with the evidence of each value. The SHA-256 of its "
    "canonical form (RFC 8785) is the release.",
)
TABLES = Export(
    "tables.zip",
    f"{FILES_PREFIX}tables.zip",
    "The record as CSV in a Data Package",
    "application/zip",
    "ZIP",
    "One CSV file per collection, and link tables for its lists. datapackage.json describes "
    "column types, primary and foreign keys, sources, and the SHA-256 of each file.",
    "https://datapackage.org/profiles/2.0/datapackage.json",
)
DATABASE = Export(
    "record.sqlite",
    f"{FILES_PREFIX}record.sqlite",
    "The record as an SQLite database",
    "application/vnd.sqlite3",
    "SQLite",
    "The same tables with foreign keys, the outlines of the regions, and a table named about "
    "with release and license. Opens in Datasette, DuckDB or the sqlite3 shell.",
)
REGIONS = Export(
    "regions.geojson",
    f"{FILES_PREFIX}regions.geojson",
    "The regions as GeoJSON",
    "application/geo+json",
    "GeoJSON",
    "Every region with its outline. Outlines are illustrative, not authoritative.",
    "https://www.rfc-editor.org/rfc/rfc7946",
)
COLLECTIONS_CSV: Mapping[str, Export] = {
    name: Export(
        f"{name}.csv",
        f"{FILES_PREFIX}{name}.csv",
        f"The {name} as CSV",
        CSV.content_type,
        "CSV",
        f"One row per {model.type}, with the exact values; lists are JSON arrays. The same file "
        f"is in {TABLES.name}.",
        "https://www.rfc-editor.org/rfc/rfc4180",
    )
    for name, model in COLLECTIONS.items()
}
"""The CSV file of each collection, by the collection's name."""
CSV_METADATA = Export(
    "csv-metadata.json",
    f"{FILES_PREFIX}csv-metadata.json",
    "The columns of the CSV files",
    "application/csvm+json",
    "CSVW",
    "Types, meanings and keys of the columns of each collection's CSV, as W3C CSV on the Web.",
    "https://www.w3.org/TR/tabular-metadata/",
)
COLLECTIONS_PARQUET: Mapping[str, Export] = {
    name: Export(
        f"{name}.parquet",
        f"{FILES_PREFIX}{name}.parquet",
        f"The {name} as Parquet",
        PARQUET_TYPE,
        "Parquet",
        f"One row per {model.type}, with the columns of {name}.csv and their types: dates, "
        "booleans and lists.",
        "https://parquet.apache.org/docs/file-format/",
    )
    for name, model in COLLECTIONS.items()
} | {
    "regions": Export(
        "regions.parquet",
        f"{FILES_PREFIX}regions.parquet",
        "The regions as GeoParquet",
        PARQUET_TYPE,
        "GeoParquet",
        "One row per region, with the columns of regions.csv and their types, and its outline.",
        "https://geoparquet.org/releases/v1.1.0/",
    )
}
"""The Parquet file of each collection, by the collection's name."""
PARQUET_NAMES = frozenset(export.name for export in COLLECTIONS_PARQUET.values())
"""Files that only an installation with pyarrow builds."""
OPTIONAL_NAMES = PARQUET_NAMES | {SEED.name}
"""Files that are not built everywhere; `seed.json` is not if the seed was changed or removed."""
IATI = Export(
    "iati.xml",
    f"{FILES_PREFIX}iati.xml",
    "The partnerships as IATI activities",
    "application/xml",
    "IATI XML",
    "One IATI 2.03 activity per partnership, and one per award as its child, from a secondary "
    "reporter: the awards as commitments, or else the whole investment as one; the objectives as "
    "tags. Values that the source does not state are left out.",
    "https://iatistandard.org/en/iati-standard/203/",
)
ANNOTATIONS = Export(
    "annotations.jsonld",
    f"{FILES_PREFIX}annotations.jsonld",
    "The quotes as annotations",
    'application/ld+json; profile="http://www.w3.org/ns/anno.jsonld"',
    "JSON-LD",
    "Every quote as a W3C Web Annotation of the archived page, with the value that it supports. "
    "Positions are given for the extracted text only, not for the page.",
    "https://www.w3.org/TR/annotation-model/",
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
CATALOG_3 = Export(
    "data-3.0.json",
    "/data-3.0.json",
    "The record as a catalog entry, DCAT-US 3.0",
    "application/ld+json",
    "DCAT-US",
    "The record as a dataset with these files as its distributions, and the API as a data service, "
    "for data catalogs that harvest DCAT-US 3.0 or DCAT as JSON-LD.",
    "https://resources.data.gov/dcat-us/3.0.0",
)
CATALOG_NAMES = frozenset({CATALOG.name, CATALOG_3.name})
"""Exports that list the others."""

EXPORTS: Mapping[str, Export] = {
    export.name: export
    for export in (
        RECORD,
        SEED,
        TABLES,
        DATABASE,
        REGIONS,
        *COLLECTIONS_CSV.values(),
        CSV_METADATA,
        *COLLECTIONS_PARQUET.values(),
        IATI,
        ANNOTATIONS,
        CATALOG,
        CATALOG_3,
    )
}
"""Every export, by name."""

FILES: Mapping[str, Export] = {
    name: export for name, export in EXPORTS.items() if export.path == f"{FILES_PREFIX}{name}"
}
"""The exports served under `/v1/exports`, by name."""
