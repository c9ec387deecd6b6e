"""Writes the responses of a mirror to a web archive (WARC 1.1, ISO 28500)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from app import __version__
from app.mirror.asgi_client import AsgiClient
from app.mirror.entries import CrawlError, Entry

if TYPE_CHECKING:
    from fastwarc.stream_io import GzipWriter

WARC = "record.warc.gz"
"""Name of the file in the mirror."""
WARC_MEDIA_TYPE = "application/warc"

_SOFTWARE = f"cpc-record/{__version__}"
_COMPRESSION_LEVEL = 9
_HTTP = "application/http;msgtype="


def can_write_warc() -> bool:
    """Whether the optional package that writes web archives is installed."""
    return find_spec("fastwarc") is not None


@contextmanager
def open_warc(path: Path, client: AsgiClient, origin: str, day: str) -> Iterator[WarcFile]:
    """Create a web archive, to which responses of an application can be added.

    Args:
        path: Path of the file.
        client: Client of the application.
        origin: Public base URL of the API.
        day: The day that all records are dated.
    """
    from fastwarc.stream_io import GzipWriter  # noqa: PLC0415 - optional

    with path.open("xb") as file:
        warc = WarcFile(GzipWriter(file, compression_level=_COMPRESSION_LEVEL), client, origin, day)
        warc.add_info(path.name)
        yield warc


class WarcFile:
    """A web archive that is being written. The same responses give the same bytes."""

    def __init__(self, output: GzipWriter, client: AsgiClient, origin: str, day: str) -> None:
        self._output, self._client, self._origin = output, client, origin
        self._date = f"{day}T00:00:00Z"

    def add_info(self, name: str) -> None:
        """Write the record about the file, which is the first one."""
        fields = {
            "software": _SOFTWARE,
            "format": "WARC File Format 1.1",
            "description": "The responses of a static mirror of the API, without content coding. "
            "All dates are that of the release.",
        }
        headers = {"WARC-Filename": name, "Content-Type": "application/warc-fields"}
        self._write("warcinfo", headers, _lines(fields))

    async def add(self, entry: Entry) -> None:
        """Request the URL of an entry again; write the response and the request.

        Raises:
            CrawlError: The body is not that in the mirror.
        """
        request = {"accept": entry.accept, "accept-encoding": "identity"}
        async with self._client.request("GET", entry.url, request) as response:
            body = b"".join([chunk async for chunk in response.body])
        if hashlib.sha256(body).hexdigest() != entry.plain.sha256:
            raise CrawlError(f"{entry.url} returned a different body the second time")
        url = f"{self._origin}{entry.url}"
        status = HTTPStatus(response.status)
        message = _http_message(
            f"HTTP/1.1 {status} {status.phrase}",
            {**response.headers, "content-length": str(len(body))},
        )
        target = {"WARC-Target-URI": url}
        headers = {**target, "Content-Type": f"{_HTTP}response"}
        response_id = self._write("response", headers, message + body, body)
        request = {"host": urlsplit(url).netloc, "user-agent": _SOFTWARE, **request}
        headers = {**target, "WARC-Concurrent-To": response_id, "Content-Type": f"{_HTTP}request"}
        self._write("request", headers, _http_message(f"GET {entry.url} HTTP/1.1", request))

    def _write(
        self, type_: str, headers: Mapping[str, str], block: bytes, payload: bytes | None = None
    ) -> str:
        """Write a record, compressed on its own; returns its id."""
        from fastwarc.warc import WarcRecord, WarcRecordType  # noqa: PLC0415 - optional

        url, content = headers.get("WARC-Target-URI", self._origin), hashlib.sha256(block)
        id_ = uuid5(NAMESPACE_URL, f"{type_} {self._date} {url} {content.hexdigest()}")
        record = WarcRecord()
        record.init_headers(getattr(WarcRecordType, type_), f"uuid:{id_}".encode())
        record.headers["WARC-Date"] = self._date
        for header, value in headers.items():
            record.headers[header] = value
        record.set_bytes_content(block)
        digest = None
        if payload is not None:
            digest = hashlib.sha1(payload, usedforsecurity=False).digest()
        record.write(self._output, checksum_data=True, payload_digest=digest)
        self._output.finish()
        return record.headers["WARC-Record-ID"]


def _http_message(start: str, headers: Mapping[str, str]) -> bytes:
    """The start of an HTTP message, up to its body."""
    return f"{start}\r\n".encode() + _lines(headers) + b"\r\n"


def _lines(fields: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode("latin-1")
