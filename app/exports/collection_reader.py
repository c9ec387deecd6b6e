"""Byte ranges of a whole collection as CSV or NDJSON, without reading it from the start."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncIterator
from functools import partial

from app.archive.archive import LISTS, Archive
from app.exports.streams import read_batch, render_header, render_rows
from app.query.cursors import Position
from app.query.query import Query
from app.query.selection import start_position
from app.responses.formats import Format


class CollectionReader:
    """The body of a collection in one format, with its length and where its batches of rows begin.

    The body itself is not stored: a range is generated again from the batch that it begins in. The
    same query gives the same bytes, because an archive does not change.

    Attributes:
        archive: The archive.
        length: Size of the whole body in bytes.
    """

    def __init__(self, archive: Archive, query: Query, format_: Format) -> None:
        self.archive, self._query, self._format = archive, query, format_
        self._model = LISTS[query.collection]
        self._header = render_header(self._model, format_, query.fields)
        self.length = len(self._header)
        self._offsets: list[int] = []
        self._positions: list[Position | None] = []

    @classmethod
    async def create(cls, archive: Archive, query: Query, format_: Format) -> CollectionReader:
        """Measure a collection; this renders it once, in batches."""
        reader = cls(archive, query, format_)
        after = start_position(query, archive.connection)
        complete = False
        while not complete:
            reader._offsets.append(reader.length)
            reader._positions.append(after)
            chunk, after = await reader._read_batch(after)
            reader.length += len(chunk)
            complete = after is None
        return reader

    async def read(self, first: int, last: int) -> AsyncIterator[bytes]:
        """The bytes from `first` to `last`, both inclusive, in chunks."""
        if first < len(self._header):
            yield self._header[first : last + 1]
        index = max(bisect_right(self._offsets, first) - 1, 0)
        offset, after = self._offsets[index], self._positions[index]
        complete = False
        while offset <= last and not complete:
            chunk, after = await self._read_batch(after)
            yield chunk[max(first - offset, 0) : last + 1 - offset]
            offset += len(chunk)
            complete = after is None

    async def _read_batch(self, after: Position | None) -> tuple[bytes, Position | None]:
        """A batch of rows as bytes, and the position of the last one; None if no more follow."""
        read = partial(read_batch, self.archive, self._query, after)
        rows, after = await self.archive.run_in_thread(read)
        return render_rows(self._model, rows, self._format, self._query.fields), after
