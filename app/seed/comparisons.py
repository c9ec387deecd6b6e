"""Ranks and qualified amounts that a text mentions: `first in Africa`, `up to $5 million`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from app.models.text_folding import fold
from app.seed.mentions import mentioned_ordinals

SCOPE_NAMES: Mapping[str, str] = {
    "world": "the world",
    "africa": "Africa",
    "americas": "the Americas",
    "asia": "Asia",
    "europe": "Europe",
    "oceania": "Oceania",
}
"""Name of each area in which partnerships are ranked, as a text may write it."""
_PART = (
    r"(?:north|south|east|west|north ?east|north ?west|south ?east|south ?west)(?:ern)?|central|"
    r"inner|latin|middle|sub saharan"
)
_SCOPES = re.compile(
    r"\b(?:"
    r"(?P<ignored>south africa(?:ns?)?|african union|african americans?|asian americans?|"
    r"asia foundation|european union|world (?:vision|bank|health))|"
    rf"(?P<other>(?:{_PART}) (?:africa|america|asia|europe)n?s?|asia(?: and the)? pacific|"
    r"regions?(?! of\b)|continent|caribbean|middle east|(?:indo )?pacific|asean|balkans|caucasus|"
    r"gulf|maghreb|sahel)|"
    r"(?P<africa>africans?|africa)|"
    r"(?P<americas>americas|western hemisphere)|"
    r"(?P<asia>asians?|asia)|"
    r"(?P<europe>europeans?|europe)|"
    r"(?P<oceania>oceanians?|oceania)|"
    r"(?P<world>world|worldwide|globally|globe|overall)"
    r")\b"
)
_QUALIFIERS = re.compile(
    r"\b(?:"
    r"(?P<up_to>up to|as much as|(?:no|not) more than|at most|maximum|(?:not|to) exceed)|"
    r"(?P<at_least>at least|(?:no|not) less than|more than|over|minimum|exceeding|in excess of)|"
    r"(?P<about>about|approximately|around|nearly|almost|roughly|an estimated)"
    r")\b"
)
_QUALIFIED_MONEY = re.compile(rf"{_QUALIFIERS.pattern}(?= (?:us ?)?[$€£¥]| usd\b)")
QUALIFIER_WORDS: Mapping[str, Sequence[str]] = {
    "up_to": ("up to", "no more than", "maximum"),
    "at_least": ("at least", "more than", "over"),
    "about": ("about", "approximately", "nearly"),
}
"""Usual words for each qualifier of an amount, for error messages."""


def mentioned_qualifiers(text: str) -> set[str]:
    """How a text qualifies amounts: `up_to`, `at_least` or `about`."""
    return {str(match.lastgroup) for match in _QUALIFIERS.finditer(_plain(text))}


def money_qualifiers(text: str) -> set[str]:
    """How a text qualifies amounts of money, directly before their currency."""
    return {str(match.lastgroup) for match in _QUALIFIED_MONEY.finditer(_plain(text))}


def mentioned_ranks(text: str) -> set[tuple[str, Decimal]]:
    """Every ordinal with its area: the one named next, or before if the text begins with one.

    An ordinal without an area counts in the whole world. One in a part of a continent, such as
    Southeast Asia, counts in none of the areas.
    """
    texts, scopes = _split_at_scopes(_plain(text))
    ordinals = [mentioned_ordinals(part) for part in texts]
    if scopes and not ordinals[0]:
        pairs = zip(scopes, ordinals[1:], strict=True)
        return {(scope, ordinal) for scope, group in pairs for ordinal in group}
    return set(_ranks(ordinals, [*scopes, "world"]))


def _ranks(
    ordinals: Sequence[Sequence[Decimal]], scopes: Sequence[str]
) -> Iterator[tuple[str, Decimal]]:
    """The last ordinal before each area counts in it, the others in the world."""
    for scope, group in zip(scopes, ordinals, strict=True):
        for index, ordinal in enumerate(group, start=1):
            yield scope if index == len(group) else "world", ordinal


def _split_at_scopes(text: str) -> tuple[list[str], list[str]]:
    """The texts before, between and after the areas that are named, and the areas."""
    texts, scopes, start = [], [], 0
    for match in _SCOPES.finditer(text):
        if match.lastgroup != "ignored":
            texts.append(text[start : match.start()])
            scopes.append(str(match.lastgroup))
            start = match.end()
    return [*texts, text[start:]], scopes


def _plain(text: str) -> str:
    """The text without case and accents, with single spaces, also in place of hyphens."""
    return " ".join(re.sub(r"[-\u2010-\u2015]", " ", fold(text)).split())
