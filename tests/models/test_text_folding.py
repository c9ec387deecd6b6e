"""Text normalization for search and sorting."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from app.models.text_folding import fold


@given(st.text())
def test_folding_by_word_equals_folding_the_text(text: str) -> None:
    """Folding word by word gives the same as folding the whole text, in any script."""
    assert fold(text) == _fold_whole(text)


@given(st.lists(st.text(alphabet="aÁ\u0301\u0345Σς \u00a0ﬁßİ\u0323"), min_size=1).map("".join))
def test_marks_next_to_spaces_do_not_matter(text: str) -> None:
    """Combining marks alone or out of order fold the same way in a word and in the text."""
    assert fold(text) == _fold_whole(text)


def _fold_whole(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(
        character for character in decomposed if not unicodedata.combining(character)
    ).casefold()
