"""The record taken away: collections as streams, and files in the formats of the field."""

from app.exports.streams import read_batches, single_batch, stream_collection, stream_record

__all__ = ["read_batches", "single_batch", "stream_collection", "stream_record"]
