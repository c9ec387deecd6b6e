"""What is acted out: a name, a promise, and the act that tries to break it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.torture.stage import Stage

Act = Callable[[Stage], str]
BOTH = ("shipped", "large")
SHIPPED = ("shipped",)
LARGE = ("large",)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way of being tried.

    Attributes:
        name: What it is called on the command line.
        promise: What must hold.
        act: Does it and tells what was done; raises `NotHeld`, or anything else, where it broke.
        corpora: What it is acted out on.
        quick: Whether the tests act it out too.
    """

    name: str
    promise: str
    act: Act
    corpora: tuple[str, ...]
    quick: bool


SCENARIOS: dict[str, Scenario] = {}
"""Every scenario by name, in the order acted out."""


def scenario(
    name: str, promise: str, *, corpora: tuple[str, ...] = BOTH, quick: bool = False
) -> Callable[[Act], Act]:
    """Adds an act to the scenarios."""

    def added(act: Act) -> Act:
        SCENARIOS[name] = Scenario(name, promise, act, corpora, quick)
        return act

    return added
