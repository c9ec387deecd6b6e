"""The record's default answers from a mirror under nginx, against the same answers live."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks import parties
from benchmarks.fetch import fetch
from benchmarks.load import Load
from benchmarks.measurements import Bench
from benchmarks.servers import running
from benchmarks.tools import ROOT

LIST = "/v1/awards"
_SHARED = {"content-type", "cache-control", "vary", "x-data-release", "access-control-allow-origin"}


def measure(bench: Bench) -> None:
    """Measure requests a second."""
    mirror = _frozen(bench.small)
    with ExitStack() as stack:
        live = stack.enter_context(running(parties.ours(bench.small)))
        frozen = stack.enter_context(running(parties.mirror(mirror)))
        item = f"{LIST}/{fetch(live, LIST).json()['data'][0]['id']}"
        loads = {}
        for name, path in (("list", LIST), ("item", item)):
            ours, theirs = fetch(live, path), fetch(frozen, path)
            same = ours.body == theirs.body and all(
                ours.header(one) == theirs.header(one) for one in _SHARED
            )
            bench.found.check(same, f"The mirrored {name} is the live one, under nginx.")
            loads[f"live {name}"] = Load(live, path)
            loads[f"mirrored {name}"] = Load(frozen, path)
        for name, base in (("live 304", live), ("mirrored 304", frozen)):
            known = {"If-None-Match": fetch(base, LIST).header("etag")}
            bench.found.check(fetch(base, LIST, known).status == 304, f"The {name} is one.")
            loads[name] = Load(base, LIST, headers=known)
        bench.take_turns(loads)


def _frozen(corpus: Path) -> Path:
    """A mirror of a compiled corpus, beside it."""
    folder = corpus / "mirror"
    files = ["--seed", str(corpus / "seed.json"), "--archive", str(corpus / "archive.sqlite")]
    command = [sys.executable, "-m", "app", "freeze", str(folder), *files]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return folder
