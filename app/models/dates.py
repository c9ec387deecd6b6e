"""Dates at the precision of their source: `2024-02-29`, `2024-02` or `2024`."""

import re
from calendar import monthrange
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field
from typing_extensions import TypeAliasType

DATE_PATTERN = r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"
DATE_EXPECTED = "a date such as 2024-02-29, 2024-02 or 2024"
_INSTANT_PATTERN = r"^[0-9]{4}(-[0-9]{2}){2}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}Z$"
_FORMAT = re.compile(r"[0-9]{4}(?:-[0-9]{2}){0,2}", re.ASCII)


def first_day(value: str) -> date:
    """The first day that a partial date covers.

    Raises:
        ValueError: `value` is not a calendar date of one of the three precisions.
    """
    if not _FORMAT.fullmatch(value):
        raise ValueError(f"expected {DATE_EXPECTED}")
    year, month, day = ([int(part) for part in value.split("-")] + [1, 1])[:3]
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ValueError(f"expected {DATE_EXPECTED} that is in the calendar") from error


def last_day(value: str) -> date:
    """The last day that a partial date covers.

    Raises:
        ValueError: `value` is not a calendar date of one of the three precisions.
    """
    start = first_day(value)
    if len(value) == 4:
        return start.replace(month=12, day=31)
    if len(value) == 7:
        return start.replace(day=monthrange(start.year, start.month)[1])
    return start


def _validate_date(value: str) -> str:
    first_day(value)
    return value


def _validate_day(value: str) -> str:
    if len(value) != 10:
        raise ValueError("expected a day such as 2024-02-29")
    return value


def _validate_instant(value: str) -> str:
    if not re.fullmatch(_INSTANT_PATTERN, value):
        raise ValueError("expected a time in UTC such as 2024-02-29T12:00:00Z")
    first_day(value[:10])
    return value


Day = Annotated[
    str,
    AfterValidator(_validate_date),
    AfterValidator(_validate_day),
    Field(json_schema_extra={"pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}),
]
"""A calendar day: `2024-02-29`."""

Instant = Annotated[
    str,
    AfterValidator(_validate_instant),
    Field(json_schema_extra={"format": "date-time", "pattern": _INSTANT_PATTERN}),
]
"""A time in UTC, to the second (RFC 3339): `2024-02-29T12:00:00Z`."""

PartialDate = TypeAliasType(
    "PartialDate",
    Annotated[
        str,
        AfterValidator(_validate_date),
        Field(
            json_schema_extra={"pattern": DATE_PATTERN},
            description="Calendar date (ISO 8601) at the precision of its source: "
            "`YYYY-MM-DD`, `YYYY-MM` or `YYYY`. Never padded.",
        ),
    ],
)
