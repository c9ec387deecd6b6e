"""Canonical JSON: what RFC 8785 prescribes, for everything that a seed can contain."""

from __future__ import annotations

import json
import subprocess

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from app.models.canonical import MAX_SAFE_INTEGER, canonical_json
from tests.conftest import SEED, needs

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text("abz_$AZ09", max_size=4)
INTEGERS = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXTS,
    lambda children: st.lists(children) | st.dictionaries(KEYS, children),
    max_leaves=20,
)


@given(VALUES)
def test_the_canonical_form_is_that_of_rfc_8785(value: object) -> None:
    """An independent implementation gives the same bytes, and they mean the same."""
    assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]
    assert json.loads(canonical_json(value)) == value


@pytest.mark.process
def test_jq_gives_the_canonical_form_of_a_seed() -> None:
    """The digest of a release can be recomputed by a shell command."""
    jq = needs("jq", "it recomputes the digest of a release")
    command = [jq, "-cjS", ".", str(SEED)]
    printed = subprocess.run(command, capture_output=True, check=True).stdout
    assert printed == rfc8785.dumps(json.loads(SEED.read_bytes()))
