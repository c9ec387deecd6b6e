"""Damaged archives, missing files, and disks that are read-only or full."""

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

from tests.torture.context import ScenarioContext, Server, Skipped, check
from tests.torture.scenario import scenario

_PAGE_BYTES = 4096
Damage = Callable[[Path, random.Random], None]


def _truncate(archive: Path, rng: random.Random) -> None:
    os.truncate(archive, rng.randrange(archive.stat().st_size))


def _truncate_at_page(archive: Path, rng: random.Random) -> None:
    os.truncate(archive, rng.randrange(1, archive.stat().st_size // _PAGE_BYTES) * _PAGE_BYTES)


def _append(archive: Path, rng: random.Random) -> None:
    with archive.open("ab") as file:
        file.write(rng.randbytes(_PAGE_BYTES))


def _overwrite_randomly(archive: Path, rng: random.Random) -> None:
    """Overwrite random positions with random bytes."""
    size = archive.stat().st_size
    with archive.open("r+b") as file:
        for _ in range(64):
            file.seek(rng.randrange(size))
            file.write(rng.randbytes(rng.randint(1, 64)))


def _replace_by_noise(archive: Path, rng: random.Random) -> None:
    """Replace the file by random bytes."""
    archive.write_bytes(rng.randbytes(100_000))


def _invert_page(archive: Path, rng: random.Random) -> None:
    """Invert all bits of a page."""
    with archive.open("r+b") as file:
        file.seek(rng.randrange(archive.stat().st_size // _PAGE_BYTES) * _PAGE_BYTES)
        page = file.read(_PAGE_BYTES)
        file.seek(-_PAGE_BYTES, os.SEEK_CUR)
        file.write(bytes(byte ^ 0xFF for byte in page))


def _flip_bit(archive: Path, rng: random.Random) -> None:
    with archive.open("r+b") as file:
        position = rng.randrange(archive.stat().st_size)
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ (1 << rng.randrange(8))]))


def _zero_pages(archive: Path, rng: random.Random) -> None:
    """Zero some pages, as if they had not been written before a power failure."""
    with archive.open("r+b") as file:
        file.seek(rng.randrange(archive.stat().st_size // _PAGE_BYTES) * _PAGE_BYTES)
        file.write(bytes(8 * _PAGE_BYTES))


def _empty(archive: Path, _: random.Random) -> None:
    archive.write_bytes(b"")


def _delete(archive: Path, _: random.Random) -> None:
    archive.unlink()


DAMAGE_BEFORE_START: dict[str, Damage] = {
    "truncated": _truncate,
    "truncated at a page": _truncate_at_page,
    "extended": _append,
    "overwritten in places": _overwrite_randomly,
    "replaced by random bytes": _replace_by_noise,
    "a page inverted": _invert_page,
    "a bit flipped": _flip_bit,
    "pages zeroed": _zero_pages,
    "empty": _empty,
    "deleted": _delete,
}


@scenario(
    "damaged-archive",
    "a damaged archive is rebuilt and never served in part",
    quick=True,
)
def damaged_archive(context: ScenarioContext) -> str:
    """Damage the archive in each way, start a server and compare all pages."""
    rounds = context.rounds(2, 1, 1)
    damages = list(DAMAGE_BEFORE_START)
    if context.large or context.quick:
        damages = context.rng.sample(damages, 2)
    with context.serve() as server:
        expected = context.page_digests(server)
    folder = context.copy_corpus()
    archive = folder / "archive.sqlite"
    for name in damages:
        for _ in range(rounds):
            DAMAGE_BEFORE_START[name](archive, context.rng)
            with context.serve(folder / "seed.json", archive) as server:
                check(context.page_digests(server) == expected, f"{name}: different data")
    return f"{', '.join(damages)}; {rounds} each: all rebuilt with the same pages"


DAMAGE_WHILE_SERVING: dict[str, Damage] = {
    "deleted": _delete,
    "truncated": _truncate,
    "empty": _empty,
}


@scenario(
    "archive-removed",
    "an archive deleted or truncated while it is served: correct pages or problem documents",
)
def archive_removed(context: ScenarioContext) -> str:
    """Delete or truncate the file of a running server. It recovers without a restart."""
    with context.serve() as server:
        expected = context.page_digests(server)
    results = []
    damages = list(DAMAGE_WHILE_SERVING)
    if context.large:
        damages = context.rng.sample(damages, 1)
    for name in damages:
        folder = context.copy_corpus()
        archive = folder / "archive.sqlite"
        with context.serve(folder / "seed.json", archive, CACHE_BYTES="0") as server:
            DAMAGE_WHILE_SERVING[name](archive, context.rng)
            correct = sum(_is_correct(server, page, digest) for page, digest in expected.items())
            check(
                correct == len(expected) or name != "deleted",
                f"{name}: not served",
            )
            results.append(f"{name}: {correct} of {len(expected)} pages, else a problem")
            check(server.process.poll() is None, f"{name}: the server died")
            _wait_for_recovery(context, server, expected, name)
    return "; ".join(results) + "; recovered while serving"


def _is_correct(server: Server, target: str, expected: str) -> bool:
    """Whether a page is unchanged. Otherwise it must be a problem or an aborted response."""
    response = server.get(target)
    if response.status == 200 and response.is_complete:
        digest = sha256(response.body).hexdigest()
        check(digest == expected.rpartition(" ")[2], f"{target}: different data with status 200")
        return True
    media_type = response.header("content-type")
    is_problem = media_type == "application/problem+json"
    aborted = response.status == 200 or not response.status
    check(aborted or is_problem, f"{target}: {response.status} {media_type}")
    return False


def _wait_for_recovery(
    context: ScenarioContext, server: Server, expected: Mapping[str, str], name: str
) -> None:
    """Wait until every page is unchanged again, without a restart."""
    deadline = time.monotonic() + (300 if context.large else 90)
    while not all(_is_correct(server, page, digest) for page, digest in expected.items()):
        check(time.monotonic() < deadline, f"{name}: not recovered")
        time.sleep(0.5)


@scenario(
    "read-only-disk",
    "on a read-only disk a current archive is served, else one line and exit code 3",
)
def read_only_disk(context: ScenarioContext) -> str:
    """Start on a read-only disk with a current, a stale and a missing archive."""
    with _disk(context, megabytes=2_000 if context.large else 20) as disk:
        for name in ("seed.json", "regions.geojson", "archive.sqlite"):
            (disk / name).write_bytes((context.corpus / name).read_bytes())
        stale = disk / "stale.sqlite"
        stale.write_bytes(b"not an archive")
        _mount("-o", "remount,ro", str(disk))
        seed = disk / "seed.json"
        server = context.start_server(seed, disk / "archive.sqlite")
        ready = server.wait_until_ready()
        check(ready, f"the current archive is not served: {server.output()[-300:]}")
        check(server.stop() == 0, "the exit code is not 0")
        for archive in (stale, disk / "none.sqlite"):
            _expect_exit(context.start_server(seed, archive), 3)
    return "current archive served; stale and missing archives rejected with one line, exit code 3"


@scenario("full-disk", "a full disk: one clear line, exit code 3, no leftovers", quick=True)
def full_disk(context: ScenarioContext) -> str:
    """Let the disk fill up during the compilation, with disks of several sizes."""
    size = (context.corpus / "archive.sqlite").stat().st_size
    fractions = [0.4] if context.quick or context.large else [0.02, 0.4, 0.95]
    for fraction in fractions:
        with _disk(context, bytes_=max(int(size * fraction), 16_384)) as disk:
            _expect_exit(context.start_server(context.seed, disk / "archive.sqlite"), 3)
            leftovers = [path.name for path in disk.iterdir()]
            check(not leftovers, f"leftovers: {leftovers}")
    return f"disks of {', '.join(f'{fraction:.0%}' for fraction in fractions)} of the required size"


@scenario(
    "unwritable-folder",
    "a folder without write permission: one clear line, exit code 3",
    quick=True,
)
def unwritable_folder(context: ScenarioContext) -> str:
    """Start in a folder without write permission. Root first drops its override capability.

    Raises:
        Skipped: Root cannot drop the capability on this system.
    """
    command = [sys.executable, "-m", "app", "serve"]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
        if shutil.which("setpriv") is None:
            raise Skipped("setpriv is not installed")
    folder = context.folder / "unwritable"
    folder.mkdir()
    folder.chmod(0o555)
    _expect_exit(context.start_server(context.seed, folder / "archive.sqlite", *command), 3)
    check(not list(folder.iterdir()), "leftovers in the folder")
    return "rejected with one line, exit code 3"


def _expect_exit(server: Server, code: int) -> None:
    """Check that a server exits with a code after printing one line."""
    exit_code = server.process.wait(120)
    output = server.output()
    check(exit_code == code, f"exit code {exit_code}: {output[-500:]}")
    check("Traceback" not in output, f"a traceback: {output[-500:]}")
    check(len(output.strip().splitlines()) == 1, f"not one line: {output[-500:]}")


@contextmanager
def _disk(context: ScenarioContext, megabytes: int = 0, bytes_: int = 0) -> Iterator[Path]:
    """Mount a disk in memory (tmpfs) while the context is open.

    Raises:
        Skipped: The system does not allow mounting.
    """
    folder = context.folder / "disk"
    folder.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={megabytes * 2**20 or bytes_}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def _mount(*arguments: str) -> None:
    try:
        result = subprocess.run(["mount", *arguments], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise Skipped(f"mount is not installed: {error}") from None
    if result.returncode:
        raise Skipped(f"mounting is not allowed: {result.stderr.decode().strip()}")
