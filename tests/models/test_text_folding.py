"""Text without case and accents."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from app.models.text_folding import fold


@given(st.text())
def test_folding_word_by_word_is_folding_the_whole(text: str) -> None:
    """What is folded a word at a time is what the whole gives, whatever the script."""
    assert fold(text) == _fold_whole(text)


@given(st.lists(st.text(alphabet="aÁ\u0301\u0345Σς \u00a0ﬁßİ\u0323"), min_size=1).map("".join))
def test_marks_next_to_spaces_do_not_matter(text: str) -> None:
    """Marks that stand alone or out of order fold the same way in a word and in the whole."""
    assert fold(text) == _fold_whole(text)


def _fold_whole(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in decomposed if not unicodedata.combining(one)).casefold()
