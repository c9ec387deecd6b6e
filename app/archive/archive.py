"""The archive: a record compiled to SQLite once per release, then opened read-only."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from app.models import RESOURCES, Citation, Document
from app.models.release import LATEST, Release
from app.responses.problems import Unavailable

APPLICATION_ID = 0x43504352
"""SQLite's `application_id` of every archive ("CPCR")."""

ARCHIVE_KEY = "cpc_record.archive"
"""Key in the ASGI scope of a request: the archive that serves it."""

ProgressCallback = Callable[[int, int], None]
"""Called with the amount of work done and the total: bytes of the seed, or rows."""

_META_KEYS = (
    "release", "label", "date", "note", "releases", "rows", "metadata", "rowid_ranges",
)  # fmt: skip
"""Keys of the `meta` table that are attributes of `Archive`."""
_MODELS: tuple[type[Document], ...] = (*RESOURCES, Citation)

_SEED_MODULES = ("notice", "outlines", "releases", "seed_file", "shapes")
"""Modules of `app/seed` that determine what is stored, and not only whether it is valid."""

_STORING_LIBRARIES = ("pydantic", "rfc8785", "sqlalchemy")
"""Libraries whose output is stored; not all of them are imported to serve."""

_READER_THREADS = 4
"""Threads that query the archive, in addition to the event loop's."""
_MAX_PENDING_QUERIES = 1_000
"""Queries that wait for a thread; more are rejected."""
_QUEUE_TIMEOUT_FACTOR = 3
"""Maximum time in the queue, as a multiple of the query timeout."""
_DEADLINE_CHECK_INSTRUCTIONS = 50_000
"""Instructions of SQLite's virtual machine between checks of the deadline: a few milliseconds."""
_MAX_CACHED_COUNTS = 10_000
_PAGE_CACHE_KIBIBYTES = 16_384
"""Maximum page cache of each connection; reading an uncached page costs a system call."""

_RETRY = {"Retry-After": "10"}

T = TypeVar("T")

COLLECTIONS: Mapping[str, type[Document]] = {model.collection: model for model in _MODELS}
"""Model of each collection of the record, by the collection's name."""
LISTS: Mapping[str, type[Document]] = {**COLLECTIONS, Release.collection: Release}
"""Model of each list of the API: the collections, and the releases of the record."""


class ArchiveError(Exception):
    """An archive that cannot be compiled or opened; the message is for the user."""


class ReaderConnection(sqlite3.Connection):
    """A connection that interrupts queries past a deadline."""

    deadline = math.inf

    def set_timeout(self, seconds: float) -> None:
        """Set one deadline for all following queries together."""
        self.deadline = time.monotonic() + seconds
        self.set_progress_handler(self._timed_out, _DEADLINE_CHECK_INSTRUCTIONS)

    def _timed_out(self) -> bool:
        return time.monotonic() > self.deadline


class _OpenFile:
    """A file held open to see changes of it; closed once, also when it is garbage collected.

    A replaced archive is closed when the last request that uses it ends, which is no leak that
    Python should warn of, as it does for its own file objects.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def fileno(self) -> int:
        """The file descriptor."""
        return self._descriptor

    def close(self) -> None:
        """Close the file, if it is open."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            self.close()


