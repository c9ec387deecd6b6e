"""Older shapes of seeds are read as if they were of the present one."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from app.models import RESOURCES
from app.models.header import SEED_ONLY_FIELDS, Metadata
from app.seed.record import MODELS
from app.seed.seed_file import SeedFile
from app.seed.shapes import SHAPE, STEPS, is_readable, upgrade_entry, upgrade_header
from tests.conftest import SEED

Json = dict[str, Any]
FIRST = SEED.with_name("releases") / "2026-11-24.json"
"""A release of shape 1."""


def test_there_is_a_step_from_every_shape() -> None:
    """Each leads to the next, up to the present one."""
    assert sorted(STEPS) == list(range(1, SHAPE))
    assert [is_readable(shape) for shape in (0, 1, SHAPE, SHAPE + 1, "1", True, None)] == [
        False, True, True, False, False, False, False,
    ]  # fmt: skip


def test_a_seed_of_the_present_shape_is_not_changed() -> None:
    """Its header and its entries are the same objects."""
    content: Json = json.loads(SEED.read_bytes())
    assert upgrade_header(content, SHAPE) is content
    for collection in MODELS:
        for entry in content[collection]:
            assert upgrade_entry(collection, entry, SHAPE) is entry


def test_the_first_release_is_read_in_the_present_shape() -> None:
    """Every entry and the header are valid, and nothing of what it states is lost or changed."""
    file = SeedFile(FIRST)
    original: Json = json.loads(FIRST.read_bytes())
    text = json.dumps({name: original[name] for name in MODELS}).replace("licence", "license")
    expected: Json = json.loads(text)
    for entry in file:
        MODELS[entry.collection].model_validate(entry.value)
        stated = expected[entry.collection][entry.index]
        added = {name: value for name, value in entry.value.items() if name not in stated}
        assert {**stated, **added} == entry.value
        assert set(added.values()) <= {None}
    metadata = Metadata.model_validate(file.header).model_dump(exclude=set(SEED_ONLY_FIELDS))
    assert metadata["license"] == original["licence"]
    assert metadata["outlines"]["reference"]["license"] == "Public domain"
    for name in ("modified", "archive_notice"):
        assert metadata[name] == original[name]


def test_steps_leave_the_original_as_it_was() -> None:
    """They are pure functions of JSON."""
    original: Json = json.loads(FIRST.read_bytes())
    before = deepcopy(original)
    upgrade_header(original, 1)
    for model in RESOURCES:
        for entry in original[model.collection]:
            upgrade_entry(model.collection, entry, 1)
    assert original == before


@pytest.mark.parametrize("entry", [None, 1, "text", [], [{"licence": "x"}]])
def test_what_is_no_object_is_left_to_validation(entry: object) -> None:
    """A step is applied to objects only."""
    assert upgrade_entry("awards", entry, 1) is entry
