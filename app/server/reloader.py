"""The archive that is served, exchanged when another takes its place or its file is spoiled."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.datastructures import State

from app.archive.archive import Archive, ArchiveError
from app.archive.release import build_if_stale, is_valid_archive
from app.exports.catalog import ExportCatalog
from app.seed.errors import SeedError
from app.server.response_cache import ResponseCache
from app.settings import Settings

logger = logging.getLogger("cpc_record")

_CHECK_SECONDS = 1.0
"""Seconds between two looks at the file."""
_CHECKS_SKIPPED = 10
"""Looks that are left out after an archive could not be had."""


@asynccontextmanager
async def serve_archive(
    state: State, answers: ResponseCache, settings: Settings
) -> AsyncIterator[None]:
    """Compile the record where need be, open it, and look after it as long as it is served.

    Raises:
        SeedError: The seed is faulty.
        ArchiveError: The archive cannot be compiled or opened.
    """
    keeper = ArchiveReloader(state, answers, settings)
    keeper.begin()
    watch = asyncio.create_task(keeper.watch())
    try:
        yield
    finally:
        watch.cancel()
        await asyncio.wait([watch])
        keeper.end()


class ArchiveReloader:
    """Sees to it that what is served is a whole archive, and the one that is in place.

    A file that another replaced, as every compilation does, is read to the end by whoever began,
    and the other is served from then on; kept answers of the old release go with it. A file that
    was written into or cut is not read again: it is compiled anew from the seed.
    """

    def __init__(self, state: State, answers: ResponseCache, settings: Settings) -> None:
        self.state, self.answers, self.settings = state, answers, settings
        self._release = ""
        self._refused: object = None
        """The file in place that is no archive to be served."""

    def begin(self) -> None:
        """Serve the seed's archive."""
        build_if_stale(self.settings.seed_file, self.settings.archive_file)
        self._serve(self._open())

    def end(self) -> None:
        """Let go of the archive."""
        archive, self.state.archive, self.state.exports = self.state.archive, None, None
        if archive is not None:
            archive.close()

    async def watch(self) -> None:
        """Look at the file now and then, for as long as the server runs."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            try:
                await self._check()
            except (SeedError, ArchiveError, OSError, sqlite3.Error) as error:
                logger.error("%s", error)  # noqa: TRY400 - the sentence is all there is to tell
                await asyncio.sleep(_CHECK_SECONDS * _CHECKS_SKIPPED)
            except Exception:
                logger.exception("The archive could not be looked after.")
                await asyncio.sleep(_CHECK_SECONDS * _CHECKS_SKIPPED)

    async def _check(self) -> None:
        archive: Archive | None = self.state.archive
        if archive is None or not archive.is_unmodified():
            await self._rebuild()
        elif archive.is_replaced():
            await self._reload()

    async def _rebuild(self) -> None:
        """Compile anew what was spoiled; until then nothing is read."""
        if self.state.archive is not None:
            told = "%s was changed by another program; what it holds is compiled anew."
            logger.error(told, self.settings.archive_file)
            self.state.archive = self.state.exports = None
        await asyncio.to_thread(build_if_stale, self.settings.seed_file, self.settings.archive_file)
        self._serve(await asyncio.to_thread(self._open))

    async def _reload(self) -> None:
        """Serve the archive that took this one's place, if it is one of this code's."""
        path = self.settings.archive_file
        found = path.stat()
        identity = found.st_ino, found.st_mtime_ns, found.st_size
        if identity == self._refused:
            return
        if await asyncio.to_thread(is_valid_archive, path):
            self._serve(await asyncio.to_thread(self._open))
        else:
            self._refused = identity
            logger.error("%s is no whole archive now; the one before is served on.", path)

    def _open(self) -> Archive:
        return Archive.open(self.settings.archive_file, self.settings.query_seconds)

    def _serve(self, archive: Archive) -> None:
        """Answer from an archive from now on."""
        self.state.archive = archive
        self.state.exports = ExportCatalog(archive, self.settings)
        with suppress(KeyError, AttributeError):
            del self.state.openapi
        if archive.release != self._release:
            self._release = archive.release
            self.answers.clear()
        logger.info("Release %s is served.", archive.release)
