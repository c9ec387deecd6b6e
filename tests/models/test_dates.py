"""Partial dates, such as `2017-06-15`, `2017-10` or `2017`, and times."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.models.dates import Instant, first_day, last_day


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ("2017-06-15", date(2017, 6, 15), date(2017, 6, 15)),
        ("2017-10", date(2017, 10, 1), date(2017, 10, 31)),
        ("2017", date(2017, 1, 1), date(2017, 12, 31)),
        ("2020-02", date(2020, 2, 1), date(2020, 2, 29)),
        ("2100-02", date(2100, 2, 1), date(2100, 2, 28)),
        ("0001", date(1, 1, 1), date(1, 12, 31)),
        ("9999-12", date(9999, 12, 1), date(9999, 12, 31)),
    ],
)
def test_a_date_covers_all_days_of_its_precision(value: str, first: date, last: date) -> None:
    """A day covers itself, a month and a year all of their days."""
    assert first_day(value) == first
    assert last_day(value) == last


@pytest.mark.parametrize(
    "value",
    [
        "",
        "17",
        "02017",
        "2017-6",
        "2017-06-1",
        "2017-6-15",
        "2017-06-15 ",
        "2017-06-15\n",
        "2017-06-15T00:00",
        "2017/06/15",
        "20170615",
        "2017-06-15-01",
        "+017",
        "-2017",
        "٢٠١٧",
    ],
)
def test_other_formats_are_rejected(value: str) -> None:
    """Only the three precisions are dates; the message shows all three."""
    for parse in (first_day, last_day):
        with pytest.raises(ValueError, match="2024-02-29, 2024-02 or 2024"):
            parse(value)


@pytest.mark.parametrize(
    "value", ["2017-02-30", "2017-02-29", "2100-02-29", "2017-13", "2017-00", "2017-06-00", "0000"]
)
def test_dates_not_in_the_calendar_are_rejected(value: str) -> None:
    """A date must exist in the calendar."""
    for parse in (first_day, last_day):
        with pytest.raises(ValueError, match="in the calendar"):
            parse(value)


@pytest.mark.parametrize("value", ["2021-01-20T00:00:00Z", "2020-02-29T23:59:59Z"])
def test_a_time_is_in_utc_and_to_the_second(value: str) -> None:
    """As in the WARC-Date of web archives."""
    assert TypeAdapter(Instant).validate_python(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "2021-01-20",
        "2021-01-20T00:00Z",
        "2021-01-20T00:00:00",
        "2021-01-20T24:00:00Z",
        "2021-01-20T00:60:00Z",
        "2021-01-20t00:00:00z",
        "2021-01-20T00:00:00+00:00",
        "2021-01-20T00:00:00.5Z",
        "2021-02-29T00:00:00Z",
        "2021-01-20T00:00:00Z\n",
    ],
)
def test_other_times_are_rejected(value: str) -> None:
    """One format only, so that times can be compared as text."""
    with pytest.raises(ValidationError, match=r"expected a (time in UTC|date) such as"):
        TypeAdapter(Instant).validate_python(value)


@given(st.dates(), st.sampled_from((4, 7, 10)))
def test_every_day_lies_within_its_date(day: date, precision: int) -> None:
    """A day truncated to any precision is between the first and the last day covered."""
    value = day.isoformat()[:precision]
    assert first_day(value) <= day <= last_day(value)
    assert first_day(value).isoformat().startswith(value)
    assert last_day(value).isoformat().startswith(value)
