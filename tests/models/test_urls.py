"""URLs in the seed are URIs (RFC 3986) of the schemes http and https."""

from __future__ import annotations

import re
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.models.urls import URL_PATTERN, Url

ADAPTER = TypeAdapter(Url)


@pytest.mark.parametrize(
    "url",
    [
        "http://a",
        "https://example.org",
        "https://example.org:8443/a/b;c=1,2?q=(x)&r='y'#iso:code:3166:PE",
        "https://[2001:db8::1]:80/",
        "https://example.org/%C3%A9?a=%20#/x?y",
        "https://xn--exmple-cua.org/",
        "https://example.org/a:b@c",
        "https://example.org:/?#",
        "https://example.org/" + "a" * 1_979,
    ],
)
def test_a_uri_is_accepted(url: str) -> None:
    """Every character that RFC 3986 allows in each part is accepted."""
    assert ADAPTER.validate_python(url) == url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("example.org", "starts with http:// or https://"),
        ("ftp://example.org/", "starts with http:// or https://"),
        ("HTTPS://example.org/", "starts with http:// or https://"),
        ("", "starts with http:// or https://"),
        ("https://", "with a host name"),
        ("https:///path", "with a host name"),
        ("https://:80/", "with a host name"),
        ("https://é.org/", "in ASCII (RFC 3986), without U+00E9 LATIN SMALL LETTER E WITH ACUTE"),
        ("https://example.org\\x", "without U+005C REVERSE SOLIDUS"),
        ("https://user@example.org/", "without a user name"),
        ("https://user:" + "password@example.org/", "without a user name"),
        ("https://example.org:http/", "with a port in digits"),
        ("https://example.org/é", "U+00E9 LATIN SMALL LETTER E WITH ACUTE written as %C3%A9"),
        ("https://example.org/a b", "U+0020 SPACE written as %20"),
        ("https://example.org/a\u00a0b", "U+00A0 NO-BREAK SPACE written as %C2%A0"),
        ("https://example.org/\n", "U+000A (a control character) written as %0A"),
        ("https://example.org/a|b", "U+007C VERTICAL LINE written as %7C"),
        ("https://example.org/{id}", "U+007B LEFT CURLY BRACKET written as %7B"),
        ("https://example.org/100%", "a percent sign written as %25"),
        ("https://example.org/%zz", "a percent sign written as %25"),
        ("https://example.org/#a#b", "%23"),
        ("https://example.org/?a[]=1", "brackets written as %5B and %5D"),
        ("https://example.org/" + "a" * 1_981, "at most 2000 characters"),
    ],
)
def test_what_is_no_uri_is_rejected(url: str, expected: str) -> None:
    """The error says what is wrong, and how it would be right."""
    with pytest.raises(ValidationError) as caught:
        ADAPTER.validate_python(url)
    assert expected in str(caught.value)


@given(st.text(max_size=20))
def test_every_text_has_a_verdict(text: str) -> None:
    """Whatever follows a host, it is accepted as the pattern has it, or rejected with a reason."""
    url = f"https://a/{text}"
    accepted = re.fullmatch(URL_PATTERN, url) is not None
    with nullcontext() if accepted else pytest.raises(ValidationError, match="expected a UR"):
        ADAPTER.validate_python(url)
