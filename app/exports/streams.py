"""Whole collections as streams, in batches: no statement is held open for a slow client."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import TypeVar

from app.archive.archive import COLLECTIONS, Archive
from app.query.query import Query
from app.query.selection import ResultPage, Rows, find_rows
from app.responses.formats import CSV, NDJSON, Format
from app.responses.representations import (
    csv_header,
    csv_lines,
    encode_json,
    geojson_feature,
    ndjson_lines,
)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

RowCallback = Callable[[int], None]
"""Told how many more rows are written."""

_BATCH = 500


def ignore_rows(_rows: int) -> None:
    """For those who wait without being told."""


async def read_batches(archive: Archive, query: Query, after: str | None) -> AsyncIterator[Rows]:
    """All rows after one, in the query's order, a batch at a time."""
    while True:
        rows = await archive.run_in_thread(partial(find_rows, archive, query, after, _BATCH))
        if rows:
            yield rows
        if len(rows) < _BATCH:
            return
        after = rows[-1][0].decode()


async def single_batch(page: ResultPage) -> AsyncIterator[Rows]:
    """The rows of a page that was selected already."""
    if page.documents:
        yield [(name.encode(), one) for name, one in zip(page.ids, page.documents, strict=True)]


async def stream_collection(
    archive: Archive, collection: str, found: AsyncIterator[Rows], chosen: Format
) -> AsyncIterator[bytes]:
    """Rows of a collection in a format other than JSON, in pieces."""
    model = COLLECTIONS[collection]
    if chosen == NDJSON:
        async for rows in found:
            yield ndjson_lines(document for _, document in rows)
    elif chosen == CSV:
        yield csv_header(model)
        async for rows in found:
            yield csv_lines(model, (document for _, document in rows))
    else:
        async for piece in _features(archive, found):
            yield piece


async def stream_record(
    archive: Archive, rest: dict[str, object], wrote: RowCallback = ignore_rows
) -> AsyncIterator[bytes]:
    """Every collection, one list each, in the order of the record, in pieces."""
    opening = b'{"data":{'
    for name in COLLECTIONS:
        yield b"%b%b:[" % (opening, encode_json(name))
        comma, reached = b"", 0
        while rows := await archive.run_in_thread(_after(name, reached)):
            yield comma + b",".join(document for _, document in rows)
            wrote(len(rows))
            comma, reached = b",", rows[-1][0]
        opening = b"],"
    yield b"]},%b" % encode_json(rest)[1:]


def _after(collection: str, reached: int) -> Work[list[tuple[int, bytes]]]:
    statement = (
        f"SELECT rowid, document FROM {collection} "  # noqa: S608 - a name from COLLECTIONS
        f"WHERE rowid > {reached} ORDER BY rowid LIMIT {_BATCH}"
    )
    return lambda connection: connection.execute(statement).fetchall()


async def _features(archive: Archive, found: AsyncIterator[Rows]) -> AsyncIterator[bytes]:
    """A GeoJSON feature collection (RFC 7946, 3.3) that says where its outlines come from."""
    attribution = encode_json(archive.header["outlines"])
    opening = b'{"type":"FeatureCollection","attribution":%b,"features":[' % attribution
    bounds: list[list[float]] = []
    async for rows in found:
        outlines = await archive.run_in_thread(_outlines([name.decode() for name, _ in rows]))
        bounds += filter(None, (json.loads(bbox) for bbox, _ in outlines.values()))
        pieces = (geojson_feature(document, outlines.get(name)) for name, document in rows)
        yield opening + b",".join(pieces)
        opening = b","
    if opening != b",":
        yield opening
    yield b"]%b}" % (b',"bbox":' + encode_json(_hull(bounds)) if bounds else b"")


def _outlines(names: Sequence[str]) -> Work[dict[bytes, tuple[bytes, bytes]]]:
    statement = (
        "SELECT region, bbox, geometry FROM outlines "
        "WHERE region IN (SELECT value FROM json_each(?))"
    )

    def read(connection: sqlite3.Connection) -> dict[bytes, tuple[bytes, bytes]]:
        rows = connection.execute(statement, (json.dumps(names),))
        return {name: (bbox, geometry) for name, bbox, geometry in rows}

    return read


def _hull(bounds: Sequence[Sequence[float]]) -> list[float]:
    west, south, east, north = zip(*bounds, strict=True)
    return [min(west), min(south), max(east), max(north)]
