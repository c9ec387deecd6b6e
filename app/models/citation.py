"""For each field of each resource: on what its value rests."""

from collections.abc import Iterator
from json.encoder import encode_basestring as _json
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field
from sqlmodel import Field as Column
from typing_extensions import TypeAliasType

from app.models.base import Model, TableRow
from app.models.document import Document
from app.models.evidence import MAX_QUOTE_CHARACTERS, Enriched, Quote, Reference
from app.models.filters import Filter, Sort
from app.models.resource import Resource
from app.models.values import FIELD_EXPECTED, FIELD_PATTERN

Basis = TypeAliasType("Basis", Literal["stated", "derived", "editorial", "enriched"])
ResourceType = TypeAliasType(
    "ResourceType",
    Literal["partnership", "objective", "award", "activity", "region", "organization", "source"],
)
CITATION_ID_PATTERN = r"^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9_]+\.[1-9][0-9]*$"


class CitationRow(TableRow, table=True):
    """A citation's columns."""

    __tablename__ = "citations"

    id: str = Column(primary_key=True)
    resource_type: str
    resource: str
    field: str
    basis: str
    note: str | None
    source: str | None = Column(foreign_key="sources.id")
    start: int | None
    end: int | None
    exact: str | None
    reference_title: str | None
    reference_url: str | None
    reference_license: str | None
    document: str


class TextQuoteSelector(Model):
    """The quoted fragment (W3C Web Annotation Data Model, 4.2.4)."""

    type: Literal["TextQuoteSelector"] = "TextQuoteSelector"
    exact: str = Field(
        max_length=MAX_QUOTE_CHARACTERS, description="The fragment, at most 80 characters."
    )


class TextPositionSelector(Model):
    """Where the fragment stands (W3C Web Annotation Data Model, 4.2.5)."""

    type: Literal["TextPositionSelector"] = "TextPositionSelector"
    start: int = Field(ge=0, description="Index of the first Unicode code point, from 0.")
    end: int = Field(ge=1, description="Index after the last Unicode code point.")


class SpecificResource(Model):
    """A fragment of an archived text (W3C Web Annotation Data Model, 4)."""

    type: Literal["SpecificResource"] = "SpecificResource"
    source: str = Field(description="Path of the source.")
    selector: tuple[TextQuoteSelector, TextPositionSelector] = Field(
        description="The fragment and its position; both select the same text."
    )


class CitationLinks(Model):
    """Where a citation is found, from the root of the origin."""

    self: str = Field(description="This citation.")


class Citation(Document):
    """On what one field of one resource rests."""

    type: ClassVar[str] = "citation"
    collection: ClassVar[str] = "citations"
    table: ClassVar = CitationRow
    filters: ClassVar = (
        Filter("resource_type", "resource_type", choices=get_args(ResourceType.__value__)),
        Filter("resource", "resource", facetable=False),
        Filter("field", "field", pattern=FIELD_PATTERN, expected=FIELD_EXPECTED),
        Filter("basis", "basis", choices=get_args(Basis.__value__)),
    )
    sorts: ClassVar = (Sort("id", "id"),)

    id: Annotated[str, Field(pattern=CITATION_ID_PATTERN, description="`type.id.field.number`.")]
    resource_type: ResourceType = Field(description="Type of the resource.")
    resource: str = Field(description="Id of the resource.")
    field: str = Field(description="Field of the resource.")
    basis: Basis = Field(
        description="`stated`: the source says it, be it in other notation. `derived`: it follows "
        "from the source by the rule in `note`. `editorial`: the project's own wording of the "
        "quoted fragment. `enriched`: from the published `reference`, not from the source."
    )
    note: str | None = Field(description="The rule of a derived value, or a remark.")
    reference: Reference | None = Field(description="The reference of an enriched value.")
    target: SpecificResource | None = Field(description="The fragment that was quoted.")
    links: CitationLinks


CITATION_COLUMNS = (
    "id", "resource_type", "resource", "field", "basis", "note", "source", "start", "end", "exact",
    "reference_title", "reference_url", "reference_license", "document",
)  # fmt: skip
"""Columns of what `citation_rows` gives."""

_NOT_QUOTED: tuple[Any, ...] = (None, None, None, None)
_NOT_REFERRED: tuple[Any, ...] = (None, None, None)


def citation_rows(resource: Resource) -> Iterator[tuple[str | int | None, ...]]:
    """Every citation of a resource, in the order of its fields, with its document.

    Citations are four fifths of an archive and all of one shape, so their JSON is filled in, not
    encoded: only what is not an id, a number or a name of the project's needs escaping.
    """
    kind, owner, evidence = resource.type, resource.id, resource.evidence
    for field in type(resource).model_fields:
        for number, one in enumerate(evidence.get(field, ()), start=1):
            quoted, referred = _NOT_QUOTED, _NOT_REFERRED
            target = reference = "null"
            if isinstance(one, Enriched):
                referred, reference = _referred(one.reference)
            else:
                quoted, target = _quoted(one.quote)
            name = f"{kind}.{owner}.{field}.{number}"
            document = (
                f'{{"id":"{name}","resource_type":"{kind}","resource":"{owner}","field":"{field}",'
                f'"basis":"{one.basis}","note":{"null" if one.note is None else _json(one.note)},'
                f'"reference":{reference},"target":{target},'
                f'"links":{{"self":"/v1/citations/{name}"}}}}'
            )
            told = (name, kind, owner, field, one.basis, one.note)
            yield (*told, *quoted, *referred, document)


def _quoted(quote: Quote) -> tuple[tuple[Any, ...], str]:
    """The columns of a quote, and the target as JSON."""
    source, start, end, exact = quote.source, quote.start, quote.end, quote.exact
    target = (
        f'{{"type":"SpecificResource","source":"/v1/sources/{source}","selector":['
        f'{{"type":"TextQuoteSelector","exact":{_json(exact)}}},'
        f'{{"type":"TextPositionSelector","start":{start},"end":{end}}}]}}'
    )
    return (source, start, end, exact), target


def _referred(reference: Reference) -> tuple[tuple[Any, ...], str]:
    """The columns of a reference, and the reference as JSON."""
    title, url, terms = reference.title, reference.url, reference.license
    told = f'{{"title":{_json(title)},"url":{_json(url)},"license":{_json(terms)}}}'
    return (title, url, terms), told
