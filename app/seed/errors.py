"""What is wrong with a seed file: every issue, each with its place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong with a seed file.

    Attributes:
        pointer: Where, as a JSON pointer (RFC 6901).
        found: What stands there.
        expected: What would be right.
    """

    pointer: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.pointer or '(whole file)'}: found {self.found}; expected {self.expected}"


class SeedError(Exception):
    """A seed file that cannot be served; `issues` lists everything that is wrong with it."""

    def __init__(self, path: Path, issues: Sequence[Issue]) -> None:
        self.path = path
        self.issues = tuple(issues)
        count = f"{len(issues)} issue" + ("s" if len(issues) != 1 else "")
        super().__init__(f"{path}: {count}\n" + "\n".join(f"  {issue}" for issue in issues))


def format_value(value: object) -> str:
    """A value as JSON, cut to a readable length."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
