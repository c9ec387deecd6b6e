"""The scenario registry: a name, a promise, and a function that tries to break it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.torture.context import ScenarioContext

ScenarioFunction = Callable[[ScenarioContext], str]
BOTH = ("shipped", "large")
SHIPPED = ("shipped",)
LARGE = ("large",)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A registered scenario.

    Attributes:
        name: Name on the command line.
        promise: What must hold.
        run: Runs it and returns a summary; raises `CheckFailed`, or anything else, on failure.
        records: Names of the records it runs on.
        quick: Whether the test suite runs it too.
    """

    name: str
    promise: str
    run: ScenarioFunction
    records: tuple[str, ...]
    quick: bool


SCENARIOS: dict[str, Scenario] = {}
"""All scenarios by name, in the order in which they run."""


def scenario(
    name: str, promise: str, *, records: tuple[str, ...] = BOTH, quick: bool = False
) -> Callable[[ScenarioFunction], ScenarioFunction]:
    """Decorator that registers a function as a scenario."""

    def register(function: ScenarioFunction) -> ScenarioFunction:
        SCENARIOS[name] = Scenario(name, promise, function, records, quick)
        return function

    return register
