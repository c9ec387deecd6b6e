"""Renders the guide and the problem pages. Jinja and Pygments are imported on first use."""

from __future__ import annotations

import json
import re
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from app.pages.templates import template_environment

if TYPE_CHECKING:
    from jinja2 import Environment


def render_template(name: str, **context: Any) -> bytes:
    """A template's HTML in UTF-8; variables missing from the context raise an error.

    Lone surrogates, which UTF-8 cannot encode, are escaped with a backslash.
    """
    html: str = _environment().get_template(name).render(context)
    return html.encode("utf-8", "backslashreplace")


@cache
def static_file(name: str) -> bytes:
    """Content of a style sheet or script from `static/`."""
    return (files("app.pages.guide") / "static" / name).read_bytes()


@cache
def example_file(name: str) -> bytes:
    """A program from `examples/` that the guide shows."""
    return (files("app.pages.guide") / "examples" / name).read_bytes()


@cache
def _environment() -> Environment:
    filters = {
        "highlight": highlight_code,
        "inline_code": inline_code,
        "pretty_json": partial(json.dumps, indent=2, ensure_ascii=False),
    }
    return template_environment("app.pages.guide", filters)


def inline_code(text: str) -> str:
    """HTML of a text in which backticks mark code."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - loaded on first use

    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def highlight_code(code: str, language: str) -> str:
    """HTML of highlighted code: escaped, with Pygments' short class names."""
    from markupsafe import Markup  # noqa: PLC0415 - loaded on first use
    from pygments import highlight  # noqa: PLC0415
    from pygments.formatters.html import HtmlFormatter  # noqa: PLC0415
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415

    lexer = get_lexer_by_name(language, stripnl=True)
    html = highlight(str(code), lexer, HtmlFormatter(nowrap=True))
    return Markup(html.rstrip("\n"))  # noqa: S704 - the formatter escapes
