"""Makes a release of a seed: stamps it, and files it next to the earlier ones.

A release is complete once its file is in place, which takes one rename. The stamp in the seed
itself is written afterwards; a seed is the last release if its content is the same.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import rfc8785

from app.archive.archive import ArchiveError, ProgressCallback, read_meta
from app.archive.atomic import move_into_place, temporary_file
from app.archive.compiler import compile_seed
from app.models.notation import count_noun
from app.models.release import DRAFT, Label, label_order
from app.seed.errors import Issue, SeedError, format_value
from app.seed.json_text import apply_edits, parse_json, set_members
from app.seed.record import Seed
from app.seed.release_files import filed_releases, release_file
from app.seed.releases import FiledRelease, read_stamp
from app.seed.seed_file import STAMP


class ChangedValue(NamedTuple):
    """A value that a release changes, as canonical JSON; None where there is none.

    Attributes:
        type: Type of the resource, `citation` or `record`.
        id: Its id.
        field: The field; None for a whole citation.
        before: The old value.
        after: The new value.
    """

    type: str
    id: str
    field: str | None
    before: str | None
    after: str | None


class RetiredResource(NamedTuple):
    """A resource that a release retires; `replaced_by` is a JSON array, or None."""

    type: str
    id: str
    reason: str
    replaced_by: str | None


@dataclass(frozen=True, slots=True)
class PlannedRelease:
    """A seed that was checked, and what releasing it would do.

    Attributes:
        seed: The seed.
        file: File of the release.
        replaced: File of the release that it replaces, if any.
        text: Content of the seed with its stamp.
        label: Label of the release.
        note: Why it is made; None if that must still be given.
        previous: Label of the release before; None for the first one.
        is_filed: Whether the release is filed already, as nothing was changed since.
        is_stamped: Whether the seed has the stamp already.
        changes: What it changes in the release before.
        retired: What it retires.
    """

    seed: Path
    file: Path
    replaced: Path | None
    text: str
    label: Label
    note: str | None
    previous: Label | None
    is_filed: bool
    is_stamped: bool
    changes: Sequence[ChangedValue]
    retired: Sequence[RetiredResource]

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing to do."""
        return self.is_filed and self.is_stamped

    def describe(self) -> Iterator[str]:
        """Lines that show every change, and what is retired."""
        if self.previous is None:
            yield f"{self.label} is the first release."
            return
        yield f"{self.label} changes {count_noun(len(self.changes), 'value')} of {self.previous}:"
        for change in self.changes:
            yield " ".join(filter(None, (change.type, change.id, change.field)))
            if change.before == change.after:
                yield "  the same value with other citations"
                continue
            if change.before is not None:
                yield f"  - {change.before}"
            if change.after is not None:
                yield f"  + {change.after}"
        for retired in self.retired:
            successors = ", ".join(json.loads(retired.replaced_by or "[]"))
            replaced = f" Replaced by: {successors}." if successors else ""
            yield f"It retires the {retired.type} {retired.id}: {retired.reason}{replaced}"


def plan_release(
    seed: Path,
    note: str | None = None,
    *,
    replace: bool = False,
    progress: ProgressCallback | None = None,
) -> PlannedRelease:
    """Check a seed as `build` does, and find what releasing it would do.

    Args:
        seed: The seed.
        note: Why the release is made; that of the replaced release by default.
        replace: Whether to replace the last release, which then was not published.
        progress: Called with the number of bytes read and their total.

    Raises:
        SeedError: The seed or a filed release is invalid.
        ArchiveError: The seed cannot be compiled for the comparison.
    """
    seed = seed.resolve()
    filed = filed_releases(seed)
    replaced = filed.pop() if replace and filed else None
    compiled = _compile(seed, filed, progress)
    is_new = replaced is not None or compiled.label == DRAFT
    if not is_new:
        note = compiled.note
    elif note is None and replaced is not None:
        note = read_stamp(replaced).note
    label = _next_label(seed, compiled.modified, filed) if is_new else compiled.label
    text = stamped = _read(seed, compiled.sha256)
    file = release_file(seed, label)
    is_filed = not is_new and file.exists()
    if is_filed:
        stamped = _with_stamp(text, read_stamp(file).as_written())
    elif is_new and note is not None:
        stamped = _with_stamp(text, _new_stamp(text, label, note, compiled.previous_digest))
    return PlannedRelease(
        seed=seed,
        file=file,
        replaced=replaced,
        text=stamped,
        label=label,
        note=note,
        previous=compiled.previous,
        is_filed=is_filed,
        is_stamped=stamped == text,
        changes=compiled.changes,
        retired=compiled.retired,
    )


