"""A seed file compiled to SQLite: read, checked and written in one pass."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from operator import itemgetter
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, Index
from sqlmodel import SQLModel

from app.archive.archive import (
    APPLICATION_ID,
    COLLECTIONS,
    ProgressCallback,
    compiler_digest,
    link_table,
)
from app.archive.checksum import write_checksum
from app.models import RESOURCES, Resource
from app.models.citation import CITATION_COLUMNS, citation_rows
from app.models.dates import first_day, last_day
from app.models.text_folding import fold
from app.seed.record import SeedStream

_BATCH = 2_000
_SEARCH = (
    "CREATE VIRTUAL TABLE search USING fts5(title, body, type UNINDEXED, id UNINDEXED, "
    "heading UNINDEXED, text UNINDEXED, tokenize = 'unicode61 remove_diacritics 0', prefix = '2')"
)


Rows = defaultdict[str, list[tuple[Any, ...]]]
"""What statements bind, row by row."""


def compile_seed(seed: Path, path: Path, progress: ProgressCallback | None = None) -> None:
    """Check a seed file and write its record into an empty file.

    Raises:
        SeedError: The seed file is faulty; what was written must not be used.
        sqlite3.Error: The file cannot be written.
    """
    reading = SeedStream(seed)
    with _uncollected(), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("BEGIN")
        for table in SQLModel.metadata.sorted_tables:
            connection.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))
        connection.execute(_SEARCH)
        connection.execute("INSERT INTO search(search, rank) VALUES ('rank', 'bm25(10, 1)')")
        rowid_ranges = _write_resources(connection, reading, progress)
        for statement in _indexes():
            connection.execute(statement)
        _write_outlines(connection, reading)
        _write_meta(connection, reading, rowid_ranges)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
    write_checksum(path)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Spare the garbage collector: no resource refers to itself, and there are many.

    It is the whole process's, so only where nothing else runs: on the main thread.
    """
    enabled = gc.isenabled() and current_thread() is main_thread()
    if enabled:
        gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _write_resources(
    connection: sqlite3.Connection, reading: SeedStream, progress: ProgressCallback | None
) -> dict[str, tuple[int, int]]:
    """Write every resource; returns the first and last row number of each type.

    Rows are numbered through the record, so that full text shares the numbers, and a type's are
    consecutive. The last number of an empty type is before its first.
    """
    rowid_ranges = {model.type: (1, 0) for model in RESOURCES}
    rows: Rows = defaultdict(list)
    for number, resource in enumerate(reading, start=1):
        first, last = rowid_ranges[resource.type]
        rowid_ranges[resource.type] = (first if last else number, number)
        _collect(resource, number, rows)
        if number % _BATCH == 0:
            _flush(connection, rows)
            if progress is not None:
                progress(reading.bytes_read, reading.size)
    _flush(connection, rows)
    if progress is not None:
        progress(reading.size, reading.size)
    return rowid_ranges


def _flush(connection: sqlite3.Connection, rows: Rows) -> None:
    for statement, group in rows.items():
        connection.executemany(statement, group)
    rows.clear()


def _collect(resource: Resource, number: int, rows: Rows) -> None:
    """Add everything that is written for a resource to what its statements bind."""
    plan, values = _plan(type(resource)), resource.__dict__
    derived = (convert(values[name]) for name, convert in plan.derived)
    row = (number, *plan.plain(values), *derived, resource.model_dump_json())
    rows[plan.insertion].append(row)
    heading, *others = (_searchable(values[name]) for name in resource.searchable_fields)
    text = "\n".join(filter(None, others))
    folded = fold(heading), fold(text)
    rows[_INDEXED].append((number, *folded, resource.type, resource.id, heading, text))
    copied = [row[place] for place in plan.copied]
    for field, statement in plan.links:
        rows[statement] += [(resource.id, member, *copied) for member in values[field] or ()]
    rows[_CITING] += citation_rows(resource)


