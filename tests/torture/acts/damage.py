"""Damage to the archive: at rest, while it is served, and where it cannot be written."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from tests.torture.scenario import scenario
from tests.torture.stage import NotRun, Server, Stage, hold

_PAGE = 4096
Damage = Callable[[Path, random.Random], None]


def _cut(archive: Path, chance: random.Random) -> None:
    os.truncate(archive, chance.randrange(archive.stat().st_size))


def _cut_at_page(archive: Path, chance: random.Random) -> None:
    os.truncate(archive, chance.randrange(1, archive.stat().st_size // _PAGE) * _PAGE)


def _grow(archive: Path, chance: random.Random) -> None:
    with archive.open("ab") as file:
        file.write(chance.randbytes(_PAGE))


def _scatter(archive: Path, chance: random.Random) -> None:
    """Random bytes at random places."""
    size = archive.stat().st_size
    with archive.open("r+b") as file:
        for _ in range(64):
            file.seek(chance.randrange(size))
            file.write(chance.randbytes(chance.randint(1, 64)))


def _replace(archive: Path, chance: random.Random) -> None:
    """Nothing but random bytes."""
    archive.write_bytes(chance.randbytes(100_000))


def _flip(archive: Path, chance: random.Random) -> None:
    """One page, other than it was."""
    with archive.open("r+b") as file:
        file.seek(chance.randrange(archive.stat().st_size // _PAGE) * _PAGE)
        page = file.read(_PAGE)
        file.seek(-_PAGE, os.SEEK_CUR)
        file.write(bytes(byte ^ 0xFF for byte in page))


def _flip_bit(archive: Path, chance: random.Random) -> None:
    with archive.open("r+b") as file:
        place = chance.randrange(archive.stat().st_size)
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ (1 << chance.randrange(8))]))


def _zero(archive: Path, chance: random.Random) -> None:
    """A run of pages that were never written, as after a loss of power."""
    with archive.open("r+b") as file:
        file.seek(chance.randrange(archive.stat().st_size // _PAGE) * _PAGE)
        file.write(bytes(8 * _PAGE))


def _empty(archive: Path, _: random.Random) -> None:
    archive.write_bytes(b"")


def _delete(archive: Path, _: random.Random) -> None:
    archive.unlink()


AT_REST: dict[str, Damage] = {
    "cut short": _cut,
    "cut at a page": _cut_at_page,
    "grown": _grow,
    "random bytes in it": _scatter,
    "random bytes instead": _replace,
    "a page flipped": _flip,
    "a bit flipped": _flip_bit,
    "pages zeroed": _zero,
    "empty": _empty,
    "deleted": _delete,
}


@scenario(
    "damaged", "a damaged archive is rebuilt, or refused in a line; never partial", quick=True
)
def damaged(stage: Stage) -> str:
    """Damage the archive in every way, start, and compare every page."""
    rounds = stage.rounds(2, 1, 1)
    kinds = stage.chance.sample(list(AT_REST), 2) if stage.large else list(AT_REST)
    with stage.serving() as server:
        expected = stage.pages(server)
    folder = stage.copy()
    archive = folder / "archive.sqlite"
    for name in kinds:
        for _ in range(rounds):
            AT_REST[name](archive, stage.chance)
            with stage.serving(folder / "seed.json", archive) as server:
                hold(stage.pages(server) == expected, f"{name}: other data")
    return f"{', '.join(kinds)}; {rounds} each: all rebuilt, same pages"


WHILE_SERVED: dict[str, Damage] = {
    "deleted": _delete,
    "cut short": _cut,
    "empty": _empty,
}


@scenario("pulled", "an archive deleted or cut while it is served: true pages or problems")
def pulled(stage: Stage) -> str:
    """Take the file away under a server; it gives the right page or says that it cannot."""
    with stage.serving() as server:
        expected = stage.pages(server)
    told = []
    kinds = stage.chance.sample(list(WHILE_SERVED), 1) if stage.large else list(WHILE_SERVED)
    for name in kinds:
        folder = stage.copy()
        archive = folder / "archive.sqlite"
        with stage.serving(folder / "seed.json", archive, CACHE_BYTES="0") as server:
            WHILE_SERVED[name](archive, stage.chance)
            right = sum(_right(server, target, known) for target, known in expected.items())
            hold(right == len(expected) or name != "deleted", "what is deleted is served no more")
            told.append(f"{name}: {right} of {len(expected)} pages, else a problem")
            hold(server.process.poll() is None, f"{name}: the server died")
            _mended(stage, server, expected, name)
    return "; ".join(told) + "; mended while serving"


def _right(server: Server, target: str, known: str) -> bool:
    """Whether a page is as it was; anything else must be a problem or break off."""
    reply = server.get(target)
    if reply.status == 200 and reply.whole:
        same = sha256(reply.body).hexdigest() == known.rpartition(" ")[2]
        hold(same, f"{target}: other data with status 200")
        return True
    said = reply.header("content-type")
    cut = reply.status == 200 or not reply.status
    hold(cut or said == "application/problem+json", f"{target}: {reply.status} {said}")
    return False


def _mended(stage: Stage, server: Server, expected: Mapping[str, str], name: str) -> None:
    """Wait until every page is as it was, without a restart."""
    deadline = time.monotonic() + (300 if stage.large else 90)
    while not all(_right(server, target, known) for target, known in expected.items()):
        hold(time.monotonic() < deadline, f"{name}: not mended")
        time.sleep(0.5)


@scenario("readonly", "a read-only disk: a current archive is served, else one line and code 3")
def readonly(stage: Stage) -> str:
    """Start on a disk that cannot be written, with the right archive and without one."""
    with _disk(stage, megabytes=2_000 if stage.large else 20) as disk:
        for name in ("seed.json", "regions.geojson", "archive.sqlite"):
            (disk / name).write_bytes((stage.corpus / name).read_bytes())
        stale = disk / "stale.sqlite"
        stale.write_bytes(b"not an archive")
        _mount("-o", "remount,ro", str(disk))
        seed = disk / "seed.json"
        copied = stage.start(seed, disk / "archive.sqlite")
        hold(copied.wait(), f"the current archive is not served: {copied.said()[-300:]}")
        hold(copied.stop() == 0, "it does not stop well")
        for archive in (stale, disk / "none.sqlite"):
            _refused(stage.start(seed, archive), 3)
    return "served as it is; stale and absent archives refused in a line, exit code 3"


@scenario("full", "a full disk: one clear line, exit code 3, nothing left over", quick=True)
def full(stage: Stage) -> str:
    """Let the disk fill up in the midst of the load, at several sizes."""
    size = (stage.corpus / "archive.sqlite").stat().st_size
    parts = [0.4] if stage.quick or stage.large else [0.02, 0.4, 0.95]
    for part in parts:
        with _disk(stage, bytes_=max(int(size * part), 16_384)) as disk:
            _refused(stage.start(stage.seed, disk / "archive.sqlite"), 3)
            left = [path.name for path in disk.iterdir()]
            hold(not left, f"left behind: {left}")
    return f"a disk of {', '.join(f'{part:.0%}' for part in parts)} of what is needed"


@scenario("permission", "a folder that may not be written: one clear line, exit code 3", quick=True)
def permission(stage: Stage) -> str:
    """Start where nothing may be written; root without the right to write anywhere.

    Raises:
        NotRun: Root cannot do without that right here.
    """
    command = [sys.executable, "-m", "app", "serve"]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
        if shutil.which("setpriv") is None:
            raise NotRun("there is no program setpriv")
    folder = stage.folder / "kept"
    folder.mkdir()
    folder.chmod(0o555)
    _refused(stage.start(stage.seed, folder / "archive.sqlite", *command), 3)
    hold(not list(folder.iterdir()), "something was left behind")
    return "refused in a line, exit code 3"


def _refused(server: Server, code: int) -> None:
    """Make sure that a server ends with a code and one clear line."""
    found = server.process.wait(120)
    said = server.said()
    hold(found == code, f"exit code {found}: {said[-500:]}")
    hold("Traceback" not in said, f"a traceback: {said[-500:]}")
    hold(len(said.strip().splitlines()) == 1, f"more than one line: {said[-500:]}")


@contextmanager
def _disk(stage: Stage, megabytes: int = 0, bytes_: int = 0) -> Iterator[Path]:
    """A disk of its own, in memory.

    Raises:
        NotRun: None can be mounted here.
    """
    folder = stage.folder / "disk"
    folder.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={megabytes * 2**20 or bytes_}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def _mount(*arguments: str) -> None:
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise NotRun(f"no program mount: {error}") from None
    if done.returncode:
        raise NotRun(f"nothing can be mounted here: {done.stderr.decode().strip()}")
