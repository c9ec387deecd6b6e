"""Measurements as Markdown."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figures import FIGURES, Figure
from benchmarks.measurements import Bench, Measurements


def report(bench: Bench, scenes: Sequence[str]) -> str:
    """The page of one run."""
    return "\n".join([*_head(bench), *_figures(bench.found, scenes), *_values(bench.found)]) + "\n"


def _head(bench: Bench) -> Iterator[str]:
    yield "# Results"
    yield ""
    yield (
        f"Written by `make bench`: {bench.rounds} rounds of {bench.seconds:g} s for each load, in "
        "turn. Ratios are of medians within this run; the range is of the rounds. How it is "
        "measured, and how to read it: [README](README.md)."
    )
    yield ""
    yield f"{_processor()}; Python {platform.python_version()}; {platform.system()}."
    yield ""


def _figures(found: Measurements, scenes: Sequence[str]) -> Iterator[str]:
    yield "| what | over | under | ratio | range | wanted | reached |"
    yield "| --- | ---: | ---: | ---: | ---: | --- | --- |"
    for figure in FIGURES:
        if figure.scene in scenes:
            yield f"| {' | '.join(_row(figure, found))} |"
    yield ""


def _row(figure: Figure, found: Measurements) -> tuple[str, ...]:
    names = [name for name in (figure.over, figure.under) if name]
    wanted = f"{figure.wanted} {figure.target:,g}" if figure.target is not None else ""
    if not all(found.values[name] for name in names):
        reasons = [found.missing[one] for one in (figure.scene, *names) if one in found.missing]
        return figure.what, "", "", "not run", "; ".join(reasons), wanted, ""
    shown = [_shown(found, name) for name in names]
    ratio = found.median(names[0]) / (found.median(names[1]) if figure.under else 1)
    below = found.values[figure.under] if figure.under else [1.0] * len(found.values[names[0]])
    rounds = [one / other for one, other in zip(found.values[names[0]], below, strict=True)]
    between = f"{_number(min(rounds))} to {_number(max(rounds))}"
    reached = _reached(figure, ratio)
    return figure.what, shown[0], "".join(shown[1:]), _number(ratio), between, wanted, reached


def _reached(figure: Figure, ratio: float) -> str:
    if figure.target is None:
        return ""
    enough = ratio >= figure.target if figure.wanted == "at least" else ratio <= figure.target
    return "yes" if enough else "**no**"


def _values(found: Measurements) -> Iterator[str]:
    yield "## What was measured"
    yield ""
    yield "| | median | lowest | highest | rounds |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name, values in found.values.items():
        if values:
            ends = f"{_number(min(values))} | {_number(max(values))} | {len(values)}"
            yield f"| {name} | {_shown(found, name)} | {ends} |"
    yield ""
    for name, reason in found.missing.items():
        yield f"- Not run: {name}: {reason}."
    yield "## What was checked"
    yield ""
    for sentence in found.checks:
        yield f"- {sentence}"


def _shown(found: Measurements, name: str) -> str:
    unit = found.units[name]
    return f"{_number(found.median(name))}{'' if unit == '/s' else ' '}{unit}"


def _number(value: float) -> str:
    """Three figures that count, no fewer than the whole part has."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.{2 if value >= 1 else 3}f}"


def _processor() -> str:
    try:
        named = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    except OSError:
        named = None
    return named[1].strip() if named else platform.machine()
