"""The record as a plain SQLite file, for Datasette, DuckDB and whoever opens it by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from app.archive.archive import COLLECTIONS
from app.exports.streams import RowCallback
from app.exports.tables import Column, Table, tables

_TYPES = {"string": "TEXT", "integer": "INTEGER", "boolean": "BOOLEAN", "array": "TEXT"}


def write_database(
    archive: Path, target: Path, about: Mapping[str, str], wrote: RowCallback
) -> None:
    """Copy an archive's record into an empty file, with typed columns and foreign keys alone.

    Besides the tables of the record there are `outlines`, the geometry of each region as GeoJSON
    text, and `about`, what the record says of itself. The same archive gives the same bytes.

    Raises:
        sqlite3.Error: The archive cannot be read or the file not written.
    """
    kept = f"{archive.resolve().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(target, isolation_level=None, uri=True)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("ATTACH ? AS archive", (kept,))
        connection.execute("BEGIN")
        connection.execute(_ABOUT)
        connection.executemany("INSERT INTO main.about VALUES (?, ?)", about.items())
        for table in tables():
            for statement in (_definition(table), _copy(table), *_indexes(table)):
                connection.execute(statement)
            if table.name in COLLECTIONS:
                wrote(connection.execute(f"SELECT count(*) FROM main.{table.name}").fetchone()[0])  # noqa: S608 - a name from COLLECTIONS
        connection.execute(_OUTLINES)
        connection.execute("INSERT INTO outlines SELECT region, geometry FROM archive.outlines")
        connection.execute("COMMIT")


_ABOUT = """CREATE TABLE main.about (
  -- What the record says of itself.
  key TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
)"""
_OUTLINES = """CREATE TABLE main.outlines (
  -- Where a region is.
  region TEXT PRIMARY KEY NOT NULL REFERENCES regions (id), -- Id of the region.
  geometry TEXT NOT NULL -- Its outline, a GeoJSON geometry (RFC 7946).
)"""


def read_rows(connection: sqlite3.Connection, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a table of such a file, as text, in batches; truth is `true` or `false`."""
    named = ", ".join(_textual(column) for column in table.columns)
    rows = connection.execute(f"SELECT {named} FROM {table.name} ORDER BY rowid")  # noqa: S608 - names from the models
    while batch := rows.fetchmany(1_000):
        yield batch


def _textual(column: Column) -> str:
    if column.kind == "boolean":
        return f"CASE {column.name} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
    return f'"{column.name}"'


def _definition(table: Table) -> str:
    """The table with its foreign keys; the comments stay in the file's own schema."""
    lines = [(_declared(column), column.description) for column in table.columns]
    lines.append((f"PRIMARY KEY ({', '.join(table.key)})", ""))
    written = [
        f"  {line}{',' if number < len(lines) else ''}{f' -- {told}' if told else ''}"
        for number, (line, told) in enumerate(lines, start=1)
    ]
    body = "\n".join([f"  -- {table.description}", *written])
    return f"CREATE TABLE main.{table.name} (\n{body}\n)"


def _declared(column: Column) -> str:
    parts = [f'"{column.name}"', _TYPES[column.kind]]
    if column.required:
        parts.append("NOT NULL")
    if column.references:
        parts.append(f"REFERENCES {column.references} (id)")
    return " ".join(parts)


def _copy(table: Table) -> str:
    name, origins = table.name, ", ".join(column.origin for column in table.columns)
    return f"INSERT INTO main.{name} SELECT {origins} FROM archive.{name} ORDER BY rowid"  # noqa: S608 - names from the models


def _indexes(table: Table) -> Iterator[str]:
    """An index for every foreign key that the primary key does not begin with."""
    for column in table.columns:
        if column.references and column.name != table.key[0]:
            yield f'CREATE INDEX main.{table.name}_{column.name} ON {table.name} ("{column.name}")'
    if table.name == "citations":
        yield "CREATE INDEX main.citations_resource ON citations (resource_type, resource)"
