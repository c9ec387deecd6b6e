"""The archive: a record compiled to SQLite once a release, then only read."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import CapacityLimiter, to_thread
from pydantic import BaseModel
from sqlalchemy import Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, Index
from sqlmodel import SQLModel

from app.folding import fold
from app.models import RESOURCES, Citation, Document, Resource
from app.models.dates import first_day, last_day

if TYPE_CHECKING:
    from app.record import Record

APPLICATION_ID = 0x43504352
"""Marks the file as an archive of this project (SQLite's `application_id`; "CPCR")."""

Progress = Callable[[int, int], None]
"""Told how many resources are done, of how many."""

_MODELS: tuple[type[Document], ...] = (*RESOURCES, Citation)

_READERS = 4
"""Threads that may read at once besides the event loop's."""

T = TypeVar("T")

COLLECTIONS: Mapping[str, type[Document]] = {model.collection: model for model in _MODELS}
"""Every model that is a collection of the API, by the collection's name."""


class ArchiveError(Exception):
    """The archive cannot be compiled or opened; the message is a sentence for a person."""


@dataclass(frozen=True)
class Archive:
    """An open archive, of one release for as long as it is open.

    Attributes:
        release: SHA-256 of the seed it was compiled from, hexadecimal.
        counts: Number of rows of each collection.
        header: What the seed says of the whole record.
        spans: First and last number of the rows of each type; numbers are unique in the record.
        connection: For quick look-ups on the thread of the event loop.
        readers: For work on other threads; opened at once, so that all are of one release.
        totals: Numbers of rows under filters that were counted already.
    """

    release: str
    counts: Mapping[str, int]
    header: Mapping[str, Any]
    spans: Mapping[str, tuple[int, int]]
    connection: sqlite3.Connection = field(repr=False)
    readers: SimpleQueue[sqlite3.Connection] = field(repr=False)
    totals: dict[Any, int] = field(default_factory=dict, repr=False)
    _limiter: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_READERS), repr=False)

    @classmethod
    def open(cls, path: Path) -> Archive:
        """Open a compiled archive, read-only and immutable.

        Raises:
            ArchiveError: It is absent, cut short, or not an archive of this project.
        """
        try:
            meta = _read_meta(path)
            connection = _connect(path)
            readers: SimpleQueue[sqlite3.Connection] = SimpleQueue()
            for _ in range(_READERS):
                readers.put(_connect(path))
            told = [meta[key] for key in ("release", "counts", "header", "spans")]
        except (sqlite3.Error, OSError, ValueError, KeyError) as error:
            raise ArchiveError(f"{path} is not a whole archive: {error}.") from error
        release, counts, header, spans = told
        return cls(release, counts, header, spans, connection, readers)

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()
        for _ in range(_READERS):
            self.readers.get().close()

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do work that may take long on another thread, with a connection of its own."""

        def borrowing() -> T:
            connection = self.readers.get()
            try:
                return work(connection)
            finally:
                self.readers.put(connection)

        return await to_thread.run_sync(borrowing, limiter=self._limiter)


def prepare(seed: Path, archive: Path, progress: Progress | None = None) -> bool:
    """Compile a seed file unless the archive is already its own.

    Returns:
        Whether it had to be compiled.

    Raises:
        SeedError: The seed file is faulty; the archive is left as it was.
        ArchiveError: The archive cannot be written; it is left as it was.
    """
    if is_current(seed, archive):
        return False
    build(seed, archive, progress)
    return True


def is_current(seed: Path, archive: Path) -> bool:
    """Whether the archive is whole and was compiled from this seed by this code.

    The seed's digest is compared. Only where the seed is large do sizes and times do: an archive
    takes over its seed's modification time, and a seed whose status changed later is read.
    """
    try:
        meta = _read_meta(archive)
        if meta["compiler"] != _compiler():
            return False
        source, compiled = seed.stat(), archive.stat()
        if source.st_size != meta["size"]:
            return False
        untouched = source.st_ctime_ns < compiled.st_ctime_ns
        untouched = untouched and source.st_mtime_ns == compiled.st_mtime_ns
        if untouched and source.st_size >= _WORTH_TRUSTING_TIMES:
            return True
        with seed.open("rb") as file:
            return bool(hashlib.file_digest(file, "sha256").hexdigest() == meta["release"])
    except (sqlite3.Error, OSError, ValueError, KeyError):
        return False


def build(seed: Path, archive: Path, progress: Progress | None = None) -> None:
    """Check a seed file and compile it, atomically: a reader sees the old file or the new one.

    Raises:
        SeedError: The seed file is faulty; the archive is left as it was.
        ArchiveError: The archive cannot be written; it is left as it was.
    """
    from app.record import load  # noqa: PLC0415 - checking drags in what serving never needs

    try:
        times = seed.stat()
    except OSError:
        times = None
    record = load(seed)
    try:
        archive.parent.mkdir(parents=True, exist_ok=True)
        _sweep(archive.parent)
        with _temporary(archive.parent) as path:
            compile_record(record, path, progress)
            if times is not None:
                os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            path.chmod(0o644)
            _sync(path)
            path.replace(archive)
        _sync(archive.parent)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ArchiveError(
            f"Cannot write the archive {archive}: {reason}. "
            "Free the disk or let ARCHIVE_FILE name a file in a folder that can be written."
        ) from error


def compile_record(record: Record, path: Path, progress: Progress | None = None) -> None:
    """Write a checked record into an empty file.

    Raises:
        sqlite3.Error: The file cannot be written.
    """
    total = sum(len(group) for group in record.resources.values())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("BEGIN")
        for table in SQLModel.metadata.sorted_tables:
            connection.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))
        connection.execute(_SEARCH)
        for done, resource in enumerate(record, start=1):
            _insert_resource(connection, resource, done)
            if progress is not None:
                progress(done, total)
        for statement in _indexes():
            connection.execute(statement)
        connection.execute(
            "CREATE TABLE outlines (region TEXT PRIMARY KEY, bbox TEXT, geometry TEXT NOT NULL)"
        )
        connection.executemany(
            "INSERT INTO outlines VALUES (?, ?, ?)",
            (
                (name, _json(outline.get("bbox")), _json(outline["geometry"]))
                for name, outline in record.outlines.items()
            ),
        )
        connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            ((key, _json(value)) for key, value in _meta(connection, record).items()),
        )
        connection.execute("COMMIT")
        connection.execute("ANALYZE")


_WORTH_TRUSTING_TIMES = 32_000_000
_TEMPORARY = ".archive-"
_SEARCH = (
    "CREATE VIRTUAL TABLE search USING fts5(type UNINDEXED, id UNINDEXED, title, body, "
    "tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')"
)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro&immutable=1",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.text_factory = bytes
    return connection


def _read_meta(path: Path) -> dict[str, Any]:
    """The meta table of an archive whose length is what its header says.

    Raises:
        OSError, sqlite3.Error, ValueError: It is not a whole archive.
    """
    size = path.stat().st_size
    with closing(_connect(path)) as connection:

        def pragma(name: str) -> int:
            return int(connection.execute(f"PRAGMA {name}").fetchone()[0])

        if pragma("application_id") != APPLICATION_ID:
            raise ValueError("another program wrote it")
        if pragma("page_count") * pragma("page_size") != size:
            raise ValueError("its length is not what its header says")
        rows = connection.execute("SELECT key, value FROM meta").fetchall()
    return {key.decode(): json.loads(value) for key, value in rows}


@cache
def _compiler() -> str:
    """Digest of the code that decides what an archive holds."""
    here = Path(__file__).parent
    files = [here / "archive.py", here / "folding.py", *sorted((here / "models").glob("*.py"))]
    hashed = hashlib.sha256(sqlite3.sqlite_version.encode())
    for file in files:
        hashed.update(file.read_bytes())
    return hashed.hexdigest()


def _meta(connection: sqlite3.Connection, record: Record) -> dict[str, Any]:
    counts = {
        name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 - a name from COLLECTIONS
        for name in COLLECTIONS
    }
    return {
        "release": record.release,
        "size": record.size,
        "compiler": _compiler(),
        "counts": counts,
        "spans": _spans(record),
        "header": record.header.model_dump(mode="json", exclude={"schema_name"}),
    }


def _spans(record: Record) -> dict[str, tuple[int, int]]:
    """First and last row number of each type; an empty type's last is before its first."""
    spans = {}
    reached = 0
    for kind, group in record.resources.items():
        spans[kind] = (reached + 1, reached + len(group))
        reached += len(group)
    return spans


