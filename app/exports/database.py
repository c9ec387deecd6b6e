"""The record as a plain SQLite database, for Datasette, DuckDB and the sqlite3 shell."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from app.archive.archive import COLLECTIONS, read_only_uri
from app.exports.streams import RowCallback
from app.exports.tables import Column, ColumnType, Table, tables
from app.models.dates import first_day, last_day

_TYPES: Mapping[ColumnType, str] = {
    "string": "TEXT",
    "integer": "INTEGER",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TEXT",
    "array": "TEXT",
}
"""Declared types. STRICT tables have neither BOOLEAN nor DATE, which other programs recognize."""
_BATCH_ROWS = 1_000


def write_database(
    archive_path: Path, target: Path, about: Mapping[str, str], on_rows: RowCallback
) -> None:
    """Copy an archive's tables to an empty file, with typed columns and foreign keys.

    Two tables are added: `outlines`, the geometry of each region as GeoJSON text, and `about`,
    the metadata of the record. The same archive always produces the same bytes.

    Raises:
        sqlite3.Error: The archive cannot be read, or the file cannot be written.
    """
    with closing(sqlite3.connect(target, isolation_level=None, uri=True)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("ATTACH ? AS archive", (read_only_uri(archive_path),))
        for function in (first_day, last_day):
            connection.create_function(function.__name__, 1, _day(function), deterministic=True)
        connection.execute("BEGIN")
        connection.execute(_ABOUT)
        connection.executemany("INSERT INTO main.about VALUES (?, ?)", about.items())
        for table in tables():
            for statement in (_definition(table), _copy(table), *_indexes(table)):
                connection.execute(statement)
            if table.name in COLLECTIONS:
                on_rows(connection.execute(f"SELECT count(*) FROM main.{table.name}").fetchone()[0])  # noqa: S608 - a name from COLLECTIONS
        connection.execute(_OUTLINES)
        connection.execute("INSERT INTO outlines SELECT region, geometry FROM archive.outlines")
        connection.execute("COMMIT")


def _day(function: Callable[[str], date]) -> Callable[[str | None], str | None]:
    """A function of dates as one of SQL, which gives a day as text."""
    return lambda value: None if value is None else function(value).isoformat()


_ABOUT = """CREATE TABLE main.about (
  -- Metadata of the record: release, date, license, archive notice, source of the outlines.
  key TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
)"""
_OUTLINES = """CREATE TABLE main.outlines (
  -- Outlines of the regions.
  region TEXT PRIMARY KEY NOT NULL REFERENCES regions (id), -- Region.
  geometry TEXT NOT NULL -- GeoJSON geometry (RFC 7946).
)"""


def select_rows(
    connection: sqlite3.Connection, table: Table, *, as_text: bool = False
) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of a table of the exported database, in batches.

    Args:
        connection: A connection to the database.
        table: The table.
        as_text: Whether booleans are `true` and `false`, and not 1 and 0.
    """
    select = _text_expression if as_text else _name
    columns = ", ".join(map(select, table.columns))
    rows = connection.execute(f"SELECT {columns} FROM {table.name} ORDER BY rowid")  # noqa: S608 - names from the models
    while batch := rows.fetchmany(_BATCH_ROWS):
        yield batch


def _name(column: Column) -> str:
    return f'"{column.name}"'


def _text_expression(column: Column) -> str:
    name = _name(column)
    if column.type != "boolean":
        return name
    return f"CASE {name} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"


def _definition(table: Table) -> str:
    """CREATE TABLE statement; SQLite stores the descriptions, as comments, in the schema."""
    definitions = [(_column_definition(column), column.description) for column in table.columns]
    definitions.append((f"PRIMARY KEY ({', '.join(table.key)})", ""))
    lines = [
        f"  {definition}{',' if number < len(definitions) else ''}"
        f"{f' -- {description}' if description else ''}"
        for number, (definition, description) in enumerate(definitions, start=1)
    ]
    body = "\n".join([f"  -- {table.description}", *lines])
    return f"CREATE TABLE main.{table.name} (\n{body}\n)"


def _column_definition(column: Column) -> str:
    parts = [_name(column), _TYPES[column.type]]
    if column.required:
        parts.append("NOT NULL")
    if column.references:
        parts.append(f"REFERENCES {column.references} (id)")
    return " ".join(parts)


def _copy(table: Table) -> str:
    name, columns = table.name, ", ".join(column.expression for column in table.columns)
    return f"INSERT INTO main.{name} SELECT {columns} FROM archive.{name} ORDER BY rowid"  # noqa: S608 - names from the models


def _indexes(table: Table) -> Iterator[str]:
    """CREATE INDEX statements for foreign keys that the primary key does not start with."""
    for column in table.columns:
        if column.references and column.name != table.key[0]:
            yield f'CREATE INDEX main.{table.name}_{column.name} ON {table.name} ("{column.name}")'
    if table.name == "citations":
        yield "CREATE INDEX main.citations_resource ON citations (resource_type, resource)"
