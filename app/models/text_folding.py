"""Text without the differences that a reader does not search or sort by."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import filterfalse


def fold(text: str) -> str:
    """`text` without case and accents.

    Decomposed for compatibility (Unicode UAX #15, NFKD), combining marks dropped, case folded.
    Word by word, since words come again and nothing of this reaches across a space.
    """
    if text.isascii():
        return text.lower()
    return " ".join(map(_fold_word, text.split(" ")))


@lru_cache(maxsize=10_000)
def _fold_word(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(filterfalse(unicodedata.combining, decomposed)).casefold()
