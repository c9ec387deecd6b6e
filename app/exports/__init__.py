"""The record taken away: collections as streams, and files in the formats of the field."""

from app.exports.streams import batches, one_batch, stream, stream_record

__all__ = ["batches", "one_batch", "stream", "stream_record"]