@dataclass(frozen=True)
class Archive:
    """An open archive; its release never changes while it is open.

    Attributes:
        release: SHA-256 of the seed in canonical form (RFC 8785), hexadecimal.
        label: Label of the release; `draft` for a draft.
        date: Date of the release; the day of the last change for a draft.
        note: Why the release was made; None for a draft.
        releases: Digest of each release by its label, the oldest first.
        rows: Number of rows of each list.
        metadata: The record's own metadata: archive notice, license, modification date, and
            where the outlines come from.
        rowid_ranges: First and last rowid of each type; rowids are unique across all types.
        connection: For short queries on the event loop's thread.
        readers: Connections for the other threads, all opened on the same file.
        path: Location of the file when it was opened.
        file: The open file.
        stamp: Modification time (ns) and size (bytes) when it was opened.
        query_seconds: Timeout of one query on another thread.
        cached_counts: Results of counting statements, by digest of statement and parameters.
    """

    release: str
    label: str
    date: str
    note: str | None
    releases: Mapping[str, str]
    rows: Mapping[str, int]
    metadata: Mapping[str, Any]
    rowid_ranges: Mapping[str, tuple[int, int]]
    connection: sqlite3.Connection = field(repr=False)
    readers: SimpleQueue[ReaderConnection] = field(repr=False)
    path: Path
    file: _OpenFile = field(repr=False)
    stamp: tuple[int, int]
    query_seconds: float = math.inf
    cached_counts: dict[bytes, int] = field(default_factory=dict, repr=False)
    _pending: set[object] = field(default_factory=set, repr=False)
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(
            _READER_THREADS, "reader", _lower_thread_priority
        ),
        repr=False,
    )

    @classmethod
    def open(cls, path: Path, query_seconds: float = math.inf) -> Archive:
        """Open a compiled archive, read-only and immutable.

        Args:
            path: The file.
            query_seconds: Timeout of one query on another thread.

        Raises:
            ArchiveError: The file is missing, truncated, or not an archive of this project.
        """
        try:
            meta = read_meta(path)
            content: dict[str, Any] = {key: meta[key] for key in _META_KEYS}
            file = _OpenFile(path)
            connection = _connect(path)
            readers: SimpleQueue[ReaderConnection] = SimpleQueue()
            for _ in range(_READER_THREADS):
                readers.put(_connect(path))
        except (sqlite3.Error, OSError, ValueError, KeyError) as error:
            raise ArchiveError(f"{path} is not a valid archive: {error}.") from error
        return cls(
            **content,
            connection=connection,
            readers=readers,
            path=path,
            file=file,
            stamp=_stamp(file),
            query_seconds=query_seconds,
        )

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of items in each collection."""
        return {name: self.rows[name] for name in COLLECTIONS}

    def find_release(self, name: str) -> str | None:
        """The label of a release by its label, its digest or `latest`; None if there is none."""
        if name == LATEST:
            return self.label
        if name in self.releases:
            return name
        return next((label for label, digest in self.releases.items() if digest == name), None)

    def position_of(self, label: str) -> int:
        """Position of a release in the order of releases, from 1."""
        return [*self.releases].index(label) + 1

    def close(self) -> None:
        """Close all connections, after running queries have finished."""
        self._close(wait=True)

    def __del__(self) -> None:
        self._close(wait=False)

    def _close(self, *, wait: bool) -> None:
        self._threads.shutdown(wait=wait)
        self.connection.close()
        while not self.readers.empty():
            self.readers.get().close()
        self.file.close()

    def is_unmodified(self) -> bool:
        """Whether modification time and size are those at opening; unlink and rename are fine.

        A write changes the modification time first, so everything read before this check is valid.
        """
        return _stamp(self.file) == self.stamp

    def ensure_unmodified(self) -> None:
        """Raise if the file was modified in place, as what was read from it may be corrupt.

        Raises:
            Unavailable: The file was modified.
        """
        if not self.is_unmodified():
            raise Unavailable("The record is being reloaded.", headers={"Retry-After": "2"})

    def is_replaced(self) -> bool:
        """Whether the path now points to another file."""
        try:
            return not os.path.samestat(self.path.stat(), os.fstat(self.file.fileno()))
        except OSError:
            return False

    def cached_count(
        self, connection: sqlite3.Connection, statement: str, parameters: Mapping[str, Any]
    ) -> int:
        """Result of a counting statement, cached because the archive does not change."""
        cache_key = json.dumps([statement, sorted(parameters.items())]).encode()
        digest = hashlib.blake2b(cache_key, digest_size=16).digest()
        count = self.cached_counts.get(digest)
        if count is None:
            count = int(connection.execute(statement, parameters).fetchone()[0])
            if len(self.cached_counts) >= _MAX_CACHED_COUNTS:
                self.cached_counts.clear()
            self.cached_counts[digest] = count
        return count

    async def run_in_thread(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that may take a long time on another thread, with a connection of its own.

        Raises:
            Unavailable: Too many queries are pending, or this one timed out.
        """
        if len(self._pending) >= _MAX_PENDING_QUERIES:
            raise Unavailable("Too many queries are waiting.", headers=_RETRY)
        token, enqueued_at = object(), time.monotonic()
        self._pending.add(token)
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._run, query, enqueued_at
            )
        finally:
            self._pending.discard(token)

    def _run(self, query: Callable[[sqlite3.Connection], T], enqueued_at: float) -> T:
        if time.monotonic() - enqueued_at > self.query_seconds * _QUEUE_TIMEOUT_FACTOR:
            raise Unavailable("The query timed out in the queue.", headers=_RETRY)
        reader = self.readers.get()
        try:
            if self.query_seconds < math.inf:
                reader.set_timeout(self.query_seconds)
            result = query(reader)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            message = f"The query took longer than {self.query_seconds:g} s. Request less at once."
            raise Unavailable(message, headers=_RETRY) from None
        finally:
            self.readers.put(reader)
        self.ensure_unmodified()
        return result


