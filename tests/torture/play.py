"""One scenario in a process of its own, and what came of it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.torture.acts import damage, floods, inputs, protocol, seeds, starts
from tests.torture.scenario import SCENARIOS
from tests.torture.stage import ROOT, NotHeld, NotRun, Stage, corpus

ACTS = (floods, starts, damage, inputs, protocol, seeds)
"""Imported, so that their scenarios are known."""
HELD, NOT_HELD, NOT_RUN = "held", "NOT HELD", "not run"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a scenario.

    Attributes:
        name: The scenario's.
        record: What it was acted out on.
        result: Held, not held or not run.
        told: What was done, how it broke, or why it was not run.
        seconds: How long it took.
    """

    name: str
    record: str
    result: str
    told: str
    seconds: float


def play(name: str, record: str, number: int, *, quick: bool, seconds: float) -> Outcome:
    """Act a scenario out in a process of its own, and end all that it started."""
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    command = [sys.executable, "-m", "tests.torture", "--act", name, "--record", record]
    command += ["--seed", str(number), "--folder", str(folder), *(["--quick"] if quick else [])]
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        output, _ = process.communicate(timeout=seconds)
        result, told = _read(output, process.returncode)
    except subprocess.TimeoutExpired:
        result, told = NOT_HELD, f"not done in {seconds:.0f} s"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        shutil.rmtree(folder, ignore_errors=True)
    return Outcome(name, record, result, told, time.monotonic() - started)


def act(name: str, record: str, number: int, folder: Path, *, quick: bool) -> None:
    """Act a scenario out here and print what came of it as a line of JSON."""
    chance = random.Random(f"{number} {name} {record}")  # noqa: S311 - not for secrets
    stage = Stage(folder, corpus(record), record, chance, quick)
    try:
        result, told = HELD, SCENARIOS[name].act(stage)
    except NotHeld as error:
        result, told = NOT_HELD, str(error)
    except NotRun as error:
        result, told = NOT_RUN, str(error)
    except Exception as error:  # noqa: BLE001 - whatever breaks, the promise was not kept
        result, told = NOT_HELD, f"{type(error).__name__}: {error}"
    sys.stdout.write(json.dumps([result, told]) + "\n")


def _read(output: str, code: int) -> tuple[str, str]:
    """What a scenario's process said last."""
    lines = output.splitlines()
    if code or not lines:
        return NOT_HELD, f"its process ended with {code}"
    result, told = json.loads(lines[-1])
    return result, told
