"""Case and accent folding, for search and sorting."""

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
"""Latin letters that Unicode does not decompose, and how they are written in ASCII."""
_MODIFIED_LETTER = re.compile(r"LATIN SMALL LETTER ([A-Z]) WITH ")
"""Unicode name of a letter with a stroke, a hook or the like, such as `ø`, `ł` and `đ`."""


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
    return plain if plain.isascii() else "".join(map(_basic_letter, plain))


@lru_cache(maxsize=4_096)
def _basic_letter(character: str) -> str:
    """The basic form of a Latin letter that does not decompose; any other character itself."""
    match = _MODIFIED_LETTER.match(unicodedata.name(character, ""))
    return match[1].lower() if match else _LETTERS.get(character, character)
