"""Blocks of code on the pages of the documentation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Snippet:
    """A block of code on a page.

    Attributes:
        heading: The heading that it stands under.
        language: What follows its opening fence.
        code: Its lines.
    """

    heading: str
    language: str
    code: str


def snippets(page: Path) -> list[Snippet]:
    """Every block of code in the sections of a page, in order."""
    sections = re.split(r"^###? (.*)\n", page.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return [
        Snippet(heading, language, code)
        for heading, text in zip(sections[::2], sections[1::2], strict=True)
        for language, code in re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    ]
