"""A frozen mirror under nginx, against the same answers live: all of them, and one of each kind."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks import parties
from benchmarks.fetch import Answer, fetch
from benchmarks.load import Load
from benchmarks.measurements import Bench
from benchmarks.servers import running
from benchmarks.tools import ROOT

LIST = "/v1/awards"
_CODED = {"Accept-Encoding": "gzip"}
"""What clients ask for, near enough all of them."""
_OTHERWISE = {"/"}
"""Addresses where a mirror gives the page that browsers get."""
_SHARED = (
    "content-type",
    "cache-control",
    "vary",
    "x-data-release",
    "link",
    "access-control-allow-origin",
)


def measure(bench: Bench) -> None:
    """Measure requests a second."""
    mirror = _frozen(bench.small)
    with ExitStack() as stack:
        live = stack.enter_context(running(parties.ours(bench.small)))
        frozen = stack.enter_context(running(parties.mirror(mirror)))
        lines = bench.small / "mirrored.txt"
        lines.write_text("\n".join(_addresses(bench, mirror, live, frozen)), "utf-8")
        item = f"{LIST}/{fetch(live, LIST).json()['data'][0]['id']}"
        loads: dict[str, Load] = {}
        for name, base in (("live", live), ("mirrored", frozen)):
            known = {"If-None-Match": fetch(base, LIST).header("etag")}
            bench.found.check(fetch(base, LIST, known).status == 304, f"The {name} 304 is one.")
            loads |= {
                f"{name}, every address": Load(base, "{line}", headers=_CODED, lines=lines),
                f"{name} list, gzip": Load(base, LIST, headers=_CODED),
                f"{name} list": Load(base, LIST),
                f"{name} item": Load(base, item),
                f"{name} 304": Load(base, LIST, headers=known),
            }
        bench.take_turns(loads)


def _addresses(bench: Bench, mirror: Path, live: str, frozen: str) -> list[str]:
    """Every address of a mirror at which it answers as the server does; all others are known."""
    entries = [json.loads(one) for one in (mirror / "manifest.ndjson").open(encoding="utf-8")]
    whole = [one["url"] for one in entries if "note" not in one and one["url"] not in _OTHERWISE]
    for url in whole:
        if _told(fetch(live, url)) != _told(fetch(frozen, url)):
            raise AssertionError(f"not so: {url} is the same under nginx and live")
    bench.found.check(
        len(whole) > len(entries) - 10,
        f"Body and headers of {len(whole):,} mirrored addresses are the live ones, under nginx.",
    )
    return whole


def _told(answer: Answer) -> tuple[object, ...]:
    return answer.status, *(answer.header(name) for name in _SHARED), answer.body


def _frozen(corpus: Path) -> Path:
    """A mirror of a compiled corpus, beside it."""
    folder = corpus / "mirror"
    files = ["--seed", str(corpus / "seed.json"), "--archive", str(corpus / "archive.sqlite")]
    command = [sys.executable, "-m", "app", "freeze", str(folder), *files]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return folder
