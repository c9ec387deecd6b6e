"""The corpora of a run, written once and kept for the next."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.corpus import write_corpus
from benchmarks.rows import write_rows
from benchmarks.tools import PEERS, ROOT

_COMPILE = (
    "import sys; from pathlib import Path; from app.archive.release import build_if_stale; "
    "build_if_stale(*map(Path, sys.argv[1:]))"
)


def made_up(resources: int) -> Path:
    """Folder of a compiled corpus of so many resources, and of its rows for the peers."""
    digest = hashlib.sha256((Path(__file__).parent / "corpus.py").read_bytes()).hexdigest()
    folder = PEERS / "corpora" / f"{resources}-{digest[:12]}"
    if not (folder / "seed.json").exists():
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        write_corpus(unfinished, resources)
        unfinished.rename(folder)
    return _compiled(folder)


def shipped() -> Path:
    """Folder of the shipped record, compiled."""
    folder = PEERS / "corpora" / "shipped"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("seed.json", "regions.geojson"):
        shutil.copy2(ROOT / "data" / name, folder / name)
    return _compiled(folder)


def _compiled(folder: Path) -> Path:
    """The same folder, with an archive; compiled elsewhere, so that its memory is given back."""
    archive = folder / "archive.sqlite"
    files = [str(folder / "seed.json"), str(archive)]
    subprocess.run([sys.executable, "-c", _COMPILE, *files], cwd=ROOT, check=True)
    write_rows(archive, folder)
    return folder
