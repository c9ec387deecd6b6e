"""Formats field names and values of the record for display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.models.notation import ordinal_digits, ordinal_words, qualifier_prefix

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
FIELD_LABELS = {
    "id": "Id",
    "name": "Name",
    "short_name": "Short name",
    "title": "Title",
    "summary": "Summary",
    "not_stated": "Not stated",
    # partnerships
    "countries": "Countries",
    "signed": "Signed",
    "planned_years": "Planned duration",
    "ends": "End date",
    "investment_amount": "Investment",
    "investment_currency": "Currency of the investment",
    "investment_qualifier": "Qualifier of the investment",
    "investor": "Investor",
    "precedence": "Rank",
    "scope": "Scope",
    "ordinal": "Ordinal",
    "regions": "Regions",
    # objectives, awards and activities
    "partnership": "Partnership",
    "position": "Position",
    "recipient": "Recipient",
    "announced": "Announced",
    "amount": "Amount",
    "currency": "Currency",
    "amount_qualifier": "Qualifier of the amount",
    "objectives": "Objectives",
    "trafficking_forms": "Forms of trafficking",
    "has_sub_recipients": "Sub-recipients",
    "award": "Award",
    "stakeholders": "Stakeholders",
    "supports": "Plan supported",
    # regions and organizations
    "aliases": "Other names",
    "country": "Country",
    "iso_3166_2": "ISO 3166-2",
    "inei_ubigeo": "INEI ubigeo",
    "wikidata": "Wikidata",
    "kind": "Type",
    "roles": "Roles",
    # sources
    "publisher": "Publisher",
    "url": "URL",
    "archived_from": "Start of the archived period",
    "archived_to": "End of the archived period",
    "notices": "Notices on the page",
    "captured": "Captured",
    "memento": "Memento",
    "extraction_tool": "Text extracted by",
    "extraction_version": "Version of the extraction tool",
    "sha256": "SHA-256",
    "bytes": "Bytes",
    "characters": "Characters",
    "furniture": "Page furniture",
    "start": "Start",
    "end": "End",
    "reason": "Reason",
    "starts_with": "Starts with",
    "ends_with": "Ends with",
    # the record as a whole
    "description": "Description",
    "keywords": "Keywords",
    "modified": "Modified",
    "archive_notice": "Archive notice",
    "license": "License",
    "wording_license": "License of the wording",
    "outlines": "Outlines",
    "file": "File",
    "reference": "Reference",
    "note": "Note",
}
"""Label of every field of a resource and of the metadata, and of their members."""
_CURRENCY_SIGNS = {
    "USD": "US$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "AUD": "A$",
    "CAD": "C$",
    "NZD": "NZ$",
    "HKD": "HK$",
    "MXN": "MX$",
    "BRL": "R$",
    "INR": "₹",
    "ILS": "₪",
    "KRW": "₩",
    "PHP": "₱",
}
"""Signs that name one currency to an American reader; others are written as their code."""
_LARGE_NUMBERS = ((1_000_000_000, "billion"), (1_000_000, "million"))


def precision(value: str) -> str:
    """Smallest unit of a partial date: `day`, `month` or `year`."""
    return ("year", "month", "day")[value.count("-")]


def amount_in_words(value: int) -> str:
    """An amount, in millions or billions if two decimals are enough: `1.25 million`, `12,500`.

    The space is a no-break space.
    """
    for unit, name in _LARGE_NUMBERS:
        if value >= unit and value % (unit // 100) == 0:
            return f"{value / unit:,.2f}".rstrip("0").rstrip(".") + f"\u00a0{name}"
    return f"{value:,}"


def money_in_words(value: int, currency: str | None, qualifier: str | None) -> str:
    """An amount of money: `up to US$5 million`, `PEN 12,500`; without a currency, the number."""
    sign = _CURRENCY_SIGNS.get(currency or "", f"{currency}\u00a0" if currency else "")
    return f"{qualifier_prefix(qualifier)}{sign}{amount_in_words(value)}"


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
    """Display name of a field: `Planned duration`, `ISO 3166-2`.

    A field that only earlier releases have is named by its words.
    """
    return FIELD_LABELS.get(name) or capitalize_first(name.replace("_", " "))


def capitalize_first(text: str) -> str:
    """The text with an upper-case first letter; unlike `str.capitalize`, the rest stays."""
    return text[:1].upper() + text[1:]


def shorten(text: str, max_characters: int = MAX_TEXT_CHARACTERS) -> str:
    """The text, cut after a word and marked with an ellipsis if it is too long."""
    if len(text) <= max_characters:
        return text
    head = text[:max_characters]
    return f"{head.rpartition(' ')[0] or head} …"
