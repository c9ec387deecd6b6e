"""Invalid seeds: rejected with a JSON pointer, in bounded memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.torture.context import ROOT, ScenarioContext, check
from tests.torture.scenario import SHIPPED, scenario

SeedEdit = Callable[[str], str]
_GIBIBYTE = 2**30
_MAX_MEMORY_BYTES = 512 * 2**20
_AMOUNT = "/partnerships/0/investment_amount"
_TITLE = "/awards/0/title"


def _set_value(pointer: str, text: str) -> SeedEdit:
    """An edit that puts text, valid JSON or not, at a JSON pointer."""

    def edit(seed: str) -> str:
        data: Any = json.loads(seed)
        parent: Any = data
        *steps, last = pointer.strip("/").split("/")
        for step in steps:
            parent = parent[int(step) if isinstance(parent, list) else step]
        parent[last] = "PLACEHOLDER"
        return json.dumps(data, ensure_ascii=False).replace('"PLACEHOLDER"', text)

    return edit


def _add_member(pointer: str, key: str) -> SeedEdit:
    """An edit that adds a member to the object at a JSON pointer."""

    def edit(seed: str) -> str:
        data: Any = json.loads(seed)
        parent: Any = data
        for step in pointer.strip("/").split("/") if pointer else []:
            parent = parent[int(step) if isinstance(parent, list) else step]
        parent["placeholder"] = 0
        return json.dumps(data, ensure_ascii=False).replace('"placeholder": 0', key)

    return edit


INVALID_SEEDS: dict[str, tuple[SeedEdit, str]] = {
    "NaN": (_set_value(_AMOUNT, "NaN"), _AMOUNT),
    "Infinity": (_set_value(_AMOUNT, "-Infinity"), _AMOUNT),
    "1e999": (_set_value(_AMOUNT, "1e999"), _AMOUNT),
    "2^53+1": (_set_value(_AMOUNT, str(2**53 + 1)), _AMOUNT),
    "2^63": (_set_value(_AMOUNT, str(2**63)), _AMOUNT),
    "5,000 digits": (_set_value(_AMOUNT, "9" * 5_000), _AMOUNT),
    "a float": (_set_value(_AMOUNT, "5000000.0"), _AMOUNT),
    "a number as text": (_set_value(_AMOUNT, '"5000000"'), _AMOUNT),
    "true for a number": (_set_value(_AMOUNT, "true"), _AMOUNT),
    "a lone surrogate": (_set_value(_TITLE, '"\\ud800"'), _TITLE),
    "a NUL in text": (_set_value(_TITLE, '"a\\u0000b"'), _TITLE),
    "a list for text": (_set_value(_TITLE, "[]"), _TITLE),
    "a duplicate key": (_add_member("/awards/0", '"title": "again"'), _TITLE),
    "a duplicate list": (_add_member("", '"awards": []'), "/awards"),
    "an unknown key": (_add_member("/awards/0", '"titel": "x"'), "/awards/0/titel"),
    "an unknown list": (_add_member("", '"grants": []'), "/grants"),
    "deep nesting": (_set_value(_TITLE, "[" * 100_000 + "]" * 100_000), ""),
    "deep objects": (_set_value(_TITLE, '{"a":' * 100_000 + "1" + "}" * 100_000), ""),
    "no awards": (_set_value("/awards", "null"), "/awards"),
}
"""Edits that make a seed invalid, and the JSON pointer to report; empty if there is none."""


@scenario(
    "invalid-seeds",
    "NaN, 1e999, 2^53+1, duplicate and unknown keys, depth: rejected with the pointer",
    records=SHIPPED,
    quick=True,
)
def invalid_seeds(context: ScenarioContext) -> str:
    """Make the seed invalid in each way and try to build it."""
    folder = context.copy_corpus()
    (folder / "archive.sqlite").unlink()
    valid_seed = context.seed.read_text("utf-8")
    peak_memory = 0
    names = context.rng.sample([*INVALID_SEEDS], context.rounds(len(INVALID_SEEDS), 0, 6))
    for name in names:
        edit, pointer = INVALID_SEEDS[name]
        (folder / "seed.json").write_text(edit(valid_seed), "utf-8")
        output, memory = _build_rejected(folder, name)
        check(pointer in output, f"{name}: {pointer} is not reported: {output[:300]}")
        peak_memory = max(peak_memory, memory)
    return f"{', '.join(names)}; peak memory {peak_memory / 2**20:.0f} MiB"


@scenario(
    "huge-seeds", "1 GB of string, number or list: rejected in bounded memory", records=SHIPPED
)
def huge_seeds(context: ScenarioContext) -> str:
    """Write a gigabyte in place of a title and try to build the seed."""
    folder = context.copy_corpus()
    (folder / "archive.sqlite").unlink()
    valid_seed = context.seed.read_text("utf-8")
    results = []
    for name, prefix, filling, suffix in (
        ("string", '"', b"a", '"'),
        ("number", "", b"9", ""),
        ("list", "[", b"1,", "1]"),
        ("open brackets", "", b"[", ""),
    ):
        edited = _set_value(_TITLE, "\x00")(valid_seed)
        head, _, tail = edited.partition("\x00")
        with (folder / "seed.json").open("wb") as file:
            file.write((head + prefix).encode())
            for chunk in _gibibyte(filling):
                file.write(chunk)
            file.write((suffix + tail).encode())
        _, memory = _build_rejected(folder, f"1 GB of {name}")
        results.append(f"{name} {memory / 2**20:.0f} MiB")
    return "1 GB each; peak memory: " + ", ".join(results)


def _gibibyte(filling: bytes) -> Iterator[bytes]:
    """About 2^30 bytes in chunks."""
    chunk = filling * (2**20 // len(filling))
    for _ in range(_GIBIBYTE // len(chunk)):
        yield chunk


def _build_rejected(folder: Path, name: str) -> tuple[str, int]:
    """Build a seed that must be rejected. Returns the output and peak memory (RSS) in bytes."""
    log_path = folder / "build.log"
    command = [sys.executable, "-m", "app", "build", "--seed", str(folder / "seed.json")]
    command += ["--archive", str(folder / "archive.sqlite")]
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    output = log_path.read_text("utf-8", "replace")
    check(process.returncode == 1, f"{name}: exit code {process.returncode}: {output[-300:]}")
    check("Traceback" not in output, f"{name}: a traceback")
    check(len(output) < 20_000, f"{name}: {len(output)} characters of output")
    check(not (folder / "archive.sqlite").exists(), f"{name}: an archive was written")
    memory = usage.ru_maxrss * 1024
    check(memory < _MAX_MEMORY_BYTES, f"{name}: {memory / 2**20:.0f} MiB of memory")
    return output, memory
