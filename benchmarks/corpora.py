"""Compiled corpora, generated once and reused by later runs."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.corpus import write_corpus
from benchmarks.peer_data import write_peer_data
from benchmarks.tools import PEERS, ROOT

_COMPILE = (
    "import sys; from pathlib import Path; from app.archive.release import build_if_stale; "
    "build_if_stale(*map(Path, sys.argv[1:]))"
)


def generated(resources: int) -> Path:
    """Directory of a compiled, generated corpus with at least `resources` resources.

    It also holds the same data in the peers' formats.
    """
    return _compile(generated_seed(resources).parent)


def generated_seed(resources: int) -> Path:
    """Seed of a generated corpus with at least `resources` resources, in a directory of its own."""
    digest = hashlib.sha256((Path(__file__).parent / "corpus.py").read_bytes()).hexdigest()
    folder = PEERS / "corpora" / f"{resources}-{digest[:12]}"
    if not (folder / "seed.json").exists():
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        write_corpus(unfinished, resources)
        unfinished.rename(folder)
    return folder / "seed.json"


def shipped() -> Path:
    """Directory of the compiled shipped record."""
    folder = PEERS / "corpora" / "shipped"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("seed.json", "regions.geojson"):
        shutil.copy2(ROOT / "data" / name, folder / name)
    return _compile(folder)


def _compile(folder: Path) -> Path:
    """Compile the seed of a directory in a subprocess, so that its memory is freed afterwards."""
    archive = folder / "archive.sqlite"
    files = [str(folder / "seed.json"), str(archive)]
    subprocess.run([sys.executable, "-c", _COMPILE, *files], cwd=ROOT, check=True)
    write_peer_data(archive, folder)
    return folder
