"""Errors in a seed file, each with its location."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

_MAX_CHARACTERS = 80


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
    """A value as JSON, truncated to 80 characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=BaseModel.model_dump)
    except (AttributeError, TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"
