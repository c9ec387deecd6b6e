"""Which URLs the mirror has: the application's own paths, what they link to, and every item."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

from fastapi import FastAPI
from starlette.routing import Match, Route

from app.archive.archive import COLLECTIONS, Archive, ProgressCallback
from app.exports.feed import FEED_PATH
from app.exports.listing import EXPORTS
from app.mirror.entries import CrawlError, Downloader, Entry, accept_header, unexpected_status
from app.models.release import LATEST
from app.routers.links import API_CATALOG_PATH

_LEFT_OUT = {"/v1/search": 422, "/v1/changes": 422, "/healthz": 200, "/readyz": 200}
"""Paths that need a query, or have a 200 that may not be stored, with their status."""
_NEEDS_PUBLIC_URL = (API_CATALOG_PATH, "/sitemap.xml", FEED_PATH)
"""Paths that are not found without the setting."""
_QUOTED_PATH = re.compile(rb"""(?<! id=)["'](/[A-Za-z0-9._~/-]*)["']""")
"""A path in quotes, as in JSON and HTML links; the id of an HTML element is no link."""
_LINKING_TYPES = ("application/json", "text/html", "application/linkset+json")
_ROWS_PER_QUERY = 1_000
_ITEMS_PER_REPORT = 100


@dataclass(frozen=True, slots=True)
class CrawlResult:
    """What a crawl has found so far.

    Attributes:
        pages: Entries of all URLs that are not items.
        items: The entry of the first item of each collection, by the collection's name.
        left_out: Status code of each response that cannot be stored, by URL.
    """

    pages: list[Entry] = field(default_factory=list)
    items: dict[str, Entry] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)


async def crawl(
    app: FastAPI,
    archive: Archive,
    downloader: Downloader,
    result: CrawlResult,
    progress: ProgressCallback,
) -> AsyncIterator[Entry]:
    """Download every response that can be stored, always in the same order; fills `result`.

    Raises:
        CrawlError: A response has an unexpected status, or an item has other headers than the rest
            of its collection.
        IncompleteResponseError: The application broke off a response.
    """
    total = sum(archive.counts.values())
    releases = _release_urls(archive)
    async for entry in _pages(app, releases, downloader, result, await _left_out(app)):
        result.pages.append(entry)
        yield entry
    done = 0
    async for collection, url in _item_urls(archive):
        entry = await _download_item(downloader, url)
        first = result.items.setdefault(collection, entry)
        if (entry.media_type, entry.headers) != (first.media_type, first.headers):
            raise CrawlError(
                f"{url} has other headers than {first.url}; check that the record did not change"
            )
        yield entry
        done += 1
        if done % _ITEMS_PER_REPORT == 0 or done == total:
            progress(done, total)
    for url in await archive.run_in_thread(_removed_urls):
        yield await downloader.download_gone(url)


async def _left_out(app: FastAPI) -> Mapping[str, int]:
    """Paths that a mirror of this application does not have, with their status."""
    available = await app.state.exports.available()
    missing = [export.path for export in EXPORTS.values() if export not in available]
    if app.state.settings.public_url is None:
        missing += _NEEDS_PUBLIC_URL
    return _LEFT_OUT | dict.fromkeys(missing, int(HTTPStatus.NOT_FOUND))


def _release_urls(archive: Archive) -> list[str]:
    """URLs of every release and its record, by label, and of the present one as `latest`."""
    paths = [f"/v1/releases/{label}" for label in (*archive.releases, LATEST)]
    return [url for path in paths for url in (path, f"{path}/record")]


async def _pages(
    app: FastAPI,
    more: Iterable[str],
    downloader: Downloader,
    result: CrawlResult,
    left_out: Mapping[str, int],
) -> AsyncIterator[Entry]:
    """Entries of the paths without parameters and of more URLs, and of those that they link to."""
    routes = [route for route in app.routes if isinstance(route, Route)]
    pending = dict.fromkeys(route.path for route in routes if "{" not in route.path)
    pending |= dict.fromkeys(more)
    seen: set[str] = set()
    while pending:
        url = next(iter(pending))
        del pending[url]
        seen.add(url)
        download = await downloader.download(url, accept_header(url))
        if url in left_out:
            status = download if isinstance(download, int) else HTTPStatus.OK
            if download != left_out[url]:
                raise CrawlError(f"{url} returned status {status}; expected {left_out[url]}")
            result.left_out[url] = left_out[url]
            continue
        if isinstance(download, int):
            raise CrawlError(unexpected_status(url, download))
        entry, first_chunk = download
        yield entry
        if entry.media_type.startswith(_LINKING_TYPES):
            links = (path for path in _find_paths(first_chunk) if path not in seen)
            pending |= dict.fromkeys(path for path in links if _is_page(path, routes))


def _find_paths(body: bytes) -> Iterable[str]:
    return dict.fromkeys(path.decode() for path in _QUOTED_PATH.findall(body))


def _is_page(path: str, routes: Iterable[Route]) -> bool:
    """Whether a path belongs to the application and is not an item; those come from the archive."""
    if path.startswith(tuple(f"/v1/{name}/" for name in COLLECTIONS)):
        return False
    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


async def _item_urls(archive: Archive) -> AsyncIterator[tuple[str, str]]:
    """Collection name and URL of every item, in the order of the record."""
    for collection in COLLECTIONS:
        last_rowid = 0
        while rows := await archive.run_in_thread(partial(_item_ids, collection, last_rowid)):
            for _, item_id in rows:
                yield collection, f"/v1/{collection}/{item_id.decode()}"
            last_rowid = rows[-1][0]


def _item_ids(
    collection: str, last_rowid: int, connection: sqlite3.Connection
) -> list[tuple[int, bytes]]:
    statement = f"SELECT rowid, id FROM {collection} WHERE rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608 - a name from COLLECTIONS
    rows: list[tuple[int, bytes]] = connection.execute(
        statement, (last_rowid, _ROWS_PER_QUERY)
    ).fetchall()
    return rows


def _removed_urls(connection: sqlite3.Connection) -> list[str]:
    """URL of every resource and citation that was removed."""
    collections = {model.type: name for name, model in COLLECTIONS.items()}
    rows = connection.execute("SELECT type, id FROM retired ORDER BY type, id")
    return [f"/v1/{collections[type_.decode()]}/{id_.decode()}" for type_, id_ in rows]


async def _download_item(downloader: Downloader, url: str) -> Entry:
    download = await downloader.download(url)
    if isinstance(download, int):
        raise CrawlError(unexpected_status(url, download))
    return download[0]
