"""The exports of a server: the files of its release, and those that its settings enable."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from anyio import Lock, to_thread

from app.archive.archive import Archive, ArchiveError, ProgressCallback
from app.exports.annotations import stream_annotations
from app.exports.dcat import Publisher, dcat_catalog
from app.exports.dcat_us_3 import dcat_us_3_catalog
from app.exports.files import (
    ExportFiles,
    FileDigest,
    build_exports,
    digest_bytes,
    digest_file,
    find_exports,
    store_file,
)
from app.exports.iati import Reporter, has_activities, stream_iati
from app.exports.listing import (
    ANNOTATIONS,
    CATALOG,
    CATALOG_3,
    CATALOG_NAMES,
    EXPORTS,
    IATI,
    OPTIONAL_NAMES,
    PARQUET_NAMES,
    Export,
)
from app.exports.parquet import pyarrow_version
from app.settings import Settings

_REQUIRED_SETTINGS: Mapping[str, Iterable[str]] = {
    ANNOTATIONS.name: ("public_url",),
    IATI.name: (
        "public_url",
        "iati_reporting_org_ref",
        "iati_reporting_org_name",
        "iati_reporting_org_type",
    ),
    **dict.fromkeys(
        CATALOG_NAMES, ("public_url", "publisher_name", "contact_name", "contact_email")
    ),
}
"""Settings without which an export is not available, by its name."""


@dataclass(frozen=True, slots=True)
class BuiltExport:
    """An export that depends on settings.

    Attributes:
        digest: Size and SHA-256.
        content: Path of the file; the bytes if no file can be written.
    """

    digest: FileDigest
    content: Path | bytes

    def exists(self) -> bool:
        """Whether the content is available: a file may have been removed."""
        return isinstance(self.content, bytes) or self.content.exists()


class ExportCatalog:
    """The exports of an open archive that a server with these settings provides."""

    def __init__(self, archive: Archive, settings: Settings) -> None:
        self.archive = archive
        self._settings = settings
        self._lock = Lock()
        self._files: ExportFiles | None = None
        self._built: dict[str, BuiltExport] = {}
        self._has_iati_activities: bool | None = None

    @property
    def origin(self) -> str | None:
        """Public base URL of the API, if it is set."""
        return self._settings.public_url

    def missing_settings(self, name: str) -> list[str]:
        """Environment variables that an export requires and that are not set."""
        required = _REQUIRED_SETTINGS.get(name, ())
        return [setting.upper() for setting in required if getattr(self._settings, setting) is None]

    async def available(self) -> list[Export]:
        """Every export that this server provides."""
        missing = set(await self._not_built())
        if not await self.has_iati_activities():
            missing.add(IATI.name)
        return [
            export
            for export in EXPORTS.values()
            if export.name not in missing and not self.missing_settings(export.name)
        ]

    async def _not_built(self) -> Iterable[str]:
        """Names of the files that cannot be built here, or could not be where they were built."""
        files = self._files or await to_thread.run_sync(
            find_exports, self._settings.archive_file, self.archive.release
        )
        if files is not None:
            return OPTIONAL_NAMES - files.digests.keys()
        return () if pyarrow_version() is not None else PARQUET_NAMES

    async def has_iati_activities(self) -> bool:
        """Whether IATI can express any partnership of the record."""
        if self._has_iati_activities is None:
            self._has_iati_activities = await self.archive.run_in_thread(has_activities)
        return self._has_iati_activities

    async def files(self) -> ExportFiles:
        """The files of the release; built on the first call if they are missing.

        Raises:
            ArchiveError: They are missing and cannot be written.
        """
        async with self._lock:
            if self._files is None or not self._files.is_complete():
                self._files = None
                path, seed = self._settings.archive_file, self._settings.seed_file
                self._files = find_exports(path, self.archive.release) or await build_exports(
                    self.archive, path, seed
                )
        return self._files

    async def build(self, progress: ProgressCallback | None = None) -> dict[str, FileDigest]:
        """Build all exports in advance, replacing damaged files; returns their digests.

        Raises:
            ArchiveError: They cannot be written.
        """
        path, seed = self._settings.archive_file, self._settings.seed_file
        self._files = await build_exports(self.archive, path, seed, progress)
        return await self.digests()

    async def digests(self) -> dict[str, FileDigest]:
        """Size and SHA-256 of every export that this server provides, by its name.

        Raises:
            ArchiveError: The files are missing and cannot be written.
        """
        digests = await self._digests_of_data()
        if publisher := self.publisher():
            for name, body in (
                (CATALOG.name, await self.catalog_json(publisher)),
                (CATALOG_3.name, await self.catalog_3_json(publisher)),
            ):
                digests[name] = digest_bytes(body)
        return digests

    async def _digests_of_data(self) -> dict[str, FileDigest]:
        """Those of every export but the catalogs.

        Raises:
            ArchiveError: The files are missing and cannot be written.
        """
        digests = dict((await self.files()).digests)
        reporter = self.reporter()
        if reporter is not None and await self.has_iati_activities():
            digests[IATI.name] = (await self.iati_export(reporter)).digest
        if origin := self.origin:
            digests[ANNOTATIONS.name] = (await self.annotations_export(origin)).digest
        return digests

    def reporter(self) -> Reporter | None:
        """The organization that reports the IATI activities; None if a setting is missing."""
        settings = self._settings
        ref, name = settings.iati_reporting_org_ref, settings.iati_reporting_org_name
        type_, origin = settings.iati_reporting_org_type, settings.public_url
        return Reporter(ref, name, type_, origin) if ref and name and type_ and origin else None

    def publisher(self) -> Publisher | None:
        """The publisher of the record; None if a setting is missing."""
        settings = self._settings
        origin, name = settings.public_url, settings.publisher_name
        contact, email = settings.contact_name, settings.contact_email
        if origin and name and contact and email:
            return Publisher(origin, name, contact, email)
        return None

    async def iati_export(self, reporter: Reporter) -> BuiltExport:
        """The IATI activities."""
        stream = partial(stream_iati, self.archive, reporter)
        return await self._built_export(IATI, repr(reporter), stream)

    async def annotations_export(self, origin: str) -> BuiltExport:
        """The annotations, with addresses at this public base URL."""
        stream = partial(stream_annotations, self.archive, origin)
        return await self._built_export(ANNOTATIONS, origin, stream)

    async def _built_export(
        self, export: Export, inputs: str, stream: Callable[[], AsyncIterator[bytes]]
    ) -> BuiltExport:
        """An export; built once, and stored next to the files of the release if possible.

        Args:
            export: The export.
            inputs: The settings that it depends on.
            stream: Generates its content.
        """
        with suppress(ArchiveError):
            await self.files()
        async with self._lock:
            built = self._built.get(export.name)
            if built is None or not built.exists():
                built = self._built[export.name] = await self._build(export, inputs, stream)
        return built

    async def _build(
        self, export: Export, inputs: str, stream: Callable[[], AsyncIterator[bytes]]
    ) -> BuiltExport:
        stem, _, suffix = export.name.partition(".")
        name = f"{stem}-{sha256(inputs.encode()).hexdigest()[:32]}.{suffix}"
        if self._files is not None:
            with suppress(OSError):
                path = await store_file(self._files, name, stream())
                return BuiltExport(await to_thread.run_sync(digest_file, path), path)
        body = b"".join([chunk async for chunk in stream()])
        return BuiltExport(digest_bytes(body), body)

    async def catalog_json(self, publisher: Publisher) -> bytes:
        """The DCAT-US 1.1 catalog, with the data in each format as a distribution."""
        exports = await self._available_data()
        return await self.archive.run_in_thread(
            partial(dcat_catalog, self.archive, publisher, exports)
        )

    async def catalog_3_json(self, publisher: Publisher) -> bytes:
        """The DCAT-US 3.0 catalog, which has the digests of the distributions, too.

        Raises:
            ArchiveError: The files are missing and cannot be written.
        """
        digests = await self._digests_of_data()
        exports = [(export, digests[export.name]) for export in await self._available_data()]
        return await self.archive.run_in_thread(
            partial(dcat_us_3_catalog, self.archive, publisher, exports)
        )

    async def _available_data(self) -> list[Export]:
        """Every export that this server provides but the catalogs."""
        return [export for export in await self.available() if export.name not in CATALOG_NAMES]
