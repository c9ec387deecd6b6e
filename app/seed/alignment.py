"""Alignment of quotes with a copy of their source in which they stand at other positions.

Programs that extract text differ in white space and in the bullets of lists; both are ignored.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from app.models.evidence import Quote
from app.seed.errors import format_value
from app.seed.quotes import BULLETS, Span, find_all
from app.seed.word_search import describe_similar

_IGNORED = re.compile(
    rf"(?<=[\r\n])[^\S\r\n]*[{re.escape(BULLETS)}](?=\s)|[\s•\xad\u200b-\u200f\u2060\ufeff]"
)
"""White space, invisible characters, and bullets at the start of a line."""
_SHIFT_COST = 10
"""Cost of a change to the distance of two quotes, besides the number of code points."""
_MAX_SHIFT = 100
"""Number of code points from which such a change costs no more."""
_MISSING_COST = 150
"""Cost of a missing quote: less than to find its words far from both of its neighbors."""
_MAX_ALIGNMENTS = 50
_SEARCHED_CHARACTERS = 1_000
"""How far around its expected position words are searched for that are like those of a quote."""
_SHOWN_CHARACTERS = 30
"""How far before and after its expected position the text is shown if no words are like it."""


class AlignedQuotes:
    """The quotes of a source in a copy of it.

    Attributes:
        quotes: The quotes, in the order of the source.
        text: Text of the copy.
        spans: Span of each quote in the copy; None if its words are not there, in that order.
    """

    def __init__(self, quotes: Sequence[Quote], text: str) -> None:
        self.quotes, self.text = quotes, text
        self.spans: Sequence[Span | None] = [(quote.start, quote.end) for quote in quotes]
        if any(text[quote.start : quote.end] != quote.exact for quote in quotes):
            self.spans = _align(quotes, text)
        self._found = [
            (quote.start, *span)
            for quote, span in zip(quotes, self.spans, strict=True)
            if span is not None
        ]

    def position(self, cited: int) -> int:
        """Where a position of the source is expected, by the last quote before it that is found."""
        index = bisect_right(self._found, cited, key=itemgetter(0))
        start, found, _ = self._found[max(index - 1, 0)] if self._found else (0, 0, 0)
        _, limit, _ = self._found[index] if index < len(self._found) else (0, len(self.text), 0)
        return min(max(found + cited - start, 0), limit)

    def describe_instead(self, quote: Quote) -> str:
        """What the copy has in place of the words of a quote, between the quotes around it."""
        index = bisect_right(self._found, quote.start, key=itemgetter(0))
        first = self._found[index - 1][1] if index else 0
        last = self._found[index][2] if index < len(self._found) else len(self.text)
        expected = self.position(quote.start)
        first = max(first, expected - _SEARCHED_CHARACTERS)
        last = min(last, expected + _SEARCHED_CHARACTERS)
        around = self.text[max(expected - _SHOWN_CHARACTERS, 0) : expected + _SHOWN_CHARACTERS]
        otherwise = f"other words; in the copy, there is {format_value(around)}"
        return describe_similar(self.text, quote.exact, (first, last), otherwise)


class _Alignment(NamedTuple):
    """A way to find quotes in a copy, up to one of them.

    Attributes:
        cost: How much it differs from the source.
        cited: Start of the last quote that was found, as cited.
        found: Start of that quote in the copy.
        spans: Index and span of that quote, and the same of the quotes before it; None at first.
    """

    cost: int
    cited: int
    found: int
    spans: tuple[int, Span, object] | None


def _align(quotes: Sequence[Quote], text: str) -> list[Span | None]:
    """Span of each quote in a copy of its source; None if its words are not there, in order.

    Of the ways to find the quotes in the order of the source, it is the one that leaves out few of
    them and changes their distances little.
    """
    copy = _SqueezedText(text)
    alignments = [_Alignment(0, 0, 0, None)]
    for index, quote in enumerate(quotes):
        following = [
            alignment._replace(cost=alignment.cost + _MISSING_COST) for alignment in alignments
        ]
        for span in copy.find_all(quote.exact):
            following += _extend(alignments, index, quote.start, span)
        alignments = nsmallest(_MAX_ALIGNMENTS, following, key=attrgetter("cost"))
    spans: list[Span | None] = [None] * len(quotes)
    last: Any = alignments[0].spans
    while last is not None:
        index, spans[index], last = last
    return spans


def _extend(
    alignments: Iterable[_Alignment], index: int, cited: int, span: Span
) -> list[_Alignment]:
    """The best alignment that a quote extends, in a list; none if all of them end after it."""
    found, extended = span[0], []
    for before in alignments:
        if before.found <= found:
            shift = abs(found - before.found - cited + before.cited)
            cost = before.cost + (_SHIFT_COST + min(shift, _MAX_SHIFT) if shift else 0)
            extended.append(_Alignment(cost, cited, found, (index, span, before.spans)))
    return nsmallest(1, extended, key=attrgetter("cost"))


class _SqueezedText:
    """A text in which words are found whatever white space and bullets are between them."""

    def __init__(self, text: str) -> None:
        ignored = {index for match in _IGNORED.finditer(text) for index in range(*match.span())}
        self._indexes = [index for index in range(len(text)) if index not in ignored]
        self._text = "".join(text[index] for index in self._indexes)

    def find_all(self, words: str) -> Iterator[Span]:
        """Span of each occurrence of words in the whole text."""
        squeezed = _IGNORED.sub("", words)
        for start in find_all(self._text, squeezed) if squeezed else ():
            yield self._indexes[start], self._indexes[start + len(squeezed) - 1] + 1
