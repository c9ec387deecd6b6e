"""The archive: a record compiled to SQLite once a release, then only read."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from sqlmodel import SQLModel

from app.models import RESOURCES, Citation, Document

APPLICATION_ID = 0x43504352
"""Marks the file as an archive of this project (SQLite's `application_id`; "CPCR")."""

Progress = Callable[[int, int], None]
"""Told how many bytes of the seed are done, of how many."""

_MODELS: tuple[type[Document], ...] = (*RESOURCES, Citation)

_READERS = 4
"""Threads that may read at once besides the event loop's."""

_MOST_TOTALS = 10_000
_CACHE_KIBIBYTES = 16_384
"""Most pages that a connection keeps; a page that is not kept costs a system call."""

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
        totals: Numbers of rows that were counted already, by digest of what was counted.
    """

    release: str
    counts: Mapping[str, int]
    header: Mapping[str, Any]
    spans: Mapping[str, tuple[int, int]]
    connection: sqlite3.Connection = field(repr=False)
    readers: SimpleQueue[sqlite3.Connection] = field(repr=False)
    totals: dict[bytes, int] = field(default_factory=dict, repr=False)
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_READERS, "reader", _step_back), repr=False
    )

    @classmethod
    def open(cls, path: Path) -> Archive:
        """Open a compiled archive, read-only and immutable.

        Raises:
            ArchiveError: It is absent, cut short, or not an archive of this project.
        """
        try:
            meta = read_meta(path)
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
        self._threads.shutdown()
        self.connection.close()
        for _ in range(_READERS):
            self.readers.get().close()

    def total(
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

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do work that may take long on another thread, with a connection of its own."""

        def borrowing() -> T:
            connection = self.readers.get()
            try:
                return work(connection)
            finally:
                self.readers.put(connection)

        return await asyncio.get_running_loop().run_in_executor(self._threads, borrowing)


def _step_back() -> None:
    """Give this thread the lowest priority, so that the event loop's need not wait for its turn.

    On Linux a thread has a priority of its own (setpriority(2), "C library/kernel differences").
    """
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro&immutable=1",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
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
    files = [here / "compiler.py", here / "folding.py", *sorted((here / "models").glob("*.py"))]
    hashed = hashlib.sha256(sqlite3.sqlite_version.encode())
    for file in files:
        hashed.update(file.read_bytes())
    return hashed.hexdigest()


def link_table(model: type[Document], field_name: str) -> str | None:
    """The table that holds the members of a list field, or None where the field is no list."""
    name = f"{model.type}_{field_name}"
    return name if name in SQLModel.metadata.tables else None
