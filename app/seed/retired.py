"""Checks of retired ids: none is lost without a reason, and none is used again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from app.models.document import Key
from app.models.release import Retirement
from app.seed.errors import Issue, format_value

PointerOf = Callable[[str, str], str | None]
"""JSON pointer of the resource with a type and an id; None if there is none."""


def reused_ids(retired: Mapping[Key, str], pointer_of: PointerOf) -> Iterator[Issue]:
    """Ids that a release retired and that the seed has again."""
    for (type_, id_), label in sorted(retired.items()):
        if (pointer := pointer_of(type_, id_)) is not None:
            expected = f"an id that was never used: release {label} retired this one"
            yield Issue(f"{pointer}/id", format_value(id_), expected)


def unlisted_ids(removed: Mapping[Key, str], retirements: Sequence[Retirement]) -> Iterator[Issue]:
    """Resources of earlier releases that the seed neither has nor lists as retired."""
    listed = {(retirement.type, retirement.id) for retirement in retirements}
    for type_, id_ in sorted(removed.keys() - listed):
        if type_ != "citation":
            found = f"neither the {type_} {id_} nor an entry for it"
            expected = "an entry with the reason and what replaces it, as an earlier release has it"
            yield Issue("/retired", found, expected)


def invalid_retirements(
    removed: Mapping[Key, str], retirements: Sequence[Retirement], pointer_of: PointerOf
) -> Iterator[Issue]:
    """Entries for what was not removed, and successors that do not exist."""
    first: dict[Key, int] = {}
    for index, retirement in enumerate(retirements):
        pointer, type_ = f"/retired/{index}", retirement.type
        key = type_, retirement.id
        if (other := first.setdefault(key, index)) != index:
            expected = f"an id other than that of /retired/{other}"
            yield Issue(f"{pointer}/id", format_value(retirement.id), expected)
        elif key not in removed:
            expected = f"the id of a former {type_}: one that a release has and the seed has not"
            yield Issue(f"{pointer}/id", format_value(retirement.id), expected)
        for number, id_ in enumerate(retirement.replaced_by or ()):
            if pointer_of(type_, id_) is None:
                expected = f"the id of the {type_} that replaces it"
                yield Issue(f"{pointer}/replaced_by/{number}", format_value(id_), expected)
