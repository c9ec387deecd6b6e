"""A stretch of text around the words that were searched for, and where they stand in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from app.models.text_folding import fold

_BETWEEN_SPACES = re.compile(r"\S+")
_WORDS = 24
_BEFORE = 4


class Word(NamedTuple):
    """A word of a text: folded, and where it stands in code points."""

    folded: str
    start: int
    end: int


def split_words(text: str) -> list[Word]:
    """The words of a text, split as the index splits them.

    A word is a run of letters, digits and private-use characters in the folded text (SQLite FTS5,
    4.3.1, `unicode61`). None reaches across a space, so what stands between spaces is split once:
    it comes again.
    """
    return [
        Word(folded, stretch.start() + start, stretch.start() + end)
        for stretch in _BETWEEN_SPACES.finditer(text)
        for folded, start, end in _split(stretch[0])
    ]


@lru_cache(maxsize=10_000)
def _split(text: str) -> tuple[Word, ...]:
    """The words of a text, character by character."""
    words: list[Word] = []
    folded, start, end = "", 0, 0
    for place, character in enumerate(text):
        for one, belongs in _parts(character):
            if belongs:
                start = start if folded else place
                folded += one
                end = place + 1
            elif folded:
                words.append(Word(folded, start, end))
                folded = ""
        if folded and not _parts(character):
            end = place + 1
    if folded:
        words.append(Word(folded, start, end))
    return tuple(words)


def snippet(texts: Sequence[str], q: str) -> dict[str, Any]:
    """The best stretch of the first text that has any of the words, else the last one's start.

    Returns:
        `text`, plain, with an ellipsis where it was cut, and `marks`, the start and end of each
        match in it, in code points.
    """
    wanted = [word.folded for word in split_words(q)]
    begun = wanted[-1] if wanted and last_word_is_prefix(q) else None
    words: list[Word] = []
    hits: list[int] = []
    text = ""
    for text in texts:
        words = split_words(text)
        hits = [
            place
            for place, word in enumerate(words)
            if word.folded in wanted or (begun is not None and word.folded.startswith(begun))
        ]
        if hits:
            break
    return _cut(text, words, hits)


def last_word_is_prefix(q: str) -> bool:
    """Whether the last word of a query may be the beginning of one."""
    return bool(q) and unicodedata.category(q[-1])[0] in "LNM"


def _cut(text: str, words: list[Word], hits: list[int]) -> dict[str, Any]:
    first = max(0, _best(words, hits) - _BEFORE)
    last = min(len(words), first + _WORDS) - 1
    start = words[first].start if first > 0 else 0
    end = words[last].end if 0 <= last < len(words) - 1 else len(text)
    before = "…" if start > 0 else ""
    shift = len(before) - start
    marks = [
        {"start": words[hit].start + shift, "end": words[hit].end + shift}
        for hit in hits
        if first <= hit <= last
    ]
    return {"text": f"{before}{text[start:end]}{'…' if end < len(text) else ''}", "marks": marks}


def _best(words: list[Word], hits: list[int]) -> int:
    """The match from which on most different words were found close together."""
    reach = _WORDS - _BEFORE

    def different(number: int) -> int:
        near = hits[number : number + reach]
        return len({words[hit].folded for hit in near if hit < hits[number] + reach})

    best = max(range(min(len(hits), 100)), key=different, default=None)
    return 0 if best is None else hits[best]


@lru_cache(maxsize=4_096)
def _parts(character: str) -> tuple[tuple[str, bool], ...]:
    """What a character folds to, each with whether it belongs to a word."""
    return tuple((one, _belongs(one)) for one in fold(character))


def _belongs(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"
