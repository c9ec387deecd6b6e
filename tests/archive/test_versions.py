"""The history in an archive: each release whole, stored once, and no id lost or used again."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest
import rfc8785

from app.archive.archive import Archive
from app.archive.changes import diff
from app.archive.release import build_archive, build_if_stale, is_current
from app.archive.versions import RECORD_KEY, changed_documents, documents_of_release
from app.seed.errors import SeedError
from benchmarks.corpus import write_corpus
from tests.conftest import SeedCopy
from tests.support.history import (
    REMOVED,
    SUCCESSOR,
    correct_at_random,
    correct_first,
    publish,
    with_values_of,
)
from tests.support.releases import FIRST_DAY, SECOND_DAY, ReleasedSeed, corrected_seed

Json = dict[str, Any]
Change = Callable[[ReleasedSeed], None]
RELEASES = 5


def issues_of(seed: Path) -> dict[str, str]:
    """Every issue that stops a build, by its pointer."""
    with pytest.raises(SeedError) as caught:
        build_archive(seed, seed.with_name("archive.sqlite"))
    return {issue.pointer: f"{issue.found}; {issue.expected}" for issue in caught.value.issues}


@pytest.fixture
def released(tmp_path: Path) -> ReleasedSeed:
    """The shipped seed with its releases, released."""
    seed = ReleasedSeed(tmp_path)
    seed.release(FIRST_DAY)
    return seed


@pytest.fixture(scope="module", params=range(3))
def chain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders of the seeds of releases made of random corrections; the last one has them all.

    The last release but one takes values back to what they were in the first.
    """
    random = Random(request.param)  # noqa: S311 - not for secrets
    generated = write_corpus(tmp_path_factory.mktemp("generated"), 96, random_seed=request.param)
    content: Json = json.loads(generated.read_bytes())
    whole = tmp_path_factory.mktemp("whole")
    alone: list[Path] = []
    contents: list[Json] = []
    for number in range(1, RELEASES + 1):
        label = f"2127-01-0{number}"
        contents.append(deepcopy(content))
        folder = tmp_path_factory.mktemp(label)
        for directory in (folder, whole):
            shutil.copy(generated.with_name("regions.geojson"), directory)
            publish(directory, content, label)
        shutil.rmtree(folder / "releases")
        alone.append(folder)
        correct_at_random(content, random)
        if number == RELEASES - 2:
            content = deepcopy(with_values_of(content, contents[0]))
    for folder in (*alone, whole):
        content = json.loads((folder / "seed.json").read_bytes())
        if folder is not whole:  # nothing was released before, so nothing is retired
            content["retired"] = []
            (folder / "seed.json").write_text(json.dumps(content))
        build_archive(folder / "seed.json", folder / "archive.sqlite")
    return [*alone, whole]


def test_every_release_is_what_its_seed_alone_gives(chain: list[Path]) -> None:
    """All documents, citations and metadata, whatever was changed, removed or taken back since."""
    with closing(Archive.open(chain[-1] / "archive.sqlite")) as whole:
        assert len(whole.releases) == RELEASES
        for position, folder in enumerate(chain[:-1], start=1):
            with closing(Archive.open(folder / "archive.sqlite")) as alone:
                expected = documents_of_release(alone.connection, 1)
            assert documents_of_release(whole.connection, position) == expected


def test_what_changed_is_all_that_differs(chain: list[Path]) -> None:
    """The documents that a release changed have the same differences as all documents have."""
    with closing(Archive.open(chain[-1] / "archive.sqlite")) as archive:
        for position in range(2, RELEASES + 1):
            before, after = (
                documents_of_release(archive.connection, number)
                for number in (position - 1, position)
            )
            assert [*diff(*changed_documents(archive.connection, position))] == [
                *diff(before, after)
            ]


def test_an_archive_grows_with_what_changes_only(released: ReleasedSeed) -> None:
    """Releases in which nothing but the date is new have no versions of documents."""
    for day in range(1, 4):
        released.release(f"2127-02-0{day}")
    build_archive(released.path, released.path.with_name("archive.sqlite"))
    with closing(Archive.open(released.path.with_name("archive.sqlite"))) as archive:
        rows = archive.connection.execute(
            "SELECT count(*) FROM versions WHERE first > ? OR last >= ?",
            [archive.position_of(FIRST_DAY)] * 2,
        )
        assert rows.fetchone() == (0,)
        before, after = changed_documents(archive.connection, len(archive.releases))
        assert set(before) == set(after) == {RECORD_KEY}


