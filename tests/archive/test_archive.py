"""The archive: compiled once a release, whole or not at all, then only read."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.archive.archive import APPLICATION_ID, Archive, ArchiveError
from app.archive.release import build_archive, build_if_stale, is_current
from app.seed.errors import SeedError
from app.seed.record import Record
from benchmarks.corpus import write_corpus
from tests.conftest import ROOT, SeedCopy, run_cli


def titles(archive: Archive) -> list[bytes]:
    """The titles of the awards."""
    rows = archive.connection.execute("SELECT title FROM awards ORDER BY id")
    return [title for (title,) in rows]


def files(folder: Path) -> set[str]:
    """What stands in a folder."""
    return {path.name for path in folder.iterdir()}


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Run code of the project in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_archive_is_compiled_once(seed: SeedCopy, tmp_path: Path) -> None:
    """What was compiled is recognized and left alone."""
    archive = tmp_path / "new" / "folder" / "archive.sqlite"
    assert build_if_stale(seed.path, archive)
    written = archive.stat()
    assert not build_if_stale(seed.path, archive)
    again = archive.stat()
    assert (again.st_ino, again.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    assert files(archive.parent) == {"archive.sqlite"}


def test_an_archive_is_its_seeds(record: Record, archive: Archive) -> None:
    """It names the seed's digest and holds as many rows as the record has."""
    assert archive.release == record.release
    for group in record.resources.values():
        assert archive.counts[group[0].collection] == len(group)
        table = group[0].collection
        rows = archive.connection.execute(f"SELECT id FROM {table} ORDER BY rowid")  # noqa: S608 - a name of the models
        assert [name.decode() for (name,) in rows] == [one.id for one in group]
    evidence = sum(len(cited) for one in record for cited in one.evidence.values())
    assert archive.counts["citations"] == evidence


def test_an_archive_of_another_seed_is_compiled_anew(seed: SeedCopy, tmp_path: Path) -> None:
    """A changed record shows in what is served."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(seed.path, archive)
    seed.put("/awards/0/title", "Another title")
    assert build_if_stale(seed.write(), archive)
    with closing(Archive.open(archive)) as opened:
        assert b"Another title" in titles(opened)


@pytest.mark.parametrize("moved", [False, True], ids=["written over", "moved into place"])
def test_a_change_that_hides_is_seen(seed: SeedCopy, tmp_path: Path, *, moved: bool) -> None:
    """Other content of the same length is recognized though the time of change was put back."""
    archive = tmp_path / "archive.sqlite"
    before, content = seed.path.stat(), seed.path.read_bytes()
    other = content.replace(b"Mobilizing resources", b"Mobilizing Resources", 1)
    assert len(other) == len(content) != content.find(other)
    target = tmp_path / "other.json" if moved else seed.path
    if moved:
        target.write_bytes(other)
    build_if_stale(seed.path, archive)
    target.write_bytes(other)
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
    target.replace(seed.path)
    assert seed.path.stat().st_mtime_ns == archive.stat().st_mtime_ns
    assert not is_current(seed.path, archive)
    assert build_if_stale(seed.path, archive)


def test_a_touched_seed_is_still_the_same(seed: SeedCopy, tmp_path: Path) -> None:
    """Another time of change alone does not make a seed another."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(seed.path, archive)
    os.utime(seed.path)
    assert not build_if_stale(seed.path, archive)


def cut(archive: Path) -> None:
    """Take the last byte away."""
    archive.write_bytes(archive.read_bytes()[:-1])


def halve(archive: Path) -> None:
    """Take the second half away, on a page's edge."""
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 8192 * 4096])


def lengthen(archive: Path) -> None:
    """Add a page."""
    archive.write_bytes(archive.read_bytes() + bytes(4096))


def scramble(archive: Path) -> None:
    """Put bytes there that mean nothing."""
    archive.write_bytes(os.urandom(100_000))


def empty(archive: Path) -> None:
    """Leave nothing."""
    archive.write_bytes(b"")


def replace_by_foreign(archive: Path) -> None:
    """Put another program's database there."""
    archive.unlink()
    with closing(sqlite3.connect(archive)) as connection:
        connection.execute("CREATE TABLE meta (key TEXT, value TEXT)")


