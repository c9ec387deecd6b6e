"""JSON is changed in places: values are found where they stand, and nothing else is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.seed.json_text import apply_edits, format_json, parse_json, set_members

ORDER = ("source", "start", "end", "exact", "prefix")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=json_values, indent=st.sampled_from([None, 0, 2, "\t"]), ascii_only=st.booleans())
def test_every_value_is_found_where_it_stands(
    value: Any, indent: str | int | None, ascii_only: bool
) -> None:
    """The text between start and end of a node is its value, at every depth."""
    text = f" {json.dumps(value, indent=indent, ensure_ascii=ascii_only)}\r\n"
    root = parse_json(text)
    assert root.value == value
    for _, node in root.walk():
        assert json.loads(text[node.start : node.end]) == node.value


@given(json_values)
def test_written_json_is_the_value(value: Any) -> None:
    """JSON that is written for people is read as the same value."""
    assert json.loads(format_json(value)) == value


def test_short_values_are_on_one_line() -> None:
    """A line has at most 100 characters where that is possible."""
    value = {"short": [1, {"a": None}], "long": ["x" * 60, "y" * 60]}
    expected = [
        "{",
        '  "short": [1, {"a": null}],',
        '  "long": [',
        f'    "{"x" * 60}",',
        f'    "{"y" * 60}"',
        "  ]",
        "}",
    ]
    assert format_json(value).splitlines() == expected


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1),
        ('{"a" 1}', 6),
        ("[1,]", 4),
        ("{,}", 2),
        ('{"a": 1}x', 9),
        ('{"a": 1 "b": 2}', 9),
        ("[1 2]", 4),
        ("{'a': 1}", 2),
        ('["a', 2),
        ("{1: 2}", 2),
    ],
)
def test_invalid_json_is_rejected_where_it_is(text: str, column: int) -> None:
    """The error has the position of the first character that is wrong."""
    with pytest.raises(json.JSONDecodeError) as error:
        parse_json(text)
    assert error.value.colno == column


def test_pointers_are_escaped() -> None:
    """Keys are written as in RFC 6901."""
    assert [pointer for pointer, _ in parse_json('{"a/b": [{"c~d": 1}]}').walk()] == [
        "",
        "/a~1b",
        "/a~1b/0",
        "/a~1b/0/c~0d",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"exact": "x"}', '{"source": "s", "start": 1, "exact": "x", "prefix": "p"}'),
        ('{"exact":"x"}', '{"source":"s","start":1,"exact":"x","prefix":"p"}'),
        ('{ "exact" : "x" }', '{ "source" : "s", "start" : 1, "exact" : "x", "prefix" : "p" }'),
        (
            '{\n  "exact": "x"\n}',
            '{\n  "source": "s",\n  "start": 1,\n  "exact": "x",\n  "prefix": "p"\n}',
        ),
        (
            '{\r\n"end":2,\r\n"exact":"x"}',
            '{\r\n"source":"s",\r\n"start":1,\r\n"end":2,\r\n"exact":"x",\r\n"prefix":"p"}',
        ),
        (
            '{"exact": "x", "source": ""}',
            '{"start": 1, "exact": "x", "source": "s", "prefix": "p"}',
        ),
        (
            '{"start": null, "end": [1, {}], "exact": "x"}',
            '{"source": "s", "start": 1, "end": [1, {}], "exact": "x", "prefix": "p"}',
        ),
        ("{}", '{"source": "s", "start": 1, "prefix": "p"}'),
    ],
)
def test_members_are_added_in_the_style_of_the_others(text: str, expected: str) -> None:
    """Spaces, line ends and the order of keys stay; a member that is there is replaced."""
    values = {"source": "s", "start": 1, "prefix": "p"}
    edits = list(set_members(text, parse_json(text), values, ORDER))
    assert apply_edits(text, edits) == expected