def _indent(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=7, ensure_ascii=True))


def test_white_space_and_escapes_change_no_release(tmp_path: Path) -> None:
    """All releases of seeds that are written differently have the same digests and documents."""
    seed = corrected_seed(tmp_path)
    archive_path = tmp_path / "archive.sqlite"
    build_archive(seed.path, archive_path)
    with closing(Archive.open(archive_path)) as archive:
        releases = archive.releases
        first = documents_of_release(archive.connection, 1)
    for path in (seed.path, *(tmp_path / "releases").glob("*.json")):
        _indent(path)
    assert build_if_stale(seed.path, archive_path)
    with closing(Archive.open(archive_path)) as archive:
        assert archive.releases == releases
        assert documents_of_release(archive.connection, 1) == first
        assert archive.label == SECOND_DAY


def test_an_edited_seed_is_a_draft(released: ReleasedSeed) -> None:
    """It follows the last release until it is released; without the change it is that again."""
    archive_path = released.path.with_name("archive.sqlite")
    original = released.path.read_bytes()
    released.put("/awards/0/summary", "Another summary.")
    build_archive(released.write(), archive_path)
    with closing(Archive.open(archive_path)) as archive:
        assert [*archive.releases][-2:] == [FIRST_DAY, "draft"]
        assert (archive.label, archive.note) == ("draft", None)
    released.path.write_bytes(original)
    build_archive(released.path, archive_path)
    with closing(Archive.open(archive_path)) as archive:
        assert archive.label == FIRST_DAY


def test_a_seed_without_its_stamp_is_the_last_release(released: ReleasedSeed) -> None:
    """What was filed counts, so that a release is complete once its file is."""
    archive_path = released.path.with_name("archive.sqlite")
    build_archive(released.path, archive_path)
    with closing(Archive.open(archive_path)) as archive:
        releases = archive.releases
    released.take("/release")
    build_archive(released.write(), archive_path)
    with closing(Archive.open(archive_path)) as archive:
        assert archive.releases == releases
        assert archive.note == "A correction."


def _remove_release(seed: ReleasedSeed) -> None:
    seed.path.with_name("releases").joinpath("2026-11-24.json").unlink()


def _indent_seed(seed: ReleasedSeed) -> None:
    _indent(seed.path)


def _indent_release(seed: ReleasedSeed) -> None:
    _indent(seed.path.with_name("releases") / "2026-11-24.json")


@pytest.mark.parametrize("change", [_remove_release, _indent_release, _indent_seed])
def test_an_archive_is_stale_when_a_release_is_edited(
    released: ReleasedSeed, change: Change
) -> None:
    """Any change of the seed or of the filed releases has the archive compiled again."""
    archive_path = released.path.with_name("archive.sqlite")
    build_archive(released.path, archive_path)
    assert is_current(released.path, archive_path)
    released.path.with_name("releases").joinpath("notes.txt").write_text("no release")
    assert is_current(released.path, archive_path)
    change(released)
    assert not is_current(released.path, archive_path)


def _name_shape(content: Json) -> None:
    content["shape"] = 3


def _name_shape_last(content: Json) -> None:
    content["shape"] = content.pop("shape")


def _edit(content: Json) -> None:
    content["awards"][0]["title"] = "Edited later"


def _take_stamp(content: Json) -> None:
    del content["release"]


def _rename(content: Json) -> None:
    content["release"]["label"] = "2127-01-16"


def _edit_note(content: Json) -> None:
    content["release"]["note"] = "Edited later"


def _take_field(content: Json) -> None:
    del content["awards"][0]["title"]


def _add_float(content: Json) -> None:
    content["awards"][0]["amount"] = 1.5