def write_release(planned: PlannedRelease) -> None:
    """File a release and stamp its seed; each file is written atomically, the release first.

    Raises:
        ArchiveError: A file cannot be written; what was written before is complete.
    """
    try:
        if not planned.is_filed:
            planned.file.parent.mkdir(exist_ok=True)
            _write(planned.file, planned.text)
            if planned.replaced not in (None, planned.file):
                planned.replaced.unlink()
        if not planned.is_stamped:
            _write(planned.seed, planned.text)
    except OSError as error:
        raise ArchiveError(
            f"Cannot write {error.filename or planned.file}: {error.strerror}. Free disk space, or "
            "make the directory writable, and run the command again."
        ) from error


def _write(path: Path, text: str) -> None:
    with temporary_file(path) as temporary:
        temporary.write_bytes(text.encode())
        move_into_place(temporary, path)


class _Compiled(NamedTuple):
    """What is needed of the archive of a seed: its label and so on, and its last release."""

    label: str
    note: str | None
    modified: str
    sha256: str
    previous: Label | None
    previous_digest: str | None
    changes: Sequence[ChangedValue]
    retired: Sequence[RetiredResource]


def _compile(seed: Path, filed: Sequence[Path], progress: ProgressCallback | None) -> _Compiled:
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory) / "archive.sqlite"
        try:
            compile_seed(seed, archive, progress, filed)
            meta = read_meta(archive)
            with closing(sqlite3.connect(archive)) as connection:
                changes = _changes(connection, len(meta["releases"]))
                retired = _retired(connection, meta["label"])
        except (OSError, sqlite3.Error) as error:
            message = f"Cannot compile {seed} to compare it: {error}. Free space in {directory}."
            raise ArchiveError(message) from error
    previous, digest = ([(None, None), *meta["releases"].items()])[-2]
    return _Compiled(
        label=meta["label"],
        note=meta["note"],
        modified=meta["metadata"]["modified"],
        sha256=meta["seed"][1],
        previous=previous,
        previous_digest=digest,
        changes=changes,
        retired=retired,
    )


def _read(seed: Path, fingerprint: str) -> str:
    """The text of a seed, which must be the one that was checked."""
    content = seed.read_bytes()
    if sha256(content).hexdigest() != fingerprint:
        raise ArchiveError(f"{seed} was changed while it was checked. Run the command again.")
    return content.decode()


def _next_label(seed: Path, day: str, filed: Sequence[Path]) -> Label:
    """The label of a release on a day, after those before.

    Raises:
        SeedError: The last release is of a later day.
    """
    last_day, number = label_order(filed[-1].stem) if filed else ("", 0)
    if day < last_day:
        expected = f"the day of the change, no earlier than {last_day}, the last release"
        raise SeedError(seed, [Issue("/modified", format_value(day), expected)])
    return f"{day}.{number + 1}" if day == last_day else day


def _new_stamp(text: str, label: Label, note: str, previous: str | None) -> dict[str, Any]:
    """The stamp of a release of a seed with this text."""
    stamp = {"label": label, "note": note, "previous": previous}
    content = sha256(rfc8785.dumps({**json.loads(text), STAMP: stamp})).hexdigest()
    return {**stamp, "content": content}


def _with_stamp(text: str, stamp: Mapping[str, Any]) -> str:
    """The text of a seed with a stamp; unchanged if it has it.

    Raises:
        SeedError: The result cannot be read as a release.
    """
    if json.loads(text).get(STAMP) == stamp:
        return text
    edits = set_members(text, parse_json(text), {STAMP: stamp}, _MEMBERS)
    stamped = apply_edits(text, [*edits])
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"{stamp['label']}.json"
        path.write_bytes(stamped.encode())
        for _ in FiledRelease(path):
            pass
    return stamped


_MEMBERS = [field.alias or name for name, field in Seed.model_fields.items()]
"""All members of a seed, in the order in which they are written."""


def _changes(connection: sqlite3.Connection, position: int) -> list[ChangedValue]:
    rows = connection.execute(
        "SELECT type, resource, field, before, after FROM changes WHERE release = ? ORDER BY key",
        (position,),
    )
    return [ChangedValue(*row) for row in rows]


def _retired(connection: sqlite3.Connection, label: str) -> list[RetiredResource]:
    rows = connection.execute(
        "SELECT type, id, reason, replaced_by FROM retired "
        "WHERE release = ? AND type != 'citation' ORDER BY type, id",
        (label,),
    )
    return [RetiredResource(*row) for row in rows]
