"""Sentences of a text, and which of them are cited."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.models.notation import noun_for
from app.seed.quotes import Span

_MAX_LINE_CHARACTERS = 40
_BREAK = re.compile(r"(?<=[.!?;])\s+|[\r\n]+")


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a text is cited.

    Attributes:
        sentences: Number of sentences outside its furniture.
        uncited: Those of them that nothing cites.
    """

    sentences: int
    uncited: Sequence[Span]

    @property
    def cited(self) -> int:
        """Number of sentences that something cites."""
        return self.sentences - len(self.uncited)

    @property
    def ratio(self) -> str:
        """How many of the sentences are cited."""
        return f"{self.cited} of {self.sentences} {noun_for(self.sentences, 'sentence')}"

    @property
    def share(self) -> float:
        """The share of the sentences that is cited; 1 if there are none."""
        return self.cited / self.sentences if self.sentences else 1.0


def split_sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """Start and end of each line and sentence between two positions of a text.

    A sentence ends after `.`, `!`, `?` or `;` that is followed by white space.
    """
    edges = [start]
    for match in _BREAK.finditer(text, start, end):
        edges += match.span()
    edges.append(end)
    yield from zip(edges[::2], edges[1::2], strict=True)


def long_sentences(text: str) -> list[Span]:
    """The sentences that must not be quoted whole; short lines, such as headings, may be."""
    sentences = split_sentences(text, 0, len(text))
    return [(start, end) for start, end in sentences if end - start > _MAX_LINE_CHARACTERS]


def measure_coverage(text: str, furniture: Sequence[Span], citations: Sequence[Span]) -> Coverage:
    """The coverage of a text outside its furniture.

    Pieces without a letter, such as a bullet, are no sentences.
    """
    edges = [0, *(edge for passage in furniture for edge in passage), len(text)]
    sentences = [
        (start, end)
        for passage in list(pairwise(edges))[::2]
        for start, end in split_sentences(text, *passage)
        if any(character.isalpha() for character in text[start:end])
    ]
    uncited = [
        (start, end)
        for start, end in sentences
        if not any(first < end and start < last for first, last in citations)
    ]
    return Coverage(len(sentences), uncited)
