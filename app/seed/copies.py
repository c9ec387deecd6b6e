"""Copies of archived pages: plain text, HTML, or captures in a web archive."""

from __future__ import annotations

import codecs
import hashlib
import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import IO
from zipfile import BadZipFile

from app.seed.captures import (
    ArchivedPage,
    open_wacz,
    read_captures,
    select_capture,
    uncompressed,
)

STANDARD_INPUT = "-"
_EXTRACTOR = "resiliparse"
_NOT_INSTALLED = (
    "HTML and web archives need resiliparse and fastwarc: "
    "pip install --require-hashes -r requirements-archive.txt"
)
_MAX_BYTES_IN_MEMORY = 64_000_000
_HEAD_BYTES = 8
_ZIP = b"PK\x03\x04"
_WARC = (b"WARC/", b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18", b"\x04\x22\x4d\x18")
"""How a WARC file starts if it is not compressed, or compressed with Zstandard or LZ4."""
_HTML = re.compile(
    rb"\s*<(?:\?xml|!--|!doctype html|(?:html|head|body|title|meta|script|style|h1|div|p|table|a|b|"
    rb"br|iframe|font)[\s/>])",
    re.IGNORECASE,
)
"""How HTML starts (MIME Sniffing, 7.1)."""


@dataclass(frozen=True, slots=True)
class PageCopy:
    """A copy of an archived page.

    Attributes:
        text: Its text.
        origin: Where the text is from, in words.
        source: Id of the source that it is a copy of, if that is known.
    """

    text: str
    origin: str = "text"
    source: str | None = None

    @property
    def content(self) -> bytes:
        """The text in UTF-8."""
        return self.text.encode()

    @property
    def sha256(self) -> str:
        """Digest of the text in UTF-8, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def likeness(self, sha256: object, quotes: Sequence[str]) -> tuple[bool, float]:
        """How well it fits a source: whether the digest is the same, and the share of quotes in it.

        Args:
            sha256: Digest of the source.
            quotes: Words that are quoted from the source.
        """
        found = sum(words in self.text for words in quotes)
        return self.sha256 == sha256, found / max(len(quotes), 1)


def read_copies(
    path: str, pages: Sequence[ArchivedPage], timestamp: str | None = None
) -> list[PageCopy]:
    """The copy of a page in a file, or those of several pages in a web archive.

    The content of the file decides, not its name. The text of HTML is extracted by resiliparse.

    Args:
        path: Path of the file, or `-` for standard input.
        pages: The pages to find in a web archive.
        timestamp: Time of their capture, or the start of it, such as `2021-01`; by default, it is
            the capture nearest to the period of the page.

    Raises:
        ValueError: It is no such copy, has no such capture, or a package is not installed.
        OSError: It cannot be read.
    """
    with _open(path) as stored, uncompressed(stored) as file:
        head = file.read(_HEAD_BYTES)
        file.seek(0)
        if head.startswith(_ZIP):
            return _read_archives(open_wacz(file), pages, timestamp)
        if head.startswith(_WARC):
            return _read_archives((file,), pages, timestamp)
        if timestamp is not None:
            raise ValueError("it is no web archive, so it has no captures")
        return [_read_page(file.read())]


def _read_archives(
    archives: Iterable[IO[bytes]], pages: Sequence[ArchivedPage], timestamp: str | None
) -> list[PageCopy]:
    """A copy of each page from the captures in WARC files."""
    _require_packages()
    try:
        captures = [capture for archive in archives for capture in read_captures(archive, pages)]
    except (BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"it is no readable WACZ: {error}") from error
    copies = []
    for page in pages:
        capture = select_capture(captures, page, timestamp)
        if capture is not None and capture.payload is not None:
            origin = f"capture {capture.timestamp}"
            with uncompressed(io.BytesIO(capture.payload)) as payload:  # Content-Encoding: x-gzip
                copies.append(_read_page(payload.read(), page.source, origin, capture.charset))
    if not copies:
        urls = [page.url for page in pages if page.url]
        wanted = " or ".join(urls) or "a known URL; give the source its url, or --url to quote"
        raise ValueError(f"it has no complete capture of {wanted}")
    return copies


def _read_page(
    content: bytes, source: str | None = None, origin: str = "", charset: str | None = None
) -> PageCopy:
    """A copy from the bytes of plain text or HTML.

    Args:
        content: The bytes.
        source: Id of its source, if that is known.
        origin: Where the bytes are from; empty if from a file.
        charset: Charset of HTML, if that is known.
    """
    if not _HTML.match(content.removeprefix(codecs.BOM_UTF8)):
        return PageCopy(content.decode("utf-8"), origin or "text", source)
    _require_packages()
    origin = f"{origin or 'HTML'}, text extracted by {_EXTRACTOR} {version(_EXTRACTOR)}"
    return PageCopy(_extract_text(content, charset), origin, source)


def _extract_text(html: bytes, charset: str | None) -> str:
    """The text of a page, in its layout; the charset is looked for in the page if it is unknown."""
    from resiliparse.extract.html2text import extract_plain_text  # noqa: PLC0415 - optional
    from resiliparse.parse.encoding import (  # noqa: PLC0415
        bytes_to_str,
        detect_encoding,
        map_encoding_to_html5,
    )

    if html.startswith(codecs.BOM_UTF8):
        charset = "utf-8"
    label = charset or detect_encoding(html, from_html_meta=True) or "utf-8"
    return extract_plain_text(bytes_to_str(html, map_encoding_to_html5(label) or label))


@contextmanager
def _open(path: str) -> Iterator[IO[bytes]]:
    """A file that can be read again from its start; standard input is copied to one."""
    if path != STANDARD_INPUT:
        with Path(path).open("rb") as file:
            yield file
        return
    with SpooledTemporaryFile(_MAX_BYTES_IN_MEMORY) as copy:
        copyfileobj(sys.stdin.buffer, copy)
        copy.seek(0)
        yield copy


def _require_packages() -> None:
    """Check that what reads HTML and web archives is installed.

    Raises:
        ValueError: It is not.
    """
    if find_spec(_EXTRACTOR) is None or find_spec("fastwarc") is None:
        raise ValueError(_NOT_INSTALLED)
