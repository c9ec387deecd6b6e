"""Files and directories are replaced as a whole or not at all, whatever becomes of the writer."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.archive import atomic
from app.archive.atomic import move_into_place, temporary_directory, temporary_file
from tests.conftest import ROOT


def names(directory: Path) -> set[str]:
    """Names of the entries of a directory, hidden or not."""
    return {path.name for path in directory.iterdir()}


def write_directory(target: Path, content: str) -> None:
    """Replace a directory by one with a single file."""
    with temporary_directory(target) as directory:
        (directory / "file").write_text(content)
        move_into_place(directory, target)


def killed(code: str, target: Path) -> None:
    """Run code that kills its own process."""
    script = "import os, signal, sys\nfrom pathlib import Path\nfrom app.archive import atomic\n"
    kill = "\nos.kill(os.getpid(), signal.SIGKILL)\n"
    command = [sys.executable, "-c", script + code.replace("KILL", kill.strip()), str(target)]
    ended = subprocess.run(command, cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL


def test_a_committed_file_replaces_the_old_one(tmp_path: Path) -> None:
    """Until `move_into_place` the old content is there; then only the new, readable by everyone."""
    target = tmp_path / "file"
    target.write_text("old")
    with temporary_file(target) as path:
        path.write_text("new")
        assert target.read_text() == "old"
        move_into_place(path, target)
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o644
    assert names(tmp_path) == {"file"}


def test_a_committed_directory_replaces_the_old_one_as_a_whole(tmp_path: Path) -> None:
    """Files of the former directory do not survive in the new one."""
    target = tmp_path / "folder"
    target.mkdir()
    (target / "former").touch()
    write_directory(target, "new")
    assert names(target) == {"file"}
    assert names(tmp_path) == {"folder"}


def test_a_large_directory_is_committed(tmp_path: Path) -> None:
    """The number of files does not matter."""
    target = tmp_path / "folder"
    with temporary_directory(target) as directory:
        for number in range(200):
            (directory / str(number)).touch()
        move_into_place(directory, target)
    assert len(names(target)) == 200


@pytest.mark.parametrize("create", [temporary_file, temporary_directory])
def test_what_is_not_committed_is_removed(tmp_path: Path, create: type) -> None:
    """An error leaves neither a temporary name nor a changed target."""
    with pytest.raises(KeyboardInterrupt), create(tmp_path / "target"):
        raise KeyboardInterrupt
    assert names(tmp_path) == set()


@pytest.mark.process
def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    """The next writer of the same file or directory removes them, and nothing else."""
    file, directory = tmp_path / "file", tmp_path / "folder"
    killed("with atomic.temporary_file(Path(sys.argv[1])): KILL", file)
    half = "with atomic.temporary_directory(Path(sys.argv[1])) as new: (new / 'half').touch(); KILL"
    killed(half, directory)
    assert len(names(tmp_path)) == 2
    foreign = {".file.bak", ".file2.x.unfinished", ".folder.old"}
    for name in foreign:
        (tmp_path / name).touch()
    with temporary_file(file) as path:
        move_into_place(path, file)
    write_directory(directory, "new")
    assert names(directory) == {"file"}
    assert names(tmp_path) == {"file", "folder"} | foreign


def test_the_file_of_a_running_process_is_not_removed(tmp_path: Path) -> None:
    """Writers of the same file do not disturb one another; the last to commit wins."""
    target = tmp_path / "file"
    with temporary_file(target) as first, temporary_file(target) as second:
        first.write_text("first")
        second.write_text("second")
        move_into_place(second, target)
        move_into_place(first, target)
    assert target.read_text() == "first"
    assert names(tmp_path) == {"file"}


def test_a_directory_has_one_writer_at_a_time(tmp_path: Path) -> None:
    """A second writer is refused, and does not touch the work of the first."""
    target = tmp_path / "folder"
    with temporary_directory(target) as directory:
        (directory / "file").touch()
        with pytest.raises(BlockingIOError), temporary_directory(target):
            pytest.fail("two writers")
        move_into_place(directory, target)
        write_directory(target, "next")
    assert (target / "file").read_text() == "next"


@pytest.mark.process
def test_a_directory_survives_a_kill_between_the_two_renames(tmp_path: Path) -> None:
    """The next writer puts the former directory back before it begins."""
    target = tmp_path / "folder"
    write_directory(target, "former")
    kill_at_second_rename = """
rename = Path.rename
def rename_once(path, target):
    rename(path, target)
    KILL
Path.rename = rename_once
with atomic.temporary_directory(Path(sys.argv[1])) as new:
    atomic.move_into_place(new, Path(sys.argv[1]))
"""
    killed(kill_at_second_rename, target)
    assert not target.exists()
    with pytest.raises(KeyboardInterrupt), temporary_directory(target):
        raise KeyboardInterrupt
    assert (target / "file").read_text() == "former"
    assert names(tmp_path) == {"folder"}


def test_a_failed_swap_puts_the_former_directory_back(tmp_path: Path) -> None:
    """An error at the second rename leaves the directory as it was."""
    target = tmp_path / "folder"
    write_directory(target, "former")
    with temporary_directory(target) as directory:
        directory.rename(tmp_path / "stolen")
        with pytest.raises(FileNotFoundError):
            atomic._swap(directory, target)
    assert (target / "file").read_text() == "former"
    assert names(tmp_path) == {"folder", "stolen"}


def test_a_link_in_the_temporary_place_is_not_followed(tmp_path: Path) -> None:
    """A directory of someone else is not emptied."""
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "file").touch()
    (tmp_path / ".folder.unfinished").symlink_to(foreign)
    with pytest.raises(FileExistsError), temporary_directory(tmp_path / "folder"):
        pytest.fail("followed")
    assert names(foreign) == {"file"}
