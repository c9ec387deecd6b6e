"""Captures of archived pages in web archives: WARC (ISO 28500) and WACZ 1.1.1."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import IO, TYPE_CHECKING, Literal, cast
from urllib.parse import urlsplit
from zipfile import ZipFile

from app.models import Source
from app.models.dates import first_day, last_day

if TYPE_CHECKING:
    from fastwarc.warc import WarcRecord

_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)
_OK = 200
_GZIP = b"\x1f\x8b"
_WACZ_FOLDER = "archive/"
_DECODINGS: Sequence[Literal["all", "content", "transfer", "none"]] = (
    "all", "content", "transfer", "none",
)  # fmt: skip
"""What to decode of an HTTP message: some archives have decoded content under its old headers."""
_MAX_LISTED_CAPTURES = 10


@dataclass(frozen=True, slots=True)
class ArchivedPage:
    """A page that may be in a web archive.

    Attributes:
        source: Id of the source.
        url: URL of the page; empty if it is unknown.
        first: Start of the period that a capture is wanted from; by default, the latest is.
        last: End of that period.
    """

    source: str
    url: str
    first: datetime = _LATEST
    last: datetime = _LATEST

    @classmethod
    def of(cls, source: Source) -> ArchivedPage:
        """The page of a source, wanted from when it was captured or else archived."""
        page = cls(source.id, source.url or "")
        if source.captured is not None:
            captured = datetime.fromisoformat(source.captured)
            return replace(page, first=captured, last=captured)
        first, last = source.archived_from, source.archived_to
        if first is None and last is None:
            return page
        return replace(
            page,
            first=_midnight(first_day(first)) if first else _EARLIEST,
            last=_midnight(last_day(last)) + timedelta(days=1) if last else _LATEST,
        )

    def distance(self, moment: datetime) -> timedelta:
        """How far a moment is from the period."""
        return max(self.first - moment, moment - self.last, timedelta())


@dataclass(frozen=True, slots=True)
class Capture:
    """A page as it was captured.

    Attributes:
        url: Its URL, in the form in which URLs are compared.
        time: When it was captured, in UTC.
        status: Status of the HTTP response; 200 if the record has none.
        digest: Digest of the payload; empty if the record has none.
        charset: Charset of the HTTP response; None if it has none.
        payload: Body of the response; None if the record refers to another one for it.
    """

    url: str
    time: datetime
    status: int
    digest: str
    charset: str | None
    payload: bytes | None

    @property
    def timestamp(self) -> str:
        """The time in the 14 digits that web archives have in their URLs."""
        return f"{self.time:%Y%m%d%H%M%S}"


@contextmanager
def uncompressed(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """A file, decompressed if it is gzip.

    Raises:
        ValueError: It is damaged; also while it is read.
    """
    compressed = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    try:
        with gzip.open(file) if compressed else nullcontext(file) as opened:
            yield cast("IO[bytes]", opened)
    except (EOFError, zlib.error) as error:
        raise ValueError(f"its gzip compression is damaged: {error}") from error


def open_wacz(package: IO[bytes]) -> Iterator[IO[bytes]]:
    """Each WARC file in a WACZ file.

    Raises:
        ValueError: It is no WACZ file.
        BadZipFile: It is damaged; also while it is read.
    """
    with ZipFile(package) as files:
        names = [name for name in files.namelist() if name.startswith(_WACZ_FOLDER)]
        if not names:
            raise ValueError("it is a zip without the folder archive/, so it is no WACZ")
        for name in names:
            with files.open(name) as archive, uncompressed(archive) as file:
                yield file


def read_captures(archive: IO[bytes], pages: Iterable[ArchivedPage]) -> Iterator[Capture]:
    """Every capture of some pages in a WARC file, which may be compressed.

    Raises:
        OSError: It is no WARC file, or damaged.
    """
    from fastwarc.warc import ArchiveIterator, WarcRecordType  # noqa: PLC0415 - optional

    urls = {_comparable_url(page.url) for page in pages if page.url}
    types = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.revisit
    for record in ArchiveIterator(archive, record_types=types, parse_http=False):
        url = _comparable_url(record.headers.get("WARC-Target-URI") or "")
        if url in urls and record.record_date is not None:
            capture = _read_record(record, url)
            is_revisit = record.record_type == WarcRecordType.revisit
            yield replace(capture, payload=None) if is_revisit else capture


def select_capture(
    captures: Sequence[Capture], page: ArchivedPage, timestamp: str | None = None
) -> Capture | None:
    """The complete capture of a page that is nearest to its period, the later of two.

    Args:
        captures: Captures of this and other pages.
        page: The page.
        timestamp: Time of the capture, or the start of it, such as `2021-01`.

    Returns:
        None if there is none at all.

    Raises:
        ValueError: There is none at that time.
    """
    ours = _complete(captures, _comparable_url(page.url))
    digits = re.sub(r"[-:TZ]", "", timestamp or "")
    chosen = [capture for capture in ours if capture.timestamp.startswith(digits)]
    if ours and not chosen:
        times = [capture.timestamp for capture in ours][:_MAX_LISTED_CAPTURES]
        raise ValueError(f"it has no capture at {timestamp}, but at {', '.join(times)}")
    return min(
        chosen,
        key=lambda capture: (page.distance(capture.time), _LATEST - capture.time),
        default=None,
    )


def _complete(captures: Sequence[Capture], url: str) -> list[Capture]:
    """The successful captures of a page, with the payloads that records share by their digest."""
    ours = [capture for capture in captures if capture.url == url and capture.status == _OK]
    payloads = {capture.digest: capture for capture in ours if capture.payload is not None}
    return [
        replace(payloads[capture.digest], time=capture.time) if capture.payload is None else capture
        for capture in ours
        if capture.payload is not None or capture.digest in payloads
    ]


def _read_record(record: WarcRecord, url: str) -> Capture:
    """The capture in a record; an HTTP message that cannot be decoded is taken as it is."""
    from fastwarc.warc import WarcRecord  # noqa: PLC0415 - optional

    digest, block = record.headers.get("WARC-Payload-Digest") or "", record.reader.read()
    capture = Capture(url, record.record_date, _OK, digest, None, block)
    for decoding in _DECODINGS if record.is_http else ():
        message = WarcRecord()  # an error in parsing the record itself would end the iteration
        message.init_headers(record.record_type)
        message.set_bytes_content(block)
        message.is_http = True
        try:
            message.parse_http(auto_decode=decoding)
            status = message.http_headers.status_code or 0
            charset = (message.http_charset or "").strip('"') or None
            return replace(capture, status=status, charset=charset, payload=message.reader.read())
        except OSError:
            continue
    return capture


def _comparable_url(url: str) -> str:
    """A URL without what web archives ignore: scheme, `www.`, default port and fragment."""
    try:
        parts = urlsplit(url.strip("<>"))  # GNU Wget writes brackets
    except ValueError:
        return url
    host = re.sub(r"^www\.|:(80|443)?$", "", parts.netloc.lower())
    return f"{host}{parts.path or '/'}?{parts.query}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
