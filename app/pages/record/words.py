"""Values of the record in words."""

from __future__ import annotations

from calendar import month_name
from typing import Any

_ORDINALS = ("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_CODES = {
    "ngo": "NGO",
    "americas": "the Americas",
    "world": "the world",
    "sex": "sex trafficking",
    "labor": "labor trafficking",
}
_FIELDS = {
    "iso_3166_2": "ISO 3166-2",
    "inei_ubigeo": "INEI ubigeo",
    "wikidata": "Wikidata",
    "has_sub_recipients": "sub-recipients",
    "planned_years": "plan",
    "sha256": "SHA-256",
}


def date_in_words(value: str) -> str:
    """A date at its own precision: `15 June 2017`, `October 2017` or `2017`."""
    parts = [int(part) for part in value.split("-")]
    words = [str(parts[0])]
    if len(parts) > 1:
        words.insert(0, month_name[parts[1]])
    if len(parts) > 2:
        words.insert(0, str(parts[2]))
    return " ".join(words)


def precision(value: str) -> str:
    """How exact a date is: to the day, the month or the year."""
    return ("year", "month", "day")[value.count("-")]


def amount_in_words(value: int) -> str:
    """A sum, in millions where those are few digits: `5 million`, `1.25 million`, `12,500`."""
    if value >= 1_000_000 and value % 10_000 == 0:
        return f"{value / 1_000_000:,.2f}".rstrip("0").rstrip(".") + " million"
    return f"{value:,}"


def ordinal(value: int) -> str:
    """`first`, `third`, `11th`."""
    if value < len(_ORDINALS):
        return _ORDINALS[value]
    teens = 10 <= value % 100 < 20
    return f"{value}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(value % 10, 'th')}"


def code_in_words(value: str) -> str:
    """A value of a closed set: `government agency`, `NGO`, `in the Americas`."""
    return _CODES.get(value, value.replace("_", " "))


def field_in_words(name: str) -> str:
    """The name of a field: `planned years`."""
    return _FIELDS.get(name, name.replace("_", " "))


def country_in_words(code: str) -> str:
    """The English name of a country, or its code where it has none."""
    import pycountry  # noqa: PLC0415 - its tables are read at first use

    found: Any = pycountry.countries.get(alpha_2=code)
    return str(getattr(found, "common_name", found.name)) if found else code


def count_noun(number: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun: `1 award`, `3 regions`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
