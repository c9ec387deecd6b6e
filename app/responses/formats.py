"""Response formats and content negotiation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.responses.quality import parse_qualities


@dataclass(frozen=True, slots=True)
class Format:
    """A response format.

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
_CSL_JSON = "application/vnd.citationstyles.csl+json"
CSL = Format("csl", _CSL_JSON, _CSL_JSON)
BIBTEX = Format("bibtex", "application/x-bibtex", "application/x-bibtex; charset=utf-8")
_RIS = "application/x-research-info-systems"
RIS = Format("ris", _RIS, f"{_RIS}; charset=utf-8")
TEXT = Format("text", "text/plain", "text/plain; charset=utf-8")
ATOM = Format("atom", "application/atom+xml", "application/atom+xml")

FORMATS = (CSL, JSON, CSV, NDJSON, GEOJSON, HTML, BIBTEX, RIS, TEXT, ATOM)
"""Every format, in order of preference among equal qualities."""


@lru_cache(maxsize=512)
def acceptable_formats(accept: bytes) -> tuple[Format, ...]:
    """The formats that an `Accept` header allows, highest quality first (RFC 9110, 12.5.1)."""
    if not accept.strip():
        return FORMATS
    ranges = parse_qualities(accept)
    qualities = {format_: media_type_quality(format_.media_type, ranges) for format_ in FORMATS}
    acceptable = [format_ for format_ in FORMATS if qualities[format_] > 0]
    return tuple(sorted(acceptable, key=lambda format_: -qualities[format_]))


def negotiate_format(accept: bytes, offered: Sequence[Format]) -> Format | None:
    """The offered format that the client prefers; None if it accepts none of them."""
    return next((format_ for format_ in acceptable_formats(accept) if format_ in offered), None)


def media_type_quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The quality of a media type, taken from the most specific media range that matches it."""
    any_subtype = media_type.partition("/")[0] + "/*"
    for pattern in (media_type, any_subtype, "*/*"):
        qualities = [quality for media_range, quality in ranges if media_range == pattern]
        if qualities:
            return max(qualities)
    return 0.0
