"""Files and folders are replaced as a whole or not at all, whatever becomes of the writer."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.archive import atomic
from app.archive.atomic import commit, temporary_file, temporary_folder
from tests.conftest import ROOT


def names(folder: Path) -> set[str]:
    """Names of the entries of a folder, hidden or not."""
    return {path.name for path in folder.iterdir()}


def write_folder(target: Path, content: str) -> None:
    """Replace a folder by one with a single file."""
    with temporary_folder(target) as folder:
        (folder / "file").write_text(content)
        commit(folder, target)


def killed(code: str, target: Path) -> None:
    """Run code that kills its own process."""
    script = "import os, signal, sys\nfrom pathlib import Path\nfrom app.archive import atomic\n"
    kill = "\nos.kill(os.getpid(), signal.SIGKILL)\n"
    command = [sys.executable, "-c", script + code.replace("KILL", kill.strip()), str(target)]
    ended = subprocess.run(command, cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL


def test_a_committed_file_replaces_the_old_one(tmp_path: Path) -> None:
    """The old content is there until `commit`; afterwards only the new, readable by everyone."""
    target = tmp_path / "file"
    target.write_text("old")
    with temporary_file(target) as path:
        path.write_text("new")
        assert target.read_text() == "old"
        commit(path, target)
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o644
    assert names(tmp_path) == {"file"}


def test_a_committed_folder_replaces_the_old_one_as_a_whole(tmp_path: Path) -> None:
    """Files of the former folder do not survive in the new one."""
    target = tmp_path / "folder"
    target.mkdir()
    (target / "former").touch()
    write_folder(target, "new")
    assert names(target) == {"file"}
    assert names(tmp_path) == {"folder"}


def test_a_large_folder_is_committed(tmp_path: Path) -> None:
    """The number of files does not matter."""
    target = tmp_path / "folder"
    with temporary_folder(target) as folder:
        for number in range(200):
            (folder / str(number)).touch()
        commit(folder, target)
    assert len(names(target)) == 200


@pytest.mark.parametrize("create", [temporary_file, temporary_folder])
def test_what_is_not_committed_is_removed(tmp_path: Path, create: type) -> None:
    """An error leaves neither a temporary name nor a changed target."""
    with pytest.raises(KeyboardInterrupt), create(tmp_path / "target"):
        raise KeyboardInterrupt
    assert names(tmp_path) == set()


@pytest.mark.process
def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    """The next writer of the same file or folder removes them, and nothing else."""
    file, folder = tmp_path / "file", tmp_path / "folder"
    killed("with atomic.temporary_file(Path(sys.argv[1])): KILL", file)
    half = "with atomic.temporary_folder(Path(sys.argv[1])) as new: (new / 'half').touch(); KILL"
    killed(half, folder)
    assert len(names(tmp_path)) == 2
    for foreign in (".file.bak", ".file2.x.unfinished", ".folder.old"):
        (tmp_path / foreign).touch()
    with temporary_file(file) as path:
        commit(path, file)
    write_folder(folder, "new")
    assert names(folder) == {"file"}
    foreign = {".file.bak", ".file2.x.unfinished", ".folder.old"}
    assert names(tmp_path) == {"file", "folder"} | foreign


def test_the_file_of_a_running_process_is_not_removed(tmp_path: Path) -> None:
    """Writers of the same file do not disturb one another; the last to commit wins."""
    target = tmp_path / "file"
    with temporary_file(target) as first, temporary_file(target) as second:
        first.write_text("first")
        second.write_text("second")
        commit(second, target)
        commit(first, target)
    assert target.read_text() == "first"
    assert names(tmp_path) == {"file"}


def test_a_folder_has_one_writer_at_a_time(tmp_path: Path) -> None:
    """A second writer is refused, and does not touch the work of the first."""
    target = tmp_path / "folder"
    with temporary_folder(target) as folder:
        (folder / "file").touch()
        with pytest.raises(BlockingIOError), temporary_folder(target):
            pytest.fail("two writers")
        commit(folder, target)
        write_folder(target, "next")
    assert (target / "file").read_text() == "next"


@pytest.mark.process
def test_a_folder_survives_a_kill_between_the_two_renames(tmp_path: Path) -> None:
    """The next writer puts the former folder back before it begins."""
    target = tmp_path / "folder"
    write_folder(target, "former")
    kill_at_second_rename = """
rename = Path.rename
def rename_once(path, target):
    rename(path, target)
    KILL
Path.rename = rename_once
with atomic.temporary_folder(Path(sys.argv[1])) as new:
    atomic.commit(new, Path(sys.argv[1]))
"""
    killed(kill_at_second_rename, target)
    assert not target.exists()
    with pytest.raises(KeyboardInterrupt), temporary_folder(target):
        raise KeyboardInterrupt
    assert (target / "file").read_text() == "former"
    assert names(tmp_path) == {"folder"}


def test_a_failed_swap_puts_the_former_folder_back(tmp_path: Path) -> None:
    """An error at the second rename leaves the folder as it was."""
    target = tmp_path / "folder"
    write_folder(target, "former")
    with temporary_folder(target) as folder:
        folder.rename(tmp_path / "stolen")
        with pytest.raises(FileNotFoundError):
            atomic._swap(folder, target)
    assert (target / "file").read_text() == "former"
    assert names(tmp_path) == {"folder", "stolen"}


def test_a_link_in_the_temporary_place_is_not_followed(tmp_path: Path) -> None:
    """A folder of someone else is not emptied."""
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "file").touch()
    (tmp_path / ".folder.unfinished").symlink_to(foreign)
    with pytest.raises(FileExistsError), temporary_folder(tmp_path / "folder"):
        pytest.fail("followed")
    assert names(foreign) == {"file"}
