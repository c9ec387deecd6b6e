"""The formats an answer can be had in, and which of them a client accepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Format:
    """A representation.

    Attributes:
        name: Value of the `format` parameter.
        media_type: Media type without parameters.
        content_type: The `Content-Type` header.
    """

    name: str
    media_type: str
    content_type: str


JSON = Format("json", "application/json", "application/json")
CSV = Format("csv", "text/csv", "text/csv; charset=utf-8; header=present")
NDJSON = Format("ndjson", "application/x-ndjson", "application/x-ndjson")
GEOJSON = Format("geojson", "application/geo+json", "application/geo+json")
HTML = Format("html", "text/html", "text/html; charset=utf-8")

FORMATS = (JSON, CSV, NDJSON, GEOJSON, HTML)
"""Every format, the one to prefer among equals first."""


@lru_cache(maxsize=512)
def acceptable_formats(accept: bytes) -> tuple[Format, ...]:
    """The formats that an `Accept` header allows, the most wanted first (RFC 9110, 12.5.1)."""
    if not accept.strip():
        return FORMATS
    ranges = [_media_range(part) for part in accept.decode("latin-1").lower().split(",")]
    qualities = {one: _quality(one.media_type, ranges) for one in FORMATS}
    wanted = [one for one in FORMATS if qualities[one] > 0]
    return tuple(sorted(wanted, key=lambda one: -qualities[one]))


@lru_cache(maxsize=512)
def format_preference(accept: bytes) -> str:
    """The same as one short string, for a cache's key."""
    return " ".join(one.name for one in acceptable_formats(accept))


def negotiate_format(accept: bytes, offered: Sequence[Format]) -> Format | None:
    """The format among those offered that a client wants most, or None where it wants none."""
    return next((one for one in acceptable_formats(accept) if one in offered), None)


def _media_range(part: str) -> tuple[str, float]:
    media_range, *options = (piece.strip() for piece in part.split(";"))
    for option in options:
        name, _, value = option.partition("=")
        if name.strip() == "q":
            try:
                return media_range, min(max(float(value), 0.0), 1.0)
            except ValueError:
                return media_range, 0.0
    return media_range, 1.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The quality that the most specific range which fits gives a media type."""
    whole = media_type.partition("/")[0] + "/*"
    for fitting in (media_type, whole, "*/*"):
        qualities = [quality for media_range, quality in ranges if media_range == fitting]
        if qualities:
            return max(qualities)
    return 0.0
