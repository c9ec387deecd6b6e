"""Modification times of a mirror: they survive archives, or are found lost and set again."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from app.mirror.entries import mtime_from_digest
from tests.conftest import needs, run_cli
from tests.support.mirrors import read_manifest, read_tree, verify
from tests.support.programs import run
from tests.support.published import ENVIRONMENT

pytestmark = pytest.mark.process

FIRST = 315_532_800 + 86_400
"""1980-01-02: the first day that is in 1980 in every time zone."""


def copy_without_times(mirror: Path, folder: Path) -> Path:
    """A copy as by `cp -r`, which sets the current time."""
    run("cp", "-r", mirror, folder / "copy")
    return folder / "copy"


def copy_with_times(mirror: Path, folder: Path) -> Path:
    """A copy as by `cp -a`."""
    run("cp", "-a", mirror, folder / "copy")
    return folder / "copy"


def through_zip(mirror: Path, folder: Path) -> Path:
    """A copy by Info-ZIP."""
    run(needs("zip", "it archives a mirror"), "-qr", folder / "a.zip", ".", cwd=mirror)
    unzip = needs("unzip", "it extracts a mirror")
    run(unzip, "-q", folder / "a.zip", "-d", folder / "copy")
    return folder / "copy"


def through_dos_zip(mirror: Path, folder: Path) -> Path:
    """A copy by Info-ZIP with the times of FAT alone: local, in steps of two seconds."""
    run(needs("zip", "it archives a mirror"), "-qrX", folder / "a.zip", ".", cwd=mirror)
    unzip = needs("unzip", "it extracts a mirror")
    run(unzip, "-q", folder / "a.zip", "-d", folder / "copy")
    return folder / "copy"


def through_python(mirror: Path, folder: Path) -> Path:
    """A copy by Python's zipfile, which refuses times before 1980 and restores none."""
    archive = shutil.make_archive(str(folder / "a"), "zip", mirror)
    run(sys.executable, "-m", "zipfile", "-e", archive, folder / "copy")
    return folder / "copy"


def verify_copy(archive: Path, mirror: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`cpc-record verify` with the settings of the mirror."""
    return verify(mirror, *options, ARCHIVE_FILE=str(archive), **ENVIRONMENT)


@pytest.mark.parametrize("digest", ["00" * 32, "ff" * 32, "7f" * 32, "80" + "00" * 31])
def test_times_fit_every_archive_format(digest: str) -> None:
    """Never before 1980 or in the future, and in the steps of ZIP and FAT."""
    mtime = mtime_from_digest(digest)
    assert FIRST <= mtime < 1_420_070_400  # 2015
    assert mtime % 2 == 0


def test_other_content_has_another_time() -> None:
    """A time names a content: of 2,000 digests, hardly two have the same time."""
    digests = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(2_000)]
    assert len({mtime_from_digest(digest) for digest in digests}) >= 1_999


def test_a_mirror_has_these_times(mirror: Path) -> None:
    """Each file that is served has the time of its digest, whole seconds."""
    for entry in read_manifest(mirror):
        for file in (entry, *entry["codings"].values()):
            status = (mirror / "files" / file["file"]).stat()
            assert status.st_mtime_ns == mtime_from_digest(file["sha256"]) * 10**9


@pytest.mark.parametrize("copy", [copy_with_times, through_zip, through_dos_zip])
def test_times_survive(mirror: Path, tmp_path: Path, copy: Callable[[Path, Path], Path]) -> None:
    """Copies and ZIP archives that store times give the same mirror."""
    assert read_tree(copy(mirror, tmp_path)) == read_tree(mirror)


@pytest.mark.parametrize("copy", [copy_without_times, through_python])
def test_lost_times_are_reported_apart_and_restored(
    mirror: Path, exported_archive: Path, tmp_path: Path, copy: Callable[[Path, Path], Path]
) -> None:
    """One issue says that times are lost and how to restore them; content is not called wrong."""
    copied = copy(mirror, tmp_path)
    lost = verify_copy(exported_archive, copied)
    assert lost.returncode == 1
    [line] = lost.stderr.splitlines()
    assert "files with right content" in line
    assert "--restore-times" in line
    restored = verify_copy(exported_archive, copied, "--restore-times")
    assert (restored.returncode, restored.stderr) == (0, "")
    assert "restored" in restored.stdout
    assert read_tree(copied) == read_tree(mirror)


def test_only_right_content_gets_its_time(
    mirror: Path, exported_archive: Path, tmp_path: Path
) -> None:
    """A changed file is reported and keeps its time; the others are restored."""
    copied = copy_without_times(mirror, tmp_path)
    award = copied / "files" / "v1" / "awards" / "peru-ilo.json"
    award.write_bytes(award.read_bytes().replace(b"peru", b"PERU", 1))
    before = award.stat().st_mtime_ns
    result = verify_copy(exported_archive, copied, "--restore-times")
    assert result.returncode == 1
    assert "files/v1/awards/peru-ilo.json: found different content" in result.stderr
    assert "--restore-times" not in result.stderr
    assert award.stat().st_mtime_ns == before


def test_restoring_times_needs_a_mirror() -> None:
    """Without a mirror there is nothing to restore, which is said."""
    result = run_cli("verify", "--restore-times")
    assert result.returncode == 2
    assert result.stderr == "--restore-times requires --mirror DIR.\n"


def test_zip_archives_hold_the_times(mirror: Path, tmp_path: Path) -> None:
    """Python's zipfile, which refuses times before 1980, writes a whole mirror."""
    archive = shutil.make_archive(str(tmp_path / "mirror"), "zip", mirror)
    with zipfile.ZipFile(archive) as opened:
        years = {member.date_time[0] for member in opened.infolist() if not member.is_dir()}
    assert min(years) >= 1980
