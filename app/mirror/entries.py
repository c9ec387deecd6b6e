"""Manifest entries, and the downloader that makes them from responses: one per URL."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

from starlette.datastructures import Headers

from app.mirror.asgi_client import AsgiClient, AsgiResponse
from app.responses.conditional_requests import zero_gzip_mtime
from app.responses.formats import CSL, NDJSON
from app.responses.problems import MEDIA_TYPE

MANIFEST, SUMMARY = "manifest.ndjson", "mirror.json"
FILES = "files"
"""Directory of the mirror that holds the files to be served."""
GONE = "gone"
"""Directory within `FILES` for the responses with status 410."""
CODING_SUFFIXES: Mapping[str, str] = {"gzip": ".gz", "br": ".br", "zstd": ".zst"}
"""File name suffix of each content coding that bodies are stored in."""
MIN_CODED_BYTES = 1_400
"""Size from which compressed files are stored; a smaller body fits one packet anyway."""

_SUFFIXES = {
    "application/json": ".json",
    "application/x-ndjson": ".ndjson",
    "text/html": ".html",
    "text/plain": ".txt",
    "application/linkset+json": ".json",
    CSL.media_type: ".json",
}
_REPRESENTATION_HEADERS = {
    "accept-ranges",
    "content-encoding",
    "content-length",
    "content-type",
    "etag",
    "last-modified",
}
"""Headers that the web server sets itself for each file."""


_FIRST_MTIME = 315_619_200
"""1980-01-02: ZIP and FAT have no times before 1980, in the time zone of the computer."""
_MTIME_STEP_SECONDS = 2
"""The resolution of times in ZIP and FAT."""
_MTIME_STEPS = 2**29
"""Number of different times; the last is in 2014."""


class CrawlError(Exception):
    """A response from which no mirror can be made."""


def accept_header(url: str) -> str:
    """The `Accept` header with which a URL is requested; `/` has a page and a document."""
    return "text/html, */*;q=0.1" if url == "/" else "*/*"


def mtime_from_digest(digest: str) -> int:
    """Modification time for a file with this SHA-256, in seconds since 1970.

    Web servers derive entity tags from a file's size and modification time. With a time derived
    from the digest, the tag changes when the content does and is the same on every copy. The times
    are whole steps from 1980 on, and not in the future, so that archive formats preserve them.
    """
    return _FIRST_MTIME + _MTIME_STEP_SECONDS * (int(digest[:8], 16) % _MTIME_STEPS)


@dataclass(frozen=True, slots=True)
class MirrorFile:
    """A file of the mirror.

    Attributes:
        file: Path below `files/`.
        bytes: Size in bytes.
        sha256: SHA-256 of the content, hexadecimal.
    """

    file: str
    bytes: int
    sha256: str

    @property
    def mtime(self) -> int:
        """Modification time, in seconds since 1970."""
        return mtime_from_digest(self.sha256)


@dataclass(frozen=True, slots=True)
class Entry:
    """A URL of the mirror and its files.

    Attributes:
        url: Path from the root of the origin.
        media_type: Its `Content-Type`.
        plain: The body without content coding.
        codings: The body in each content coding that is stored.
        note: Remark for readers of the manifest.
        status: Status code of the response.
        headers: Other headers of the response; not written to the manifest.
    """

    url: str
    media_type: str
    plain: MirrorFile
    codings: Mapping[str, MirrorFile] = field(default_factory=dict)
    note: str | None = None
    status: int = HTTPStatus.OK
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def accept(self) -> str:
        """The `Accept` header with which the URL was requested."""
        if self.status == HTTPStatus.GONE:
            return MEDIA_TYPE
        return NDJSON.media_type if self.note else accept_header(self.url)

    @property
    def files(self) -> tuple[MirrorFile, ...]:
        """Every stored file, the plain one first."""
        return (self.plain, *self.codings.values())

    def manifest_line(self) -> bytes:
        """The entry as a line of the manifest (NDJSON)."""
        document: dict[str, Any] = {"url": self.url, "media_type": self.media_type}
        document |= asdict(self.plain)
        document["codings"] = {coding: asdict(file) for coding, file in self.codings.items()}
        if self.note:
            document["note"] = self.note
        if self.status != HTTPStatus.OK:
            document["status"] = int(self.status)
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def parse_manifest_line(line: bytes) -> Entry:
    """The entry of a manifest line, without headers.

    Raises:
        ValueError, KeyError, TypeError: The line is malformed.
    """
    document = json.loads(line)
    codings = {coding: MirrorFile(**file) for coding, file in document["codings"].items()}
    plain = MirrorFile(document["file"], document["bytes"], document["sha256"])
    note, status = document.get("note"), document.get("status", HTTPStatus.OK)
    return Entry(document["url"], document["media_type"], plain, codings, note, status)


class Downloader:
    """Downloads responses of an application and writes them to a directory.

    Without a directory nothing is written; the entries are the same.
    """

    def __init__(self, client: AsgiClient, folder: Path | None) -> None:
        self._client = client
        self._folder = folder

    async def download(self, url: str, accept: str = "*/*") -> tuple[Entry, bytes] | int:
        """The entry of a URL and the first chunk of its body.

        For a collection that is longer than a page, the entry is the whole collection as NDJSON.
        For a response that cannot be stored, only the status code is returned.

        Raises:
            CrawlError: The page can be stored, but not in another format or coding.
        """
        async with self._get(url, accept) as response:
            if not response.is_storable:
                return response.status
            has_next_page = 'rel="next"' in response.headers.get("link", "")
            if not has_next_page:
                return await self._store(url, accept, response)
        async with self._get(url, NDJSON.media_type) as response:
            _check_storable(response, f"{url} as {NDJSON.media_type}")
            note = "The full collection as NDJSON, because it is longer than one page."
            return await self._store(url, NDJSON.media_type, response, note)

    async def download_gone(self, url: str) -> Entry:
        """The entry of a resource that was removed: its problem document.

        Raises:
            CrawlError: The status is not 410.
        """
        async with self._get(url, MEDIA_TYPE) as response:
            if response.status != HTTPStatus.GONE:
                raise CrawlError(f"{url} returned status {response.status}; expected 410")
            plain, _ = await self._write(f"{GONE}{url}.json", response)
        return Entry(url, MEDIA_TYPE, plain, status=HTTPStatus.GONE)

    async def _store(
        self, url: str, accept: str, response: AsgiResponse, note: str | None = None
    ) -> tuple[Entry, bytes]:
        media_type = response.headers["content-type"]
        name = file_name(url, media_type)
        plain, first_chunk = await self._write(name, response)
        codings = {}
        if plain.bytes >= MIN_CODED_BYTES:
            codings = {coding: file async for coding, file in self._coded(url, accept, name)}
        headers = _stored_headers(response.headers)
        return Entry(url, media_type, plain, codings, note, headers=headers), first_chunk

    async def _coded(
        self, url: str, accept: str, name: str
    ) -> AsyncIterator[tuple[str, MirrorFile]]:
        for coding, suffix in CODING_SUFFIXES.items():
            async with self._get(url, accept, coding) as response:
                _check_storable(response, f"{url} in {coding}")
                if response.headers.get("content-encoding") == coding:
                    yield coding, (await self._write(name + suffix, response))[0]

    def _get(
        self, url: str, accept: str, coding: str = "identity"
    ) -> AbstractAsyncContextManager[AsgiResponse]:
        return self._client.request("GET", url, {"accept": accept, "accept-encoding": coding})

    async def _write(self, name: str, response: AsgiResponse) -> tuple[MirrorFile, bytes]:
        """Write a body to a file, chunk by chunk; returns the file and the first chunk."""
        digest, size, first_chunk = hashlib.sha256(), 0, b""
        with ExitStack() as stack:
            output = stack.enter_context(self._create(name)) if self._folder else None
            async for chunk in response.body:
                if not size and chunk:
                    first_chunk = chunk = zero_gzip_mtime(chunk)  # noqa: PLW2901 - the same chunk, reproducible
                digest.update(chunk)
                size += len(chunk)
                if output is not None:
                    output.write(chunk)
        file = MirrorFile(name, size, digest.hexdigest())
        if self._folder:
            os.utime(self._folder / name, (file.mtime, file.mtime))
        return file, first_chunk

    def _create(self, name: str) -> IO[bytes]:
        assert self._folder is not None  # noqa: S101 - for the type checker
        path = self._folder / name
        try:
            return path.open("xb")
        except FileNotFoundError:
            path.parent.mkdir(parents=True)
            return path.open("xb")


def _check_storable(response: AsgiResponse, name: str) -> None:
    """Raise a `CrawlError` for anything but a 200 that may be stored."""
    if not response.is_storable:
        raise CrawlError(unexpected_status(name, response.status))


def unexpected_status(name: str, status: int) -> str:
    """A sentence about a response that should be stored and cannot."""
    remark = " with Cache-Control: no-store" if status == HTTPStatus.OK else ""
    return f"{name} returned status {status}{remark}; expected a 200 that can be stored"


def _stored_headers(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Headers that belong to a stored representation, which does not vary by `Accept`."""
    stored = {name: value for name, value in headers.items() if name not in _REPRESENTATION_HEADERS}
    names = [name.strip() for name in stored.pop("vary", "").split(",")]
    if vary := ", ".join(name for name in names if name.lower() not in ("", "accept")):
        stored["vary"] = vary
    return tuple(stored.items())


def file_name(url: str, media_type: str) -> str:
    """Path below `files/` for a URL: its path and the suffix of its media type.

    With a suffix, the file of `/v1/awards` and the directory of its items can both exist.
    """
    name = url.removeprefix("/") or "index"
    suffix = _SUFFIXES.get(media_type.partition(";")[0], "")
    return name if name.endswith(suffix) else name + suffix
