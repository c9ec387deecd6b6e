"""Footnotes: for each value that is shown, on what it rests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from app.pages.record.documents import DocumentReader, Json


@dataclass(slots=True)
class Footnote:
    """The footnote of one field of one resource.

    Attributes:
        number: Its number on the page.
        resource: What the value is of.
        field: Name of the field.
        citations: What the value rests on.
        marks: How often the page refers to it.
    """

    number: int
    resource: Json
    field: str
    citations: list[Json]
    marks: int = 0

    @property
    def called(self) -> str:
        """What the resource is called."""
        names = (self.resource.get(name) for name in ("short_name", "name", "title"))
        return next(str(name) for name in names if name)

    @property
    def basis(self) -> str:
        """The basis of its first citation."""
        basis: str = self.citations[0]["basis"]
        return basis


@dataclass(frozen=True, slots=True)
class FootnoteMarker:
    """One reference to a footnote.

    Attributes:
        note: The footnote.
        place: Which of the references to it this is, from 1.
    """

    note: Footnote
    place: int


@dataclass(slots=True)
class Footnotes:
    """Numbers the footnotes in the order in which the page first refers to them."""

    reader: DocumentReader
    notes: list[Footnote] = field(default_factory=list)
    _known: dict[tuple[str, str], Footnote] = field(default_factory=dict)

    def mark(self, resource: Json, name: str) -> FootnoteMarker | None:
        """A reference to the footnote of a field; None where nothing is cited for it."""
        path = resource["links"]["self"]
        citations = self.reader.cited.get(path, {}).get(name)
        if not citations:
            return None
        note = self._known.get((path, name))
        if note is None:
            note = self._known[path, name] = Footnote(
                len(self.notes) + 1, resource, name, citations
            )
            self.notes.append(note)
        note.marks += 1
        return FootnoteMarker(note, note.marks)

    def source_of(self, citation: Json) -> Json | None:
        """The archived page that a citation quotes."""
        if citation["target"] is None:
            return None
        return self.reader.one("sources", citation["target"]["source"].rpartition("/")[2])

    def passage(self, citation: Json) -> str | None:
        """Address of the quoted words within the archived page, where its address is known."""
        source = self.source_of(citation)
        url = source["url"] if source else None
        return (
            None
            if url is None
            else text_fragment_url(url, selectors(citation)["TextQuoteSelector"])
        )


def selectors(citation: Json) -> Mapping[str, Any]:
    """The quoted fragment and its position, by type of selector."""
    found = {one["type"]: one for one in citation["target"]["selector"]}
    return {**found, "TextQuoteSelector": found["TextQuoteSelector"]["exact"]}


def text_fragment_url(url: str, words: str) -> str:
    """An address that scrolls a browser to these words (URL Fragment Text Directives, 3)."""
    encoded = quote(words, safe="").replace("-", "%2D")
    return f"{url}{'' if '#' in url else '#'}:~:text={encoded}"
