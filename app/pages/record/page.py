"""Renders the record page and its Content-Security-Policy."""

from __future__ import annotations

import sqlite3
from typing import Any

from markupsafe import Markup, escape

from app.archive.archive import COLLECTIONS, Archive
from app.exports.citing import cited_record, plain_text
from app.models.evidence import BASIS_MEANINGS, UNCITED_VALUES
from app.models.notation import us_date
from app.pages.record import words
from app.pages.record.content import PageContent, read_content
from app.pages.record.countries import outline_reference
from app.pages.record.dataset import Publication, dataset_json_ld
from app.pages.record.documents import DocumentReader, Json
from app.pages.record.rendering import RenderedPage, render_template
from app.pages.record.values import DATE_FIELDS, FORMATTERS, LIST_FORMATTERS, REFERENCE_FIELDS

_URL_PREFIXES = {"wikidata": "https://www.wikidata.org/wiki/", "url": "", "memento": ""}
"""What a value of these fields is appended to, to get a URL."""
_MAX_TITLE_CHARACTERS = 200
_MAX_LIST_VALUES = 12
_MAX_LIST_VALUE_CHARACTERS = 80


def render_page(
    archive: Archive, publication: Publication, connection: sqlite3.Connection
) -> RenderedPage:
    """The record as a self-contained HTML page: only the icon is a separate file."""
    reader = DocumentReader(archive, connection)
    content = read_content(reader)
    renderer = _FieldRenderer(reader, content)
    return render_template(
        "record.html",
        reader,
        publication.origin,
        content=content,
        dataset=dataset_json_ld(archive, publication, connection),
        citation=_citation(archive, publication, connection),
        resource_label=reader.label,
        region_labels={region["id"]: reader.label(region) for region in content.regions},
        countries_reference=outline_reference(),
        bases=BASIS_MEANINGS,
        uncited_values=UNCITED_VALUES,
        field_value=renderer.field_value,
        award_label=renderer.award_label,
    )


def _citation(archive: Archive, publication: Publication, connection: sqlite3.Connection) -> str:
    """The text to cite the record with."""
    work = cited_record(archive, publication.origin, publication.publisher, connection)
    return plain_text(work).decode().strip()


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
        if name in REFERENCE_FIELDS:
            return self._reference_link(REFERENCE_FIELDS[name], value)
        if name in DATE_FIELDS:
            return Markup('<time datetime="{}">{}</time>').format(value, us_date(value))
        if name in FORMATTERS:
            return escape(FORMATTERS[name](value))
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
        if name in REFERENCE_FIELDS:
            links = [self._reference_link(REFERENCE_FIELDS[name], value) for value in shown]
            text = Markup(", ").join(links)
        elif name in LIST_FORMATTERS:
            text = escape(LIST_FORMATTERS[name](shown))
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
        label = words.shorten(self.reader.label(resource), _MAX_TITLE_CHARACTERS)
        return Markup('<a href="{}"><bdi>{}</bdi></a>').format(
            fragment if path in self._paths_on_page else path, label
        )
