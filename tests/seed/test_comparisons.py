"""Ranks and qualified amounts are recognized in the wording of a page, and in no other."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from app.seed.comparisons import SCOPE_NAMES, mentioned_qualifiers, mentioned_ranks
from app.seed.errors import Issue, SeedError, format_value
from app.seed.record import load_record
from tests.conftest import SeedCopy

RANKS: list[tuple[str, set[tuple[str, Decimal | int]]]] = [
    ("the first of its kind in the Americas", {("americas", 1)}),
    ("the first in the Western Hemisphere", {("americas", 1)}),
    ("the third in the world", {("world", 3)}),
    ("the third worldwide", {("world", 3)}),
    ("the first in the Caribbean and the fourth worldwide", {("other", 1), ("world", 4)}),
    ("the first in the Caribbean", {("other", 1)}),
    ("the first in the Middle East", {("other", 1)}),
    ("the first in the Pacific", {("other", 1)}),
    ("the third CPC Partnership", {("world", 3)}),
    ("the first partnership of its kind in Africa", {("africa", 1)}),
    ("the first African country to sign", {("africa", 1)}),
    ("the 2nd in Asia and the 5th overall", {("asia", 2), ("world", 5)}),
    ("the first in the Americas and the third in the world", {("americas", 1), ("world", 3)}),
    ("the fourth partnership and the first in Europe", {("world", 4), ("europe", 1)}),
    ("In Africa, it is the first", {("africa", 1)}),
    ("In Africa the first, in the world the second", {("africa", 1), ("world", 2)}),
    ("the first in Oceania", {("oceania", 1)}),
    ("the first in the Asia region", {("asia", 1)}),
    ("the first in the region of the Americas", {("americas", 1)}),
    ("the first in Southeast Asia", {("other", 1)}),
    ("the first in South-East\u00a0Asia", {("other", 1)}),
    ("the first in Sub-Saharan Africa", {("other", 1)}),
    ("the first in Latin America", {("other", 1)}),
    ("the first in the East Asia and Pacific region", {("other", 1)}),
    ("the first in the Asia-Pacific", {("other", 1)}),
    ("the first in the region", {("other", 1)}),
    ("South Africa signed the second in Africa", {("africa", 2)}),
    ("World Vision's second award", {("world", 2)}),
    ("in Africa", set()),
    ("", set()),
]
"""Each text with the ranks that it mentions."""

QUALIFIERS = [
    ("up to $5 million", {"up_to"}),
    ("no more than $5 million", {"up_to"}),
    ("more than $5 million", {"at_least"}),
    ("at least $5 million", {"at_least"}),
    ("not less than $5 million", {"at_least"}),
    ("approximately $5 million", {"about"}),
    ("$5 million", set()),
    ("upto $5 million", set()),
]
"""Each text with the qualifiers that it mentions."""


@pytest.mark.parametrize(("text", "ranks"), RANKS)
def test_ranks_are_recognized_with_their_area(
    text: str, ranks: set[tuple[str, Decimal | int]]
) -> None:
    """Each ordinal counts in the area that the text says it of; a part of one is none."""
    assert mentioned_ranks(text) == ranks


@pytest.mark.parametrize(("text", "qualifiers"), QUALIFIERS)
def test_qualifiers_are_recognized(text: str, qualifiers: set[str]) -> None:
    """`no more than` is a ceiling, although it contains `more than`."""
    assert mentioned_qualifiers(text) == qualifiers


def issues_in(path: Path) -> tuple[Issue, ...]:
    """The issues of an invalid seed file."""
    with pytest.raises(SeedError) as caught:
        load_record(path)
    return caught.value.issues


@pytest.mark.parametrize("scope", SCOPE_NAMES)
def test_an_area_must_be_quoted(seed: SeedCopy, scope: str) -> None:
    """A rank in an area is accepted with a quote that names it, and refused with another one."""
    rank = [{"scope": scope, "ordinal": 1}]
    seed.cite("/partnerships/0/precedence", rank, f"the first in {SCOPE_NAMES[scope]}")
    load_record(seed.write())
    seed.cite("/partnerships/0/precedence", rank, "the first in Central Asia")
    [issue] = issues_in(seed.write())
    assert issue.pointer == "/partnerships/0/precedence"
    assert f"first in {SCOPE_NAMES[scope]}" in issue.expected


def test_ordinals_of_two_areas_are_not_exchanged(seed: SeedCopy) -> None:
    """First in the Americas and third in the world is not third in the Americas."""
    quote = "first in the Americas, third in the world"
    ranks = [{"scope": "americas", "ordinal": 3}, {"scope": "world", "ordinal": 1}]
    seed.cite("/partnerships/0/precedence", ranks, quote)
    assert [issue.pointer for issue in issues_in(seed.write())] == ["/partnerships/0/precedence"]


def test_a_ceiling_must_be_quoted(seed: SeedCopy) -> None:
    """`up_to` needs a quote that says so, and an amount."""
    seed.cite("/partnerships/0/investment_qualifier", "up_to", "up to $5 million")
    assert load_record(seed.write()).resources["partnership"][0].get("investment_qualifier")
    seed.cite("/partnerships/0/investment_qualifier", "up_to", "$5 million")
    [issue] = issues_in(seed.write())
    assert "up to" in issue.expected


@pytest.mark.parametrize(
    ("quote", "refused"),
    [
        ("up to $5 million", True),
        ("up to US$5 million", True),
        ("up to USD 5 million", True),
        ("up to $5\u00a0million", True),
        ("$5 million over 4 years", False),
        ("$5 million in about 3 regions", False),
    ],
)
def test_a_qualified_amount_needs_its_qualifier(
    seed: SeedCopy, quote: str, *, refused: bool
) -> None:
    """A ceiling is not passed off as the amount."""
    seed.cite("/partnerships/0/investment_amount", 5_000_000, quote)
    issues = []
    try:
        load_record(seed.write())
    except SeedError as error:
        issues = [(issue.pointer, issue.expected) for issue in error.issues]
    expected = f'"up_to", as investment_amount quotes {format_value(quote)}'
    assert issues == ([("/partnerships/0/investment_qualifier", expected)] if refused else [])


def test_a_qualifier_without_an_amount_is_refused(seed: SeedCopy) -> None:
    """An amount that is not stated has no qualifier."""
    seed.cite("/awards/0/amount_qualifier", "about", "about")
    [issue] = issues_in(seed.write())
    assert issue.pointer == "/awards/0/amount_qualifier"
    assert "an amount" in issue.expected
