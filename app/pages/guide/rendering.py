"""Pages for people: templates filled in, code coloured. Loaded when the first page is asked for."""

from __future__ import annotations

import json
import re
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from app.pages.templates import template_environment

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **context: Any) -> bytes:
    """A template with its context filled in; what the context lacks is an error."""
    page: str = _templates().get_template(template).render(context)
    return page.encode()


@cache
def static_file(name: str) -> bytes:
    """A style sheet or script of the pages."""
    return (files("app.pages.guide") / "static" / name).read_bytes()


@cache
def _templates() -> Environment:
    pretty = partial(json.dumps, indent=2, ensure_ascii=False)
    filters = {"coloured": highlight_code, "marked": inline_code, "pretty": pretty}
    return template_environment("app.pages.guide", filters)


def inline_code(text: str) -> str:
    """A sentence with what stands between backticks as code; as HTML."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - as late as can be

    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def highlight_code(code: str, language: str) -> str:
    """Code with its tokens marked up for the style sheet; as HTML, safe to put in a page."""
    from markupsafe import Markup  # noqa: PLC0415 - as late as can be
    from pygments import highlight  # noqa: PLC0415
    from pygments.formatters.html import HtmlFormatter  # noqa: PLC0415
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415

    lexer = get_lexer_by_name(language, stripnl=True)
    marked = highlight(str(code), lexer, HtmlFormatter(nowrap=True))
    return Markup(marked.rstrip("\n"))  # noqa: S704 - the formatter escapes
