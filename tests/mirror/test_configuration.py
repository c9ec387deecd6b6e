"""The parts of the web servers' configuration that are computed."""

from __future__ import annotations

import re

import pytest

from app.mirror.configuration import out_of_range_pattern, quote


@pytest.mark.parametrize("size", [1, 2, 9, 10, 11, 99, 100, 101, 999, 1_000, 4_498])
def test_a_range_is_refused_exactly_when_it_starts_after_the_end(size: int) -> None:
    """Numbers of any length are compared; an empty suffix is refused."""
    pattern = re.compile(out_of_range_pattern(size))
    for start in [*range(2 * size + 20), 10**9, 10**18]:
        assert bool(pattern.fullmatch(f"{start}-")) == (start >= size)
        assert bool(pattern.fullmatch(f"{start}-{start + 5}")) == (start >= size)
    assert pattern.fullmatch("-0")
    assert not pattern.fullmatch("-5")
    assert not pattern.fullmatch("0-1,5-6")


def test_quotes_in_a_value_are_escaped() -> None:
    """A quoted value ends where it should."""
    assert quote('</docs>; rel="service-doc"') == r'"</docs>; rel=\"service-doc\""'