class _Plan:
    """How resources of one type are written.

    Attributes:
        insertion: Writes the type's own row.
        plain: Reads what its first columns hold, which are fields of the resource.
        derived: What the columns after them are made of and how: a field and a conversion.
        copied: Which of the row's values stand beside each member of a list.
        links: Fields that are lists, and what writes a member of each.
    """

    def __init__(self, model: type[Resource]) -> None:
        table = SQLModel.metadata.tables[model.collection]
        names = [column.name for column in table.columns if column.name != "document"]
        plain = [name for name in names if name in model.model_fields]
        derived = [name for name in names if name not in plain]
        columns = ["rowid", *plain, *derived]
        self.insertion = _insert(table.name, [*columns, "document"])
        self.plain: Callable[[Mapping[str, Any]], tuple[Any, ...]] = itemgetter(*plain)
        self.derived = [
            (name.rpartition("_")[0], _DERIVED[name.rpartition("_")[2]]) for name in derived
        ]
        ranged = dict.fromkeys(column for one in model.ranges for column in one.columns)
        self.copied = [columns.index(name) for name in ("rowid", *ranged)]
        self.links = [
            (one.field, _insert(link, [model.type, one.parameter, "number", *ranged]))
            for one in model.filters
            if (link := link_table(model, one.field)) is not None
        ]


_plan = cache(_Plan)


def _insert(table: str, columns: list[str]) -> str:
    named = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table} ({named}) VALUES ({marks})"  # noqa: S608 - names from the models


_INDEXED = _insert("search", ["rowid", "title", "body", "type", "id", "heading", "text"])
_CITING = _insert("citations", list(CITATION_COLUMNS))


_DERIVED: Mapping[str, Callable[[str | None], str | None]] = {
    "first": lambda value: first_day(value).isoformat() if value else None,
    "last": lambda value: last_day(value).isoformat() if value else None,
    "key": lambda value: fold(value) if value is not None else None,
}
"""How a column is made of a field, by the end of its name."""


def _searchable(value: str | list[str] | None) -> str:
    return "\n".join(value) if isinstance(value, list) else value or ""


def _write_outlines(connection: sqlite3.Connection, reading: SeedStream) -> None:
    connection.execute(
        "CREATE TABLE outlines (region TEXT PRIMARY KEY, bbox TEXT, geometry TEXT NOT NULL)"
    )
    connection.executemany(
        "INSERT INTO outlines VALUES (?, ?, ?)",
        (
            (name, _json(outline.get("bbox")), _json(outline["geometry"]))
            for name, outline in reading.outlines.items()
        ),
    )


def _write_meta(
    connection: sqlite3.Connection, reading: SeedStream, rowid_ranges: dict[str, tuple[int, int]]
) -> None:
    counts = {
        name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 - a name from COLLECTIONS
        for name in COLLECTIONS
    }
    meta = {
        "release": reading.release,
        "size": reading.size,
        "compiler": compiler_digest(),
        "counts": counts,
        "spans": rowid_ranges,
        "header": reading.header.model_dump(mode="json", exclude={"schema_name"}),
    }
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    rows = ((key, _json(value)) for key, value in meta.items())
    connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _indexes() -> Iterator[str]:
    """An index for every sort, in both directions, and for every filter and range.

    Each ends with the id, so that rows are counted without being read.
    """
    for model in COLLECTIONS.values():
        table = SQLModel.metadata.tables[model.collection]
        for sort in model.sorts:
            column = table.c[sort.column]
            if sort.column != "id":
                yield _index(table, f"sort_{sort.field}", column, table.c.id)
                yield _index(table, f"sort_{sort.field}_desc", column.desc(), table.c.id)
        for one in model.ranges:
            sorted_by = {sort.column for sort in model.sorts}
            for name in sorted({*one.columns} - sorted_by):
                yield _index(table, f"range_{name}", table.c[name], table.c.id)
        for filter_ in model.filters:
            link = link_table(model, filter_.field)
            if link is None:
                column = table.c[filter_.field]
                yield _index(table, f"filter_{filter_.parameter}", column, table.c.id)
            else:
                linked = SQLModel.metadata.tables[link]
                value = linked.c[filter_.parameter]
                yield _index(
                    linked, "filter", value, *(one for one in linked.c if one is not value)
                )


def _index(table: Table, purpose: str, *columns: Any) -> str:
    index = Index(f"{table.name}_{purpose}", *columns)
    statement = str(CreateIndex(index).compile(dialect=sqlite.dialect()))
    table.indexes.discard(index)
    return statement
