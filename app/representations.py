"""Documents joined to response bodies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from app.query import Page, Query

Pairs = list[tuple[str, str]]


def encode(value: object) -> bytes:
    """A value as compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def page_links(path: str, sent: Pairs, page: Page) -> dict[str, str | None]:
    """Links of a page: itself as asked for, and the next."""
    onward = [pair for pair in sent if pair[0] != "cursor"]
    following = None if page.cursor is None else [*onward, ("cursor", page.cursor)]
    return {
        "self": link(path, sent),
        "next": None if following is None else link(path, following),
    }


def link(path: str, sent: Pairs) -> str:
    """A path with its query."""
    return f"{path}?{urlencode(sent)}" if sent else path


def page_body(page: Page, query: Query, release: str, links: Mapping[str, str | None]) -> bytes:
    """The envelope of a list around its documents."""
    meta = {"total": page.total, "limit": query.limit, "release": release}
    rest = {"meta": meta, "links": links, "included": None, "facets": None}
    return b'{"data":[%b],%b' % (b",".join(page.documents), encode(rest)[1:])


def item_body(document: bytes) -> bytes:
    """The envelope of one resource."""
    return b'{"data":%b,"included":null}' % document


def record_body(
    collections: Iterable[tuple[str, Iterator[bytes]]], rest: Mapping[str, Any]
) -> Iterator[bytes]:
    """One list per collection, keyed by its name, in pieces of bounded size."""
    opening = b'{"data":{'
    for name, documents in collections:
        yield b"%b%b:[" % (opening, encode(name))
        yield from _joined(documents)
        opening = b"],"
    yield b"]},%b" % encode(rest)[1:]


_PIECE = 65_536


def _joined(documents: Iterator[bytes]) -> Iterator[bytes]:
    """Documents with commas between them, gathered into pieces worth sending."""
    held: list[bytes] = []
    size, comma = 0, b""
    for document in documents:
        held += (comma, document)
        size += len(document)
        comma = b","
        if size >= _PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
