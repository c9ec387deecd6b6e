"""Text normalization for search and sorting: case and accents do not matter."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import filterfalse


def fold(text: str) -> str:
    """`text` in lower case, without accents.

    That is compatibility decomposition (Unicode UAX #15, NFKD) without combining marks, case
    folded. It is done and cached word by word, since words repeat and a space separates what
    normalization can combine.
    """
    if text.isascii():
        return text.lower()
    return " ".join(map(_fold_word, text.split(" ")))


@lru_cache(maxsize=10_000)
def _fold_word(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(filterfalse(unicodedata.combining, decomposed)).casefold()
