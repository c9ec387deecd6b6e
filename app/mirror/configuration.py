"""Configuration files with which nginx and Caddy serve a mirror, rendered from templates."""

from __future__ import annotations

from collections.abc import Mapping

from app.mirror.rules import INSTANCE, INSTANCE_PATTERN, METHODS, PROBLEMS, Rules
from app.pages.templates import template_environment
from app.responses.problems import MEDIA_TYPE

CONFIGURATION_FILES = (
    "nginx.conf",
    "nginx/http.conf",
    "nginx/server.conf",
    "Caddyfile",
    "caddy/site.caddy",
)
"""Their paths in the mirror; each has a template of the same path, with `.j2` added."""


def render_configuration(rules: Rules) -> Mapping[str, str]:
    """The text of each of `CONFIGURATION_FILES`, by path."""
    filters = {
        "quote": quote,
        "single_quote": _single_quote,
        "escape_braces": _escape_braces,
        "out_of_range_pattern": out_of_range_pattern,
    }
    environment = template_environment("app.mirror", filters, autoescape=False)
    variables = {
        "rules": rules,
        "methods": METHODS,
        "problems": PROBLEMS,
        "problem_type": MEDIA_TYPE,
        "instance": INSTANCE,
        "instance_pattern": INSTANCE_PATTERN,
    }
    return {
        path: environment.get_template(f"{path}.j2").render(variables) + "\n"
        for path in CONFIGURATION_FILES
    }


def quote(value: str) -> str:
    """A value in double quotes, with the escaping that nginx and Caddy share."""
    escaped = value.replace('"', '\\"')
    return f'"{escaped}"'


def _single_quote(value: str) -> str:
    """A value in single quotes for nginx, which still replaces `$` variables in it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def out_of_range_pattern(size: int) -> str:
    """Regular expression for a `Range` header that starts at or after `size` bytes.

    nginx and Caddy cannot compare numbers, so the comparison is spelled out digit by digit.
    """
    digits = str(size)
    larger = [f"[1-9][0-9]{{{len(digits)},}}"]
    for place, digit in enumerate(digits):
        if digit != "9":
            rest = len(digits) - place - 1
            larger.append(f"{digits[:place]}[{int(digit) + 1}-9]" + f"[0-9]{{{rest}}}" * (rest > 0))
    return f"^bytes=(0*({'|'.join([*larger, digits])})-[0-9]*|-0+)$"


def _escape_braces(text: str) -> str:
    """Text in which Caddy finds no placeholders."""
    return text.replace("{", "\\{").replace("}", "\\}")
