"""Whether what is quoted bears out the value beside it.

A citation can be found at its place and still not say what is claimed. Where the value is of
a kind that can be compared (a date, a number, a name, a reference to something named), at
least one of its quotes must contain it in a notation that a page would use.
"""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Iterator, Mapping

import pycountry

from app.folding import fold
from app.models import Resource
from app.models.evidence import Enriched, Stated
from app.models.partnership import Precedence

Names = Mapping[tuple[str, str], Resource]

_DATES = {"signed", "ends", "announced", "archived_from", "archived_to"}
_NUMBERS = {"planned_years", "investment_amount", "amount"}
_WORDS = {"name", "short_name", "aliases", "stakeholders", "supports", "trafficking_forms"}
_DENIALS = ["no", "not", "without"]
_COUNTRIES = {"country", "countries"}
_CARDINALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def disagreements(resource: Resource, names: Names) -> Iterator[tuple[str, str, str]]:
    """Fields whose quotes do not contain their value: field, what is found, what is expected.

    Dates, numbers, countries and aliases are compared when stated or derived; other words and
    references when stated.
    """
    for field, evidence in resource.evidence.items():
        value = getattr(resource, field, None)
        quotes = [one.quote.exact for one in evidence if not isinstance(one, Enriched)]
        if value is None or not quotes:
            continue
        stated = any(isinstance(one, Stated) for one in evidence)
        if field in _DATES and len(str(value)) == 4 and _more_precise(quotes, str(value)):
            yield field, repr(value), "the date at the precision of its quote"
            continue
        for wanted in _wanted(resource, field, value, stated, names):
            if not any(_contains(quotes, notation) for notation in wanted):
                found = f"{value!r}, not borne out by {' / '.join(quotes)!r}"
                yield field, found, f"a quote with {' or '.join(repr(one) for one in wanted)}"
                break


def _wanted(
    resource: Resource, field: str, value: object, stated: bool, names: Names
) -> Iterator[list[str]]:
    """For each part of a value, the notations of which one must be quoted."""
    members = value if isinstance(value, list) else [value]
    for member in members:
        notations = _notations(field, member)
        if notations:
            yield notations
        elif (stated or field == "aliases") and field in _WORDS:
            yield [str(member)]
        elif stated and field in resource.references:
            named = names.get((resource.references[field], str(member)))
            if named is not None:
                yield _called(named)


def _notations(field: str, value: object) -> list[str]:
    """How a page would write a date, a number, a country or a denial; nothing for other values."""
    if field in _DATES:
        return [_written_date(str(value))]
    if field in _NUMBERS and isinstance(value, int):
        return _written_number(value)
    if isinstance(value, Precedence):
        return _written_ordinal(value.ordinal)
    if field in _COUNTRIES and (country := pycountry.countries.get(alpha_2=str(value))):
        return [country.name, getattr(country, "common_name", country.name)]
    return _DENIALS if value is False else []


def _more_precise(quotes: list[str], year: str) -> bool:
    """Whether the quotes name a month of the year that a value gives alone."""
    words = _words(" ".join(quotes))
    months = {name.casefold() for name in month_name if name}
    return any(
        word == year and months.intersection(words[max(0, place - 2) : place])
        for place, word in enumerate(words)
    )


def _contains(quotes: list[str], notation: str) -> bool:
    """Whether the words of a notation all stand in the quotes, numbers and months in order."""
    text = " ".join(_words(" ".join(quotes)))
    if re.search(r"[0-9]", notation):
        wanted = re.escape(" ".join(_words(notation)))
        return bool(re.search(rf"\b{wanted}\b(?! (?:thousand|million|billion)\b)", text))
    return set(_words(notation)) <= set(text.split())


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", fold(text))


def _written_date(value: str) -> str:
    year, *rest = value.split("-")
    month = f"{month_name[int(rest[0])]} " if rest else ""
    day = f"{int(rest[1])}, " if len(rest) > 1 else ""
    return f"{month}{day}{year}"


def _written_number(value: int) -> list[str]:
    notations = [str(value), f"{value:,}"]
    if value % 1_000_000 == 0:
        notations.append(f"{value // 1_000_000} million")
    if 0 < value <= len(_CARDINALS):
        notations.append(_CARDINALS[value - 1])
    return notations


def _written_ordinal(value: int) -> list[str]:
    return [_ORDINALS[value - 1]] if value <= len(_ORDINALS) else [f"{value}th"]


def _called(resource: Resource) -> list[str]:
    """What a resource may be called where it is referred to."""
    fields = ("name", "short_name", "title")
    return [
        *(name for field in fields if (name := getattr(resource, field, None))),
        *(getattr(resource, "aliases", None) or ()),
    ]
