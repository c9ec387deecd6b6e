"""The record as a Data Package 2.0: a zip with one CSV file per table and their description."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from app.archive.archive import COLLECTIONS, Archive, read_only_uri
from app.exports.csvw import describe_csv
from app.exports.database import select_rows
from app.exports.listing import CSV_METADATA
from app.exports.streams import RowCallback
from app.exports.tables import Column, Table, tables
from app.exports.terms import full_description, licenses
from app.models.text_folding import fold

_PROFILES = "https://datapackage.org/profiles/2.0"
_MAX_NAME_CHARACTERS = 100
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can store, so that the same record produces the same bytes."""

Json = dict[str, Any]


def write_package(database: Path, target: Path, archive: Archive, on_rows: RowCallback) -> None:
    """Write the tables of the exported database and what describes them to a zip.

    They are described twice: by `datapackage.json`, and by `csv-metadata.json` for CSVW. The CSV
    files follow RFC 4180, in UTF-8; null is an empty cell, a list is a JSON array. Values are
    exact: formulas are not escaped for spreadsheets.

    Raises:
        OSError, sqlite3.Error: The database cannot be read, or the file cannot be written.
    """
    with (
        closing(sqlite3.connect(read_only_uri(database), uri=True)) as connection,
        ZipFile(target, "w") as package,
    ):
        resources = [_write_table(package, connection, table, on_rows) for table in tables()]
        descriptor = {
            **_package_descriptor(archive),
            "sources": list(_sources(connection)),
            "resources": resources,
        }
        package.writestr(_entry("datapackage.json"), _indented(descriptor))
        package.writestr(_entry(CSV_METADATA.name), _indented(describe_csv(archive, tables())))


def write_csv_files(package: Path, directory: Path, archive: Archive) -> None:
    """Write the CSV file of each collection, as it is in the package, and what describes them.

    Raises:
        OSError: The package cannot be read, or a file cannot be written.
    """
    collections = [table for table in tables() if table.name in COLLECTIONS]
    with ZipFile(package) as opened:
        for table in collections:
            opened.extract(f"{table.name}.csv", directory)
    metadata = _indented(describe_csv(archive, collections))
    (directory / CSV_METADATA.name).write_bytes(metadata)


def _write_table(
    package: ZipFile, connection: sqlite3.Connection, table: Table, on_rows: RowCallback
) -> Json:
    """Write one table; returns its Data Resource descriptor, with size and SHA-256."""
    entry = _entry(f"{table.name}.csv")
    digest, size = hashlib.sha256(), 0
    with package.open(entry, "w", force_zip64=True) as file:
        for chunk in _csv_chunks(connection, table, on_rows):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
    return {
        "name": table.name,
        "type": "table",
        "path": entry.filename,
        "description": table.description,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": size,
        "hash": f"sha256:{digest.hexdigest()}",
        "dialect": {"$schema": f"{_PROFILES}/tabledialect.json", "lineTerminator": "\r\n"},
        "schema": _schema(table),
    }


def _csv_chunks(
    connection: sqlite3.Connection, table: Table, on_rows: RowCallback
) -> Iterator[bytes]:
    yield _csv([[column.name for column in table.columns]])
    for rows in select_rows(connection, table, as_text=True):
        yield _csv(rows)
        if table.name in COLLECTIONS:
            on_rows(len(rows))


def _csv(rows: list[Any]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _ZIP_EPOCH)
    entry.compress_type = ZIP_DEFLATED
    entry.create_system = 3  # Unix, on every platform
    entry.external_attr = 0o644 << 16
    return entry


def _indented(document: Json) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode()


def _package_descriptor(archive: Archive) -> Json:
    metadata = archive.metadata
    return {
        "$schema": f"{_PROFILES}/datapackage.json",
        "name": _package_name(metadata["title"]),
        "title": metadata["title"],
        "description": full_description(metadata),
        "version": archive.release,
        "release_label": archive.label,
        "created": f"{metadata['modified']}T00:00:00Z",
        "licenses": [
            {"title": terms["title"], "path": terms["url"]} for terms in licenses(metadata)
        ],
        "keywords": metadata["keywords"],
    }


def _package_name(title: str) -> str:
    """The title as the name of a package: lowercase letters, digits and hyphens."""
    words = re.findall("[a-z0-9]+", fold(title))
    return "-".join(words)[:_MAX_NAME_CHARACTERS].strip("-") or "record"


def _sources(connection: sqlite3.Connection) -> Iterator[Json]:
    """The archived pages, and every reference that enriched values come from."""
    for title, url in connection.execute("SELECT title, url FROM sources ORDER BY rowid"):
        yield {"title": title} | ({"path": url} if url else {})
    references = (
        "SELECT reference_title, reference_url FROM citations WHERE reference_url IS NOT NULL "
        "GROUP BY reference_url ORDER BY min(rowid)"
    )
    for title, url in connection.execute(references):
        yield {"title": title, "path": url}


def _schema(table: Table) -> Json:
    """Schema of a table (Table Schema 2.0)."""
    keys = [
        {
            "fields": [column.name],
            "reference": {"resource": column.references, "fields": ["id"]},
        }
        for column in table.columns
        if column.references
    ]
    schema: Json = {
        "$schema": f"{_PROFILES}/tableschema.json",
        "fields": [_field(column, table) for column in table.columns],
        "missingValues": [""],
        "primaryKey": list(table.key),
    }
    return schema | ({"foreignKeys": keys} if keys else {})


def _field(column: Column, table: Table) -> Json:
    constraints: Json = {"required": True} if column.required else {}
    if table.key == (column.name,):
        constraints["unique"] = True
    if column.choices:
        constraints["enum"] = list(column.choices)
    if column.pattern:
        constraints["pattern"] = column.pattern
    field = {"name": column.name, "type": column.type, "description": column.description}
    return field | ({"constraints": constraints} if constraints else {})
