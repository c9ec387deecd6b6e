"""Making a release: checked, shown, confirmed, and complete or not made at all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import rfc8785

from app.archive.archive import ArchiveError
from app.archive.filing import plan_release, write_release
from app.seed.errors import SeedError
from tests.conftest import ROOT, SEED
from tests.support.command_line import invoke_cli
from tests.support.history import (
    NEW_TITLE,
    REASON,
    REMOVED,
    SUCCESSOR,
    correct_first,
    publish,
)
from tests.support.releases import FIRST_DAY, SECOND_DAY, ReleasedSeed

KILL_AT_EVERY_STEP = """
import os, signal, sys
from pathlib import Path
from app.archive.filing import plan_release, write_release
from app.archive.release import build_archive

seed, original = map(Path, sys.argv[1:])
STEPS = {"open", "os.rename", "os.mkdir", "os.chmod", "os.remove", "os.listdir", "os.scandir"}


def release(steps):
    left = iter(range(steps))

    def count(event, arguments):
        if event in STEPS and str(seed.parent) in str(arguments[0]) and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    planned = plan_release(seed, "A correction.")
    sys.addaudithook(count)
    write_release(planned)


steps = 0
while True:
    child = os.fork()
    if not child:
        release(steps)
        os._exit(0)
    if not os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        break
    build_archive(seed, seed.with_name("archive.sqlite"))
    releases = sorted(path.name for path in seed.with_name("releases").glob("*.json"))
    print(steps, seed.read_bytes() == original.read_bytes(), *releases, flush=True)
    steps += 1
"""
"""Releases a seed, killed before each of its steps in turn; prints what is left every time."""


def release_cli(seed: ReleasedSeed, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a seed."""
    return invoke_cli("release", "--seed", str(seed.path), *options)


