"""Text normalization for search and sorting: case and accents do not matter."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import filterfalse

_LETTERS = {
    "æ": "ae",
    "ð": "d",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    "ĸ": "q",
    "ŋ": "n",
    "œ": "oe",
    "þ": "th",
    "ȷ": "j",
    "ɔ": "o",
    "ə": "e",
    "ɛ": "e",
    "\N{LATIN SMALL LETTER SCRIPT G}": "g",
    "\N{LATIN SMALL LETTER IOTA}": "i",
    "ɵ": "o",
    "ʉ": "u",
}
"""Latin letters that Unicode does not decompose, as in CLDR's transliteration Latin-ASCII."""
_MODIFIED_LETTER = re.compile(r"LATIN SMALL LETTER ([A-Z]) WITH ")
"""Unicode name of a letter with a stroke, a hook or the like, such as `ø`, `ł` and `đ`."""
_MODIFIED_LETTERS = range(0x100, 0x2B0)
"""Code points of Latin Extended-A, Latin Extended-B and IPA Extensions."""


def fold(text: str) -> str:
    """`text` in lower case, without accents, and with Latin letters in their basic form.

    That is compatibility decomposition (Unicode UAX #15, NFKD) without combining marks, case
    folded. Latin letters that do not decompose are replaced too: `ł` by `l`, `œ` by `oe`. It is
    done and cached word by word, since words repeat and a space separates what normalization can
    combine.
    """
    if text.isascii():
        return text.lower()
    return " ".join(map(_fold_word, text.split(" ")))


@lru_cache(maxsize=10_000)
def _fold_word(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(filterfalse(unicodedata.combining, decomposed)).casefold()
    return plain.translate(_REPLACEMENTS)


def _replacements() -> dict[int, str]:
    """The replacement of each Latin letter that does not decompose, by code point."""
    modified = {"ø": "o"}
    for letter in map(chr, _MODIFIED_LETTERS):
        match = _MODIFIED_LETTER.match(unicodedata.name(letter, ""))
        if match and not unicodedata.decomposition(letter):
            modified[letter] = match[1].lower()
    return str.maketrans(modified | _LETTERS)


_REPLACEMENTS = _replacements()
