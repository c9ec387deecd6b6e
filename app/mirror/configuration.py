"""Configuration files with which web servers and CDNs serve a mirror, rendered from templates."""

from __future__ import annotations

import json
from collections.abc import Mapping

from app.mirror.cdn import (
    CLOUDFRONT_POLICY,
    GONE_SUFFIX,
    HEADERS,
    IDENTITY,
    PUBLISHED_CODINGS,
    RELEASE_HEADER,
    ROOT,
    cloudfront_policy,
    describe_headers,
    metadata_headers,
    metadata_name,
    shared_headers,
)
from app.mirror.entries import GONE
from app.mirror.rules import (
    INSTANCE,
    INSTANCE_PATTERN,
    ITEM_PATTERN,
    METHODS,
    PROBLEMS,
    RANGES_PREFIX,
    Rules,
)
from app.pages.templates import template_environment
from app.responses.problems import MEDIA_TYPE

_RENDERED_FILES = (
    "nginx.conf",
    "nginx/http.conf",
    "nginx/server.conf",
    "Caddyfile",
    "caddy/site.caddy",
    "cdn/nginx.conf",
    "cdn/cloudfront-request.js",
    "cdn/cloudfront-response.js",
)
"""Each has a template of the same path, with `.j2` added."""
CONFIGURATION_FILES = (*_RENDERED_FILES, CLOUDFRONT_POLICY, HEADERS)
"""Their paths in the mirror."""

_RANGE = "(?:0|[1-9][0-9]{0,17})-(?:[1-9][0-9]{0,17}|0)?|-[0-9]{1,18}"
"""Matches one range of bytes, without the unit, whose numbers every web server can hold."""


def render_configuration(rules: Rules) -> Mapping[str, str]:
    """The text of each of `CONFIGURATION_FILES`, by path."""
    filters = {
        "quote": quote,
        "single_quote": _single_quote,
        "escape_braces": _escape_braces,
        "out_of_range_pattern": out_of_range_pattern,
        "metadata_name": metadata_name,
        "json": json.dumps,
    }
    environment = template_environment("app.mirror", filters, autoescape=False)
    variables = {
        "rules": rules,
        "methods": METHODS,
        "problems": PROBLEMS,
        "problem_type": MEDIA_TYPE,
        "instance": INSTANCE,
        "gone": GONE,
        "instance_pattern": INSTANCE_PATTERN,
        "item_pattern": ITEM_PATTERN,
        "range_pattern": _RANGE,
        "reversed_range_pattern": reversed_range_pattern(),
        "shared": shared_headers(rules),
        "metadata": metadata_headers(rules),
        "codings": PUBLISHED_CODINGS,
        "identity": IDENTITY,
        "root": ROOT,
        "gone_suffix": GONE_SUFFIX,
        "ranges_prefix": RANGES_PREFIX,
        "release_header": RELEASE_HEADER,
    }
    rendered = {
        path: environment.get_template(f"{path}.j2").render(variables) + "\n"
        for path in _RENDERED_FILES
    }
    policy = cloudfront_policy(rules)
    return {**rendered, CLOUDFRONT_POLICY: policy, HEADERS: describe_headers(rules)}


def quote(value: str) -> str:
    """A value in double quotes, with the escaping that nginx and Caddy share."""
    escaped = value.replace('"', '\\"')
    return f'"{escaped}"'


def _single_quote(value: str) -> str:
    """A value in single quotes for nginx, which still replaces `$` variables in it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def out_of_range_pattern(size: int) -> str:
    """Regular expression for a range, as `_RANGE`, that starts at or after `size` bytes.

    nginx and Caddy cannot compare numbers, so the comparison is spelled out digit by digit.
    """
    digits = str(size)
    larger = [f"[1-9][0-9]{{{len(digits)},}}"]
    for place, digit in enumerate(digits):
        if digit != "9":
            rest = len(digits) - place - 1
            larger.append(f"{digits[:place]}[{int(digit) + 1}-9]" + f"[0-9]{{{rest}}}" * (rest > 0))
    return f"(?:{'|'.join([*larger, digits])})-[0-9]*|-0+"


def reversed_range_pattern() -> str:
    """Regular expression for a range, as `_RANGE`, that ends before it starts (RFC 9110, 14.1.1).

    For nginx, as it has recursion (PCRE): a pair of numbers of the same length is one digit, a
    shorter pair, and one digit. The first number is larger if it is longer, or if it has the
    larger digit at the first place where they differ.
    """
    longer = "[0-9]+([0-9](?:(?1)|-)[0-9])"
    same_length = "(?=([0-9](?:(?2)|-)[0-9])$)"
    larger_digit = "|".join(f"{digit}[0-9]*-\\3[0-{digit - 1}]" for digit in range(1, 10))
    return f"{longer}|{same_length}([0-9]*)(?:{larger_digit})[0-9]*"


def _escape_braces(text: str) -> str:
    """Text in which Caddy finds no placeholders."""
    return text.replace("{", "\\{").replace("}", "\\}")
