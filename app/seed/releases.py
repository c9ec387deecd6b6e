"""Filed releases: earlier seeds, each whole in a file named after its label.

They are in the directory `releases` next to the seed, and are never edited. The seed itself is the
last release as long as its content is the same; otherwise it is a draft of the next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from app.models import Resource
from app.models.document import Key
from app.models.header import Metadata
from app.models.release import DRAFT, Label, Stamp, label_day, label_order
from app.seed.errors import Issue, SeedError, format_value
from app.seed.messages import validation_issues
from app.seed.notice import NoticeBuilder
from app.seed.record import MODELS, SeedStream
from app.seed.release_files import release_file
from app.seed.seed_file import STAMP, Entry, SeedFile


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """What identifies a release.

    Attributes:
        label: Its label; `draft` for a draft.
        date: Its date; the day of the last change for a draft.
        digest: SHA-256 of its seed in canonical form.
        note: Why it was made; None for a draft.
        previous: Digest of the release before, as its stamp says; None if that names none.
        metadata: Metadata of the record.
    """

    label: str
    date: str
    digest: str
    note: str | None
    previous: str | None
    metadata: Metadata

    @property
    def is_draft(self) -> bool:
        """Whether it was not released."""
        return self.label == DRAFT


class FiledRelease:
    """A filed release that is read one entry at a time.

    Its content was checked when it was filed, by rules that may have changed since. Therefore only
    its integrity is checked here, and that the entries that are asked for have the right structure.

    Iterate over it once; `facts` and `retired` are final after the iteration.

    Attributes:
        path: Path of the file.
        facts: What identifies the release.
        retired: Resources of earlier releases that it does not have, by type and id.
    """

    facts: ReleaseFacts
    retired: frozenset[Key]

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = SeedFile(path)

    def __iter__(self) -> Iterator[Entry]:
        """Every entry, in the order of the file.

        Raises:
            SeedError: The file cannot be read, or is not as it was when it was filed.
        """
        notice = NoticeBuilder()
        for entry in self._file:
            notice.add(entry)
            yield entry
        if issues := [*self._file.issues, *self._file.inexact_numbers]:
            raise SeedError(self.path, issues)
        metadata = notice.with_notice(self._metadata())
        stamp = self._checked_stamp(metadata.release)
        self.facts = _facts(stamp, self._file.digest(), metadata)
        self.retired = frozenset((entry.type, entry.id) for entry in metadata.retired)

    def resource(self, entry: Entry) -> Resource:
        """The resource of an entry.

        Raises:
            SeedError: It does not have the structure of the present shape.
        """
        model = MODELS[entry.collection]
        try:
            return model.model_validate(entry.value)
        except ValidationError as error:
            issues = validation_issues(error, model, entry.value, entry.pointer)
            raise self._file.error(*issues) from None

    def _metadata(self) -> Metadata:
        header = dict(self._file.header)
        try:
            return Metadata.model_validate(header)
        except ValidationError as error:
            raise self._file.error(*validation_issues(error, Metadata, header, "")) from None

    def _checked_stamp(self, stamp: Stamp | None) -> Stamp:
        if stamp is None:
            raise self._file.error(Issue(f"/{STAMP}", "nothing", "the stamp of a release"))
        _check_label(self._file, stamp)
        if stamp.content != (content := self._file.stamped_digest(stamp.covered())):
            expected = "the content as it was filed; restore the file: a release is never edited"
            found = f"content with the digest {content} under the stamp of {stamp.content}"
            raise self._file.error(Issue("", found, expected))
        return stamp


def _check_label(file: SeedFile, stamp: Stamp) -> None:
    """Check that a release is filed under its label.

    Raises:
        SeedError: The file has another name.
    """
    if stamp.label != file.path.stem:
        expected = f'"{file.path.stem}", as in the name of the file'
        raise file.error(Issue(f"/{STAMP}/label", format_value(stamp.label), expected))


def present_release(
    stream: SeedStream, filed: Sequence[Path]
) -> tuple[ReleaseFacts, Sequence[Path]]:
    """What identifies the release of a seed that was read, and the files of the earlier releases.

    Args:
        stream: The seed, after its iteration.
        filed: Files of all releases, the oldest first.

    Raises:
        SeedError: The label of the seed is not after those of the filed releases, the file of the
            release that the seed is was changed, or that of the release that it changes is lost.
    """
    own = stream.metadata.release
    last = read_stamp(filed[-1]) if filed else None
    if last is not None and _is_content(stream, last):
        _ensure_same(stream, filed[-1])
        return _present_facts(stream, last), filed[:-1]
    is_later = own and last and label_order(own.label) > label_order(last.label)
    if own is None or not _is_content(stream, own):
        if own and is_later:
            _ensure_filed(stream, own.label)
        return _draft_facts(stream), filed
    if last is not None and not is_later:
        expected = (
            f"a label after {last.label}, the last release; to go back to an earlier release, set "
            "`modified` to today, which makes the seed a draft"
        )
        raise stream.file.error(Issue(f"/{STAMP}/label", format_value(own.label), expected))
    return _present_facts(stream, own), filed


def ensure_chained(seed: Path, releases: Sequence[ReleaseFacts]) -> None:
    """Check that each release names the one before it, so that none was lost or edited.

    Args:
        seed: The seed.
        releases: What identifies each release, the oldest first; the last one is that of the seed.

    Raises:
        SeedError: A release was made after another one than the one that is before it.
    """
    for before, release in zip([None, *releases], releases, strict=False):
        if release.is_draft or release.previous == (before and before.digest):
            continue
        path = seed if release is releases[-1] else release_file(seed, release.label)
        expected = (
            f"{format_value(before.digest)}, the digest of release {before.label}"
            if before
            else "null, as no release before it is filed"
        )
        advice = f"; restore the file that was removed or edited since {release.label} was released"
        issue = Issue(f"/{STAMP}/previous", format_value(release.previous), expected + advice)
        raise SeedError(path, [issue])


def _is_content(stream: SeedStream, stamp: Stamp) -> bool:
    """Whether a seed is what was released with a stamp."""
    return stamp.content == stream.file.stamped_digest(stamp.covered())


def _facts(stamp: Stamp, digest: str, metadata: Metadata) -> ReleaseFacts:
    day = label_day(stamp.label)
    return ReleaseFacts(stamp.label, day, digest, stamp.note, stamp.previous, metadata)


def _present_facts(stream: SeedStream, stamp: Stamp) -> ReleaseFacts:
    return _facts(stamp, stream.file.stamped_digest(stamp.as_written()), stream.metadata)


def _draft_facts(stream: SeedStream) -> ReleaseFacts:
    metadata = stream.metadata
    return ReleaseFacts(DRAFT, metadata.modified, stream.file.digest(), None, None, metadata)


def _ensure_filed(stream: SeedStream, label: Label) -> None:
    """Check that the release that a draft changes is filed.

    Raises:
        SeedError: Its file is missing.
    """
    file = release_file(stream.file.path, label)
    if not file.exists():
        expected = f"the label of a filed release; restore the file {file.name} in {file.parent}"
        raise stream.file.error(Issue(f"/{STAMP}/label", format_value(label), expected))


def read_stamp(path: Path) -> Stamp:
    """The stamp of a filed release, which stands before its lists.

    Raises:
        SeedError: There is none, or it has another label than the file.
    """
    file = SeedFile(path)
    next(iter(file), None)
    try:
        stamp = Stamp.model_validate(file.members.get(STAMP))
    except ValidationError:
        expected = "the stamp of a release, before the lists of resources"
        raise file.error(Issue(f"/{STAMP}", "none", expected)) from None
    _check_label(file, stamp)
    return stamp


def _ensure_same(stream: SeedStream, path: Path) -> None:
    """Check the filed copy of a seed.

    Raises:
        SeedError: Its content is not the one that was filed.
    """
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() == stream.file.sha256:
            return
    for _ in FiledRelease(path):
        pass
