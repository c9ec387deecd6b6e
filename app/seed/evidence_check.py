"""Checks that values are supported by the text quoted as their evidence.

A quote can be at its position and still not contain what is claimed. Where a value can be compared
(a date, a number, a name, a reference to something with a name), at least one of its quotes must
contain it, in one of the notations that a web page would use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import pycountry

from app.models import Resource
from app.models.evidence import Enriched, Stated
from app.models.notation import (
    MONTHS,
    MULTIPLIERS,
    NUMBER_WORDS,
    SCALES,
    TENS,
    cardinal_words,
    ordinal_digits,
    ordinal_words,
    us_date,
)
from app.models.partnership import Precedence
from app.models.text_folding import fold
from app.seed.errors import format_value

Names = Mapping[tuple[str, str], list[str]]
Mismatch = tuple[str, str, str]
"""A field, what was found and what was expected."""

_DATE_FIELDS = {"signed", "ends", "announced", "archived_from", "archived_to"}
_NUMBER_FIELDS = {"planned_years", "investment_amount", "amount"}
_TEXT_FIELDS = {"name", "short_name", "aliases", "stakeholders", "supports", "trafficking_forms"}
_COUNTRY_FIELDS = {"country", "countries"}
_ORDINAL_FIELDS = {"precedence"}
_COMPARABLE_FIELDS = (
    _DATE_FIELDS | _NUMBER_FIELDS | _TEXT_FIELDS | _COUNTRY_FIELDS | _ORDINAL_FIELDS
)
_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"[0-9]")
_NEGATIONS = ["no", "not", "without"]
_BEFORE_UNITS = MULTIPLIERS.union(TENS)


def unsupported_values(resource: Resource) -> Iterator[Mismatch]:
    """Fields whose quotes do not contain their value.

    Dates, numbers, countries and aliases are compared when stated or derived; other text when
    stated.
    """
    for field, value, quotes, stated in _quoted_fields(resource, _is_comparable):
        if field in _DATE_FIELDS and len(str(value)) == 4 and _name_a_month(quotes, str(value)):
            yield field, format_value(value), "the date at the precision of its quote"
        else:
            yield from _mismatches(field, value, quotes, _required(field, value, stated))


def unsupported_references(resource: Resource, names: Names) -> Iterator[Mismatch]:
    """Fields with stated references whose quotes do not name the resource referred to.

    Args:
        resource: The resource that refers to others.
        names: Names of the resources, by type and id.
    """
    references = resource.references
    for field, value, quotes, stated in _quoted_fields(
        resource, lambda field, _: field in references
    ):
        if stated:
            type_ = references[field]
            required = [names[type_, id_] for id_ in _as_list(value) if (type_, id_) in names]
            yield from _mismatches(field, value, quotes, required)


def has_stated_references(resource: Resource) -> bool:
    """Whether a resource has references with the basis `stated`."""
    return any(
        field in resource.references and _is_stated(citations)
        for field, citations in resource.evidence.items()
    )


def resource_names(resource: Resource) -> list[str]:
    """The names by which a source may refer to a resource."""
    fields = ("name", "short_name", "title")
    return [
        *(name for field in fields if (name := resource.get(field))),
        *(resource.get("aliases") or ()),
    ]


def _is_stated(citations: Iterable[object]) -> bool:
    return any(isinstance(citation, Stated) for citation in citations)


def _is_comparable(field: str, value: object) -> bool:
    return field in _COMPARABLE_FIELDS or value is False


def _quoted_fields(
    resource: Resource, selected: Callable[[str, object], bool]
) -> Iterator[tuple[str, Any, list[str], bool]]:
    """Field, value, quotes and whether one states the value, for selected fields with quotes."""
    for field, citations in resource.evidence.items():
        value = resource.get(field)
        if value is None or not selected(field, value):
            continue
        quotes = [
            citation.quote.exact for citation in citations if not isinstance(citation, Enriched)
        ]
        if quotes:
            yield field, value, quotes, _is_stated(citations)


def _mismatches(
    field: str, value: Any, quotes: list[str], required: Iterable[list[str]]
) -> Iterator[Mismatch]:
    for notations in required:
        if any(notation in quotes and not _DIGIT.search(notation) for notation in notations):
            continue  # the quote is exactly the value
        words = _words(" ".join(quotes))
        if not any(_contains(words, notation) for notation in notations):
            quoted = " / ".join(map(_quoted, quotes))
            found = f"{format_value(value)}, not supported by its quotes: {quoted}"
            yield field, found, f"a quote with {' or '.join(map(_quoted, notations))}"
            return


def _quoted(text: str) -> str:
    return f'"{text}"'


def _required(field: str, value: Any, stated: bool) -> Iterator[list[str]]:
    """For each part of a value, the notations of which one must be quoted."""
    for member in _as_list(value):
        if notations := _notations(field, member):
            yield notations
        elif (stated or field == "aliases") and field in _TEXT_FIELDS:
            yield [str(member)]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _notations(field: str, value: object) -> list[str]:
    """How a page may write a date, number, rank, country or `false`; empty for other values."""
    if field in _DATE_FIELDS:
        return [us_date(str(value))]
    if field in _NUMBER_FIELDS and isinstance(value, int):
        return _number_notations(value)
    if isinstance(value, Precedence):
        return _ordinal_notations(value.ordinal)
    if field in _COUNTRY_FIELDS:
        return _country_names(str(value))
    return _NEGATIONS if value is False else []


def _number_notations(value: int) -> list[str]:
    notations = [str(value), f"{value:,}"]
    for name, unit in SCALES.items():
        if value >= unit and value % (unit // 1_000) == 0:
            notations.append(f"{Decimal(value) / unit:f} {name}")
    if 0 < value < 100:
        notations.append(cardinal_words(value))
    return notations


def _ordinal_notations(value: int) -> list[str]:
    words = [ordinal_words(value)] if value < 100 else []
    return [*words, ordinal_digits(value)]


@cache
def _country_names(code: str) -> list[str]:
    country = pycountry.countries.get(alpha_2=code)
    return [] if country is None else [country.name, getattr(country, "common_name", country.name)]


def _name_a_month(quotes: list[str], year: str) -> bool:
    """Whether the quotes give a year together with a month."""
    words = _words(" ".join(quotes))
    return any(
        word == year and MONTHS.intersection(words[max(0, index - 2) : index])
        for index, word in enumerate(words)
    )


def _contains(words: list[str], notation: str) -> bool:
    """Whether a text has all words of a notation; those of a date or number in order."""
    wanted = _words(notation)
    in_words = bool(wanted) and NUMBER_WORDS.issuperset(wanted)
    if not in_words and not _DIGIT.search(notation):
        return set(wanted) <= set(words)
    length = len(wanted)
    return any(
        words[start : start + length] == wanted
        and not _is_part_of_number(words, start, start + length)
        for start in range(len(words) - length + 1)
    )


def _is_part_of_number(words: Sequence[str], start: int, end: int) -> bool:
    """Whether a number goes on beside it: `first` in `twenty-first`, `5` in `5 million`."""
    before, last, after = words[start - 1 : start], words[end - 1], words[end : end + 1]
    if not MULTIPLIERS.isdisjoint(after):
        return True
    if last not in NUMBER_WORDS:
        return False
    return not _BEFORE_UNITS.isdisjoint(before) or (
        last in TENS and not NUMBER_WORDS.isdisjoint(after)
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))
