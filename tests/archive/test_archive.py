"""The archive is compiled once per release, atomically, and then only read."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest

from app.archive.archive import APPLICATION_ID, Archive, ArchiveError, archive_code_digest
from app.archive.release import build_archive, build_if_stale, is_current
from app.seed.errors import SeedError
from app.seed.record import Record
from benchmarks.corpus import write_corpus
from tests.conftest import ROOT, SEED, SeedCopy, run_cli


def award_titles(archive: Archive) -> list[bytes]:
    """Titles of the awards, ordered by id."""
    rows = archive.connection.execute("SELECT title FROM awards ORDER BY id")
    return [title for (title,) in rows]


def names(directory: Path) -> set[str]:
    """Names of the entries of a directory, hidden or not."""
    return {path.name for path in directory.iterdir()}


def start_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a process that runs Python code with the project importable."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_up_to_date_archive_is_not_compiled_again(seed: SeedCopy, tmp_path: Path) -> None:
    """`build_if_stale` leaves the file untouched."""
    archive = tmp_path / "new" / "folder" / "archive.sqlite"
    assert build_if_stale(seed.path, archive)
    written = archive.stat()
    assert not build_if_stale(seed.path, archive)
    again = archive.stat()
    assert (again.st_ino, again.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    assert names(archive.parent) == {"archive.sqlite"}


def test_an_archive_contains_the_record(record: Record, archive: Archive) -> None:
    """Its release is the seed's digest, and it has one row per resource and citation, in order."""
    assert archive.release == record.release
    for group in record.resources.values():
        assert archive.counts[group[0].collection] == len(group)
        table = group[0].collection
        rows = archive.connection.execute(f"SELECT id FROM {table} ORDER BY rowid")  # noqa: S608 - a name of the models
        assert [row_id.decode() for (row_id,) in rows] == [resource.id for resource in group]
    evidence = sum(len(group) for item in record for group in item.evidence.values())
    assert archive.counts["citations"] == evidence


def test_the_archive_of_a_changed_seed_is_rebuilt(seed: SeedCopy, tmp_path: Path) -> None:
    """The new archive contains the change."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(seed.path, archive)
    seed.put("/awards/0/title", "Another title")
    assert build_if_stale(seed.write(), archive)
    with closing(Archive.open(archive)) as opened:
        assert b"Another title" in award_titles(opened)


@pytest.mark.parametrize("moved", [False, True], ids=["overwritten", "moved into place"])
def test_a_change_with_a_forged_time_is_detected(
    seed: SeedCopy, tmp_path: Path, *, moved: bool
) -> None:
    """Different content of the same size is recognized although its modification time was reset."""
    archive = tmp_path / "archive.sqlite"
    status, content = seed.path.stat(), seed.path.read_bytes()
    other = content.replace(b"Mobilizing resources", b"Mobilizing Resources", 1)
    assert len(other) == len(content) != content.find(other)
    target = tmp_path / "other.json" if moved else seed.path
    if moved:
        target.write_bytes(other)
    build_if_stale(seed.path, archive)
    target.write_bytes(other)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    target.replace(seed.path)
    assert seed.path.stat().st_mtime_ns == archive.stat().st_mtime_ns
    assert not is_current(seed.path, archive)
    assert build_if_stale(seed.path, archive)


def test_a_new_modification_time_alone_causes_no_rebuild(seed: SeedCopy, tmp_path: Path) -> None:
    """A seed that was only touched is still the same."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(seed.path, archive)
    os.utime(seed.path)
    assert not build_if_stale(seed.path, archive)