@pytest.mark.parametrize(
    ("spoil", "pointer", "message"),
    [
        (_name_shape, "/shape", "3; 1 or 2: no other shape of seeds can be read"),
        (_name_shape_last, "/shape", "the shape after the lists of resources"),
        (_edit, "(whole file)", "restore the file: a release is never edited"),
        (_edit_note, "(whole file)", "restore the file: a release is never edited"),
        (_take_stamp, "/release", "the stamp of a release"),
        (_rename, "/release/label", f'"{FIRST_DAY}", as in the name of the file'),
        (_take_field, "/awards/0/title", "nothing; a value"),
        (_add_float, "/awards/0/amount", "1.5; an integer"),
    ],
)
def test_a_release_that_cannot_be_read_stops_the_build(
    released: ReleasedSeed, spoil: Callable[[Json], None], pointer: str, message: str
) -> None:
    """The error names the file and the place, and the archive stays as it was."""
    released.put("/awards/0/summary", "A draft of the next release.")
    released.write()
    path = released.path.with_name("releases") / f"{FIRST_DAY}.json"
    content = json.loads(path.read_bytes())
    spoil(content)
    path.write_text(json.dumps(content))
    with pytest.raises(SeedError, match=path.name) as caught:
        build_archive(released.path, released.path.with_name("archive.sqlite"))
    [issue] = caught.value.issues
    assert (issue.pointer or "(whole file)") == pointer
    assert message in f"{issue.found}; {issue.expected}"
    assert not released.path.with_name("archive.sqlite").exists()


def digest_of(seed: ReleasedSeed, label: str) -> str:
    """The digest of a filed release."""
    content = json.loads(seed.path.with_name("releases").joinpath(f"{label}.json").read_bytes())
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


@pytest.mark.parametrize("is_draft", [False, True])
def test_a_lost_release_stops_the_build(released: ReleasedSeed, is_draft: bool) -> None:
    """Each release names the digest of the one before it, also the release of the seed."""
    directory = released.path.with_name("releases")
    first, second, _ = sorted(directory.iterdir())
    content = {path: path.read_bytes() for path in (first, second)}
    digests = {path: digest_of(released, path.stem) for path in content}
    if is_draft:
        released.put("/awards/0/summary", "A draft of the next release.")
        released.write()
    for path, filed in content.items():
        path.unlink()
        [(pointer, message)] = issues_of(released.path).items()
        assert pointer == "/release/previous"
        assert message.startswith(f'"{digests[path]}"; ')
        assert "restore the file that was removed or edited" in message
        path.write_bytes(filed)
    second.unlink()
    [message] = issues_of(released.path).values()
    assert f'"{digests[first]}", the digest of release {first.stem}' in message
    second.write_bytes(content[second])
    build_archive(released.path, released.path.with_name("archive.sqlite"))


def test_a_lost_release_before_the_only_filed_one_stops_the_build(tmp_path: Path) -> None:
    """The seed is the filed release; alone, without any filed release, it is the first one."""
    seed = ReleasedSeed(tmp_path)
    directory = tmp_path / "releases"
    (directory / "2026-11-24.json").unlink()
    [(pointer, message)] = issues_of(seed.path).items()
    assert pointer == "/release/previous"
    assert "null, as no release before it is filed; restore the file" in message
    shutil.rmtree(directory)
    build_archive(seed.path, tmp_path / "archive.sqlite")


def test_a_draft_of_a_lost_release_stops_the_build(released: ReleasedSeed) -> None:
    """A draft has the stamp of the release that it changes, which no later one names yet."""
    released.put("/awards/0/summary", "A draft of the next release.")
    released.write()
    released.path.with_name("releases").joinpath(f"{FIRST_DAY}.json").unlink()
    [(pointer, message)] = issues_of(released.path).items()
    assert pointer == "/release/label"
    assert f'"{FIRST_DAY}"; the label of a filed release; restore' in message
    assert f"{FIRST_DAY}.json" in message


def test_an_edited_note_of_the_first_release_stops_the_build(released: ReleasedSeed) -> None:
    """Its stamp has no `previous` and covers no note, but the next release names its digest."""
    path = released.path.with_name("releases") / "2026-11-24.json"
    before, content = digest_of(released, path.stem), json.loads(path.read_bytes())
    _edit_note(content)
    path.write_text(json.dumps(content))
    [(pointer, message)] = issues_of(released.path).items()
    assert pointer == "/release/previous"
    after = digest_of(released, path.stem)
    assert message.startswith(f'"{before}"; "{after}", the digest of release 2026-11-24; restore')


def test_a_file_that_is_no_release_stops_the_build(released: ReleasedSeed) -> None:
    """A name that is no label would have no place in the order of releases."""
    shutil.copy(released.path, released.path.with_name("releases") / "2127-02-30.json")
    assert issues_of(released.path) == {
        "": "a file named 2127-02-30.json; a label as name, such as 2026-11-24.json"
    }


