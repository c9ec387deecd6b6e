"""Exports: collections as streams, and files in standard formats."""

from app.exports.streams import (
    read_batches,
    single_batch,
    stream_collection,
    stream_record,
)

__all__ = [
    "read_batches",
    "single_batch",
    "stream_collection",
    "stream_record",
]
