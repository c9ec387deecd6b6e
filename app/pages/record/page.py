"""The page itself: templates filled with the record, and the policy that it is shown under."""

from __future__ import annotations

import sqlite3
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape

from app.archive.archive import COLLECTIONS, Archive
from app.pages.record import words
from app.pages.record.content import PageContent, read_content
from app.pages.record.dataset import Publication, dataset_json_ld
from app.pages.record.documents import DocumentReader, Json
from app.pages.record.footnotes import Footnotes, selectors
from app.pages.templates import template_environment

_WIKIDATA = "https://www.wikidata.org/wiki/"
_LONGEST_TITLE = 200
_LONGEST_TEXT = 900
_MOST_MEMBERS = 12
_REFERENCES = {"investor": "organizations", "recipient": "organizations"} | {
    "publisher": "organizations",
    "objectives": "objectives",
    "regions": "regions",
}
_DATES = {"signed", "announced", "ends", "archived_from", "archived_to"}


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """The page as sent.

    Attributes:
        body: HTML in UTF-8.
        policy: Its Content-Security-Policy (CSP 3).
    """

    body: bytes
    policy: str


def render(
    archive: Archive, publication: Publication, connection: sqlite3.Connection
) -> RenderedPage:
    """The record as HTML, complete in itself: nothing else need be loaded to show it."""
    reader = DocumentReader(archive, connection)
    story = read_content(reader)
    teller, style = _FieldRenderer(reader, story), style_sheet()
    body = (
        _templates()
        .get_template("record.html")
        .render(
            story=story,
            archive=archive,
            origin=publication.origin,
            dataset=dataset_json_ld(archive, publication, connection),
            style=Markup(style),  # noqa: S704 - a file of this package
            names={one["id"]: one["name"] for one in story.regions},
            notes=Footnotes(reader),
            selectors=selectors,
            tell=teller.tell,
            award_name=teller.award_name,
        )
    )
    return RenderedPage(body.encode(), content_security_policy(style))


def content_security_policy(style: str) -> str:
    """What the page may load: its own style sheet and, from its own origin, the icon.

    `connect-src` lets a browser's tools look at `robots.txt` from within the page.
    """
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def style_sheet() -> str:
    """The style sheet, without indentation."""
    text = (files("app.pages.record") / "templates" / "record.css").read_text("utf-8")
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


@cache
def _templates() -> Environment:
    filters = {
        "brief": truncate,
        "field": words.field_in_words,
        "counted": words.count_noun,
        "date": words.date_in_words,
        "precision": words.precision,
    }
    return template_environment("app.pages.record", filters)


def truncate(text: str, longest: int = _LONGEST_TEXT) -> str:
    """A text, cut at a word where it is too long for the page."""
    if len(text) <= longest:
        return text
    head = text[:longest]
    return f"{head.rpartition(' ')[0] or head} …"


class _FieldRenderer:
    """Says what a field of a resource holds."""

    def __init__(self, reader: DocumentReader, story: PageContent) -> None:
        self.reader = reader
        shown = (*story.organizations, *story.regions)
        self._shown = {one["links"]["self"] for one in shown}
        self._shown |= {one["links"]["self"] for part in story.chapters for one in part.objectives}

    def tell(self, resource: Json, name: str) -> str:
        """The value of a field, as HTML."""
        value = resource[name]
        if name in _REFERENCES:
            return self._references(_REFERENCES[name], value)
        if name in _DATES:
            return Markup('<time datetime="{}">{}</time>').format(value, words.date_in_words(value))
        if name in _WORDS:
            return escape(_WORDS[name](value))
        if name == "wikidata":
            return Markup('<a href="{}{}" translate="no">{}</a>').format(_WIKIDATA, value, value)
        if name == "url":
            return Markup('<a href="{}">{}</a>').format(value, truncate(value, _LONGEST_TITLE))
        members = value if isinstance(value, list) else [value]
        return Markup("; ").join(
            Markup("<bdi>{}</bdi>").format(truncate(str(one))) for one in members[:_MOST_MEMBERS]
        )

    def award_name(self, award: Json) -> str:
        """What to call an award in a figure: its recipient, or its title where that is unknown."""
        recipient = award["recipient"] and self.reader.one("organizations", award["recipient"])
        return str(recipient["short_name"] or recipient["name"] if recipient else award["title"])

    def _references(self, collection: str, value: Any) -> Markup:
        names = value if isinstance(value, list) else [value]
        return Markup(", ").join(self._reference(collection, one) for one in names[:_MOST_MEMBERS])

    def _reference(self, collection: str, name: str) -> Markup:
        """The name of a resource, linked to where the page tells of it, or to its own address."""
        found = self.reader.one(collection, name)
        if found is None:
            return escape(name)
        path = found["links"]["self"]
        here = f"#{COLLECTIONS[collection].type}-{name}"
        called = found.get("short_name") or found.get("name") or found["title"]
        return Markup('<a href="{}"><bdi>{}</bdi></a>').format(
            here if path in self._shown else path, truncate(called, _LONGEST_TITLE)
        )


def _listed(*, told: Callable[[Any], str], joint: str = ", ") -> Callable[[list[Any]], str]:
    return lambda values: joint.join(told(one) for one in values[:_MOST_MEMBERS])


_WORDS: dict[str, Callable[[Any], str]] = {
    "planned_years": lambda years: words.count_noun(years, "year"),
    "investment_amount": words.amount_in_words,
    "amount": words.amount_in_words,
    "bytes": "{:,}".format,
    "characters": "{:,}".format,
    "has_sub_recipients": lambda has: "yes" if has else "no",
    "kind": words.code_in_words,
    "roles": _listed(told=words.code_in_words),
    "trafficking_forms": _listed(told=words.code_in_words),
    "country": words.country_in_words,
    "countries": _listed(told=words.country_in_words, joint=" and "),
    "precedence": _listed(
        told=lambda one: f"{words.ordinal(one['ordinal'])} in {words.code_in_words(one['scope'])}"
    ),
}
