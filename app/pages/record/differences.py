"""Marks the differences between two texts."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from markupsafe import Markup, escape

_MAX_MARKED_WORDS = 300
"""Words and characters between them in a text of which the differences are marked."""
_MIN_LIKENESS = 0.4
"""Likeness of two texts, from 0 to 1, from which on their differences are marked."""
_WORDS = re.compile(r"\s+|\w+|\W")


def mark_differences(before: str | None, after: str | None) -> tuple[Markup | None, Markup | None]:
    """Both texts as HTML; what only one of them has is marked, if they are alike."""
    if before is None or after is None:
        return _escape(before), _escape(after)
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(old), len(new)) > _MAX_MARKED_WORDS:
        return escape(before), escape(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _MIN_LIKENESS:
        return escape(before), escape(after)
    deleted, inserted = Markup(), Markup()
    for operation, i1, i2, j1, j2 in matcher.get_opcodes():
        kept = operation == "equal" and not "".join(old[i1:i2]).isspace()
        deleted += _marked("del", "".join(old[i1:i2]), kept=kept)
        inserted += _marked("ins", "".join(new[j1:j2]), kept=kept)
    return deleted.replace("</del><del>", ""), inserted.replace("</ins><ins>", "")


def _escape(text: str | None) -> Markup | None:
    return None if text is None else escape(text)


def _marked(element: str, text: str, *, kept: bool) -> Markup:
    if kept or not text:
        return escape(text)
    return Markup("<{0}>{1}</{0}>").format(Markup(element), text)  # noqa: S704 - a constant
