"""Search result snippets: an excerpt of the text with the positions of the matches."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from app.models.text_folding import fold

_NON_SPACE = re.compile(r"\S+")
_SNIPPET_WORDS = 24
"""Maximum number of words in a snippet."""
_LEADING_WORDS = 4
"""Maximum number of words before the first match."""
_MAX_STARTS = 100
"""Maximum number of matches that are tried as the start of a snippet."""


class Word(NamedTuple):
    """A folded word and its position in the text, in code points."""

    folded: str
    start: int
    end: int


def split_words(text: str) -> list[Word]:
    """The words of a text, split like the full-text index.

    A word is a run of letters, digits and private-use characters in the folded text (SQLite FTS5,
    4.3.1, `unicode61`). No word contains a space, so text between spaces is split separately, and
    the result is cached, as most of it occurs again.
    """
    return [
        Word(folded, chunk.start() + start, chunk.start() + end)
        for chunk in _NON_SPACE.finditer(text)
        for folded, start, end in _split_chunk(chunk[0])
    ]


@lru_cache(maxsize=10_000)
def _split_chunk(chunk: str) -> tuple[Word, ...]:
    words: list[Word] = []
    word, start, end = "", 0, 0
    for position, character in enumerate(chunk):
        for folded, is_word_character in _fold_character(character):
            if is_word_character:
                start = start if word else position
                word += folded
                end = position + 1
            elif word:
                words.append(Word(word, start, end))
                word = ""
        if word and not _fold_character(character):  # a combining mark belongs to its letter
            end = position + 1
    if word:
        words.append(Word(word, start, end))
    return tuple(words)


def snippet(texts: Sequence[str], q: str) -> dict[str, Any]:
    """The best excerpt of the first text with a match; the start of the last text if none has one.

    Returns:
        `text`, plain text with an ellipsis if it is cut, and `marks`, the start and end of each
        match in it, in code points.
    """
    query_words = [word.folded for word in split_words(q)]
    prefix = query_words[-1] if query_words and last_word_is_prefix(q) else None
    words: list[Word] = []
    matches: list[int] = []
    text = ""
    for text in texts:
        words = split_words(text)
        matches = [
            index
            for index, word in enumerate(words)
            if word.folded in query_words or (prefix is not None and word.folded.startswith(prefix))
        ]
        if matches:
            break
    return _excerpt(text, words, matches)


def last_word_is_prefix(q: str) -> bool:
    """Whether the last word of a query also matches as a prefix: it ends with a word character."""
    return bool(q) and unicodedata.category(q[-1])[0] in "LNM"


def _excerpt(text: str, words: list[Word], matches: list[int]) -> dict[str, Any]:
    first = max(0, _best_match(words, matches) - _LEADING_WORDS)
    last = min(len(words), first + _SNIPPET_WORDS) - 1
    start = words[first].start if first > 0 else 0
    end = words[last].end if 0 <= last < len(words) - 1 else len(text)
    before = "…" if start > 0 else ""
    shift = len(before) - start
    marks = [
        {"start": words[match].start + shift, "end": words[match].end + shift}
        for match in matches
        if first <= match <= last
    ]
    return {"text": f"{before}{text[start:end]}{'…' if end < len(text) else ''}", "marks": marks}


def _best_match(words: list[Word], matches: list[int]) -> int:
    """Index of the match that is followed most closely by the most distinct matching words."""
    window = _SNIPPET_WORDS - _LEADING_WORDS

    def distinct_words(number: int) -> int:
        following = matches[number : number + window]
        return len({words[index].folded for index in following if index < matches[number] + window})

    best = max(range(min(len(matches), _MAX_STARTS)), key=distinct_words, default=None)
    return 0 if best is None else matches[best]


@lru_cache(maxsize=4_096)
def _fold_character(character: str) -> tuple[tuple[str, bool], ...]:
    """The characters that a character folds to, each with whether it is a word character."""
    return tuple((folded, _is_word_character(folded)) for folded in fold(character))


def _is_word_character(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"
