"""Renders the pages about the record from their templates."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape

from app.exports.terms import licenses
from app.models.notation import count_noun, noun_for, us_date
from app.pages.record import words
from app.pages.record.documents import DocumentReader
from app.pages.record.footnotes import Footnotes, selectors_by_type
from app.pages.templates import template_environment


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """The page as it is sent.

    Attributes:
        body: HTML in UTF-8.
        policy: Content-Security-Policy (CSP 3).
    """

    body: bytes
    policy: str


def render_template(
    name: str, reader: DocumentReader, origin: str | None, **context: Any
) -> RenderedPage:
    """A page from its template, given what only this page shows."""
    style, metadata = _style_sheet(), reader.archive.metadata
    template = _environment().get_template(name)
    footnotes = Footnotes(reader)
    html = template.render(
        archive=reader.archive,
        record=metadata,
        licenses=licenses(metadata),
        origin=origin,
        style=Markup(style),  # noqa: S704 - a file of this package
        footnotes=footnotes,
        **context,
    )
    notes = _environment().get_template("parts.html").module.notes  # type: ignore[attr-defined]
    for placeholder, group in footnotes.folded():
        html = html.replace(placeholder, notes(footnotes, group), 1)
    return RenderedPage(html.encode(), _content_security_policy(style))


def _content_security_policy(style: str) -> str:
    """The page's policy: allows its own style sheet, and the icon from its own origin.

    `connect-src` lets browser tools such as Lighthouse fetch `robots.txt` from within the page.
    """
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _breakable_path(path: str) -> Markup:
    """HTML of a path with a query, in which a line may break before each parameter."""
    return (
        escape(path).replace("?", Markup("<wbr>?")).replace(Markup("&amp;"), Markup("<wbr>&amp;"))
    )


@cache
def _style_sheet() -> str:
    """The style sheet without indentation and empty lines."""
    css = (files("app.pages.record") / "templates" / "record.css").read_text("utf-8")
    return "\n".join(line.strip() for line in css.splitlines() if line.strip())


@cache
def _environment() -> Environment:
    """The templates of the pages, with their filters."""
    filters = {
        "breakable": _breakable_path,
        "capitalize_first": words.capitalize_first,
        "count_noun": count_noun,
        "date_in_words": us_date,
        "field_label": words.field_label,
        "money": words.money_in_words,
        "noun_for": noun_for,
        "precision": words.precision,
        "selectors_by_type": selectors_by_type,
        "shorten": words.shorten,
    }
    return template_environment("app.pages.record", filters)
