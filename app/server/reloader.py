"""The served archive: opened at startup, reloaded when replaced, rebuilt when damaged."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from starlette.datastructures import State

from app.archive.archive import Archive, ArchiveError
from app.archive.release import build_if_stale, is_valid_archive
from app.exports.catalog import ExportCatalog
from app.models.release import DRAFT
from app.seed.errors import SeedError
from app.server.response_cache import ResponseCache
from app.settings import Settings

logger = logging.getLogger("cpc_record")

_CHECK_SECONDS = 1.0
_RETRY_SECONDS = 10.0
"""Extra pause after a check that failed."""


@asynccontextmanager
async def serve_archive(
    state: State, cache: ResponseCache, settings: Settings
) -> AsyncIterator[None]:
    """Compile the record if needed, open its archive, and follow changes of the file until exit.

    Raises:
        SeedError: The seed is invalid.
        ArchiveError: The archive cannot be compiled or opened.
    """
    reloader = ArchiveReloader(state, cache, settings)
    reloader.start()
    watcher = asyncio.create_task(reloader.watch())
    try:
        yield
    finally:
        watcher.cancel()
        await asyncio.wait([watcher])
        reloader.close()


class ArchiveReloader:
    """Keeps `state.archive` and `state.exports` up to date with the archive file.

    A file that was replaced, as every build does, stays open for requests in progress; new ones
    read the replacement, and the cached responses of the old release are dropped. A file that was
    modified or truncated in place is not read again but rebuilt from the seed.
    """

    def __init__(self, state: State, cache: ResponseCache, settings: Settings) -> None:
        self.state, self.cache, self.settings = state, cache, settings
        self._releases: Mapping[str, str] = {}
        self._rejected: object = None
        """Inode, mtime and size of the file at the path, if it is not a valid archive."""

    def start(self) -> None:
        """Serve the seed's archive, compiled if needed."""
        build_if_stale(self.settings.seed_file, self.settings.archive_file)
        self._serve(self._open())

    def close(self) -> None:
        """Stop serving and close the archive."""
        archive, self.state.archive, self.state.exports = self.state.archive, None, None
        if archive is not None:
            archive.close()

    async def watch(self) -> None:
        """Check the file periodically until cancelled."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            try:
                await self._check()
            except (SeedError, ArchiveError, OSError, sqlite3.Error) as error:
                logger.error("%s", error)  # noqa: TRY400 - the message says it all
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception:
                logger.exception("Checking the archive failed.")
                await asyncio.sleep(_RETRY_SECONDS)

    async def _check(self) -> None:
        archive: Archive | None = self.state.archive
        if archive is None or not archive.is_unmodified():
            await self._rebuild()
        elif archive.is_replaced():
            await self._reload()

    async def _rebuild(self) -> None:
        """Rebuild a damaged archive from the seed; until then nothing is read."""
        if self.state.archive is not None:
            message = "%s was modified by another program; rebuilding it."
            logger.error(message, self.settings.archive_file)
            self.state.archive = self.state.exports = None
        await asyncio.to_thread(build_if_stale, self.settings.seed_file, self.settings.archive_file)
        self._serve(await asyncio.to_thread(self._open))

    async def _reload(self) -> None:
        """Serve the replacement, if it is a valid archive of this version."""
        path = self.settings.archive_file
        found = path.stat()
        file_id = found.st_ino, found.st_mtime_ns, found.st_size
        if file_id == self._rejected:
            return
        if await asyncio.to_thread(is_valid_archive, path):
            self._serve(await asyncio.to_thread(self._open))
        else:
            self._rejected = file_id
            logger.error("%s is not a valid archive; the previous one stays in use.", path)

    def _open(self) -> Archive:
        return Archive.open(self.settings.archive_file, self.settings.query_seconds)

    def _serve(self, archive: Archive) -> None:
        """Use an archive for the following requests."""
        self.state.archive = archive
        self.state.exports = ExportCatalog(archive, self.settings)
        with suppress(KeyError, AttributeError):
            del self.state.openapi
        if archive.releases != self._releases:
            self._releases = archive.releases
            self.cache.clear()
        if archive.label == DRAFT:
            logger.warning("Serving a draft, not a release: %s.", archive.release)
        else:
            logger.info("Serving release %s: %s.", archive.label, archive.release)