@pytest.mark.parametrize("library", ["sqlalchemy", "pydantic", "rfc8785"])
def test_an_upgrade_of_a_library_makes_the_archive_stale(
    seed: SeedCopy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """What the libraries write (DDL, JSON) is stored, so their versions matter."""
    archive = tmp_path / "archive.sqlite"
    build_archive(seed.path, archive)
    assert is_current(seed.path, archive)
    monkeypatch.setattr(
        "app.archive.archive.version", lambda name: "0" if name == library else version(name)
    )
    archive_code_digest.cache_clear()
    try:
        assert not is_current(seed.path, archive)
    finally:
        archive_code_digest.cache_clear()


def truncate_by_one_byte(archive: Path) -> None:
    """Remove the last byte."""
    archive.write_bytes(archive.read_bytes()[:-1])


def truncate_by_half(archive: Path) -> None:
    """Remove the second half, at a page boundary."""
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 8192 * 4096])


def append_page(archive: Path) -> None:
    """Append a page of zeros."""
    archive.write_bytes(archive.read_bytes() + bytes(4096))


def randomize(archive: Path) -> None:
    """Replace the content with random bytes."""
    archive.write_bytes(os.urandom(100_000))


def empty(archive: Path) -> None:
    """Remove all content."""
    archive.write_bytes(b"")


def replace_by_foreign(archive: Path) -> None:
    """Replace the file with a database of another program."""
    archive.unlink()
    with closing(sqlite3.connect(archive)) as connection:
        connection.execute("CREATE TABLE meta (key TEXT, value TEXT)")


