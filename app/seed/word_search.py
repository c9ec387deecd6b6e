"""Words of a page as quotes, and what it has instead of words that are not in it."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from typing import Any

from app.models.text_folding import fold
from app.seed.errors import format_value, name_differences
from app.seed.quotes import Span, find_all, find_context

_CANDIDATES = 10
"""Passages with the most words in common that are compared letter by letter."""
_MIN_SIMILARITY = 0.6
_EXCERPT_CHARACTERS = 30
"""Length of the text that is shown on each side of a passage."""
_PUNCTUATION = ".,;:!?)"
_INVISIBLE = r"[\s\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff]"
"""White space and characters without a width."""
_ALIKE = ("-\u2010\u2011\u2012\u2013\u2014", "'\u2018\u2019\u02bc", '"\u201c\u201d')
"""Dashes, apostrophes and quotation marks: few keyboards have all of them."""


def find_quotes(text: str, words: str) -> list[dict[str, Any]]:
    """Each occurrence of words as the `quote` of a citation, without its source.

    If the words themselves do not occur, these are the passages that look like them.
    """
    if not words.strip():
        return []
    spans = [(start, start + len(words)) for start in find_all(text, words)]
    spans = spans or look_alikes(text, words)
    return [
        {"start": start, "end": end, "exact": text[start:end], **context_members(text, start, end)}
        for start, end in spans
    ]


def context_members(text: str, start: int, end: int) -> dict[str, str]:
    """The `prefix` and `suffix` that a quote needs to be unique."""
    context = zip(("prefix", "suffix"), find_context(text, start, end), strict=True)
    return {key: part for key, part in context if part}


def look_alikes(text: str, words: str) -> list[Span]:
    """Where words stand with other white space, dashes or quotation marks."""
    visible = re.sub(_INVISIBLE, "", words)
    pattern = f"{_INVISIBLE}*".join(map(_pattern_of, visible))
    return [match.span() for match in re.finditer(pattern, text)] if visible else []


def _find_similar(text: str, words: str) -> Span | None:
    """The passage of as many words that is most like the given words; None if none is."""
    if alike := look_alikes(text, words):
        return alike[0]
    chunks = [match.span() for match in re.finditer(r"\S+", text)]
    wanted = Counter(map(fold, words.split()))
    length = wanted.total()
    windows = [chunks[index : index + length] for index in range(len(chunks) - length + 1)]
    if not wanted or not windows:
        return None

    def shared_words(window: list[Span]) -> int:
        return (Counter(fold(text[start:end]) for start, end in window) & wanted).total()

    def similarity(window: list[Span]) -> float:
        passage = text[window[0][0] : window[-1][1]]
        return SequenceMatcher(None, fold(passage), fold(words), autojunk=False).ratio()

    closest = max(sorted(windows, key=shared_words)[-_CANDIDATES:], key=similarity)
    if similarity(closest) < _MIN_SIMILARITY:
        return None
    passage = text[closest[0][0] : closest[-1][1]]
    trimmed = passage if words.endswith(passage[-1]) else passage.rstrip(_PUNCTUATION)
    return closest[0][0], closest[0][0] + len(trimmed)


def describe_similar(
    text: str,
    words: str,
    within: Span | None = None,
    otherwise: str = "words that are on the page",
) -> str:
    """What a text has instead of words, with its position and the names of invisible characters.

    Args:
        text: The text.
        words: The words.
        within: Where to look for it; by default, in the whole text.
        otherwise: The description if nothing is like the words.
    """
    first, last = within or (0, len(text))
    span = _find_similar(text[first:last], words)
    if span is None:
        return otherwise
    start, end = first + span[0], first + span[1]
    passage = text[start:end]
    return f"{format_value(passage)}, at {start}{name_differences(words, passage)}"


def excerpt(text: str, start: int, end: int) -> str:
    """A passage in brackets with the text around it, on one line."""
    before = text[max(start - _EXCERPT_CHARACTERS, 0) : start]
    after = text[end : end + _EXCERPT_CHARACTERS]
    return " ".join(f"…{before}[{text[start:end]}]{after}…".split())


def _pattern_of(character: str) -> str:
    alike = next((group for group in _ALIKE if character in group), character)
    return f"[{re.escape(alike)}]"
