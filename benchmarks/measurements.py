"""What was measured, by name, and what could not be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.load import Load, Result


@dataclass(slots=True)
class Measurements:
    """Values of every round by name.

    Attributes:
        values: One value a round, in the order measured.
        units: The unit of each name's values.
        checks: What was found to hold, in sentences.
        missing: Why a scene or a name was not measured.
    """

    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    units: dict[str, str] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: float, unit: str) -> None:
        """Note the value of one round."""
        self.values[name].append(value)
        self.units[name] = unit

    def median(self, name: str) -> float:
        """The middle of a name's values."""
        return median(self.values[name])

    def check(self, holds: bool, sentence: str) -> None:
        """Note what holds; a run in which it does not is worth nothing.

        Raises:
            AssertionError: It does not hold.
        """
        if not holds:
            raise AssertionError(f"not so: {sentence}")
        if sentence not in self.checks:
            self.checks.append(sentence)


@dataclass(frozen=True, slots=True)
class Bench:
    """How long and on what a run measures, and what it has measured so far.

    Attributes:
        seconds: Length of one load.
        rounds: How often each is measured, in turn with the others.
        shipped: Folder of the shipped record.
        small: Folder of a corpus of 500 resources.
        large: Folder of a corpus of 100,000 resources.
        found: What was measured.
    """

    seconds: float
    rounds: int
    shipped: Path
    small: Path
    large: Path
    found: Measurements = field(default_factory=Measurements)

    def take_turns(self, loads: Mapping[str, Load], *, latency: bool = False) -> None:
        """Run loads in turn, round after round, after one turn that is not counted."""
        for load in loads.values():
            load.run(1)
        for _ in range(self.rounds):
            for name, load in loads.items():
                self._note(name, load.run(self.seconds), latency=latency)

    def _note(self, name: str, result: Result, *, latency: bool) -> None:
        if latency:
            self.found.add(name, result.p50, "ms")
        else:
            self.found.add(name, result.rate, "/s")
