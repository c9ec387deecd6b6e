"""Checks that values are supported by the text quoted as their evidence.

A quote can be at its position and still not contain what is claimed. Where a value can be compared
(a date, a number, a name, a reference to something with a name), at least one of its quotes must
contain it, in one of the notations that a web page would use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from app.models import Resource
from app.models.evidence import Enriched, Stated
from app.models.notation import (
    cardinal_words,
    ordinal_digits,
    ordinal_words,
    us_date,
)
from app.models.partnership import Precedence
from app.models.text_folding import fold
from app.seed.comparisons import (
    QUALIFIER_WORDS,
    SCOPE_NAMES,
    mentioned_qualifiers,
    mentioned_ranks,
)
from app.seed.errors import format_value
from app.seed.mentions import (
    country_names,
    mentioned_countries,
    mentioned_dates,
    mentioned_numbers,
)

Names = Mapping[tuple[str, str], list[str]]
Mismatch = tuple[str, str, str]
"""A field, what was found and what was expected."""

_DATE_FIELDS = {"signed", "ends", "announced", "archived_from", "archived_to"}
_NUMBER_FIELDS = {"planned_years", "investment_amount", "amount"}
_TEXT_FIELDS = {"name", "short_name", "aliases", "stakeholders", "supports", "trafficking_forms"}
_COUNTRY_FIELDS = {"country", "countries"}
_RANK_FIELDS = {"precedence"}
_QUALIFIER_FIELDS = {"investment_qualifier", "amount_qualifier"}
_COMPARABLE_FIELDS = (
    _DATE_FIELDS
    | _NUMBER_FIELDS
    | _TEXT_FIELDS
    | _COUNTRY_FIELDS
    | _RANK_FIELDS
    | _QUALIFIER_FIELDS
)
_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"[0-9]")
_NEGATIONS = {"no", "not", "without"}
_MAX_SUGGESTED_NOTATIONS = 4


def unsupported_values(resource: Resource) -> Iterator[Mismatch]:
    """Fields whose quotes do not contain their value.

    Dates, numbers, countries and aliases are compared when stated or derived; other text when
    stated.
    """
    for field, value, quotes, stated in _quoted_fields(resource, _is_comparable):
        text = " ".join(quotes)
        for member in _as_list(value):
            if not _is_supported(field, member, quotes, text, stated=stated):
                notations = _notations(field, member)[:_MAX_SUGGESTED_NOTATIONS]
                yield _mismatch(field, value, quotes, notations)
                break


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
            for names_of_one in required:
                if not any(_is_quoted(name, quotes) for name in names_of_one):
                    yield _mismatch(field, value, quotes, names_of_one)
                    break


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


def _mismatch(field: str, value: Any, quotes: list[str], notations: list[str]) -> Mismatch:
    quoted = " / ".join(map(format_value, quotes))
    found = f"{format_value(value)}, not supported by its quotes: {quoted}"
    return field, found, f"a quote with {' or '.join(map(format_value, notations))}"


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_supported(field: str, value: Any, quotes: list[str], text: str, *, stated: bool) -> bool:
    """Whether the quotes of a field, joined to one text, contain a value or a member of it."""
    if value is False:
        return not _NEGATIONS.isdisjoint(_words(text))
    if field in _TEXT_FIELDS:
        required = stated or field == "aliases"
        return not required or _is_quoted(value, quotes)
    claim = (value.scope, value.ordinal) if isinstance(value, Precedence) else value
    return claim in _mentions(field, text)


@lru_cache(maxsize=4_096)
def _mentions(field: str, text: str) -> Collection[object]:
    """The dates, countries, ranks, qualifiers or numbers in a text, depending on the field.

    They are cached, as many resources quote the same few words.
    """
    if field in _DATE_FIELDS:
        return mentioned_dates(text)
    if field in _COUNTRY_FIELDS:
        return mentioned_countries(text)
    if field in _RANK_FIELDS:
        return mentioned_ranks(text)
    if field in _QUALIFIER_FIELDS:
        return mentioned_qualifiers(text)
    return mentioned_numbers(text)[0]


def _notations(field: str, value: Any) -> list[str]:
    """How a page may write a value, for error messages."""
    if field in _DATE_FIELDS:
        notations = [us_date(value), value]
    elif field in _COUNTRY_FIELDS:
        notations = country_names(value)
    elif isinstance(value, Precedence):
        words = [ordinal_words(value.ordinal)] if value.ordinal < 100 else []
        area = SCOPE_NAMES[value.scope]
        notations = [f"{word} in {area}" for word in (*words, ordinal_digits(value.ordinal))]
    elif field in _QUALIFIER_FIELDS:
        notations = [*QUALIFIER_WORDS[value]]
    elif value is False:
        notations = sorted(_NEGATIONS)
    elif field in _NUMBER_FIELDS:
        notations = _number_notations(value)
    else:
        notations = [str(value)]
    return list(dict.fromkeys(notations))


def _number_notations(value: int) -> list[str]:
    """A number in words if it is small, in digits, and with the unit that suits it."""
    words = [cardinal_words(value)] if value < 100 else []
    million = value / 1_000_000
    scaled = [f"{million:.15g} million"] if value >= 500_000 and value % 10_000 == 0 else []
    return [*words, *scaled, f"{value:,}", str(value)]


def _is_quoted(text: str, quotes: list[str]) -> bool:
    """Whether quotes contain all words of a text; if it has digits, in its order."""
    if text in quotes:
        return True
    required, words = _words(text), _words(" ".join(quotes))
    if not _DIGIT.search(text):
        return set(required) <= set(words)
    length = len(required)
    return any(
        words[start : start + length] == required for start in range(len(words) - length + 1)
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))
