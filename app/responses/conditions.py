"""Conditional requests and content coding: what the headers of a request select."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

_ENCODINGS = (b"zstd", b"br", b"gzip")
"""Content codings on offer, the preferred first."""


def request_conditions(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes, bytes]:
    """`Accept`, `Accept-Encoding` and `If-None-Match` of a request; repeated lines are joined."""
    accept = accept_encoding = if_none_match = b""
    for name, value in headers:
        if name == b"accept":
            accept = b"%b, %b" % (accept, value) if accept else value
        elif name == b"accept-encoding":
            accept_encoding = b"%b, %b" % (accept_encoding, value) if accept_encoding else value
        elif name == b"if-none-match":
            if_none_match = b"%b, %b" % (if_none_match, value) if if_none_match else value
    return accept, accept_encoding, if_none_match


def etag_matches(if_none_match: bytes, etag: bytes) -> bool:
    """Whether `If-None-Match` names the tag, by weak comparison (RFC 9110, 13.1.2)."""
    if if_none_match.strip() == b"*":
        return True
    tags = (tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b","))
    return etag in tags


@lru_cache(maxsize=256)
def choose_encoding(accept_encoding: bytes) -> bytes:
    """The content coding to answer with (RFC 9110, 12.5.3); empty for none.

    The highest quality value wins, and among equals the coding that compresses best.
    """
    wanted: dict[bytes, float] = {}
    for part in accept_encoding.lower().split(b","):
        coding, *options = (piece.strip() for piece in part.split(b";"))
        wanted[coding] = next((_quality(one) for one in options if one.startswith(b"q=")), 1.0)
    rest = wanted.get(b"*", 0.0)
    best = max(_ENCODINGS, key=lambda coding: wanted.get(coding, rest))
    quality = wanted.get(best, rest)
    return best if quality > 0 and quality >= wanted.get(b"identity", 0.0) else b""


def _quality(option: bytes) -> float:
    try:
        return min(max(float(option[2:]), 0.0), 1.0)
    except ValueError:
        return 0.0


def zero_gzip_mtime(body: bytes) -> bytes:
    """`body`, without the time in a gzip header (RFC 1952, 2.3.1): one release, the same bytes."""
    return body[:4] + bytes(4) + body[8:] if body.startswith(b"\x1f\x8b\x08") else body
