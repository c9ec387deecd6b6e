"""Whether what is quoted bears out the value beside it.

A citation can be found at its place and still not say what is claimed. Where the value is of
a kind that can be compared (a date, a number, a name, a reference to something named), at
least one of its quotes must contain it in a notation that a page would use.
"""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import pycountry

from app.models import Resource
from app.models.evidence import Enriched, Stated
from app.models.partnership import Precedence
from app.models.text_folding import fold

Names = Mapping[tuple[str, str], list[str]]
Mismatch = tuple[str, str, str]
"""A field, what is found and what is expected."""

_DATES = {"signed", "ends", "announced", "archived_from", "archived_to"}
_NUMBERS = {"planned_years", "investment_amount", "amount"}
_WORDS = {"name", "short_name", "aliases", "stakeholders", "supports", "trafficking_forms"}
_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"[0-9]")
_SCALES = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_DENIALS = ["no", "not", "without"]
_MONTHS = {name.casefold() for name in month_name if name}
_COUNTRIES = {"country", "countries"}
_RANKS = {"precedence"}
_COMPARED = _DATES | _NUMBERS | _WORDS | _COUNTRIES | _RANKS
_CARDINALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def unsupported_values(resource: Resource) -> Iterator[Mismatch]:
    """Fields whose quotes do not contain their value.

    Dates, numbers, countries and aliases are compared when stated or derived; other words when
    stated.
    """
    for field, value, quotes, stated in _quoted(resource, _comparable):
        if field in _DATES and len(str(value)) == 4 and _more_precise(quotes, str(value)):
            yield field, repr(value), "the date at the precision of its quote"
        else:
            yield from _missing(field, value, quotes, _wanted(field, value, stated))


def unsupported_references(resource: Resource, names: Names) -> Iterator[Mismatch]:
    """Fields that hold stated references whose quotes do not name what is referred to.

    Args:
        resource: The resource that refers to others.
        names: What resources are called, by type and id.
    """
    references = resource.references
    for field, value, quotes, stated in _quoted(resource, lambda field, _: field in references):
        if stated:
            kind = references[field]
            wanted = [names[kind, name] for name in _list(value) if (kind, name) in names]
            yield from _missing(field, value, quotes, wanted)


def states_references(resource: Resource) -> bool:
    """Whether a resource has references that its source is said to state."""
    return any(
        field in resource.references and any(isinstance(one, Stated) for one in evidence)
        for field, evidence in resource.evidence.items()
    )


def resource_names(resource: Resource) -> list[str]:
    """What a resource may be called where it is referred to."""
    fields = ("name", "short_name", "title")
    return [
        *(name for field in fields if (name := resource.get(field))),
        *(resource.get("aliases") or ()),
    ]


def _comparable(field: str, value: object) -> bool:
    """Whether a value is of a kind that can be found in a quote."""
    return field in _COMPARED or value is False


def _quoted(
    resource: Resource, wanted: Callable[[str, object], bool]
) -> Iterator[tuple[str, Any, list[str], bool]]:
    """Wanted fields with a value and quotes: name, value, quotes, whether one of them states it."""
    for field, evidence in resource.evidence.items():
        value = resource.get(field)
        if value is None or not wanted(field, value):
            continue
        quotes = [one.quote.exact for one in evidence if not isinstance(one, Enriched)]
        if quotes:
            yield field, value, quotes, any(isinstance(one, Stated) for one in evidence)


def _missing(
    field: str, value: Any, quotes: list[str], wanted: Iterable[list[str]]
) -> Iterator[Mismatch]:
    for notations in wanted:
        if any(notation in quotes and not _DIGIT.search(notation) for notation in notations):
            continue  # it is all that is quoted
        words = _words(" ".join(quotes))
        if not any(_contains(words, notation) for notation in notations):
            found = f"{value!r}, not borne out by {' / '.join(quotes)!r}"
            yield field, found, f"a quote with {' or '.join(map(repr, notations))}"
            return


def _wanted(field: str, value: Any, stated: bool) -> Iterator[list[str]]:
    """For each part of a value, the notations of which one must be quoted."""
    for member in _list(value):
        if notations := _notations(field, member):
            yield notations
        elif (stated or field == "aliases") and field in _WORDS:
            yield [str(member)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _notations(field: str, value: object) -> list[str]:
    """How a page would write a date, a number, a country or a denial; nothing for other values."""
    if field in _DATES:
        return [_written_date(str(value))]
    if field in _NUMBERS and isinstance(value, int):
        return _written_number(value)
    if isinstance(value, Precedence):
        return _written_ordinal(value.ordinal)
    if field in _COUNTRIES:
        return _country_names(str(value))
    return _DENIALS if value is False else []


@cache
def _country_names(code: str) -> list[str]:
    country = pycountry.countries.get(alpha_2=code)
    return [] if country is None else [country.name, getattr(country, "common_name", country.name)]


def _more_precise(quotes: list[str], year: str) -> bool:
    """Whether the quotes name a month of the year that a value gives alone."""
    words = _words(" ".join(quotes))
    return any(
        word == year and _MONTHS.intersection(words[max(0, place - 2) : place])
        for place, word in enumerate(words)
    )


def _contains(words: list[str], notation: str) -> bool:
    """Whether the words of a notation all stand in those quoted, numbers and months in order."""
    wanted = _words(notation)
    if not _DIGIT.search(notation):
        return set(wanted) <= set(words)
    length = len(wanted)
    return any(
        words[place : place + length] == wanted
        and _SCALES.keys().isdisjoint(words[place + length : place + length + 1])
        for place in range(len(words) - length + 1)
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))


def _written_date(value: str) -> str:
    year, *rest = value.split("-")
    month = f"{month_name[int(rest[0])]} " if rest else ""
    day = f"{int(rest[1])}, " if len(rest) > 1 else ""
    return f"{month}{day}{year}"


def _written_number(value: int) -> list[str]:
    notations = [str(value), f"{value:,}"]
    for name, unit in _SCALES.items():
        if value >= unit and value % (unit // 1_000) == 0:
            notations.append(f"{Decimal(value) / unit:f} {name}")
    if 0 < value <= len(_CARDINALS):
        notations.append(_CARDINALS[value - 1])
    return notations


def _written_ordinal(value: int) -> list[str]:
    return [_ORDINALS[value - 1]] if value <= len(_ORDINALS) else [f"{value}th"]
