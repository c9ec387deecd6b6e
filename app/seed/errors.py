"""Errors in a seed file, each with its location."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from pydantic import BaseModel

_MAX_CHARACTERS = 80
_MAX_DIFFERENCES = 3
_CONTROL_NAMES = {"\t": "TAB", "\n": "LINE FEED", "\r": "CARRIAGE RETURN"}
_INVISIBLE = {"Cc", "Cf", "Zl", "Zp", "Zs"}
"""Unicode categories of controls, format characters and separators."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One error found in a file.

    Attributes:
        pointer: JSON pointer to the value (RFC 6901); empty for the whole file.
        found: The actual value.
        expected: A description of a valid value.
    """

    pointer: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.pointer or '(whole file)'}: found {self.found}; expected {self.expected}"


class SeedError(Exception):
    """An invalid seed file; `issues` lists every error in it."""

    def __init__(self, path: Path, issues: Sequence[Issue]) -> None:
        self.path = path
        self.issues = tuple(issues)
        count = f"{len(issues)} issue" + ("s" if len(issues) != 1 else "")
        super().__init__(f"{path}: {count}\n" + "\n".join(f"  {issue}" for issue in issues))


def format_value(value: object) -> str:
    """A value as JSON, truncated to 80 characters; invisible characters are escaped."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=BaseModel.model_dump)
    except (AttributeError, TypeError, ValueError):
        text = repr(value)
    text = "".join(map(_escape_invisible, text))
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"


def name_differences(found: str, expected: str) -> str:
    """Names of the characters in which two texts differ, in parentheses, if they look alike.

    That is, if they differ in white space, invisible characters or letters of another script only.
    Otherwise the result is empty: the difference can be seen.
    """
    matcher = SequenceMatcher(None, found, expected, autojunk=False)
    differences = [
        (found[start:end], expected[other_start:other_end])
        for kind, start, end, other_start, other_end in matcher.get_opcodes()
        if kind != "equal"
    ]
    if not all(_look_alike(ours, theirs) for ours, theirs in differences):
        return ""
    named = dict.fromkeys(
        f"{_names(ours)} instead of {_names(theirs)}" for ours, theirs in differences
    )
    return f" (found {', '.join(list(named)[:_MAX_DIFFERENCES])})" if named else ""


def _look_alike(text: str, other: str) -> bool:
    """Whether texts have the same visible characters, or letters of which some are not ASCII."""
    if len(text) == len(other) <= _MAX_DIFFERENCES and not (text + other).isascii():
        return True
    visible = [
        [
            character
            for character in unicodedata.normalize("NFKC", part)
            if not character.isspace() and unicodedata.category(character) not in _INVISIBLE
        ]
        for part in (text, other)
    ]
    return visible[0] == visible[1]


def _names(text: str) -> str:
    """Code point and Unicode name of each character, or `nothing`."""
    names = [
        f"U+{ord(character):04X} "
        + unicodedata.name(character, _CONTROL_NAMES.get(character, "unnamed"))
        for character in text[:_MAX_DIFFERENCES]
    ]
    return " ".join(names) or "nothing"


def _escape_invisible(character: str) -> str:
    """A character as in JSON: escaped if it is a space other than U+0020, or has no shape."""
    if character == " " or unicodedata.category(character) not in _INVISIBLE:
        return character
    return json.dumps(character)[1:-1]
