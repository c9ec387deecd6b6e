"""Seeds of older shapes, read as if they were of the present one.

A seed names the version of its shape, as a filed release is never edited. A change of the models
that older seeds do not fit raises `SHAPE` and adds a step to `STEPS`: what turns the header and an
entry of the former shape into those of the next, without knowledge of the rest of the file. A seed
without a version is of shape 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

SHAPE = 2
"""The present shape, that of the models."""


@dataclass(frozen=True, slots=True)
class Step:
    """How a seed of one shape is read as one of the next.

    Attributes:
        header: Turns the members of the file that are not lists of resources; `shape` is set.
        entry: Turns one resource, given the name of its collection.
    """

    header: Callable[[Json], Json]
    entry: Callable[[str, Json], Json]


def is_readable(shape: object) -> bool:
    """Whether seeds of this shape can be read."""
    return type(shape) is int and (shape == SHAPE or shape in STEPS)


def readable_shapes() -> str:
    """The shapes that can be read, in words."""
    return " or ".join(map(str, (*STEPS, SHAPE)))


def upgrade_header(header: Json, shape: int) -> Json:
    """The header of a seed of this shape, as one of the present shape."""
    for number in range(shape, SHAPE):
        header = {**STEPS[number].header(header), "shape": number + 1}
    return header


def upgrade_entry(collection: str, entry: Any, shape: int) -> Any:
    """An entry of a seed of this shape, as one of the present shape; not changed in place.

    What is no object stays as it is: validation reports it.
    """
    if isinstance(entry, dict):
        for number in range(shape, SHAPE):
            entry = STEPS[number].entry(collection, entry)
    return entry


def _header_1_to_2(header: Json) -> Json:
    """Shape 2 spells `license`, and the seed itself has what exports said of every record."""
    return {
        "title": "Child Protection Compact record",
        "description": header.get("archive_notice"),
        "keywords": ["child trafficking", "child protection", "foreign assistance"],
        **_spell_license(header),
    }


def _entry_1_to_2(collection: str, entry: Json) -> Json:
    """Shape 2 spells `license`, and has fields that are null for all that was in shape 1."""
    return {**dict.fromkeys(_ADDED_IN_2.get(collection, ())), **_spell_license(entry)}


def _spell_license(value: Any) -> Any:
    """JSON with the key `licence` spelled `license`, at any depth."""
    if isinstance(value, dict):
        return {
            "license" if key == "licence" else key: _spell_license(member)
            for key, member in value.items()
        }
    return [_spell_license(member) for member in value] if isinstance(value, list) else value


_ADDED_IN_2: Mapping[str, tuple[str, ...]] = {
    "partnerships": ("investment_qualifier",),
    "awards": ("amount_qualifier",),
    "sources": ("captured", "memento", "extraction_tool", "extraction_version"),
}

STEPS: Mapping[int, Step] = {1: Step(_header_1_to_2, _entry_1_to_2)}
"""By the shape that each step starts from."""
