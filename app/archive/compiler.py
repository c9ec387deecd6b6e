"""Compiles a seed file to SQLite: it is read, validated and written in one pass."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache
from operator import itemgetter
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, Index

from app.archive.archive import (
    APPLICATION_ID,
    LISTS,
    ProgressCallback,
    archive_code_digest,
)
from app.archive.change_rows import write_changes
from app.archive.checksum import write_checksum
from app.archive.release import fingerprint
from app.archive.versions import count_rows, record_metadata, write_versions
from app.models import RESOURCES, Resource
from app.models.citation import CITATION_COLUMNS, citation_rows
from app.models.dates import first_day, last_day
from app.models.outline import geometry_of
from app.models.tables import SCHEMA
from app.models.text_folding import fold
from app.seed.record import SeedStream
from app.seed.release_files import filed_releases
from app.seed.releases import ReleaseFacts

_BATCH_RESOURCES = 2_000
"""Resources per `executemany` and per progress report."""
_SEARCH = (
    "CREATE VIRTUAL TABLE search USING fts5(title, body, type UNINDEXED, id UNINDEXED, "
    "heading UNINDEXED, text UNINDEXED, tokenize = 'unicode61 remove_diacritics 0', prefix = '2')"
)

Rows = defaultdict[str, list[tuple[Any, ...]]]
"""Rows to be inserted, by INSERT statement."""


def compile_seed(
    seed: Path,
    path: Path,
    progress: ProgressCallback | None = None,
    filed: Sequence[Path] | None = None,
) -> None:
    """Validate a seed file and write its record and all earlier releases to an empty file.

    Args:
        seed: The seed.
        path: The empty file.
        progress: Called with the number of bytes read and their total.
        filed: Files of the earlier releases, the oldest first; those next to the seed by default.

    Raises:
        SeedError: The seed file is invalid; the file must not be used.
        sqlite3.Error: The file cannot be written.
    """
    filed = filed_releases(seed) if filed is None else filed
    fingerprints = {path.name: fingerprint(path) for path in filed}
    stream = SeedStream(seed, with_entry_digests=bool(filed))
    with (
        _garbage_collection_disabled(),
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
    ):
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("BEGIN")
        for table in SCHEMA.sorted_tables:
            connection.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))
        connection.execute(_SEARCH)
        connection.execute("INSERT INTO search(search, rank) VALUES ('rank', 'bm25(10, 1)')")
        rowid_ranges = _write_resources(connection, stream, progress)
        for statement in _indexes():
            connection.execute(statement)
        _write_outlines(connection, stream)
        releases = write_versions(connection, stream, filed)
        write_changes(connection)
        meta = {"filed": fingerprints, "rowid_ranges": rowid_ranges}
        _write_meta(connection, stream, releases, meta)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
    write_checksum(path)


@contextmanager
def _garbage_collection_disabled() -> Iterator[None]:
    """Disable the cyclic garbage collector, which would find nothing in the many objects made.

    It is global to the process, so this is done on the main thread only, where nothing else runs.
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
    connection: sqlite3.Connection, stream: SeedStream, progress: ProgressCallback | None
) -> dict[str, tuple[int, int]]:
    """Write every resource; returns the first and last rowid of each type.

    Rowids are unique across all types, as the full-text index shares them, and consecutive within
    a type. An empty type has the range (1, 0).
    """
    rowid_ranges = {model.type: (1, 0) for model in RESOURCES}
    rows: Rows = defaultdict(list)
    for rowid, resource in enumerate(stream, start=1):
        first, last = rowid_ranges[resource.type]
        rowid_ranges[resource.type] = (first if last else rowid, rowid)
        _add_rows(resource, rowid, rows)
        if rowid % _BATCH_RESOURCES == 0:
            _flush(connection, rows)
            if progress is not None:
                progress(stream.file.bytes_read, stream.file.size)
    _flush(connection, rows)
    if progress is not None:
        progress(stream.file.size, stream.file.size)
    return rowid_ranges


def _flush(connection: sqlite3.Connection, rows: Rows) -> None:
    for statement, batch in rows.items():
        connection.executemany(statement, batch)
    rows.clear()


def _add_rows(resource: Resource, rowid: int, rows: Rows) -> None:
    """Add the rows of a resource: its own, its full text, its link rows, its citations."""
    plan, values = _plan(type(resource)), resource.__dict__
    derived = (convert(values[field]) for field, convert in plan.derived)
    row = (rowid, *plan.plain(values), *derived, resource.model_dump_json())
    rows[plan.insert].append(row)
    heading, *others = (_as_text(values[field]) for field in resource.searchable_fields)
    text = "\n".join(filter(None, others))
    folded = fold(heading), fold(text)
    rows[_INSERT_SEARCH].append((rowid, *folded, resource.type, resource.id, heading, text))
    copied = [row[index] for index in plan.copied]
    for field, statement in plan.links:
        rows[statement] += [(resource.id, member, *copied) for member in values[field] or ()]
    rows[_INSERT_CITATION] += citation_rows(resource)


