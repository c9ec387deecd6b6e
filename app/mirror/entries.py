"""Answers of the application as files: one entry an address."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

from app.mirror.asgi_client import is_success
from app.responses.conditions import zero_gzip_mtime
from app.responses.formats import NDJSON

FILES = "files"
"""Folder of the mirror that holds what is served."""
CODINGS: Mapping[str, str] = {"gzip": ".gz", "br": ".br", "zstd": ".zst"}
"""Content codings that answers are kept in besides, by what their files end with."""
WORTH_CODING = 1_400
"""Bytes from which on a coding saves a packet."""

_SUFFIXES = {
    "application/json": ".json",
    "application/x-ndjson": ".ndjson",
    "text/html": ".html",
    "text/plain": ".txt",
    "application/linkset+json": ".json",
}
_OF_ONE_ANSWER = {"content-length", "content-type", "content-encoding", "etag", "last-modified"}
_OF_ONE_ANSWER |= {"accept-ranges"}


def mtime_from_digest(digest: str) -> int:
    """The time that a file of this SHA-256 is given, in seconds since 1970.

    Web servers make entity tags of a file's length and time. So that other content has another
    tag, and the same content the same everywhere, the time is made of the digest.
    """
    return 100_000_000 + int(digest[:8], 16) % 2**30


@dataclass(frozen=True, slots=True)
class MirrorFile:
    """A file of the mirror.

    Attributes:
        file: Its path in the folder of files.
        bytes: Its length.
        sha256: Its SHA-256, hexadecimal.
    """

    file: str
    bytes: int
    sha256: str

    @property
    def time(self) -> int:
        """The time that the file is given."""
        return mtime_from_digest(self.sha256)


@dataclass(frozen=True, slots=True)
class Entry:
    """An address of the mirror, and what it gives.

    Attributes:
        url: Path from the root of the origin.
        media_type: Its `Content-Type`.
        plain: The answer without content coding.
        codings: The same in each coding that it is kept in.
        note: What is to be known of it.
        headers: What else its answer says of itself.
    """

    url: str
    media_type: str
    plain: MirrorFile
    codings: Mapping[str, MirrorFile] = field(default_factory=dict)
    note: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def files(self) -> tuple[MirrorFile, ...]:
        """All that is kept of it."""
        return (self.plain, *self.codings.values())

    def line(self) -> bytes:
        """It as a line of the manifest."""
        told: dict[str, Any] = {"url": self.url, "media_type": self.media_type}
        told |= asdict(self.plain)
        told["codings"] = {coding: asdict(one) for coding, one in self.codings.items()}
        if self.note:
            told["note"] = self.note
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read_line(line: bytes) -> Entry:
    """An entry from its line; its headers are not in it.

    Raises:
        ValueError, KeyError, TypeError: It is no line of a manifest.
    """
    told = json.loads(line)
    codings = {coding: MirrorFile(**one) for coding, one in told["codings"].items()}
    plain = MirrorFile(told["file"], told["bytes"], told["sha256"])
    return Entry(told["url"], told["media_type"], plain, codings, told.get("note"))


class Downloader:
    """Takes answers of an application, and keeps them in a folder where there is one."""

    def __init__(self, client: httpx.AsyncClient, folder: Path | None) -> None:
        self.client = client
        self.folder = folder

    async def take(self, url: str, accept: str = "*/*") -> tuple[Entry, bytes] | int:
        """The entry of an address, and how its answer begins; its status if it cannot be kept.

        A page of a collection that goes on gives the whole collection as lines instead.
        """
        async with self._asked(url, accept) as response:
            if not is_success(response):
                return response.status_code
            goes_on = 'rel="next"' in response.headers.get("link", "")
            if not goes_on:
                return await self._kept(url, accept, response)
        async with self._asked(url, NDJSON.media_type) as response:
            note = "The whole collection, one item a line, as it is longer than a page."
            return await self._kept(url, NDJSON.media_type, response, note)

    async def _kept(
        self, url: str, accept: str, response: httpx.Response, note: str | None = None
    ) -> tuple[Entry, bytes]:
        media_type = response.headers["content-type"]
        name = file_name(url, media_type)
        plain, begins = await self._written(name, response)
        codings = {}
        if plain.bytes >= WORTH_CODING:
            codings = {coding: one async for coding, one in self._coded(url, accept, name)}
        kept = ((key, value) for key, value in response.headers.items())
        headers = tuple(pair for pair in kept if pair[0] not in _OF_ONE_ANSWER)
        return Entry(url, media_type, plain, codings, note, headers), begins

    async def _coded(
        self, url: str, accept: str, name: str
    ) -> AsyncIterator[tuple[str, MirrorFile]]:
        for coding, suffix in CODINGS.items():
            async with self._asked(url, accept, coding) as response:
                if response.headers.get("content-encoding") == coding:
                    yield coding, (await self._written(name + suffix, response))[0]

    def _asked(
        self, url: str, accept: str, coding: str = "identity"
    ) -> AbstractAsyncContextManager[httpx.Response]:
        headers = {"accept": accept, "accept-encoding": coding}
        return self.client.stream("GET", url, headers=headers)

    async def _written(self, name: str, response: httpx.Response) -> tuple[MirrorFile, bytes]:
        """Write a body down; returns what it measures, and its first piece."""
        digest, size, begins = hashlib.sha256(), 0, b""
        with ExitStack() as stack:
            file = stack.enter_context(self._opened(name)) if self.folder else None
            async for piece in response.aiter_raw():
                if not size and piece:
                    begins = piece = zero_gzip_mtime(piece)  # noqa: PLW2901 - the same without its time
                digest.update(piece)
                size += len(piece)
                if file is not None:
                    file.write(piece)
        measured = MirrorFile(name, size, digest.hexdigest())
        if self.folder:
            os.utime(self.folder / name, (measured.time, measured.time))
        return measured, begins

    def _opened(self, name: str) -> IO[bytes]:
        assert self.folder is not None  # noqa: S101 - for the type checker
        path = self.folder / name
        try:
            return path.open("xb")
        except FileNotFoundError:
            path.parent.mkdir(parents=True)
            return path.open("xb")


def file_name(url: str, media_type: str) -> str:
    """Where an answer is kept: its path with the ending of its type.

    So `/v1/awards` and what is below it can both be there.
    """
    name = url.removeprefix("/") or "index"
    suffix = _SUFFIXES.get(media_type.partition(";")[0], "")
    return name if name.endswith(suffix) else name + suffix
