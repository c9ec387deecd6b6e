"""Request headers that select a response: conditional requests and content coding."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from app.responses.quality import parse_qualities

_ENCODINGS = ("zstd", "br", "gzip")
"""Supported content codings, in order of preference."""
_WILDCARD_ENCODING = "gzip"
"""The coding for `*`: clients that do not name the others often cannot decode them."""


def selection_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes, bytes]:
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
    """Whether `If-None-Match` lists the entity tag, by weak comparison (RFC 9110, 13.1.2)."""
    if if_none_match.strip() == b"*":
        return True
    tags = (tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b","))
    return etag in tags


def not_modified_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Headers of the 304 for a response: all that it has, except `Content-*`.

    A cache updates its copy with them (RFC 9111, 3.2). `Content-*` headers describe a body, which
    a 304 lacks; a proxy that decodes responses would pass on a coding that its copy does not have
    (RFC 9110, 15.4.5).
    """
    return [pair for pair in headers if not pair[0].lower().startswith(b"content-")]


@lru_cache(maxsize=256)
def choose_encoding(accept_encoding: bytes) -> bytes:
    """The content coding of the response (RFC 9110, 12.5.3); empty for none.

    The highest quality wins; among equals, the coding that compresses best. `*` stands for gzip.
    """
    qualities = dict(parse_qualities(accept_encoding))
    qualities.setdefault(_WILDCARD_ENCODING, qualities.get("*", 0.0))
    best = max(_ENCODINGS, key=lambda coding: qualities.get(coding, 0.0))
    quality = qualities.get(best, 0.0)
    return best.encode() if quality > 0 and quality >= qualities.get("identity", 0.0) else b""


def zero_gzip_mtime(body: bytes) -> bytes:
    """`body` with the mtime in its gzip header zeroed (RFC 1952, 2.3.1).

    A release then compresses to the same bytes every time.
    """
    return body[:4] + bytes(4) + body[8:] if body.startswith(b"\x1f\x8b\x08") else body