def replace_by_fake(archive: Path) -> None:
    """Replace the file with an empty database that has the archive's application id."""
    replace_by_foreign(archive)
    with closing(sqlite3.connect(archive)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def change_archive_code_digest(archive: Path) -> None:
    """Make it look compiled by another version."""
    with closing(sqlite3.connect(archive)) as connection, connection:
        connection.execute("""UPDATE meta SET value = '"other"' WHERE key = 'compiler'""")


def corrupt_meta(archive: Path) -> None:
    """Replace the meta table's values with invalid JSON."""
    with closing(sqlite3.connect(archive)) as connection, connection:
        connection.execute("UPDATE meta SET value = '{'")


DAMAGES = [
    truncate_by_one_byte,
    truncate_by_half,
    append_page,
    randomize,
    empty,
    replace_by_foreign,
    replace_by_fake,
    corrupt_meta,
]


@pytest.mark.parametrize("damage", [*DAMAGES, change_archive_code_digest, Path.unlink])
def test_a_damaged_archive_is_rebuilt(
    seed: SeedCopy, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """Whatever is in its place, the result is the same bytes."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(seed.path, archive)
    content = archive.read_bytes()
    damage(archive)
    assert build_if_stale(seed.path, archive)
    assert archive.read_bytes() == content


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_archive_is_not_opened(
    archive_file: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """Opening it raises an error that names the problem."""
    archive = tmp_path / "archive.sqlite"
    archive.write_bytes(archive_file.read_bytes())
    damage(archive)
    with pytest.raises(ArchiveError, match="is not a valid archive"):
        Archive.open(archive)


def test_a_directory_is_not_replaced_by_an_archive(seed: SeedCopy, tmp_path: Path) -> None:
    """The error names it, and no temporary file is left."""
    archive = tmp_path / "archive"
    archive.mkdir()
    before = names(tmp_path)
    with pytest.raises(ArchiveError, match=f"Cannot write the archive {archive}: .*ARCHIVE_FILE"):
        build_if_stale(seed.path, archive)
    assert names(tmp_path) == before


def test_an_invalid_seed_changes_nothing(seed: SeedCopy, tmp_path: Path) -> None:
    """The archive of the last valid seed is kept, byte for byte."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(seed.path, archive)
    content, before = archive.read_bytes(), names(tmp_path)
    seed.put("/awards/0/ends", "2020-13")
    with pytest.raises(SeedError):
        build_if_stale(seed.write(), archive)
    assert archive.read_bytes() == content
    assert names(tmp_path) == before


@pytest.mark.process
def test_an_unwritable_path_is_reported(tmp_path: Path) -> None:
    """`build` prints one line that names the setting to change, and exits with 3."""
    occupied = tmp_path / "file"
    occupied.write_bytes(b"other")
    for archive in (occupied / "archive.sqlite", Path("/proc/archive/archive.sqlite")):
        result = run_cli("build", ARCHIVE_FILE=str(archive))
        assert result.returncode == 3
        assert result.stderr.lstrip().startswith(f"Cannot write the archive {archive}: ")
        assert "ARCHIVE_FILE" in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
    assert occupied.read_bytes() == b"other"


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
sys.argv[1:] = ["build"]
from app.cli import main
main()
"""


@pytest.mark.process
def test_a_failed_write_changes_nothing(
    archive_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If writing fails halfway, the old archive is kept and no temporary file is left."""
    archive = tmp_path / "archive.sqlite"
    archive.write_bytes(archive_file.read_bytes())
    monkeypatch.setenv("ARCHIVE_FILE", str(archive))
    for name in [name for name in os.environ if name.startswith("COVERAGE_PROCESS")]:
        monkeypatch.delenv(name)  # coverage could not write its data either
    process = start_python(LIMITED)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 3
    assert stderr.lstrip().startswith(f"Cannot write the archive {archive}: ")
    assert "ARCHIVE_FILE" in stderr
    assert "Traceback" not in stderr
    assert archive.read_bytes() == archive_file.read_bytes()
    assert names(tmp_path) == {"archive.sqlite"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A directory on a file system of 200 kB."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "none", str(directory)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this environment cannot mount file systems")
    yield directory
    subprocess.run(["umount", str(directory)], check=True)


@pytest.mark.process
def test_a_full_disk_changes_nothing(small_disk: Path) -> None:
    """If the disk is full, the existing file is kept and no temporary file is left."""
    archive = small_disk / "archive.sqlite"
    archive.write_bytes(b"other")
    result = run_cli("build", ARCHIVE_FILE=str(archive))
    assert result.returncode == 3
    assert result.stderr.lstrip().startswith(f"Cannot write the archive {archive}: ")
    assert "Traceback" not in result.stderr
    assert archive.read_bytes() == b"other"
    assert names(small_disk) == {"archive.sqlite"}


@pytest.mark.process
def test_an_up_to_date_archive_needs_no_writable_disk(small_disk: Path, seed: SeedCopy) -> None:
    """Nothing is written if the archive is up to date; an outdated one is reported."""
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


BUILD_IF_STALE = """
import sys
from pathlib import Path
from app.archive.archive import Archive
from app.archive.release import build_if_stale
build_if_stale(Path(sys.argv[1]), Path(sys.argv[2]))
print(Archive.open(Path(sys.argv[2])).release)
"""


@pytest.mark.process
def test_four_processes_can_build_at_once(record: Record, seed: SeedCopy, tmp_path: Path) -> None:
    """Processes that all find no archive all succeed, with the same bytes."""
    archive = tmp_path / "empty" / "archive.sqlite"
    processes = [start_python(BUILD_IF_STALE, seed.path, archive) for _ in range(4)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert outputs == [(f"{record.release}\n", "")] * 4
    build_archive(seed.path, tmp_path / "alone.sqlite")
    assert archive.read_bytes() == (tmp_path / "alone.sqlite").read_bytes()
    assert names(archive.parent) == {"archive.sqlite"}


KILL_DURING_BUILD = """
import os, signal, sys
from pathlib import Path
from app.archive.release import build_archive
def progress(done, total):
    os.kill(os.getpid(), signal.SIGKILL)
build_archive(Path(sys.argv[1]), Path(sys.argv[2]), progress)
"""


@pytest.mark.process
def test_leftovers_of_a_killed_build_are_removed(seed: SeedCopy, tmp_path: Path) -> None:
    """Killed halfway, it leaves no archive, and the next build removes its temporary file."""
    archive = tmp_path / "folder" / "archive.sqlite"
    process = start_python(KILL_DURING_BUILD, seed.path, archive)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert not archive.exists()
    assert names(archive.parent)
    assert build_if_stale(seed.path, archive)
    assert names(archive.parent) == {"archive.sqlite"}


def test_an_interrupted_build_cleans_up(seed: SeedCopy, tmp_path: Path) -> None:
    """Ctrl-C leaves the old archive and no temporary file."""
    archive = tmp_path / "folder" / "archive.sqlite"
    build_if_stale(seed.path, archive)
    content = archive.read_bytes()

    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_archive(seed.path, archive, interrupt)
    assert archive.read_bytes() == content
    assert names(archive.parent) == {"archive.sqlite"}


def test_other_files_beside_the_archive_are_kept(seed: SeedCopy, tmp_path: Path) -> None:
    """Cleaning up removes nothing but the project's own leftovers."""
    directory = tmp_path / "folder"
    directory.mkdir()
    for name in ("archive.sqlite.bak", "notes.sqlite", ".archived"):
        (directory / name).write_bytes(b"other")
    before = names(directory)
    build_archive(seed.path, directory / "archive.sqlite")
    assert names(directory) == before | {"archive.sqlite"}


def test_the_same_seed_produces_the_same_bytes(archive_file: Path, seed: SeedCopy) -> None:
    """The time and the path of compilation do not matter, even with special characters in it."""
    directory = seed.path.parent / "odd ?#%&'é"
    shutil.copytree(SEED.parent / "releases", seed.path.parent / "releases")
    os.utime(seed.path, (0, 0))
    build_archive(seed.path, directory / "a.sqlite")
    assert (directory / "a.sqlite").read_bytes() == archive_file.read_bytes()
    Archive.open(directory / "a.sqlite").close()


def test_an_open_archive_is_read_only(archive: Archive, archive_file: Path) -> None:
    """Every write fails, and reading creates no files."""
    before = names(archive_file.parent)
    for statement in ("DELETE FROM awards", "CREATE TABLE more (id TEXT)", "PRAGMA user_version=1"):
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            archive.connection.execute(statement)
    assert award_titles(archive)
    assert names(archive_file.parent) == before


def test_an_open_archive_survives_its_replacement(seed: SeedCopy, tmp_path: Path) -> None:
    """The old archive can be read until it is closed; opening again reads the new one."""
    archive = tmp_path / "archive.sqlite"
    build_if_stale(seed.path, archive)
    old = Archive.open(archive)
    before = award_titles(old)
    seed.put("/awards/0/title", "Another title")
    build_if_stale(seed.write(), archive)
    new = Archive.open(archive)
    assert award_titles(old) == before
    assert award_titles(new) != before
    assert old.release != new.release
    old.close()
    new.close()


@pytest.mark.slow
def test_progress_is_reported(tmp_path: Path) -> None:
    """Compiling reports the bytes read and the total, and ends with the total."""
    reports: list[tuple[int, int]] = []
    seed = write_corpus(tmp_path, 4_000)
    build_archive(seed, tmp_path / "archive.sqlite", lambda *report: reports.append(report))
    assert reports == sorted(reports)
    assert len(reports) > 2
    assert reports[-1] == (seed.stat().st_size, seed.stat().st_size)


def test_the_seed_is_never_overwritten(seed: SeedCopy) -> None:
    """Writing the archive to the path of the seed is refused."""
    content = seed.path.read_bytes()
    with pytest.raises(ArchiveError, match="the seed itself"):
        build_archive(seed.path, seed.path)
    assert seed.path.read_bytes() == content


def test_an_archive_that_is_dropped_is_closed_without_a_warning(archive_file: Path) -> None:
    """Its file is closed once, even if it is collected as a part of a reference cycle."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dropped = [Archive.open(archive_file)]
        descriptor = dropped[0].file.fileno()
        dropped.append(dropped)  # type: ignore[arg-type]
        del dropped
        gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
