"""Formats field names and values of the record for display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.models.notation import ordinal_digits, ordinal_words

MAX_TEXT_CHARACTERS = 600
"""Longest text on the page, such as a summary."""
_CODES = {
    "ngo": "NGO",
    "africa": "in Africa",
    "americas": "in the Americas",
    "asia": "in Asia",
    "europe": "in Europe",
    "oceania": "in Oceania",
    "world": "worldwide",
    "sex": "sex trafficking",
    "labor": "labor trafficking",
}
_FIELD_LABELS = {
    "iso_3166_2": "ISO 3166-2",
    "inei_ubigeo": "INEI ubigeo",
    "has_sub_recipients": "Sub-recipients",
    "kind": "Type",
    "precedence": "Rank",
    "supports": "Plan supported",
    "sha256": "SHA-256",
    "url": "URL",
}


def precision(value: str) -> str:
    """Smallest unit of a partial date: `day`, `month` or `year`."""
    return ("year", "month", "day")[value.count("-")]


def amount_in_words(value: int) -> str:
    """An amount, in millions if at most two decimals are needed: `1.25 million`, `12,500`."""
    if value >= 1_000_000 and value % 10_000 == 0:
        return f"{value / 1_000_000:,.2f}".rstrip("0").rstrip(".") + " million"
    return f"{value:,}"


def ordinal(value: int) -> str:
    """`first` to `ninth` in words, others in digits: `11th`."""
    return ordinal_words(value) if value < 10 else ordinal_digits(value)


def code_in_words(value: str) -> str:
    """A value of an enumeration: `government agency`, `NGO`, `in the Americas`."""
    return _CODES.get(value, value.replace("_", " "))


def precedence_in_words(precedence: Sequence[Mapping[str, Any]]) -> str:
    """Ordinals with their scopes: `First in the Americas, third worldwide`."""
    ranks = [f"{ordinal(rank['ordinal'])} {code_in_words(rank['scope'])}" for rank in precedence]
    return capitalize_first(", ".join(ranks))


def field_label(name: str) -> str:
    """Display name of a field: `Planned years`, `ISO 3166-2`."""
    return _FIELD_LABELS.get(name) or capitalize_first(name.replace("_", " "))


def capitalize_first(text: str) -> str:
    """The text with an upper-case first letter; unlike `str.capitalize`, the rest stays."""
    return text[:1].upper() + text[1:]


def shorten(text: str, max_characters: int = MAX_TEXT_CHARACTERS) -> str:
    """The text, cut after a word and marked with an ellipsis if it is too long."""
    if len(text) <= max_characters:
        return text
    head = text[:max_characters]
    return f"{head.rpartition(' ')[0] or head} …"
