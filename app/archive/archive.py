"""The archive: a record compiled to SQLite once a release, then only read."""

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
from io import FileIO
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from sqlmodel import SQLModel

from app.models import RESOURCES, Citation, Document
from app.responses.problems import Unavailable

APPLICATION_ID = 0x43504352
"""Marks the file as an archive of this project (SQLite's `application_id`; "CPCR")."""

ARCHIVE_KEY = "cpc_record.archive"
"""Key of the scope (ASGI 3) under which a request has the archive that it is answered from."""

ProgressCallback = Callable[[int, int], None]
"""Told how many bytes of the seed are done, of how many."""

_MODELS: tuple[type[Document], ...] = (*RESOURCES, Citation)

_READERS = 4
"""Threads that may read at once besides the event loop's."""

_MOST_WAITING = 1_000
"""Readings that may wait for a thread; more are turned away."""
_LONGEST_WAIT = 3
"""How long a reading may wait, in times of how long it may take."""
_STEPS = 50_000
"""Instructions of SQLite's machine, some milliseconds, between two looks at the clock."""
_MOST_TOTALS = 10_000
_CACHE_KIBIBYTES = 16_384
"""Most pages that a connection keeps; a page that is not kept costs a system call."""

_RETRY = {"Retry-After": "10"}

T = TypeVar("T")

COLLECTIONS: Mapping[str, type[Document]] = {model.collection: model for model in _MODELS}
"""Every model that is a collection of the API, by the collection's name."""


class ArchiveError(Exception):
    """The archive cannot be compiled or opened; the message is a sentence for a person."""


class ReaderConnection(sqlite3.Connection):
    """A connection that ends what takes longer than it may."""

    deadline = math.inf

    def set_timeout(self, seconds: float) -> None:
        """Let statements run for so long from now on, all together."""
        self.deadline = time.monotonic() + seconds
        self.set_progress_handler(self._timed_out, _STEPS)

    def _timed_out(self) -> bool:
        return time.monotonic() > self.deadline


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
        seconds: How long one reading on another thread may take.
        path: Where its file was when it was opened.
        file: The file itself.
        stamp: Its time of modification and its length when it was opened.
        totals: Numbers of rows that were counted already, by digest of what was counted.
    """

    release: str
    counts: Mapping[str, int]
    header: Mapping[str, Any]
    rowid_ranges: Mapping[str, tuple[int, int]]
    connection: sqlite3.Connection = field(repr=False)
    readers: SimpleQueue[ReaderConnection] = field(repr=False)
    path: Path
    file: FileIO = field(repr=False)
    stamp: tuple[int, int]
    seconds: float = math.inf
    totals: dict[bytes, int] = field(default_factory=dict, repr=False)
    _asked: set[object] = field(default_factory=set, repr=False)
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_READERS, "reader", _lower_thread_priority),
        repr=False,
    )

    @classmethod
    def open(cls, path: Path, seconds: float = math.inf) -> Archive:
        """Open a compiled archive, read-only and immutable.

        Args:
            path: The file.
            seconds: How long one reading on another thread may take.

        Raises:
            ArchiveError: It is absent, cut short, or not an archive of this project.
        """
        try:
            meta = read_meta(path)
            release, counts, header, rowid_ranges = (
                meta[key] for key in ("release", "counts", "header", "spans")
            )
            file = path.open("rb", buffering=0)
            connection = _connect(path)
            readers: SimpleQueue[ReaderConnection] = SimpleQueue()
            for _ in range(_READERS):
                readers.put(_connect(path))
        except (sqlite3.Error, OSError, ValueError, KeyError) as error:
            raise ArchiveError(f"{path} is not a whole archive: {error}.") from error
        opened = connection, readers, path, file, _stamp(file)
        return cls(release, counts, header, rowid_ranges, *opened, seconds)

    def close(self) -> None:
        """Let go of the file."""
        self._let_go(wait=True)

    def __del__(self) -> None:
        self._let_go(wait=False)

    def _let_go(self, *, wait: bool) -> None:
        self._threads.shutdown(wait=wait)
        self.connection.close()
        while not self.readers.empty():
            self.readers.get().close()
        self.file.close()

    def is_unmodified(self) -> bool:
        """Whether the file holds what it held when it was opened, removed or replaced as it may be.

        What was read before is good then: who writes into a file first changes its time.
        """
        return _stamp(self.file) == self.stamp

    def ensure_unmodified(self) -> None:
        """Let nothing pass that was read from a file which is not intact.

        Raises:
            Unavailable: It is not.
        """
        if not self.is_unmodified():
            raise Unavailable("The record is being loaded anew.", headers={"Retry-After": "2"})

    def is_replaced(self) -> bool:
        """Whether another file stands in the place of this one."""
        try:
            return not os.path.samestat(self.path.stat(), os.fstat(self.file.fileno()))
        except OSError:
            return False

    def cached_count(
        self, connection: sqlite3.Connection, statement: str, bound: Mapping[str, Any]
    ) -> int:
        """The number that a counting statement gives; counted once, as the archive is fixed."""
        asked = json.dumps([statement, sorted(bound.items())]).encode()
        key = hashlib.blake2b(asked, digest_size=16).digest()
        number = self.totals.get(key)
        if number is None:
            number = int(connection.execute(statement, bound).fetchone()[0])
            if len(self.totals) >= _MOST_TOTALS:
                self.totals.clear()
            self.totals[key] = number
        return number

    async def run_in_thread(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do work that may take long on another thread, with a connection of its own.

        Raises:
            Unavailable: Too much waits already, or the work took longer than it may.
        """
        if len(self._asked) >= _MOST_WAITING:
            raise Unavailable("Too many queries are waiting.", headers=_RETRY)
        token, asked = object(), time.monotonic()
        self._asked.add(token)
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._read, work, asked
            )
        finally:
            self._asked.discard(token)

    def _read(self, work: Callable[[sqlite3.Connection], T], asked: float) -> T:
        if time.monotonic() - asked > self.seconds * _LONGEST_WAIT:
            raise Unavailable("The query had to wait for others for too long.", headers=_RETRY)
        reader = self.readers.get()
        try:
            if self.seconds < math.inf:
                reader.set_timeout(self.seconds)
            found = work(reader)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            told = f"The query took longer than {self.seconds:g} s; ask for less at once."
            raise Unavailable(told, headers=_RETRY) from None
        finally:
            self.readers.put(reader)
        self.ensure_unmodified()
        return found


def _stamp(file: FileIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_mtime_ns, status.st_size


def _lower_thread_priority() -> None:
    """Give this thread the lowest priority, so that the event loop's need not wait for its turn.

    On Linux a thread has a priority of its own (setpriority(2), "C library/kernel differences").
    """
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def _connect(path: Path) -> ReaderConnection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro&immutable=1",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        factory=ReaderConnection,
    )
    connection.text_factory = bytes
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
    return connection


def read_meta(path: Path) -> dict[str, Any]:
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
def compiler_digest() -> str:
    """Digest of the code that decides what an archive holds."""
    here = Path(__file__).parent
    files = [
        here / "compiler.py",
        here / "checksum.py",
        *sorted((here.parent / "models").glob("*.py")),
    ]
    hashed = hashlib.sha256(sqlite3.sqlite_version.encode())
    for file in files:
        hashed.update(file.read_bytes())
    return hashed.hexdigest()


def link_table(model: type[Document], field_name: str) -> str | None:
    """The table that holds the members of a list field, or None where the field is no list."""
    name = f"{model.type}_{field_name}"
    return name if name in SQLModel.metadata.tables else None
