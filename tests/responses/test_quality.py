"""Quality values of request headers."""

from __future__ import annotations

import pytest

from app.responses.conditional_requests import choose_encoding
from app.responses.formats import CSV, JSON, negotiate_format
from app.responses.quality import parse_qualities


@pytest.mark.parametrize(
    ("header", "qualities"),
    [
        (b"", [("", 1.0)]),
        (b"Text/CSV", [("text/csv", 1.0)]),
        (b"gzip;q=0.5, br", [("gzip", 0.5), ("br", 1.0)]),
        (b" gzip ; x=1 ; q = 0.5 ;q=1", [("gzip", 0.5)]),
        (b"gzip;q=2, br;q=-1", [("gzip", 1.0), ("br", 0.0)]),
        (b"gzip;q=x, br;q=, zstd;q", [("gzip", 0.0), ("br", 0.0), ("zstd", 0.0)]),
        (b"gzip;q=nan", [("gzip", 0.0)]),
        (b"\xff;q=\xff", [("ÿ", 0.0)]),
    ],
)
def test_qualities_are_numbers_from_0_to_1(
    header: bytes, qualities: list[tuple[str, float]]
) -> None:
    """The first `q` of a value counts; it is clamped, and 0 where it is not a number."""
    assert parse_qualities(header) == qualities


def test_an_invalid_quality_does_not_hide_other_values() -> None:
    """A value whose quality is not a number is ignored, not the values beside it."""
    assert choose_encoding(b"gzip;q=0.5, zstd;q=nan") == b"gzip"
    assert choose_encoding(b"zstd;q=nan, gzip;q=0.5") == b"gzip"
    assert negotiate_format(b"application/json;q=nan, text/csv;q=0.5", (JSON, CSV)) == CSV
