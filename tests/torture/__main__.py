"""Act every scenario out and print a table: `python -m tests.torture`."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.torture.play import HELD, NOT_HELD, Outcome, act, play
from tests.torture.scenario import BOTH, SCENARIOS, Scenario
from tests.torture.stage import corpus

_MOST_SECONDS = 600.0
_AT_LEAST = 5.0


def main() -> None:
    """Run what the command line asks for; exit with 1 where a promise was broken."""
    asked = _arguments()
    if asked.act:
        act(asked.act, asked.record[0], asked.seed, asked.folder, quick=asked.quick)
        return
    number = secrets.randbelow(10**9) if asked.seed is None else asked.seed
    sys.stdout.write(f"Seed {number}: --seed {number} does the same again.\n\n")
    sys.stdout.flush()
    outcomes = list(_outcomes(asked, number))
    broken = sum(one.result == NOT_HELD for one in outcomes)
    held = sum(one.result == HELD for one in outcomes)
    rest = len(outcomes) - held - broken
    sys.stdout.write(f"\n{held} held, {broken} not held, {rest} not run. Seed {number}.\n")
    sys.exit(1 if broken else 0)


def _outcomes(asked: argparse.Namespace, number: int) -> Iterator[Outcome]:
    """What came of every scenario, each told as a row as soon as it is known."""
    for record in asked.record:
        sys.stderr.write(f"preparing the {record} record\n")
        corpus(record)
    _row(("scenario", "record", "what was done", "result", "seconds"))
    _row(("---", "---", "---", "---", "---:"))
    deadline = time.monotonic() + asked.minutes * 60
    todo = [
        (one, record)
        for record in asked.record
        for one in SCENARIOS.values()
        if record in one.corpora and one.name in (asked.only or SCENARIOS)
    ]

    def played(what: tuple[Scenario, str]) -> Outcome:
        left = max(deadline - time.monotonic(), _AT_LEAST)
        return play(what[0].name, what[1], number, quick=asked.quick, seconds=left)

    with ThreadPoolExecutor(asked.jobs) as crew:
        for (one, _), outcome in zip(todo, crew.map(played, todo), strict=True):
            told = f"{one.promise}: {outcome.told}".replace("|", "\\|").replace("\n", " ")
            result = outcome.result if outcome.result == HELD else f"**{outcome.result}**"
            _row((one.name, outcome.record, told, result, f"{outcome.seconds:.1f}"))
            yield outcome


def _row(cells: Sequence[str]) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seed", type=int, help="what chance begins with (told, else by chance)")
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="only this scenario")
    parser.add_argument("--record", action="append", choices=BOTH, help="only on this record")
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.add_argument("--minutes", type=float, default=_MOST_SECONDS / 60, help="at most (10)")
    parser.add_argument("--jobs", type=int, default=2, help="scenarios at the same time (2)")
    parser.add_argument("--act", choices=SCENARIOS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked.record = asked.record or list(BOTH)
    return asked


if __name__ == "__main__":
    main()
