"""URLs of web pages: URIs of the schemes http and https (RFC 3986)."""

import re
import unicodedata
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator, Field

_CHARACTER = r"[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2}"
URL_PATTERN = (
    rf"^https?://(\[[0-9A-Fa-f:.]+\]|({_CHARACTER})+)(:[0-9]*)?"
    rf"(/({_CHARACTER}|[:@/])*)?(\?({_CHARACTER}|[:@/?])*)?(#({_CHARACTER}|[:@/?])*)?$"
)
"""A URI with a host and without a user name (RFC 3986, appendix A; RFC 9110, 4.2)."""
_URL = re.compile(URL_PATTERN)
_HOST = r"https?://[^/?#]*?"
_INVALID = r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]"

_FAULTS = (
    (r"(?!https?://)", "a URL that starts with http:// or https://"),
    (rf"{_HOST}(?P<invalid>{_INVALID})", "a host name in ASCII (RFC 3986), without {name}"),
    (rf".*?(?P<invalid>{_INVALID})", "a URI (RFC 3986), with {name} written as {encoded}"),
    (r".*%(?![0-9A-Fa-f]{2})", "a URI (RFC 3986), with a percent sign written as %25"),
    (r"https?://($|[/?#:])", "a URL with a host name"),
    (rf"{_HOST}@", "a URL without a user name"),
    (rf"{_HOST}:[0-9]*[^0-9/?#]", "a URL with a port in digits"),
    (r".*#.*#", "a URI (RFC 3986), with # only before the fragment (%23 elsewhere)"),
    (r"", "a URI (RFC 3986), with brackets written as %5B and %5D"),
)
"""Pattern of each fault and what a URL without it is, in the order in which they are reported."""


def expected_url(value: str) -> str:
    """What an invalid URL should be, by its first fault."""
    match, expected = next(
        (match, expected)
        for pattern, expected in _FAULTS
        if (match := re.match(pattern, value, re.DOTALL))
    )
    character = match.groupdict().get("invalid", " ")
    name = f"U+{ord(character):04X} {unicodedata.name(character, '(a control character)')}"
    return expected.format(name=name, encoded=quote(character, errors="replace"))


def _validate_url(value: str) -> str:
    if not _URL.fullmatch(value):
        raise ValueError(f"expected {expected_url(value)}")
    return value


Url = Annotated[
    str,
    Field(max_length=2_000, json_schema_extra={"pattern": URL_PATTERN}),
    AfterValidator(_validate_url),
]
