"""Links in response bodies."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest

from app.responses.representations import QueryPairs, url_with_query


@pytest.mark.parametrize(
    "pairs",
    [
        [("region", "cusco"), ("announced__gte", "2017-10")],
        [("q", "a.b_c~d-e")],
        [("q", "a&b=c")],
        [("q", "a+b")],
        [("q", "ñandú"), ("limit", "20")],
        [("q", "100%")],
        [("q", "line\n")],
        [("q", "")],
    ],
)
def test_the_query_string_of_a_link_is_encoded(pairs: QueryPairs) -> None:
    """Text that needs no encoding gives the same URL as `urlencode`, which reads back equally."""
    url = url_with_query("/v1/awards", pairs)
    assert url == f"/v1/awards?{urlencode(pairs)}"
    assert parse_qsl(url.partition("?")[2], keep_blank_values=True) == pairs


def test_a_link_without_parameters_is_the_path() -> None:
    """No parameters, no question mark."""
    assert url_with_query("/v1/awards", []) == "/v1/awards"
