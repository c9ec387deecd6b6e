"""Exports: collections as streams, and files in standard formats."""

from app.exports.streams import (
    read_batches,
    read_changes,
    single_batch,
    stream_collection,
    stream_record,
    stream_rows,
)

__all__ = [
    "read_batches",
    "read_changes",
    "single_batch",
    "stream_collection",
    "stream_record",
    "stream_rows",
]
