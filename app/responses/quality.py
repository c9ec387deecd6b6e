"""Quality values of the `Accept` and `Accept-Encoding` headers (RFC 9110, 12.4.2)."""

from __future__ import annotations


def parse_qualities(header: bytes) -> list[tuple[str, float]]:
    """Every value of a header in lowercase with its quality, from 0 to 1, in the order sent.

    The quality is 1 by default and 0 if it is not a number.
    """
    return [_parse_quality(part) for part in header.decode("latin-1").lower().split(",")]


def _parse_quality(part: str) -> tuple[str, float]:
    value, *options = (piece.strip() for piece in part.split(";"))
    for option in options:
        name, _, quality = option.partition("=")
        if name.strip() == "q":
            try:
                return value, max(0.0, min(float(quality), 1.0))  # in this order, NaN becomes 0
            except ValueError:
                return value, 0.0
    return value, 1.0
