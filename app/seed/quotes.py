"""Where words stand in a text, and what tells them from the same words elsewhere in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

from app.models.evidence import MAX_QUOTE_CHARACTERS

Span = tuple[int, int]
"""Start and end in a text, in code points."""
BULLETS = "•◦▪‣·*-–"
"""What stands before the items of a list in plain text, but not in the text of a web page."""
_WORD = re.compile(r"[^\s•◦▪‣·]\S*")
"""A word or punctuation, but no bullet."""
_LINE_AFTER = re.compile(r"\s*[^\r\n]*")


def find_all(text: str, words: str) -> Iterator[int]:
    """Start of each occurrence of words in a text, in code points; they may overlap."""
    start = text.find(words)
    while start >= 0:
        yield start
        start = text.find(words, start + 1)


def occurrences(text: str, words: str) -> list[int]:
    """Start of each occurrence of words in any case, as browsers find them."""
    return list(find_all(_lower(text), _lower(words)))


def find_context(text: str, start: int, end: int) -> tuple[str | None, str | None]:
    """The shortest prefix and suffix, in words and punctuation, that make a quote unique.

    Both are None if it does without them, or if none is short enough. Neither contains words of
    several lines, as a browser finds no text that spans two paragraphs.

    Args:
        text: The text.
        start: Start of the quote, in code points.
        end: End of the quote.
    """
    room = MAX_QUOTE_CHARACTERS - (end - start)
    for first, last in sorted(
        product(_starts_before(text, start), _ends_after(text, end)),
        key=lambda span: span[1] - span[0],
    ):
        if (start - first) + (last - end) > room:
            break
        if len(occurrences(text, text[first:last])) == 1:
            return text[first:start] or None, text[end:last] or None
    return None, None


def _starts_before(text: str, start: int) -> list[int]:
    """A position, and the start of each word before it in its line, or else in the line before."""
    before = text[:start].rstrip().rstrip(BULLETS).rstrip()
    line = max(before.rfind("\n"), before.rfind("\r")) + 1
    return [start, *(word.start() for word in _WORD.finditer(text, line, start))]


def _ends_after(text: str, end: int) -> list[int]:
    """A position, and the end of each word after it in its line, or else in the line after."""
    line = _LINE_AFTER.match(text, end)
    words = _WORD.finditer(text, end, line.end()) if line else ()
    return [end, *(word.end() for word in words)]


def _lower(text: str) -> str:
    """A text in lower case, of the same length."""
    return text.replace("\u0130", "I").lower()
