"""What one server offers to take away: the files of its release, and what its settings allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from anyio import Lock, to_thread

from app.archive.archive import Archive, ArchiveError, ProgressCallback
from app.exports.dcat import Publisher, dcat_catalog
from app.exports.files import (
    ExportFiles,
    FileDigest,
    build_exports,
    digest_file,
    find_exports,
    store_file,
)
from app.exports.iati import Reporter, has_activities, stream_iati
from app.exports.listing import CATALOG, EXPORTS, IATI, Export
from app.settings import Settings

_REPORTED_BY = (
    "public_url",
    "iati_reporting_org_ref",
    "iati_reporting_org_name",
    "iati_reporting_org_type",
)
_PUBLISHED_BY = ("public_url", "publisher_name", "contact_name", "contact_email")
_NEEDED: Mapping[str, Iterable[str]] = {IATI.name: _REPORTED_BY, CATALOG.name: _PUBLISHED_BY}


@dataclass(frozen=True, slots=True)
class BuiltExport:
    """An export that depends on settings.

    Attributes:
        measure: Its length and digest.
        content: The file that holds it, or where none can be written, the bytes.
    """

    digest: FileDigest
    content: Path | bytes

    def exists(self) -> bool:
        """Whether it can be given: a file may have been removed."""
        return isinstance(self.content, bytes) or self.content.exists()


class ExportCatalog:
    """The exports of an open archive, under one server's settings."""

    def __init__(self, archive: Archive, settings: Settings) -> None:
        self.archive = archive
        self._settings = settings
        self._lock = Lock()
        self._shelf: ExportFiles | None = None
        self._iati: BuiltExport | None = None
        self._reportable: bool | None = None

    def missing_settings(self, name: str) -> list[str]:
        """Settings that an export needs and that are not set, as environment variables."""
        needed = _NEEDED.get(name, ())
        return [one.upper() for one in needed if getattr(self._settings, one) is None]

    async def available(self) -> list[Export]:
        """Every export that this server can give."""
        able = [one for one in EXPORTS.values() if not self.missing_settings(one.name)]
        return [one for one in able if one != IATI or await self.has_iati_activities()]

    async def has_iati_activities(self) -> bool:
        """Whether the record holds any partnership that IATI can express."""
        if self._reportable is None:
            self._reportable = await self.archive.run_in_thread(has_activities)
        return self._reportable

    async def files(self) -> ExportFiles:
        """The files of the release; made now where nobody made them, or where they are gone.

        Raises:
            ArchiveError: They are not there and cannot be written.
        """
        async with self._lock:
            if self._shelf is None or not self._shelf.is_complete():
                self._shelf = None
                file, release = self._settings.archive_file, self.archive.release
                self._shelf = find_exports(file, release) or await build_exports(self.archive, file)
        return self._shelf

    async def build(self, progress: ProgressCallback | None = None) -> dict[str, FileDigest]:
        """Make every file of the release, whole, before anybody asks.

        Raises:
            ArchiveError: They cannot be written.
        """
        self._shelf = await build_exports(self.archive, self._settings.archive_file, progress)
        return await self.digests()

    async def digests(self) -> dict[str, FileDigest]:
        """Length and digest of every export that this server can give.

        Raises:
            ArchiveError: The files are not there and cannot be written.
        """
        found = dict((await self.files()).digests)
        reporter = self.reporter()
        if reporter is not None and await self.has_iati_activities():
            found[IATI.name] = (await self.iati_export(reporter)).digest
        if publisher := self.publisher():
            body = await self.catalog_json(publisher)
            found[CATALOG.name] = FileDigest(len(body), sha256(body).hexdigest())
        return found

    def reporter(self) -> Reporter | None:
        """Who reports the IATI activities, where the settings say it."""
        told = self._settings
        ref, name = told.iati_reporting_org_ref, told.iati_reporting_org_name
        kind, origin = told.iati_reporting_org_type, told.public_url
        return Reporter(ref, name, kind, origin) if ref and name and kind and origin else None

    def publisher(self) -> Publisher | None:
        """Who publishes the record, where the settings say it."""
        told = self._settings
        origin, name = told.public_url, told.publisher_name
        contact, email = told.contact_name, told.contact_email
        if origin and name and contact and email:
            return Publisher(origin, name, contact, email)
        return None

    async def iati_export(self, reporter: Reporter) -> BuiltExport:
        """The IATI activities; made once, and kept beside the other files where that can be."""
        with suppress(ArchiveError):
            await self.files()
        async with self._lock:
            if self._iati is None or not self._iati.exists():
                self._iati = await self._made(reporter)
        return self._iati

    async def _made(self, reporter: Reporter) -> BuiltExport:
        name = f"iati-{sha256(repr(reporter).encode()).hexdigest()[:32]}.xml"
        pieces = stream_iati(self.archive, reporter)
        if self._shelf is not None:
            with suppress(OSError):
                path = await store_file(self._shelf, name, pieces)
                return BuiltExport(await to_thread.run_sync(digest_file, path), path)
        body = b"".join([piece async for piece in stream_iati(self.archive, reporter)])
        return BuiltExport(FileDigest(len(body), sha256(body).hexdigest()), body)

    async def catalog_json(self, publisher: Publisher) -> bytes:
        """The catalogue entry."""
        others = [one for one in await self.available() if one != CATALOG]
        return await self.archive.run_in_thread(
            partial(dcat_catalog, self.archive, publisher, others)
        )
