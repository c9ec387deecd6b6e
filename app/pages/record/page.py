"""Renders the record page and its Content-Security-Policy."""

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
from app.models.evidence import BASIS_MEANINGS, UNCITED_VALUES
from app.models.notation import count_noun, noun_for, us_date
from app.pages.record import words
from app.pages.record.content import PageContent, read_content
from app.pages.record.dataset import Publication, dataset_json_ld
from app.pages.record.documents import DocumentReader, Json
from app.pages.record.footnotes import Footnotes, selectors_by_type
from app.pages.templates import template_environment

_URL_PREFIXES = {"wikidata": "https://www.wikidata.org/wiki/", "url": ""}
"""What a value of these fields is appended to, to get a URL."""
_MAX_TITLE_CHARACTERS = 200
_MAX_LIST_VALUES = 12
_MAX_LIST_VALUE_CHARACTERS = 80
_REFERENCE_FIELDS = {
    "investor": "organizations",
    "recipient": "organizations",
    "publisher": "organizations",
    "objectives": "objectives",
    "regions": "regions",
}
"""Collections that reference fields refer to."""
_DATE_FIELDS = {"signed", "announced", "ends", "archived_from", "archived_to"}


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """The page as it is sent.

    Attributes:
        body: HTML in UTF-8.
        policy: Content-Security-Policy (CSP 3).
    """

    body: bytes
    policy: str


def render_page(
    archive: Archive, publication: Publication, connection: sqlite3.Connection
) -> RenderedPage:
    """The record as a self-contained HTML page: only the icon is a separate file."""
    reader = DocumentReader(archive, connection)
    content = read_content(reader)
    renderer, style = _FieldRenderer(reader, content), style_sheet()
    body = (
        _environment()
        .get_template("record.html")
        .render(
            content=content,
            archive=archive,
            origin=publication.origin,
            dataset=dataset_json_ld(archive, publication, connection),
            style=Markup(style),  # noqa: S704 - a file of this package
            region_names={region["id"]: region["name"] for region in content.regions},
            footnotes=Footnotes(reader),
            selectors_by_type=selectors_by_type,
            bases=BASIS_MEANINGS,
            uncited_values=UNCITED_VALUES,
            field_value=renderer.field_value,
            award_label=renderer.award_label,
        )
    )
    return RenderedPage(body.encode(), content_security_policy(style))


def content_security_policy(style: str) -> str:
    """The page's policy: allows its own style sheet, and the icon from its own origin.

    `connect-src` lets browser tools such as Lighthouse fetch `robots.txt` from within the page.
    """
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def style_sheet() -> str:
    """The style sheet without indentation and empty lines."""
    css = (files("app.pages.record") / "templates" / "record.css").read_text("utf-8")
    return "\n".join(line.strip() for line in css.splitlines() if line.strip())


@cache
def _environment() -> Environment:
    filters = {
        "count_noun": count_noun,
        "date_in_words": us_date,
        "field_label": words.field_label,
        "noun_for": noun_for,
        "precision": words.precision,
        "shorten": words.shorten,
    }
    return template_environment("app.pages.record", filters)


class _FieldRenderer:
    """Renders values of resources as HTML."""

    def __init__(self, reader: DocumentReader, content: PageContent) -> None:
        self.reader = reader
        linkable = [*content.organizations, *content.regions]
        for section in content.partnership_sections:
            linkable += section.objectives
        self._paths_on_page = {resource["links"]["self"] for resource in linkable}

    def field_value(self, resource: Json, name: str) -> str:
        """HTML of a field's value, which must not be null."""
        value = resource[name]
        if isinstance(value, list):
            return self._list_value(name, value)
        if name in _REFERENCE_FIELDS:
            return self._reference_link(_REFERENCE_FIELDS[name], value)
        if name in _DATE_FIELDS:
            return Markup('<time datetime="{}">{}</time>').format(value, us_date(value))
        if name in _FORMATTERS:
            return escape(_FORMATTERS[name](value))
        if name in _URL_PREFIXES:
            return Markup('<a href="{}{}" translate="no">{}</a>').format(
                _URL_PREFIXES[name], value, words.shorten(value, _MAX_TITLE_CHARACTERS)
            )
        return Markup("<bdi>{}</bdi>").format(words.shorten(value, _MAX_TITLE_CHARACTERS))

    def award_label(self, award: Json) -> str:
        """Name of the award's recipient, or the award's title if the recipient is not stated."""
        recipient = award["recipient"] and self.reader.find("organizations", award["recipient"])
        return str(recipient["short_name"] or recipient["name"] if recipient else award["title"])

    def _list_value(self, name: str, values: list[Any]) -> str:
        """HTML of the first values of a list, and how many more there are."""
        shown, more_count = values[:_MAX_LIST_VALUES], len(values[_MAX_LIST_VALUES:])
        if name in _REFERENCE_FIELDS:
            links = [self._reference_link(_REFERENCE_FIELDS[name], value) for value in shown]
            text = Markup(", ").join(links)
        elif name in _LIST_FORMATTERS:
            text = escape(_LIST_FORMATTERS[name](shown))
        else:
            shortened = [words.shorten(value, _MAX_LIST_VALUE_CHARACTERS) for value in shown]
            text = Markup("; ").join(Markup("<bdi>{}</bdi>").format(value) for value in shortened)
        return text + (f" and {more_count:,} more" if more_count else "")

    def _reference_link(self, collection: str, resource_id: str) -> Markup:
        """A resource's name with a link to its place on the page, else to its API path."""
        resource = self.reader.find(collection, resource_id)
        if resource is None:
            return escape(resource_id)
        path = resource["links"]["self"]
        fragment = f"#{COLLECTIONS[collection].type}-{resource_id}"
        name = resource.get("short_name") or resource.get("name") or resource["title"]
        label = words.shorten(name, _MAX_TITLE_CHARACTERS)
        return Markup('<a href="{}"><bdi>{}</bdi></a>').format(
            fragment if path in self._paths_on_page else path, label
        )


_FORMATTERS: dict[str, Callable[[Any], str]] = {
    "planned_years": lambda years: count_noun(years, "year"),
    "investment_amount": words.amount_in_words,
    "amount": words.amount_in_words,
    "has_sub_recipients": lambda value: "yes" if value else "no",
    "kind": words.code_in_words,
    "country": words.country_in_words,
}
"""Formats values as plain text, by field name."""
_LIST_FORMATTERS: dict[str, Callable[[list[Any]], str]] = {
    "roles": lambda codes: ", ".join(map(words.code_in_words, codes)),
    "trafficking_forms": lambda codes: ", ".join(map(words.code_in_words, codes)),
    "countries": lambda codes: words.join_phrases([*map(words.country_in_words, codes)]),
    "precedence": words.precedence_in_words,
}
"""Formats lists as plain text, by field name."""