def _insert_resource(connection: sqlite3.Connection, resource: Resource, number: int) -> None:
    insert(connection, resource.table, resource, number)
    title, *body = (_searchable(getattr(resource, name)) for name in resource.searched)
    connection.execute(
        "INSERT INTO search (rowid, type, id, title, body) VALUES (?, ?, ?, ?, ?)",
        (number, resource.type, resource.id, title, "\n".join(filter(None, body))),
    )
    for filter_ in resource.filters:
        members = getattr(resource, filter_.field)
        table = link_table(type(resource), filter_.field)
        if table is not None and members:
            columns = f"{resource.type}, {filter_.parameter}"
            connection.executemany(
                f"INSERT INTO {table} ({columns}) VALUES (?, ?)",  # noqa: S608 - names from the models
                ((resource.id, member) for member in members),
            )
    for citation in Citation.of(resource):
        insert(connection, Citation.table, citation)


def link_table(model: type[Document], field_name: str) -> str | None:
    """The table that holds the members of a list field, or None where the field is no list."""
    name = f"{model.type}_{field_name}"
    return name if name in SQLModel.metadata.tables else None


def _searchable(value: str | list[str] | None) -> str:
    return "\n".join(value) if isinstance(value, list) else value or ""


def insert(
    connection: sqlite3.Connection,
    row: type[SQLModel],
    document: BaseModel,
    number: int | None = None,
) -> None:
    """Write the row of one document, under a number where it has one."""
    statement, readers = _insertion(row, type(document))
    connection.execute(statement, [number, *(read(document) for read in readers)])


