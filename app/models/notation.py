"""Dates and numbers as English prose writes them."""

from calendar import month_name
from collections.abc import Sequence

_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_CARDINALS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_IRREGULAR_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def us_date(value: str) -> str:
    """A partial date in U.S. style: `February 29, 2024`, `February 2024` or `2024`."""
    year, month, day = _date_parts(value)
    return f"{month} {day}, {year}" if day else f"{month} {year}".lstrip()


def count_noun(count: int, singular: str, plural: str | None = None) -> str:
    """A count with its noun: `1 award`, `3 regions`."""
    return f"{count:,} {noun_for(count, singular, plural)}"


def noun_for(count: int, singular: str, plural: str | None = None) -> str:
    """The singular for a count of 1, else the plural, which adds an `s` by default."""
    return singular if count == 1 else plural or f"{singular}s"


def qualified_amount(amount: int, currency: str, qualifier: str | None) -> str:
    """An amount with its currency and qualifier: `up to USD 5,000,000`."""
    return f"{qualifier_prefix(qualifier)}{currency} {amount:,}"


def qualifier_prefix(qualifier: str | None) -> str:
    """What a qualifier is in front of an amount: `up to `, `at least `, `about `, or nothing."""
    return f"{qualifier.replace('_', ' ')} " if qualifier else ""


def one_line(text: str) -> str:
    """A text with each run of white space, line breaks included, as one space."""
    return " ".join(text.split())


def join_phrases(phrases: Sequence[str]) -> str:
    """Phrases as a list in a sentence: `A`, `A and B` or `A, B, and C`."""
    if len(phrases) < 3:
        return " and ".join(phrases)
    return f"{', '.join(phrases[:-1])}, and {phrases[-1]}"


def cardinal_words(value: int) -> str:
    """A number from 0 to 99 in words: `four`, `twenty-one`.

    Raises:
        ValueError: It is out of that range.
    """
    if not 0 <= value < 100:
        raise ValueError(f"{value} is not between 0 and 99")
    if value < len(_CARDINALS):
        return _CARDINALS[value]
    tens, units = _TENS[value // 10 - 2], value % 10
    return f"{tens}-{_CARDINALS[units]}" if units else tens


def ordinal_words(value: int) -> str:
    """A rank from 0 to 99 in words: `first`, `twenty-first`.

    Raises:
        ValueError: It is out of that range.
    """
    start, hyphen, last = cardinal_words(value).rpartition("-")
    stem = f"{last[:-1]}ie" if last.endswith("y") else last
    return start + hyphen + _IRREGULAR_ORDINALS.get(last, f"{stem}th")


def ordinal_digits(value: int) -> str:
    """A rank in digits: `1st`, `11th`, `22nd`."""
    teens = value // 10 % 10 == 1
    suffix = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{suffix}"


def _date_parts(value: str) -> tuple[str, str, str]:
    """Year, name of the month and day of a partial date; empty if it has none."""
    year, month, day = [*value.split("-"), "", ""][:3]
    return year, month_name[int(month)] if month else "", day.lstrip("0")
