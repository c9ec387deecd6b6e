"""Results of checks, for the report of `cpc-record verify`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.seed.errors import Issue


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report.

    Attributes:
        name: What was checked.
        summary: The result in numbers.
        issues: Each failure with its JSON pointer; empty if the check passed.
        differences: How a copy differs from what is cited, where that is no failure.
        skipped: Whether nothing was checked; the summary gives the reason.
    """

    name: str
    summary: str
    issues: Sequence[Issue] = ()
    differences: Sequence[Issue] = ()
    skipped: bool = False