def contents(folder: Path) -> dict[str, bytes]:
    """Content of every file of a folder, by path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def draft(tmp_path: Path) -> ReleasedSeed:
    """A released seed that was corrected since."""
    seed = ReleasedSeed(tmp_path)
    seed.release(FIRST_DAY)
    correct_first(seed.data)
    seed.data["modified"] = SECOND_DAY
    seed.write()
    return seed


def test_the_command_shows_every_change_and_what_is_retired(draft: ReleasedSeed) -> None:
    """Values before and after, and the reason; nothing is written without a confirmation."""
    before = contents(draft.path.parent)
    result = release_cli(draft, "--note", "Joins two activities.")
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    title = lines.index("award peru-ilo title")
    assert lines[title + 1].startswith('  - "ILO program')
    assert lines[title + 2] == f'  + "{NEW_TITLE}"'
    assert f"activity {REMOVED} summary" in lines
    assert f"It retires the activity {REMOVED}: {REASON} Replaced by: {SUCCESSOR}." in lines
    assert lines[0].startswith(f"{SECOND_DAY} changes ")
    assert contents(draft.path.parent) == before


def test_a_release_is_stamped_and_filed(draft: ReleasedSeed) -> None:
    """The seed keeps its text around the stamp, and the file of the release is a copy of it."""
    text = draft.path.read_text("utf-8").replace('"modified":', '\n\t"modified" :')
    draft.path.write_text(text, "utf-8")
    note = 'Joins two activities, called "ours" — ñ.'
    result = release_cli(draft, "--note", note, "--yes")
    assert result.returncode == 0, result.stderr
    stamped = draft.path.read_text("utf-8")
    assert '\n\t"modified" :' in stamped
    assert draft.path.with_name("releases").joinpath(f"{SECOND_DAY}.json").read_text() == stamped
    content = json.loads(stamped)
    stamp = content.pop("release")
    assert (stamp["label"], stamp["note"]) == (SECOND_DAY, note)
    assert {**content, "release": None} == {**json.loads(text), "release": None}
    again = release_cli(draft)
    assert again.returncode == 0
    assert f"is release {SECOND_DAY}" in again.stdout
    assert draft.path.read_text("utf-8") == stamped


def test_check_fails_for_a_draft_only(draft: ReleasedSeed) -> None:
    """In CI, a seed that was edited after its release, or lost its stamp, is found."""
    result = release_cli(draft, "--check")
    assert result.returncode == 1
    assert "is not filed as a release" in result.stderr
    draft.release(SECOND_DAY)
    assert release_cli(draft, "--check").returncode == 0
    draft.take("/release")
    draft.write()
    unstamped = release_cli(draft, "--check")
    assert unstamped.returncode == 1
    assert f"is release {SECOND_DAY}, but lacks its stamp." in unstamped.stderr
    assert "`cpc-record release` writes it." in unstamped.stderr
    finished = release_cli(draft)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith(f"{draft.path} is release {SECOND_DAY}: ")
    assert release_cli(draft, "--check").returncode == 0


def test_a_reason_is_required(draft: ReleasedSeed) -> None:
    """The message names the option."""
    result = release_cli(draft, "--yes")
    assert result.returncode == 2
    assert "--note TEXT is required" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--note", ""], "expected text that is not blank"),
        (["--note", " \n"], "expected text that is not blank"),
        (["--note", "\x07"], "without control characters"),
        (["--check", "--note", "Why."], "--check changes nothing"),
        (["--check", "--replace"], "--check changes nothing"),
    ],
)
def test_wrong_options_are_rejected(draft: ReleasedSeed, options: list[str], message: str) -> None:
    """Before anything is read or written."""
    before = contents(draft.path.parent)
    result = release_cli(draft, "--yes", *options)
    assert result.returncode == 2
    assert message in result.stderr
    assert contents(draft.path.parent) == before


def test_another_note_needs_replace(draft: ReleasedSeed) -> None:
    """A note of a release is not ignored silently; the same one is no error, as when run again."""
    draft.release(SECOND_DAY, "Joins two activities.")
    assert release_cli(draft, "--note", "Joins two activities.").returncode == 0
    result = release_cli(draft, "--note", "Another note.")
    assert result.returncode == 2
    assert "--replace changes the note" in result.stderr


def test_white_space_makes_no_release(draft: ReleasedSeed) -> None:
    """Neither in the stamp nor elsewhere; nothing is written."""
    draft.release(SECOND_DAY)
    draft.path.write_text(json.dumps(draft.data, indent=1), "utf-8")
    before = contents(draft.path.parent)
    assert release_cli(draft, "--check").returncode == 0
    assert release_cli(draft, "--yes").returncode == 0
    assert contents(draft.path.parent) == before


def test_an_invalid_seed_is_not_released(draft: ReleasedSeed) -> None:
    """The issues are those of `build`; nothing is written."""
    draft.put("/retired", [])
    draft.write()
    before = contents(draft.path.parent)
    result = release_cli(draft, "--note", "Loses an activity.", "--yes")
    assert result.returncode == 1
    assert f"/retired: found neither the activity {REMOVED}" in result.stderr
    assert contents(draft.path.parent) == before


def test_labels_of_one_day_are_numbered(tmp_path: Path) -> None:
    """The order is that of the numbers, also when there are more than nine of them."""
    seed = ReleasedSeed(tmp_path)
    assert seed.release(FIRST_DAY) == FIRST_DAY
    publish(tmp_path, {**seed.data, "archive_notice": "The ninth."}, f"{FIRST_DAY}.9")
    labels = []
    for notice in ("The tenth.", "The eleventh."):
        seed.put("/archive_notice", notice)
        labels.append(seed.release(FIRST_DAY))
    assert labels == [f"{FIRST_DAY}.10", f"{FIRST_DAY}.11"]


def test_a_release_is_not_earlier_than_the_last(draft: ReleasedSeed) -> None:
    """The date is that of `modified`, which the editor may have forgotten."""
    draft.put("/modified", "2127-01-14")
    with pytest.raises(SeedError, match=f"/modified: .* no earlier than {FIRST_DAY}"):
        plan_release(draft.write(), "Too early.")


def test_the_last_release_can_be_replaced(draft: ReleasedSeed) -> None:
    """Before it was published: the label and the changes are those since the release before it."""
    draft.release(SECOND_DAY, "Joins two activities.")
    draft.put("/awards/0/summary", "Another summary.")
    draft.write()
    result = release_cli(draft, "--replace", "--yes")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"{SECOND_DAY} changes ")
    assert f" values of {FIRST_DAY}:" in result.stdout.splitlines()[0]
    stamp = json.loads(draft.path.read_bytes())["release"]
    assert (stamp["label"], stamp["note"]) == (SECOND_DAY, "Joins two activities.")
    assert draft.release("2127-03-01", "Another day.", replace=True) == "2127-03-01"
    names = [path.name for path in sorted(draft.path.with_name("releases").iterdir())]
    assert names[-2:] == [f"{FIRST_DAY}.json", "2127-03-01.json"]


def test_a_first_release_has_no_changes(tmp_path: Path) -> None:
    """A seed without earlier releases is filed in a new directory."""
    for name in ("seed.json", "regions.geojson"):
        shutil.copy(SEED.with_name(name), tmp_path)
    content = json.loads((tmp_path / "seed.json").read_bytes())
    content.pop("release", None)
    (tmp_path / "seed.json").write_text(json.dumps(content))
    result = invoke_cli("release", "--seed", str(tmp_path / "seed.json"), "--note", "New.", "-y")
    assert result.returncode == 0, result.stderr
    label = content["modified"]
    assert result.stdout.startswith(f"{label} is the first release.")
    filed = json.loads((tmp_path / "releases" / f"{label}.json").read_bytes())
    assert rfc8785.dumps({**content, "release": filed["release"]}) == rfc8785.dumps(filed)


def test_a_seed_that_changes_meanwhile_is_not_released(draft: ReleasedSeed) -> None:
    """What is filed is what was checked and shown."""
    text = draft.path.read_text("utf-8")

    def save_again(_done: int, _total: int) -> None:
        draft.path.write_text(f"{text}\n", "utf-8")

    with pytest.raises(ArchiveError, match="was changed while it was checked"):
        plan_release(draft.path, "A correction.", progress=save_again)


def test_a_directory_that_is_not_writable_is_reported(draft: ReleasedSeed) -> None:
    """The message names the file; the seed is as it was."""
    before = draft.path.read_bytes()
    planned = plan_release(draft.path, "A correction.")
    directory = draft.path.with_name("releases")
    directory.rename(draft.path.with_name("moved"))
    directory.write_text("a file in its place")
    with pytest.raises(ArchiveError, match=r"Cannot write .*releases"):
        write_release(planned)
    assert draft.path.read_bytes() == before


@pytest.mark.process
def test_a_kill_at_any_step_loses_nothing(draft: ReleasedSeed, tmp_path: Path) -> None:
    """Every state builds and has all earlier releases and the correction; the end is complete."""
    original = shutil.copy(draft.path, tmp_path / "original")
    command = [sys.executable, "-c", KILL_AT_EVERY_STEP, str(draft.path), str(original)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    states = [line.split() for line in result.stdout.splitlines()]
    earlier = [f"{label}.json" for label in ("2026-11-24", FIRST_DAY)]
    filed = [set(names) >= {f"{SECOND_DAY}.json"} for _, _, *names in states]
    assert len(states) > 8
    assert filed == sorted(filed)
    assert {*filed} == {False, True}
    for _, is_original, *names in states:
        assert set(earlier) <= set(names)
        assert is_original == "True" or f"{SECOND_DAY}.json" in names
    assert release_cli(draft, "--check").returncode == 0
    unfinished = [path for path in tmp_path.rglob("*") if path.name.endswith(".unfinished")]
    assert unfinished == []
