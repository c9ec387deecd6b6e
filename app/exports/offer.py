"""What one server offers to take away: the files of its release, and what its settings allow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from functools import partial
from hashlib import sha256

from anyio import Lock

from app.archive import Archive
from app.exports.dcat import Publisher, catalogue
from app.exports.iati import Reporter, stream_iati
from app.exports.listing import CATALOGUE, EXPORTS, IATI, Export
from app.exports.shelf import Measure, Shelf, fill_shelf, find_shelf, measure
from app.settings import Settings

_REPORTED_BY = (
    "public_url",
    "iati_reporting_org_ref",
    "iati_reporting_org_name",
    "iati_reporting_org_type",
)
_PUBLISHED_BY = (
    "public_url",
    "publisher_name",
    "contact_name",
    "contact_email",
    "record_modified",
)
_NEEDED: Mapping[str, Iterable[str]] = {IATI.name: _REPORTED_BY, CATALOGUE.name: _PUBLISHED_BY}


class Offer:
    """The exports of an open archive, under one server's settings."""

    def __init__(self, archive: Archive, settings: Settings) -> None:
        self.archive = archive
        self._settings = settings
        self._lock = Lock()
        self._shelf: Shelf | None = None
        self._iati: Measure | None = None

    def unset(self, name: str) -> list[str]:
        """Settings that an export needs and that are not set, as environment variables."""
        needed = _NEEDED.get(name, ())
        return [one.upper() for one in needed if getattr(self._settings, one) is None]

    def exports(self) -> list[Export]:
        """Every export that this server can give."""
        return [one for one in EXPORTS.values() if not self.unset(one.name)]

    async def shelf(self) -> Shelf:
        """The files of the release; made now where nobody made them before.

        Raises:
            ArchiveError: They are not there and cannot be written.
        """
        async with self._lock:
            if self._shelf is None:
                file, release = self._settings.archive_file, self.archive.release
                self._shelf = find_shelf(file, release) or await fill_shelf(self.archive, file)
        return self._shelf

    async def measures(self) -> dict[str, Measure]:
        """Length and digest of every export that this server can give.

        Raises:
            ArchiveError: The files are not there and cannot be written.
        """
        found = dict((await self.shelf()).measures)
        if reporter := self.reporter():
            found[IATI.name] = await self.iati_measure(reporter)
        if publisher := self.publisher():
            body = await self.catalogue(publisher)
            found[CATALOGUE.name] = Measure(len(body), sha256(body).hexdigest())
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
        origin, name, modified = told.public_url, told.publisher_name, told.record_modified
        contact, email = told.contact_name, told.contact_email
        if origin and name and contact and email and modified:
            return Publisher(origin, name, contact, email, modified)
        return None

    def iati(self, reporter: Reporter) -> AsyncIterator[bytes]:
        """The IATI activities, in pieces."""
        return stream_iati(self.archive, reporter)

    async def iati_measure(self, reporter: Reporter) -> Measure:
        """Length and digest of the IATI activities; worked out once."""
        async with self._lock:
            if self._iati is None:
                self._iati = await measure(self.iati(reporter))
        return self._iati

    async def catalogue(self, publisher: Publisher) -> bytes:
        """The catalogue entry."""
        others = [one for one in self.exports() if one != CATALOGUE]
        return await self.archive.run(partial(catalogue, self.archive, publisher, others))
