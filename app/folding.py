"""Text without the differences that a reader does not search or sort by."""

from __future__ import annotations

import unicodedata
from itertools import filterfalse


def fold(text: str) -> str:
    """`text` without case and accents.

    Decomposed for compatibility (Unicode UAX #15, NFKD), combining marks dropped, case folded.
    """
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(filterfalse(unicodedata.combining, decomposed)).casefold()