def replace_by_hollow(archive: Path) -> None:
    """Put a database there that only claims to be an archive."""
    replace_by_foreign(archive)
    with closing(sqlite3.connect(archive)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def outdate(archive: Path) -> None:
    """Let other code have compiled it."""
    with closing(sqlite3.connect(archive)) as connection, connection:
        connection.execute("""UPDATE meta SET value = '"other"' WHERE key = 'compiler'""")


def garble(archive: Path) -> None:
    """Let its meta table hold no JSON."""
    with closing(sqlite3.connect(archive)) as connection, connection:
        connection.execute("UPDATE meta SET value = '{'")


SPOILERS = [cut, halve, lengthen, scramble, empty, replace_by_foreign, replace_by_hollow, garble]


@pytest.mark.parametrize("harm", [*SPOILERS, outdate, Path.unlink])
def test_a_broken_archive_is_compiled_anew(
    seed: SeedCopy, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """Whatever stands in the archive's place, the right bytes do afterwards."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(seed.path, archive)
    content = archive.read_bytes()
    harm(archive)
    assert build_if_stale(seed.path, archive)
    assert archive.read_bytes() == content


@pytest.mark.parametrize("harm", SPOILERS)
def test_a_broken_archive_is_not_opened(
    archive_file: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """Opening tells, in a sentence, that a file is no whole archive."""
    archive = tmp_path / "archive.sqlite"
    archive.write_bytes(archive_file.read_bytes())
    harm(archive)
    with pytest.raises(ArchiveError, match="is not a valid archive"):
        Archive.open(archive)


def test_a_folder_in_the_archives_place_is_told(seed: SeedCopy, tmp_path: Path) -> None:
    """A folder is not replaced; the sentence names it and nothing is left beside it."""
    archive = tmp_path / "archive"
    archive.mkdir()
    before = files(tmp_path)
    with pytest.raises(ArchiveError, match=f"Cannot write the archive {archive}: .*ARCHIVE_FILE"):
        build_if_stale(seed.path, archive)
    assert files(tmp_path) == before


def test_a_faulty_seed_changes_nothing(seed: SeedCopy, tmp_path: Path) -> None:
    """The archive of the last good seed stays, byte for byte."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(seed.path, archive)
    content, before = archive.read_bytes(), files(tmp_path)
    seed.put("/awards/0/ends", "2020-13")
    with pytest.raises(SeedError):
        build_if_stale(seed.write(), archive)
    assert archive.read_bytes() == content
    assert files(tmp_path) == before


@pytest.mark.process
def test_an_unwritable_folder_is_told(tmp_path: Path) -> None:
    """A place that cannot be written gives one sentence that says what to set, and code 3."""
    occupied = tmp_path / "file"
    occupied.write_bytes(b"kept")
    for archive in (occupied / "archive.sqlite", Path("/proc/archive/archive.sqlite")):
        said = run_cli("build", ARCHIVE_FILE=str(archive))
        assert said.returncode == 3
        assert said.stderr.lstrip().startswith(f"Cannot write the archive {archive}: ")
        assert "ARCHIVE_FILE" in said.stderr
        assert len(said.stderr.strip().splitlines()) == 1
    assert occupied.read_bytes() == b"kept"


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
sys.argv[1:] = ["build"]
from app.cli import main
main()
"""


@pytest.mark.process
def test_a_disk_quota_is_told(
    archive_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When writing fails halfway, the old archive stays and nothing is left beside it."""
    archive = tmp_path / "archive.sqlite"
    archive.write_bytes(archive_file.read_bytes())
    monkeypatch.setenv("ARCHIVE_FILE", str(archive))
    for measuring in [name for name in os.environ if name.startswith("COVERAGE_PROCESS")]:
        monkeypatch.delenv(measuring)  # it could not write either
    process = python(LIMITED)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 3
    assert said.lstrip().startswith(f"Cannot write the archive {archive}: ")
    assert "ARCHIVE_FILE" in said
    assert "Traceback" not in said
    assert archive.read_bytes() == archive_file.read_bytes()
    assert files(tmp_path) == {"archive.sqlite"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 200 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.process
def test_a_full_disk_is_told(small_disk: Path) -> None:
    """On a disk without room the file that was there stays, and nothing is left beside it."""
    archive = small_disk / "archive.sqlite"
    archive.write_bytes(b"kept")
    said = run_cli("build", ARCHIVE_FILE=str(archive))
    assert said.returncode == 3
    assert said.stderr.lstrip().startswith(f"Cannot write the archive {archive}: ")
    assert "Traceback" not in said.stderr
    assert archive.read_bytes() == b"kept"
    assert files(small_disk) == {"archive.sqlite"}


@pytest.mark.process
def test_a_read_only_disk_serves_what_is_there(small_disk: Path, seed: SeedCopy) -> None:
    """Nothing is written where the archive is current, and a stale one is told."""
    flags = ["mount", "-o", "remount,size=4m", str(small_disk)]
    subprocess.run(flags, check=True)
    archive = small_disk / "archive.sqlite"
    build_if_stale(seed.path, archive)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert not build_if_stale(seed.path, archive)
    Archive.open(archive).close()
    seed.put("/awards/0/title", "Another title")
    with pytest.raises(ArchiveError, match="Read-only file system"):
        build_if_stale(seed.write(), archive)
    Archive.open(archive).close()


PREPARE = """
import sys
from pathlib import Path
from app.archive.archive import Archive
from app.archive.release import build_if_stale
build_if_stale(Path(sys.argv[1]), Path(sys.argv[2]))
print(Archive.open(Path(sys.argv[2])).release)
"""


@pytest.mark.process
def test_four_can_start_at_once(
    record: Record, archive_file: Path, seed: SeedCopy, tmp_path: Path
) -> None:
    """Processes that all find an empty folder all come up, on the same bytes."""
    archive = tmp_path / "empty" / "archive.sqlite"
    processes = [python(PREPARE, seed.path, archive) for _ in range(4)]
    said = [process.communicate(timeout=60) for process in processes]
    assert said == [(f"{record.release}\n", "")] * 4
    assert archive.read_bytes() == archive_file.read_bytes()
    assert files(archive.parent) == {"archive.sqlite"}


KILLED = """
import os, signal, sys
from pathlib import Path
from app.archive.release import build_archive
def progress(done, total):
    os.kill(os.getpid(), signal.SIGKILL)
build_archive(Path(sys.argv[1]), Path(sys.argv[2]), progress)
"""


@pytest.mark.process
def test_a_killed_compilation_leaves_nothing_for_long(seed: SeedCopy, tmp_path: Path) -> None:
    """Killed halfway, it leaves no archive, and the next compilation sweeps what it left."""
    archive = tmp_path / "folder" / "archive.sqlite"
    process = python(KILLED, seed.path, archive)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert not archive.exists()
    assert files(archive.parent)
    assert build_if_stale(seed.path, archive)
    assert files(archive.parent) == {"archive.sqlite"}


def test_an_interrupted_compilation_cleans_up(seed: SeedCopy, tmp_path: Path) -> None:
    """Ctrl-C leaves the old archive and nothing beside it."""
    archive = tmp_path / "folder" / "archive.sqlite"
    build_if_stale(seed.path, archive)
    content = archive.read_bytes()

    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_archive(seed.path, archive, interrupt)
    assert archive.read_bytes() == content
    assert files(archive.parent) == {"archive.sqlite"}


def test_what_others_keep_beside_it_stays(seed: SeedCopy, tmp_path: Path) -> None:
    """Sweeping removes nothing but the project's own leftovers."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("archive.sqlite.bak", "notes.sqlite", ".archived"):
        (folder / name).write_bytes(b"kept")
    before = files(folder)
    build_archive(seed.path, folder / "archive.sqlite")
    assert files(folder) == before | {"archive.sqlite"}


def test_the_same_seed_gives_the_same_bytes(archive_file: Path, seed: SeedCopy) -> None:
    """Whenever and wherever it is compiled, even where paths have odd letters."""
    folder = seed.path.parent / "odd ?#%&'é"
    os.utime(seed.path, (0, 0))
    build_archive(seed.path, folder / "a.sqlite")
    assert (folder / "a.sqlite").read_bytes() == archive_file.read_bytes()
    Archive.open(folder / "a.sqlite").close()


def test_an_open_archive_cannot_be_changed(archive: Archive, archive_file: Path) -> None:
    """Every write is refused, and reading leaves no trace on the disk."""
    before = files(archive_file.parent)
    for statement in ("DELETE FROM awards", "CREATE TABLE more (id TEXT)", "PRAGMA user_version=1"):
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            archive.connection.execute(statement)
    assert titles(archive)
    assert files(archive_file.parent) == before


def test_an_open_archive_outlives_its_successor(seed: SeedCopy, tmp_path: Path) -> None:
    """Who has the old archive open reads it to the end; who opens next reads the new one."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(seed.path, archive)
    old = Archive.open(archive)
    before = titles(old)
    seed.put("/awards/0/title", "Another title")
    build_if_stale(seed.write(), archive)
    new = Archive.open(archive)
    assert titles(old) == before
    assert titles(new) != before
    assert old.release != new.release
    old.close()
    new.close()


def test_progress_is_told(tmp_path: Path) -> None:
    """Compiling tells how many bytes of the seed are done, of how many, up to all."""
    told: list[tuple[int, int]] = []
    seed = write_corpus(tmp_path, 5_000)
    build_archive(seed, tmp_path / "archive.sqlite", lambda *step: told.append(step))
    assert told == sorted(told)
    assert len(told) > 2
    assert told[-1] == (seed.stat().st_size, seed.stat().st_size)


def test_the_seed_is_never_overwritten(seed: SeedCopy) -> None:
    """An archive that is to be kept in the seed itself is refused, and the seed is untouched."""
    content = seed.path.read_bytes()
    with pytest.raises(ArchiveError, match="the seed itself"):
        build_archive(seed.path, seed.path)
    assert seed.path.read_bytes() == content
