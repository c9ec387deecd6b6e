"""Values of fields in words, by the name of the field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.models.notation import count_noun, join_phrases, us_date
from app.pages.record import words
from app.query.labels import country_name

DATE_FIELDS = frozenset({"signed", "announced", "ends", "archived_from", "archived_to", "modified"})
REFERENCE_FIELDS: Mapping[str, str] = {
    "partnership": "partnerships",
    "award": "awards",
    "investor": "organizations",
    "recipient": "organizations",
    "publisher": "organizations",
    "objectives": "objectives",
    "regions": "regions",
}
"""Collections that reference fields refer to."""
FORMATTERS: Mapping[str, Callable[[Any], str]] = {
    "planned_years": lambda years: count_noun(years, "year"),
    "investment_qualifier": words.code_in_words,
    "amount_qualifier": words.code_in_words,
    "investment_amount": words.amount_in_words,
    "amount": words.amount_in_words,
    "has_sub_recipients": lambda value: "yes" if value else "no",
    "kind": words.code_in_words,
    "country": country_name,
}
"""Formats values as plain text, by field name."""
LIST_FORMATTERS: Mapping[str, Callable[[list[Any]], str]] = {
    "roles": lambda codes: ", ".join(map(words.code_in_words, codes)),
    "trafficking_forms": lambda codes: ", ".join(map(words.code_in_words, codes)),
    "countries": lambda codes: join_phrases([*map(country_name, codes)]),
    "precedence": words.precedence_in_words,
    "not_stated": lambda names: ", ".join(map(words.field_label, names)),
}
"""Formats lists as plain text, by field name."""


def value_in_words(field: str, value: Any, name_of: Callable[[str, str], str]) -> str:
    """A value that is not null, as plain text; an object has a line for each field.

    Args:
        field: Name of the field.
        value: The value.
        name_of: Returns the name of a resource, given its collection and its id.
    """
    if isinstance(value, list):
        return _list_in_words(field, value, name_of)
    if field in REFERENCE_FIELDS:
        return name_of(REFERENCE_FIELDS[field], value)
    if field in DATE_FIELDS:
        return us_date(value)
    if field in FORMATTERS:
        return FORMATTERS[field](value)
    if isinstance(value, dict):
        lines = (
            f"{words.field_label(name)}: {value_in_words(name, member, name_of)}"
            for name, member in value.items()
            if member is not None
        )
        return "\n".join(lines)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _list_in_words(field: str, values: list[Any], name_of: Callable[[str, str], str]) -> str:
    if not values:
        return "none"
    if field in LIST_FORMATTERS:
        return LIST_FORMATTERS[field](values)
    separator = "\n" if isinstance(values[0], dict) else "; "
    return separator.join(value_in_words(field, value, name_of) for value in values)