def test_a_copy_under_another_label_stops_the_build(released: ReleasedSeed) -> None:
    """Two releases would have one label."""
    copy = released.path.with_name("releases") / "2127-01-31.json"
    shutil.copy(released.path, copy)
    assert issues_of(released.path) == {
        "/release/label": f'"{FIRST_DAY}"; "2127-01-31", as in the name of the file'
    }


def test_a_stamp_must_follow_the_filed_releases(released: ReleasedSeed, tmp_path: Path) -> None:
    """A seed whose own stamp is of an earlier day than the last release is contradictory."""
    content = json.loads(released.path.read_bytes())
    other = tmp_path / "other"
    other.mkdir()
    content["awards"][0]["summary"] = "Another summary."
    shutil.copy(publish(other, content, "2027-01-01"), released.path)
    [(pointer, message)] = issues_of(released.path).items()
    assert pointer == "/release/label"
    assert message.startswith(f'"2027-01-01"; a label after {FIRST_DAY}, the last release; ')


def test_an_earlier_release_is_restored_as_a_draft(released: ReleasedSeed) -> None:
    """A copy of its file is no draft; with today's date, as the message says, it is one."""
    shutil.copy(released.path.with_name("releases") / "2026-11-27.json", released.path)
    [message] = issues_of(released.path).values()
    assert message.endswith("set `modified` to today, which makes the seed a draft")
    released.data = json.loads(released.path.read_bytes())
    assert released.release(SECOND_DAY, "Takes the last corrections back.") == SECOND_DAY


def _retire(seed: SeedCopy, **members: Any) -> None:
    seed.data["retired"][0] |= members


def _lose(seed: SeedCopy) -> None:
    seed.data["retired"] = []


def _retire_unknown(seed: SeedCopy) -> None:
    _retire(seed, id="never-there")


def _replace_by_nothing(seed: SeedCopy) -> None:
    _retire(seed, replaced_by=[SUCCESSOR, "no-activity"])


def _retire_twice(seed: SeedCopy) -> None:
    seed.data["retired"] *= 2


def _retire_present(seed: SeedCopy) -> None:
    seed.data["retired"].append({**seed.data["retired"][0], "id": SUCCESSOR})


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_lose, {"/retired": f"neither the activity {REMOVED} nor an entry for it"}),
        (
            _retire_unknown,
            {
                "/retired": f"neither the activity {REMOVED} nor an entry for it",
                "/retired/0/id": "the id of a former activity",
            },
        ),
        (_replace_by_nothing, {"/retired/0/replaced_by/1": "the id of the activity that replaces"}),
        (_retire_twice, {"/retired/1/id": "an id other than that of /retired/0"}),
        (_retire_present, {"/retired/1/id": "the id of a former activity"}),
    ],
)
@pytest.mark.parametrize("is_released", [False, True])
def test_a_removed_resource_must_be_listed(
    released: ReleasedSeed,
    spoil: Callable[[SeedCopy], None],
    expected: dict[str, str],
    is_released: bool,
) -> None:
    """With its reason and existing successors, in the release that removes it and ever after."""
    correct_first(released.data)
    released.data["modified"] = SECOND_DAY
    if is_released:
        released.release(SECOND_DAY)
        released.put("/awards/0/summary", "Another summary.")
    build_archive(released.write(), released.path.with_name("archive.sqlite"))
    spoil(released)
    issues = issues_of(released.write())
    assert issues.keys() == expected.keys()
    for pointer, text in expected.items():
        assert text in issues[pointer]


def test_a_retired_id_is_never_used_again(released: ReleasedSeed) -> None:
    """Neither for something else nor for the same resource, listed or not."""
    removed = deepcopy(next(a for a in released.data["activities"] if a["id"] == REMOVED))
    correct_first(released.data)
    released.release(SECOND_DAY)
    index = len(released.data["activities"])
    same_award = [a for a in released.data["activities"] if a["award"] == removed["award"]]
    released.data["activities"].append(removed | {"position": len(same_award) + 1})
    released.data["retired"] = []
    message = f'"{REMOVED}"; an id that was never used: release {SECOND_DAY} retired this one'
    assert issues_of(released.write()) == {f"/activities/{index}/id": message}
