"""Which addresses the mirror has: the application's own paths, what they lead to, every item."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from fastapi import FastAPI
from starlette.routing import Match, Route

from app.archive.archive import COLLECTIONS, Archive
from app.mirror.entries import Downloader, Entry

ProgressCallback = Callable[[int, int], None]
"""Told how many addresses are done, of how many."""

_ACCEPTED = {"/": "text/html, */*;q=0.1"}
"""What is asked for where the answer for people is another than that for programs."""
_QUOTED_PATH = re.compile(rb"""(?<! id=)["'](/[A-Za-z0-9._~/-]*)["']""")
"""A path in quotes; the id of an element, which may look like one, leads nowhere."""
_READABLE = ("application/json", "text/html", "application/linkset+json")
_BATCH = 1_000


class CrawlError(Exception):
    """Answers that do not make a mirror."""


@dataclass(frozen=True, slots=True)
class CrawlResult:
    """What is told apart while the mirror is made.

    Attributes:
        pages: Entries of addresses that are no items.
        items: The first entry of each collection's items, by the collection's name.
        left_out: Status by address of what is not an answer complete in itself.
    """

    pages: list[Entry] = field(default_factory=list)
    items: dict[str, Entry] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)


async def crawl(
    app: FastAPI, archive: Archive, taker: Downloader, gathered: CrawlResult, told: ProgressCallback
) -> AsyncIterator[Entry]:
    """Take every answer that is complete in itself; always in the same order."""
    total = sum(archive.counts.values())
    async for entry in _pages(app, taker, gathered):
        gathered.pages.append(entry)
        yield entry
    done = 0
    async for collection, url in _items(archive):
        entry = await _item(taker, url)
        usual = gathered.items.setdefault(collection, entry)
        if (entry.media_type, entry.headers) != (usual.media_type, usual.headers):
            raise CrawlError(f"{url} has other headers than {usual.url}; was the record changed?")
        yield entry
        done += 1
        if done % 100 == 0 or done == total:
            told(done, total)


async def _pages(app: FastAPI, taker: Downloader, gathered: CrawlResult) -> AsyncIterator[Entry]:
    """What has a path of its own, and what is led to from there."""
    routes = [one for one in app.routes if isinstance(one, Route)]
    waiting = dict.fromkeys(one.path for one in routes if "{" not in one.path)
    seen: set[str] = set()
    while waiting:
        url = next(iter(waiting))
        del waiting[url]
        seen.add(url)
        taken = await taker.take(url, _ACCEPTED.get(url, "*/*"))
        if isinstance(taken, int):
            gathered.left_out[url] = taken
            continue
        entry, begins = taken
        yield entry
        if entry.media_type.startswith(_READABLE):
            led = (path for path in _paths_in(begins) if path not in seen)
            waiting |= dict.fromkeys(path for path in led if _is_page(path, routes))


def _paths_in(body: bytes) -> Iterable[str]:
    return dict.fromkeys(found.decode() for found in _QUOTED_PATH.findall(body))


def _is_page(path: str, routes: Iterable[Route]) -> bool:
    """Whether a path is the application's, and not an item's, which the archive tells of."""
    if path.startswith(tuple(f"/v1/{name}/" for name in COLLECTIONS)):
        return False
    asked = {"type": "http", "method": "GET", "path": path, "headers": []}
    return any(route.matches(asked)[0] is Match.FULL for route in routes)


async def _items(archive: Archive) -> AsyncIterator[tuple[str, str]]:
    """Collection and address of every item, in the order of the record."""
    for collection in COLLECTIONS:
        reached = 0
        while rows := await archive.run_in_thread(partial(_ids, collection, reached)):
            for _, name in rows:
                yield collection, f"/v1/{collection}/{name.decode()}"
            reached = rows[-1][0]


def _ids(collection: str, reached: int, connection: sqlite3.Connection) -> list[tuple[int, bytes]]:
    statement = f"SELECT rowid, id FROM {collection} WHERE rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608 - a name from COLLECTIONS
    rows: list[tuple[int, bytes]] = connection.execute(statement, (reached, _BATCH)).fetchall()
    return rows


async def _item(taker: Downloader, url: str) -> Entry:
    taken = await taker.take(url)
    if isinstance(taken, int):
        raise CrawlError(f"{url} was answered with {taken}")
    return taken[0]
