"""Renders the guide and the problem pages. Jinja and Pygments are imported on first use."""

from __future__ import annotations

import json
import re
from functools import cache, partial
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from app.pages.templates import template_environment

if TYPE_CHECKING:
    from jinja2 import Environment

_CODE = re.compile("`([^`]+)`")
_START = "/(?:v1|docs|problems|history)"
_PATH = re.compile(rf"{_START}(?:/[\w-]+)*", re.ASCII)
"""A path that can be requested as it is."""
_PATH_IN_TEXT = re.compile(rf"(?<![\w/;']){_START}(?:/[\w-]+(?:\.[\w-]+)*)*(?![\w/%&])", re.ASCII)
"""A path in a sentence, without the period at its end."""


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
        "link_paths": link_paths,
        "pretty_json": partial(json.dumps, indent=2, ensure_ascii=False),
    }
    return template_environment("app.pages.guide", filters)


def inline_code(text: str) -> str:
    """HTML of a text in which backticks mark code. A path without variables is a link."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - loaded on first use

    return Markup(_CODE.sub(_code_element, str(escape(text))))  # noqa: S704 - escaped


def _code_element(match: re.Match[str]) -> str:
    code = f"<code>{match[1]}</code>"
    return f'<a href="{match[1]}">{code}</a>' if _PATH.fullmatch(match[1]) else code


def link_paths(text: str) -> str:
    """HTML of a text in which paths of the API are links, but not those in quotes."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - loaded on first use

    html = _PATH_IN_TEXT.sub(r'<a href="\g<0>">\g<0></a>', str(escape(text)))
    return Markup(html)  # noqa: S704 - escaped


def highlight_code(code: str, language: str) -> str:
    """HTML of highlighted code: escaped, with a class for each token that style sheets color.

    Code in a language that Pygments does not know stays plain.
    """
    from markupsafe import Markup, escape  # noqa: PLC0415 - loaded on first use
    from pygments.lexers import find_lexer_class_by_name  # noqa: PLC0415
    from pygments.lexers.special import TextLexer  # noqa: PLC0415
    from pygments.util import ClassNotFound  # noqa: PLC0415

    try:
        lexer = find_lexer_class_by_name(language)(stripnl=True)
    except ClassNotFound:
        lexer = TextLexer(stripnl=True)
    tokens = ((_token_class(type_), text) for type_, text in lexer.get_tokens(str(code)))
    parts = []
    for name, group in groupby(tokens, key=itemgetter(0)):
        text = str(escape("".join(text for _, text in group)))
        parts.append(f'<span class="{name}">{text}</span>' if name else text)
    return Markup("".join(parts).rstrip("\n"))  # noqa: S704 - escaped


def _token_class(type_: Any) -> str:
    """Class of a token of Pygments; empty if it looks like the text around it."""
    from pygments.token import Comment, Keyword, Name, Number, Operator, String  # noqa: PLC0415

    classes = {
        Comment: "c",
        Keyword.Constant: "m",
        Number: "m",
        String.Escape: "m",
        String: "s",
        Name.Tag: "nt",
        Name.Variable: "nt",
        Name.Builtin: "k",
        Operator.Word: "k",
        Keyword: "k",
    }
    return next((name for kind, name in classes.items() if type_ in kind), "")