class _Plan:
    """How resources of one type are written.

    Attributes:
        insert: INSERT statement of the type's table.
        plain: Returns the values of the columns that are fields of the resource.
        derived: Field and conversion of each computed column.
        copied: Indexes of the columns that are repeated for each member of a list.
        links: Each list field, with the INSERT statement of its link table.
    """

    def __init__(self, model: type[Resource]) -> None:
        table = SCHEMA.tables[model.collection]
        names = [column.name for column in table.columns if column.name != "document"]
        plain = [name for name in names if name in model.model_fields]
        derived = [name for name in names if name not in plain]
        columns = ["rowid", *plain, *derived]
        self.insert = _insert(table.name, [*columns, "document"])
        self.plain: Callable[[Mapping[str, Any]], tuple[Any, ...]] = itemgetter(*plain)
        self.derived = [
            (name.rpartition("_")[0], _DERIVED[name.rpartition("_")[2]]) for name in derived
        ]
        ranged = dict.fromkeys(column for range_ in model.ranges for column in range_.columns)
        self.copied = [columns.index(name) for name in ("rowid", *ranged)]
        self.links = [
            (filter_.field, _insert(link, [model.type, filter_.parameter, "item_rowid", *ranged]))
            for filter_ in model.all_filters()
            if (link := model.link_table(filter_.field)) is not None
        ]


_plan = cache(_Plan)


def _insert(table: str, columns: list[str]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    placeholders = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({placeholders})"  # noqa: S608 - names from the models


_INSERT_SEARCH = _insert("search", ["rowid", "title", "body", "type", "id", "heading", "text"])
_INSERT_CITATION = _insert("citations", list(CITATION_COLUMNS))


_DERIVED: Mapping[str, Callable[[str | None], str | None]] = {
    "first": lambda value: first_day(value).isoformat() if value else None,
    "last": lambda value: last_day(value).isoformat() if value else None,
    "key": lambda value: fold(value) if value is not None else None,
}
"""Conversion from a field to a computed column, by the suffix of the column's name."""


def _as_text(value: str | list[str] | None) -> str:
    return "\n".join(value) if isinstance(value, list) else value or ""


def _write_outlines(connection: sqlite3.Connection, stream: SeedStream) -> None:
    connection.execute(
        "CREATE TABLE outlines "
        "(region TEXT PRIMARY KEY, bbox TEXT NOT NULL, geometry TEXT NOT NULL)"
    )
    connection.executemany(
        "INSERT INTO outlines VALUES (?, ?, ?)",
        (
            (region, _json(outline.box), _json(geometry_of(outline.polygons)))
            for region, outline in stream.outlines.items()
        ),
    )


def _write_meta(
    connection: sqlite3.Connection,
    stream: SeedStream,
    releases: Sequence[ReleaseFacts],
    more: Mapping[str, Any],
) -> None:
    rows = {name: count_rows(connection, name) for name in LISTS}
    present = releases[-1]
    meta = {
        "release": present.digest,
        "label": present.label,
        "date": present.date,
        "note": present.note,
        "releases": {release.label: release.digest for release in releases},
        "seed": [stream.file.size, stream.file.sha256],
        "compiler": archive_code_digest(),
        "rows": rows,
        "metadata": record_metadata(stream.metadata),
        **more,
    }
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)", ((key, _json(value)) for key, value in meta.items())
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _indexes() -> Iterator[str]:
    """CREATE INDEX statements for every sort, in both directions, and every filter and range.

    Each index ends with the id, so it covers counting.
    """
    for model in LISTS.values():
        table = SCHEMA.tables[model.collection]
        for sort in model.sorts:
            column = table.c[sort.column]
            if sort.column != "id":
                yield _index(table, f"sort_{sort.field}", column, table.c.id)
                yield _index(table, f"sort_{sort.field}_desc", column.desc(), table.c.id)
        for range_ in model.ranges:
            sorted_by = {sort.column for sort in model.sorts}
            for name in sorted({*range_.columns} - sorted_by):
                yield _index(table, f"range_{name}", table.c[name], table.c.id)
        for filter_ in model.all_filters():
            link = model.link_table(filter_.field)
            if link is not None:
                linked = SCHEMA.tables[link]
                value = linked.c[filter_.parameter]
                others = (column for column in linked.c if column is not value)
                yield _index(linked, "filter", value, *others)
            elif filter_ is not model.id_filter:  # the primary key has an index
                column = table.c[filter_.field]
                yield _index(table, f"filter_{filter_.parameter}", column, table.c.id)


def _index(table: Table, purpose: str, *columns: Any) -> str:
    index = Index(f"{table.name}_{purpose}", *columns)
    statement = str(CreateIndex(index).compile(dialect=sqlite.dialect()))
    table.indexes.discard(index)
    return statement
