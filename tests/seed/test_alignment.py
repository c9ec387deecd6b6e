"""Quotes are found in copies with other white space, and told from words that are missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.evidence import Quote
from app.seed.alignment import AlignedQuotes

WORDS = [f"word{number:03}" for number in range(60)]
TEXT = " ".join(WORDS)


def quote(text: str, words: str, occurrence: int = 0) -> Quote:
    """A quote of words in a text."""
    start = -1
    for _ in range(occurrence + 1):
        start = text.index(words, start + 1)
    return Quote(source="page", start=start, end=start + len(words), exact=words)


@given(
    st.lists(st.sampled_from(["", " ", "\n", "\r\n", "\u00a0 ", "\n\n  • ", "\n- "]), max_size=60)
)
def test_white_space_and_bullets_move_quotes(separators: list[str]) -> None:
    """Whatever of it is added, each quote is found at its new position."""
    separators = separators + [""] * (len(WORDS) - len(separators))
    copy, starts = "", []
    for word, separator in zip(WORDS, separators, strict=True):
        copy += separator + (" " if separator == "" else "")
        starts.append(len(copy))
        copy += word
    aligned = AlignedQuotes([quote(TEXT, word) for word in WORDS], copy)
    assert aligned.spans == [(start, start + 7) for start in starts]


@given(
    st.sets(st.integers(0, len(WORDS) - 1)),
    st.integers(0, len(WORDS) - 1),
    st.integers(0, 5_000),
)
def test_only_words_that_are_gone_are_missing(gone: set[int], place: int, length: int) -> None:
    """The others are found, also where a long text is added."""
    kept = ["" if index in gone else word for index, word in enumerate(WORDS)]
    kept.insert(place, "x" * length)
    spans = AlignedQuotes([quote(TEXT, word) for word in WORDS], " ".join(kept)).spans
    assert {index for index, span in enumerate(spans) if span is None} == gone


REPEATED = "In Lima, one. In Cusco, two. " + "x" * 500 + " In Lima, three. In Loreto, four."


def test_the_same_words_are_found_where_their_neighbors_are() -> None:
    """Of several occurrences, each quote is the one at its distance from the others."""
    quotes = [
        quote(REPEATED, "In Lima", 0),
        quote(REPEATED, "two"),
        quote(REPEATED, "In Lima", 1),
        quote(REPEATED, "four"),
    ]
    copy = f"Menu: In Lima, more In Lima. {REPEATED}".replace("xxx", "xx")
    first, second = copy.index("In Lima, one"), copy.index("In Lima, three")
    spans = AlignedQuotes(quotes, copy).spans
    assert [spans[0], spans[2]] == [(first, first + 7), (second, second + 7)]
    assert None not in spans


def test_words_far_from_both_neighbors_are_missing() -> None:
    """The same words elsewhere are not those that are cited."""
    quotes = [quote(REPEATED, words) for words in ("one", "In Cusco", "two")]
    copy = REPEATED.replace("In Cusco", "In Callao").replace("three", "In Cusco")
    assert AlignedQuotes(quotes, copy).spans[1] is None
    assert "Callao" in AlignedQuotes(quotes, copy).describe_instead(quotes[1])


def test_words_in_another_order_are_missing() -> None:
    """Of two passages that changed places, one is found and the other is not."""
    quotes = [quote(TEXT, word) for word in WORDS]
    copy = " ".join(WORDS[40:] + WORDS[:40])
    spans = AlignedQuotes(quotes, copy).spans
    assert [span is not None for span in spans] == [True] * 40 + [False] * 20


def test_quotes_may_overlap() -> None:
    """One quote may be part of another, or begin with it."""
    text = "the United States and Peru signed a plan"
    quotes = [
        quote(text, words) for words in ("the United States and", "United States", "and Peru")
    ]
    spans = AlignedQuotes(quotes, f"  {text.replace(' ', '  ')}").spans
    assert spans == [(2, 26), (7, 21), (23, 32)]


def test_positions_between_quotes_follow_the_quote_before() -> None:
    """A position is as far from it as in the source, but not past the next quote."""
    quotes = [quote(TEXT, WORDS[1]), quote(TEXT, WORDS[5])]
    copy = "xxx" + TEXT.replace(f"{WORDS[3]} ", "")
    aligned = AlignedQuotes(quotes, copy)
    second = copy.index(WORDS[5])
    cited = {0: 3, 8: 11, 17: 20, 39: second, 40: second, 47: second + 7, 10_000: len(copy)}
    assert {position: aligned.position(position) for position in cited} == cited
    assert AlignedQuotes([], "abc").position(2) == 2


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        ("On June 15, 2018, both signed.", '"June 15, 2018", at 3'),
        ("On June 15,\u00a02O17, both signed.", '"June 15,\\u00a02O17", at 3'),
        ("Both signed.", 'other words; in the copy, there is "Both signed."'),
        ("", 'other words; in the copy, there is ""'),
    ],
)
def test_what_stands_in_place_of_words_is_described(copy: str, expected: str) -> None:
    """Words like them, or else the text at their position."""
    missing = quote("On June 15, 2017, both signed.", "June 15, 2017")
    assert AlignedQuotes([missing], copy).describe_instead(missing) == expected
