"""Differences between records: complete, minimal, reversible, and exact about JSON values."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.archive.changes import Change, diff
from app.models.document import Key
from tests.support.comparison import (
    ExpectedChange,
    Json,
    Record,
    apply_changes,
    canonical,
    cited_by,
    expected_changes,
)

SCALARS = st.sampled_from(
    [None, True, False, 0, 1, -1, 5e6, 5_000_000, 2**53 - 1, "", "1", "null", "é", "e\u0301"]
)  # fmt: skip
VALUES = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.dictionaries(st.sampled_from("ab"), SCALARS, max_size=2),
)
RESOURCES = st.dictionaries(
    st.tuples(st.sampled_from(["award", "region", "record"]), st.sampled_from("xyz")),
    st.dictionaries(st.sampled_from(["id", "title", "amount"]), VALUES, min_size=1),
    max_size=5,
)
CITATIONS = st.dictionaries(
    st.sampled_from("abc").map(lambda suffix: ("citation", f"award.x.title.{suffix}")),
    st.fixed_dictionaries(
        {
            "resource_type": st.just("award"),
            "resource": st.sampled_from("xy"),
            "field": st.sampled_from(["title", "amount"]),
            "note": SCALARS,
        }
    ),
    max_size=3,
)
RECORDS = st.tuples(RESOURCES, CITATIONS).map(lambda parts: {**parts[0], **parts[1]})


def as_text(value: bytes | None) -> str | None:
    """A canonical value as text."""
    return None if value is None else value.decode()


def kind_of(change: Change) -> str | None:
    """What happened to the value; None if only its citations differ."""
    if change.before == change.after:
        return None
    if change.before is None:
        return "added"
    return "removed" if change.after is None else "changed"


def flatten_changes(changes: Iterable[Change]) -> list[ExpectedChange]:
    """Changes of values in the form of `expected_changes`, without those of citations alone."""
    return [
        (
            (change.type, change.id, change.field),
            kind,
            as_text(change.before),
            as_text(change.after),
        )
        for change in changes
        if (kind := kind_of(change)) is not None
    ]


@given(RECORDS, RECORDS)
def test_changes_are_those_of_an_independent_comparison(before: Record, after: Record) -> None:
    """Each value that differs is one change, with the citations of both sides; nothing else is."""
    changes = list(diff(before, after))
    valued = flatten_changes(changes)
    assert len(valued) == len(set(valued))
    assert set(valued) == expected_changes(before, after)
    for change in changes:
        name = change.type, change.id, change.field
        assert list(change.citations_before) == cited_by(before, name)
        assert list(change.citations_after) == cited_by(after, name)
        assert kind_of(change) or change.citations_before != change.citations_after


@given(RECORDS, RECORDS)
def test_the_old_record_with_its_changes_is_the_new_one(before: Record, after: Record) -> None:
    """Byte for byte in canonical form, in both directions; the old record is left as it was."""
    untouched = canonical(before)
    for old, new in ((before, after), (after, before)):
        applied = apply_changes(old, flatten_changes(diff(old, new)))
        assert canonical(applied) == canonical(new)
    assert canonical(before) == untouched


@given(RECORDS, RECORDS)
def test_citations_come_last(before: Record, after: Record) -> None:
    """Changes are sorted by type, id and field, and a citation is one value."""
    changes = [change for change in diff(before, after) if kind_of(change)]
    names = [(change.type == "citation", change.type, change.id) for change in changes]
    assert names == sorted(names)
    assert all((change.field is None) == (change.type == "citation") for change in changes)


@given(st.permutations([("award", "x"), ("award", "y"), ("region", "x"), ("citation", "c")]))
def test_the_order_of_documents_and_keys_does_not_matter(order: list[Key]) -> None:
    """Reordered documents, and reordered keys of an object, are no change."""
    cited = {"resource_type": "award", "resource": "x", "field": "a"}
    before = {key: {**cited, "a": {"b": 1, "c": 2}} for key in sorted(order)}
    after = {key: {"a": {"c": 2, "b": 1}, **dict(reversed(cited.items()))} for key in order}
    assert list(diff(before, after)) == []


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ({"a": True}, {"a": 1}, "changed"),
        ({"a": False}, {"a": 0}, "changed"),
        ({"a": "1"}, {"a": 1}, "changed"),
        ({"a": None}, {}, "removed"),
        ({}, {"a": None}, "added"),
        ({"a": None}, {"a": 5}, "changed"),
        ({"a": [1, 2]}, {"a": [2, 1]}, "changed"),
        ({"a": [[True]]}, {"a": [[1]]}, "changed"),
        ({"a": "\u00e9"}, {"a": "e\u0301"}, "changed"),
        ({"a": 5_000_000}, {"a": 5_000_000.0}, None),
        ({"a": -0.0}, {"a": 0}, None),
    ],
)
def test_values_are_compared_by_their_canonical_bytes(
    old: Json, new: Json, kind: str | None
) -> None:
    """Python and most comparison libraries take `true` for 1; null is not the same as absent."""
    key = ("award", "x")
    changes = list(diff({key: {"id": "x", **old}}, {key: {"id": "x", **new}}))
    assert [kind_of(change) for change in changes] == ([kind] if kind else [])


def test_other_citations_of_the_same_value_are_no_change_of_it() -> None:
    """The value is reported without a kind, to keep track of its citations."""
    award, cited = {"title": "A"}, {"resource_type": "award", "resource": "x", "field": "title"}
    before = {("award", "x"): award, ("citation", "old"): cited}
    after = {("award", "x"): award, ("citation", "new"): cited}
    first, *others = diff(before, after)
    assert first == Change("award", "x", "title", b'"A"', b'"A"', ("old",), ("new",))
    assert kind_of(first) is None
    assert [(change.id, kind_of(change)) for change in others] == [
        ("new", "added"),
        ("old", "removed"),
    ]
