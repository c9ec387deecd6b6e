"""Quotes that occur more than once get a prefix or suffix that tells them apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.evidence import MAX_QUOTE_CHARACTERS
from app.seed.quotes import find_context, occurrences

TEXT = """The Office in Lima
signed a plan. The office in Cusco signed a plan, too.

  • Plan: in Lima
  • Plan: in Cusco
"""


@pytest.mark.parametrize(
    ("text", "words", "starts"),
    [
        (TEXT, "the office", [0, 34]),
        (TEXT, "signed a plan", [19, 54]),
        ("aaa", "aa", [0, 1]),
        ("\u0130stanbul, ISTANBUL", "istanbul", [0, 10]),
        (TEXT, "none", []),
    ],
)
def test_occurrences_are_found_in_any_case(text: str, words: str, starts: list[int]) -> None:
    """As a browser finds them; positions are those in the text."""
    assert occurrences(text, words) == starts


@pytest.mark.parametrize(
    ("words", "number", "context"),
    [
        ("Cusco signed", 0, (None, None)),
        ("The Office", 0, (None, " in Lima")),
        ("signed a plan", 0, (None, ".")),
        ("signed a plan", 1, (None, ",")),
        ("in Lima", 1, ("Plan: ", None)),
        ("Plan:", 0, (None, " in Lima")),
        ("Plan:", 1, (None, " in Cusco")),
    ],
)
def test_the_shortest_context_is_found(
    words: str, number: int, context: tuple[str | None, str | None]
) -> None:
    """It is of words or punctuation."""
    start = occurrences(TEXT, words)[number]
    assert find_context(TEXT, start, start + len(words)) == context


def test_a_line_alone_is_told_apart_by_the_lines_around_it() -> None:
    """If the quote is all of its line, the context is of the next or the last line, only."""
    text = "One\n\nContact\n\nTwo\n\n  • Contact\n\n  • Three"
    assert find_context(text, 5, 12) == (None, "\n\nTwo")
    assert find_context(text, 23, 30) == ("Two\n\n  • ", None)
    both = ("Contact\n\n", "\n\nContact")
    assert find_context("Contact\n\nContact\n\nContact", 9, 16) == both


def test_no_context_makes_a_quote_too_long() -> None:
    """If the words around two occurrences are the same, none is given."""
    text = f"{'x' * 77} same {'y' * 77} | {'x' * 77} same {'y' * 77}"
    assert find_context(text, 78, 82) == (None, None)


@given(st.text("ab .\n•", max_size=60), st.data())
def test_a_context_makes_a_quote_unique(text: str, data: st.DataObject) -> None:
    """It is right before and after the quote, within the length of a quote."""
    start = data.draw(st.integers(0, max(len(text) - 1, 0)))
    end = data.draw(st.integers(start + 1, max(len(text), start + 1)))
    prefix, suffix = (part or "" for part in find_context(text, start, end))
    words = prefix + text[start:end] + suffix
    assert text.startswith(words, start - len(prefix))
    assert len(words) <= MAX_QUOTE_CHARACTERS
    if prefix or suffix:
        assert occurrences(text, words) == [start - len(prefix)]
        assert len(occurrences(text, text[start:end])) > 1
