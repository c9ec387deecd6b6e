"""Measure everything, print a table and write it down: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import corpora, tools
from benchmarks.measurements import Bench
from benchmarks.report import report
from benchmarks.scenes import (
    cold,
    compile,  # noqa: A004
    kept,
    mirror,
    scale,
    search,
    stall,
    start,
    wire,
)

RESULTS = Path(__file__).parent / "RESULTS.md"
SCENES = {
    "kept": kept.measure,
    "cold": cold.measure,
    "scale": scale.measure,
    "search": search.measure,
    "stall": stall.measure,
    "compile": compile.measure,
    "start": start.measure,
    "wire": wire.measure,
    "mirror": mirror.measure,
}


def main() -> None:
    """Run what the command line asks for."""
    asked = _arguments()
    names = asked.only or list(SCENES)
    try:
        tools.pin_clients()
        tools.install()
    except tools.Missing as error:
        sys.exit(f"Nothing can be measured: {error}.")
    _say("preparing the corpora")
    bench = Bench(
        asked.seconds,
        asked.rounds,
        corpora.shipped(),
        corpora.made_up(500),
        corpora.made_up(100_000),
    )
    _measure(bench, names)
    page = report(bench, names)
    sys.stdout.write(page)
    if asked.only is None:
        RESULTS.write_text(page, "utf-8")


def _measure(bench: Bench, names: Sequence[str]) -> None:
    for name in names:
        _say(f"measuring: {name}")
        try:
            SCENES[name](bench)
        except tools.Missing as error:
            bench.found.missing[name] = str(error)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=_positive, default=1, help="length of one load (1)")
    parser.add_argument("--rounds", type=_positive, default=11, help="rounds of each (11)")
    parser.add_argument(
        "--only",
        action="append",
        choices=SCENES,
        help="only this scene; repeat it for several; nothing is written then",
    )
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 600:
        raise argparse.ArgumentTypeError("expected a whole number from 1 to 600")
    return number


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
