"""Seeds that must not be loaded: refused with the pointer, in bounded memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.torture.scenario import SHIPPED, scenario
from tests.torture.stage import ROOT, Stage, hold

Spoil = Callable[[str], str]
_GIGABYTE = 2**30
_MOST_MEMORY = 512 * 2**20
_AMOUNT = "/partnerships/0/investment_amount"
_TITLE = "/awards/0/title"


def _value(pointer: str, text: str) -> Spoil:
    """Puts a text where a JSON pointer leads, which need not be JSON."""

    def spoiled(seed: str) -> str:
        data: Any = json.loads(seed)
        holder: Any = data
        *steps, last = pointer.strip("/").split("/")
        for step in steps:
            holder = holder[int(step) if isinstance(holder, list) else step]
        holder[last] = "PLACE-TO-SPOIL"
        return json.dumps(data, ensure_ascii=False).replace('"PLACE-TO-SPOIL"', text)

    return spoiled


def _key(pointer: str, key: str) -> Spoil:
    """Adds a member before the first of the object where a JSON pointer leads."""

    def spoiled(seed: str) -> str:
        data: Any = json.loads(seed)
        holder: Any = data
        for step in pointer.strip("/").split("/") if pointer else []:
            holder = holder[int(step) if isinstance(holder, list) else step]
        holder["place-to-spoil"] = 0
        return json.dumps(data, ensure_ascii=False).replace('"place-to-spoil": 0', key)

    return spoiled


BAD: dict[str, tuple[Spoil, str]] = {
    "NaN": (_value(_AMOUNT, "NaN"), _AMOUNT),
    "Infinity": (_value(_AMOUNT, "-Infinity"), _AMOUNT),
    "1e999": (_value(_AMOUNT, "1e999"), _AMOUNT),
    "2^53+1": (_value(_AMOUNT, str(2**53 + 1)), _AMOUNT),
    "2^63": (_value(_AMOUNT, str(2**63)), _AMOUNT),
    "5,000 digits": (_value(_AMOUNT, "9" * 5_000), _AMOUNT),
    "a float": (_value(_AMOUNT, "5000000.0"), _AMOUNT),
    "a number as text": (_value(_AMOUNT, '"5000000"'), _AMOUNT),
    "true for a number": (_value(_AMOUNT, "true"), _AMOUNT),
    "a lone surrogate": (_value(_TITLE, '"\\ud800"'), _TITLE),
    "a NUL in text": (_value(_TITLE, '"a\\u0000b"'), _TITLE),
    "a list for text": (_value(_TITLE, "[]"), _TITLE),
    "a duplicate key": (_key("/awards/0", '"title": "again"'), _TITLE),
    "a duplicate list": (_key("", '"awards": []'), "/awards"),
    "an unknown key": (_key("/awards/0", '"titel": "x"'), "/awards/0/titel"),
    "an unknown list": (_key("", '"grants": []'), "/grants"),
    "deep nesting": (_value(_TITLE, "[" * 100_000 + "]" * 100_000), ""),
    "deep objects": (_value(_TITLE, '{"a":' * 100_000 + "1" + "}" * 100_000), ""),
    "no awards": (_value("/awards", "null"), "/awards"),
}
"""Ways to spoil a seed, and the pointer that must be told; empty where none can be."""


@scenario(
    "seeds",
    "NaN, 1e999, 2^53+1, twofold and unknown keys, depth: refused with the pointer",
    corpora=SHIPPED,
    quick=True,
)
def seeds(stage: Stage) -> str:
    """Spoil the seed in every way and try to load it."""
    folder = stage.copy()
    (folder / "archive.sqlite").unlink()
    good = stage.seed.read_text("utf-8")
    most = 0
    for name, (spoil, pointer) in BAD.items():
        (folder / "seed.json").write_text(spoil(good), "utf-8")
        said, memory = _refused(folder, name)
        hold(pointer in said, f"{name}: {pointer} is not told: {said[:300]}")
        most = max(most, memory)
    return f"{len(BAD)} seeds; at most {most / 2**20:.0f} MiB"


@scenario("giants", "1 GB of string, number or list: refused, bounded memory", corpora=SHIPPED)
def giants(stage: Stage) -> str:
    """Write a gigabyte where a word should stand and try to load it."""
    folder = stage.copy()
    (folder / "archive.sqlite").unlink()
    good = stage.seed.read_text("utf-8")
    told = []
    for name, before, filled, after in (
        ("string", '"', b"a", '"'),
        ("number", "", b"9", ""),
        ("list", "[", b"1,", "1]"),
        ("open brackets", "", b"[", ""),
    ):
        spoiled = _value(_TITLE, "\x00")(good)
        head, _, tail = spoiled.partition("\x00")
        with (folder / "seed.json").open("wb") as file:
            file.write((head + before).encode())
            for piece in _gigabyte(filled):
                file.write(piece)
            file.write((after + tail).encode())
        _, memory = _refused(folder, f"1 GB of {name}")
        told.append(f"{name} {memory / 2**20:.0f} MiB")
    return "1 GB each; most memory: " + ", ".join(told)


def _gigabyte(filled: bytes) -> Iterator[bytes]:
    piece = filled * (2**20 // len(filled))
    for _ in range(_GIGABYTE // len(piece)):
        yield piece


def _refused(folder: Path, name: str) -> tuple[str, int]:
    """What is said of a seed that must be refused, and the most memory that it took."""
    said = folder / "said.log"
    command = [sys.executable, "-m", "app", "build", "--seed", str(folder / "seed.json")]
    command += ["--archive", str(folder / "archive.sqlite")]
    with said.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    told = said.read_text("utf-8", "replace")
    hold(process.returncode == 1, f"{name}: exit code {process.returncode}: {told[-300:]}")
    hold("Traceback" not in told, f"{name}: a traceback")
    hold(len(told) < 20_000, f"{name}: {len(told)} characters are said")
    hold(not (folder / "archive.sqlite").exists(), f"{name}: an archive stands there")
    memory = usage.ru_maxrss * 1024
    hold(memory < _MOST_MEMORY, f"{name}: {memory / 2**20:.0f} MiB of memory")
    return told, memory
