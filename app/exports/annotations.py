"""The quotes of the record as annotations of the archived pages (W3C Web Annotation).

An annotation has two targets. The first is the archived page, in which the quote is selected by its
words only: positions count the extracted text and select other words in HTML. The second is that
text, named by its digest (RFC 6920), in which the position holds, too.
"""

from __future__ import annotations

import json
import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from app.archive.archive import COLLECTIONS, Archive, decoded
from app.exports.citing import author_name
from app.exports.listing import ANNOTATIONS
from app.exports.terms import licenses
from app.responses.representations import encode_json

Json = dict[str, Any]

_CONTEXT = "http://www.w3.org/ns/anno.jsonld"
_BATCH_CITATIONS = 500
_QUOTES = """
SELECT citations.rowid, citations.id, resource_type, resource, field, basis, note, sources.id,
    sources.url, sources.sha256, exact, prefix, suffix, start, "end"
FROM citations JOIN sources ON sources.id = citations.source
WHERE citations.rowid > ? ORDER BY citations.rowid LIMIT ?
"""


class _Quote(NamedTuple):
    """A citation with a quote, and the source that it is from."""

    rowid: int
    id: str
    resource_type: str
    resource: str
    field: str
    basis: str
    note: str | None
    source: str
    url: str | None
    sha256: str
    exact: str
    prefix: str | None
    suffix: str | None
    start: int
    end: int


async def stream_annotations(archive: Archive, origin: str) -> AsyncIterator[bytes]:
    """An AnnotationPage with an annotation for each quote, in chunks of JSON-LD.

    Args:
        archive: The record.
        origin: Public base URL of the API.
    """
    opening = await archive.run_in_thread(partial(_opening, archive, origin))
    last_rowid = 0
    while quotes := await archive.run_in_thread(partial(_read_quotes, last_rowid)):
        values = await archive.run_in_thread(partial(_read_values, quotes))
        annotations = (_annotation(quote, values[quote.id], origin) for quote in quotes)
        yield opening + b",".join(map(encode_json, annotations))
        opening, last_rowid = b",", quotes[-1].rowid
    yield b"]}" if opening == b"," else opening + b"]}"


def _opening(archive: Archive, origin: str, connection: sqlite3.Connection) -> bytes:
    """The page, up to its first annotation."""
    metadata, address = archive.metadata, f"{origin}{ANNOTATIONS.path}"
    count = "SELECT count(*) FROM citations WHERE source IS NOT NULL"
    page = {
        "@context": _CONTEXT,
        "id": address,
        "type": "AnnotationPage",
        "partOf": {
            "id": f"{address}#collection",
            "type": "AnnotationCollection",
            "label": f"{metadata['title']}, release {archive.label}",
            "creator": {"type": "Organization", "name": author_name(metadata)},
            "modified": f"{archive.date}T00:00:00Z",
            "rights": [terms["url"] for terms in licenses(metadata)],
            "total": connection.execute(count).fetchone()[0],
        },
        "startIndex": 0,
    }
    return encode_json(page)[:-1] + b',"items":['


def _read_quotes(last_rowid: int, connection: sqlite3.Connection) -> list[_Quote]:
    rows = connection.execute(_QUOTES, (last_rowid, _BATCH_CITATIONS))
    return [_Quote._make(map(decoded, row)) for row in rows]


def _read_values(quotes: Sequence[_Quote], connection: sqlite3.Connection) -> Mapping[str, Any]:
    """The value that each quote supports, by the id of the citation."""
    values: dict[str, Any] = {}
    for model in COLLECTIONS.values():
        own = [quote for quote in quotes if quote.resource_type == model.type]
        ids = json.dumps([quote.resource for quote in own])
        statement = (
            f"SELECT id, document FROM {model.collection} "  # noqa: S608 - a name from COLLECTIONS
            "WHERE id IN (SELECT value FROM json_each(?))"
        )
        rows = connection.execute(statement, (ids,)) if own else ()
        documents = {id_.decode(): json.loads(document) for id_, document in rows}
        values |= {quote.id: documents[quote.resource][quote.field] for quote in own}
    return values


def _annotation(quote: _Quote, value: Any, origin: str) -> Json:
    resource = f"{quote.resource_type} {quote.resource}"
    bodies = [
        _text(f"{resource}, {quote.field}: {_value_text(value)}", "describing"),
        _text(quote.basis, "tagging"),
    ]
    if quote.note is not None:
        bodies.append(_text(quote.note, "commenting"))
    words = {
        "type": "TextQuoteSelector",
        "exact": quote.exact,
        "prefix": quote.prefix,
        "suffix": quote.suffix,
    }
    selector = {name: text for name, text in words.items() if text is not None}
    position = {"type": "TextPositionSelector", "start": quote.start, "end": quote.end}
    page = quote.url or f"{origin}/v1/sources/{quote.source}"
    return {
        "id": f"{origin}/v1/citations/{quote.id}",
        "type": "Annotation",
        "motivation": "describing",
        "body": bodies,
        "target": [_target(page, selector), _target(named_bytes(quote.sha256), selector, position)],
    }


def _text(text: str, purpose: str) -> Json:
    return {
        "type": "TextualBody",
        "value": text,
        "format": "text/plain",
        "language": "en",
        "purpose": purpose,
    }


def _target(source: str, *selectors: Json) -> Json:
    return {
        "type": "SpecificResource",
        "source": source,
        "selector": selectors[0] if len(selectors) == 1 else selectors,
    }


def _value_text(value: Any) -> str:
    """A value as people read it: text as such, the members of a list apart by commas."""
    if isinstance(value, list):
        return ", ".join(map(_value_text, value))
    return value if isinstance(value, str) else encode_json(value).decode()


def named_bytes(sha256: str) -> str:
    """The name of the bytes that have this SHA-256 (`ni` URI, RFC 6920, 3)."""
    return f"ni:///sha-256;{urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip('=')}"
