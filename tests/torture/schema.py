"""Whatever schemathesis thinks of to send, with three seeds, 3,000 cases or more: `make fuzz`."""

from __future__ import annotations

import argparse
import json
import random
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.published import ENVIRONMENT
from tests.torture.stage import ROOT, NotHeld, Server, Stage, corpus, hold

_SEEDS = 3
_FEWEST_CASES = 3_000


def tried(server: Server, number: int, folder: Path) -> int:
    """Try every operation in every phase with a seed and return the number of cases.

    Raises:
        NotHeld: A check failed, or something could not be tried.
    """
    report = folder / f"{number}.json"
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", "run", "--seed", str(number)]
    command += ["--report", "json", "--report-json-path", str(report)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{server.port}/openapi.json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    hold(done.returncode == 0, f"seed {number}: {done.stdout[-5_000:]}{done.stderr[-2_000:]}")
    told = json.loads(report.read_text("utf-8"))
    operations = told["operations"]
    hold(operations["tested"] == operations["total"] > 0, f"seed {number}: {operations}")
    cases: int = told["test_cases"]["generated"]
    return cases


def main() -> None:
    """Try three seeds; exit with 1 where a check failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.schema", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first of three (told, else by chance)")
    asked = parser.parse_args()
    first = secrets.randbelow(10**9) if asked.seed is None else asked.seed
    total = 0
    with tempfile.TemporaryDirectory(prefix="schema-") as folder:
        chance = random.Random(first)  # noqa: S311 - not for secrets
        stage = Stage(Path(folder), corpus("shipped"), "shipped", chance, quick=False)
        try:
            with stage.serving(**ENVIRONMENT) as server:
                for number in range(first, first + _SEEDS):
                    cases = tried(server, number, Path(folder))
                    sys.stdout.write(f"Seed {number}: {cases:,} cases, every check held.\n")
                    sys.stdout.flush()
                    total += cases
            hold(total >= _FEWEST_CASES, f"only {total:,} cases")
        except NotHeld as error:
            sys.exit(f"NOT HELD: {error}")
    sys.stdout.write(f"{total:,} cases in all.\n")


if __name__ == "__main__":
    main()
