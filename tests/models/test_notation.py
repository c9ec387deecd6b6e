"""Dates and numbers as English prose writes them."""

from __future__ import annotations

from calendar import month_name
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.notation import (
    cardinal_words,
    count_noun,
    ordinal_digits,
    ordinal_words,
    us_date,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("2017-06-05", "June 5, 2017"),
        ("2017-06-15", "June 15, 2017"),
        ("2017-10", "October 2017"),
        ("2017", "2017"),
        ("0999-12-10", "December 10, 0999"),
    ],
)
def test_a_date_is_written_at_its_precision(value: str, written: str) -> None:
    """Month and day appear only if the date has them, the day without a leading zero."""
    assert us_date(value) == written


@given(st.dates())
def test_a_written_date_can_be_read_back(day: date) -> None:
    """Every day of the calendar is written in the U.S. order, with its whole year."""
    month, day_of_month, year = us_date(day.isoformat()).replace(",", "").split()
    assert (list(month_name).index(month), int(day_of_month)) == (day.month, day.day)
    assert year == f"{day.year:04}"


@pytest.mark.parametrize(
    ("value", "cardinal", "ordinal", "digits"),
    [
        (0, "zero", "zeroth", "0th"),
        (1, "one", "first", "1st"),
        (2, "two", "second", "2nd"),
        (3, "three", "third", "3rd"),
        (4, "four", "fourth", "4th"),
        (5, "five", "fifth", "5th"),
        (8, "eight", "eighth", "8th"),
        (9, "nine", "ninth", "9th"),
        (11, "eleven", "eleventh", "11th"),
        (12, "twelve", "twelfth", "12th"),
        (13, "thirteen", "thirteenth", "13th"),
        (20, "twenty", "twentieth", "20th"),
        (21, "twenty-one", "twenty-first", "21st"),
        (32, "thirty-two", "thirty-second", "32nd"),
        (43, "forty-three", "forty-third", "43rd"),
        (99, "ninety-nine", "ninety-ninth", "99th"),
    ],
)
def test_a_number_is_written_in_words_and_digits(
    value: int, cardinal: str, ordinal: str, digits: str
) -> None:
    """Cardinals and ordinals have their English spelling, irregular ones included."""
    assert cardinal_words(value) == cardinal
    assert ordinal_words(value) == ordinal
    assert ordinal_digits(value) == digits


@pytest.mark.parametrize(
    ("value", "digits"),
    [(100, "100th"), (101, "101st"), (111, "111th"), (112, "112th"), (1_013, "1013th")],
)
def test_large_ordinals_are_written_in_digits(value: int, digits: str) -> None:
    """11, 12 and 13 end in `th` in any hundred."""
    assert ordinal_digits(value) == digits


@pytest.mark.parametrize("value", [-1, 100])
def test_numbers_out_of_range_have_no_words(value: int) -> None:
    """Words are defined from 0 to 99."""
    for in_words in (cardinal_words, ordinal_words):
        with pytest.raises(ValueError, match="not between 0 and 99"):
            in_words(value)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (count_noun(0, "region"), "0 regions"),
        (count_noun(1, "region"), "1 region"),
        (count_noun(2, "region"), "2 regions"),
        (count_noun(1, "activity", "activities"), "1 activity"),
        (count_noun(1_000, "activity", "activities"), "1,000 activities"),
    ],
)
def test_a_noun_agrees_with_its_count(written: str, expected: str) -> None:
    """The singular is used for 1 alone."""
    assert written == expected