Reader = Callable[[Any], Any]


@cache
def _insertion(row: type[SQLModel], model: type[BaseModel]) -> tuple[str, tuple[Reader, ...]]:
    table = SQLModel.metadata.tables[str(row.__tablename__)]
    names = [column.name for column in table.columns]
    quoted = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" for _ in names)
    statement = f"INSERT INTO {table.name} (rowid, {quoted}) VALUES (?, {marks})"  # noqa: S608 - names from the models
    return statement, tuple(_reader(name, model) for name in names)


def _reader(column: str, model: type[BaseModel]) -> Reader:
    """How a column's value is read from a document, by the column's name."""

    def through(name: str, convert: Callable[[str], Any]) -> Reader:
        def read(document: Any) -> Any:
            value = getattr(document, name)
            return None if value is None else convert(value)

        return read

    if column == "document":
        return lambda document: document.model_dump_json()
    if column in model.model_fields and column != "source":
        return lambda document: getattr(document, column)
    name, _, suffix = column.rpartition("_")
    match suffix:
        case "first":
            return through(name, lambda value: first_day(value).isoformat())
        case "last":
            return through(name, lambda value: last_day(value).isoformat())
        case "key":
            return through(name, fold)
    return _CITATION_READERS[column]


_CITATION_READERS: dict[str, Reader] = {
    "source": lambda one: one.target and one.target.source.rpartition("/")[2],
    "exact": lambda one: one.target and one.target.selector[0].exact,
    "start": lambda one: one.target and one.target.selector[1].start,
    "end": lambda one: one.target and one.target.selector[1].end,
    "reference_title": lambda one: one.reference and one.reference.title,
    "reference_url": lambda one: one.reference and one.reference.url,
    "reference_licence": lambda one: one.reference and one.reference.licence,
}


def _indexes() -> Iterator[str]:
    """An index for every filter and every sort, in both directions."""
    for model in COLLECTIONS.values():
        table = SQLModel.metadata.tables[model.collection]
        for sort in model.sorts:
            column = table.c[sort.column]
            if sort.column != "id":
                yield _index(table, f"sort_{sort.field}", column, table.c.id)
            yield _index(table, f"sort_{sort.field}_desc", column.desc(), table.c.id)
        for filter_ in model.filters:
            link = link_table(model, filter_.field)
            if link is None:
                yield _index(table, f"filter_{filter_.parameter}", table.c[filter_.field])
            else:
                linked = SQLModel.metadata.tables[link]
                yield _index(linked, "filter", linked.c[filter_.parameter], linked.c[model.type])


def _index(table: Table, purpose: str, *columns: Any) -> str:
    index = Index(f"{table.name}_{purpose}", *columns)
    statement = str(CreateIndex(index).compile(dialect=sqlite.dialect()))
    table.indexes.discard(index)
    return statement


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """A temporary file, locked so that nobody sweeps it away, and removed on failure."""
    while True:
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=_TEMPORARY, suffix=".sqlite")
        path = Path(name)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():  # not swept away by another process before it was locked
            break
        os.close(descriptor)
    try:
        yield path
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove what killed compilations left behind: temporary files that nobody holds locked."""
    for leftover in folder.glob(f"{_TEMPORARY}*"):
        with suppress(OSError), leftover.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