def _stamp(file: _OpenFile) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_mtime_ns, status.st_size


def _lower_thread_priority() -> None:
    """Give this thread the lowest priority (nice 19), so that the event loop's runs first.

    On Linux each thread has its own priority (setpriority(2), "C library/kernel differences").
    """
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def read_only_uri(path: Path) -> str:
    """The URI with which SQLite opens a file that nothing changes, without locks."""
    return f"{path.resolve().as_uri()}?mode=ro&immutable=1"


def decoded(value: Any) -> Any:
    """A value from an archive's connection, which returns text as bytes, with the text decoded."""
    return value.decode() if isinstance(value, bytes) else value


def _connect(path: Path) -> ReaderConnection:
    connection = sqlite3.connect(
        read_only_uri(path),
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        factory=ReaderConnection,
    )
    connection.text_factory = bytes
    connection.execute(f"PRAGMA cache_size = -{_PAGE_CACHE_KIBIBYTES}")
    return connection


def read_meta(path: Path) -> dict[str, Any]:
    """Contents of the `meta` table of an archive, whose size must match SQLite's file header.

    Raises:
        OSError, sqlite3.Error, ValueError: The file is not a valid archive.
    """
    size = path.stat().st_size
    with closing(_connect(path)) as connection:

        def pragma(name: str) -> int:
            return int(connection.execute(f"PRAGMA {name}").fetchone()[0])

        if pragma("application_id") != APPLICATION_ID:
            raise ValueError("it was written by another program")
        if pragma("page_count") * pragma("page_size") != size:
            raise ValueError("its size does not match its file header")
        rows = connection.execute("SELECT key, value FROM meta").fetchall()
    return {key.decode(): json.loads(value) for key, value in rows}


@cache
def archive_code_digest() -> str:
    """SHA-256 of everything but the seed that determines an archive's content.

    That is the code, and the versions of the libraries whose output is stored: SQLite's file,
    SQLAlchemy's DDL, pydantic's JSON and rfc8785's, in which changes are stored.
    """
    here = Path(__file__).parent
    files = [
        *sorted(here.glob("*.py")),
        *sorted((here.parent / "models").glob("*.py")),
        *(here.parent / "seed" / f"{name}.py" for name in _SEED_MODULES),
    ]
    versions = map(version, _STORING_LIBRARIES)
    digest = hashlib.sha256(" ".join([sqlite3.sqlite_version, *versions]).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
