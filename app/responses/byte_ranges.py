"""Byte ranges of a response (RFC 9110, 14)."""

from __future__ import annotations

import re

from app.responses.problems import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=(?:([0-9]{1,4000})-([0-9]{0,4000})|-([0-9]{1,4000}))", re.IGNORECASE)


def requested_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of the range in a `Range` header; None if the whole is to be sent.

    That is the case for several ranges, another unit, a malformed range, and an empty body.

    Args:
        header: The header's value; empty if there is none.
        size: Size of the whole, in bytes.

    Raises:
        RangeNotSatisfiable: The range begins beyond the end.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or not size:
        return None
    first, last, suffix = match.groups()
    if first and last and int(last) < int(first):
        return None
    if int(suffix) == 0 if suffix else int(first) >= size:
        detail = f"The full response has {size} bytes. Valid positions are 0 to {size - 1}."
        raise RangeNotSatisfiable(detail, headers={"Content-Range": f"bytes */{size}"})
    if suffix:
        return max(0, size - int(suffix)), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1
