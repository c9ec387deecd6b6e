"""For each field of each resource: on what its value rests."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field
from sqlmodel import Field as Column
from typing_extensions import TypeAliasType

from app.models.document import Document
from app.models.evidence import QUOTE_LIMIT, Enriched, Quote, Reference
from app.models.filters import Filter, Sort
from app.models.resource import Resource
from app.models.shape import Row, Shape
from app.models.values import FIELD_PATTERN

Basis = TypeAliasType("Basis", Literal["stated", "derived", "editorial", "enriched"])
ResourceType = TypeAliasType(
    "ResourceType",
    Literal["partnership", "objective", "award", "activity", "region", "organization", "source"],
)
CITATION_ID_PATTERN = r"^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9_]+\.[1-9][0-9]*$"


class CitationRow(Row, table=True):
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
    reference_licence: str | None
    document: str


class TextQuoteSelector(Shape):
    """The quoted fragment (W3C Web Annotation Data Model, 4.2.4)."""

    type: Literal["TextQuoteSelector"] = "TextQuoteSelector"
    exact: str = Field(max_length=QUOTE_LIMIT, description="The fragment, at most 80 characters.")


class TextPositionSelector(Shape):
    """Where the fragment stands (W3C Web Annotation Data Model, 4.2.5)."""

    type: Literal["TextPositionSelector"] = "TextPositionSelector"
    start: int = Field(ge=0, description="Index of the first Unicode code point, from 0.")
    end: int = Field(ge=1, description="Index after the last Unicode code point.")


class SpecificResource(Shape):
    """A fragment of an archived text (W3C Web Annotation Data Model, 4)."""

    type: Literal["SpecificResource"] = "SpecificResource"
    source: str = Field(description="Path of the source.")
    selector: tuple[TextQuoteSelector, TextPositionSelector] = Field(
        description="The fragment and its position; both select the same text."
    )


class CitationLinks(Shape):
    """Where a citation is found, from the root of the origin."""

    self: str = Field(description="This citation.")


class Citation(Document):
    """On what one field of one resource rests."""

    type: ClassVar[str] = "citation"
    collection: ClassVar[str] = "citations"
    table: ClassVar = CitationRow
    filters: ClassVar = (
        Filter("resource_type", "resource_type", choices=get_args(ResourceType.__value__)),
        Filter("resource", "resource", counted=False),
        Filter("field", "field", pattern=FIELD_PATTERN),
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


def citations_of(resource: Resource) -> Iterator[dict[str, Any]]:
    """Every citation of a resource as it is served, in the order of its fields."""
    evidence = resource.evidence
    for field in type(resource).model_fields:
        for number, one in enumerate(evidence.get(field, ()), start=1):
            name = f"{resource.type}.{resource.id}.{field}.{number}"
            yield {
                "id": name,
                "resource_type": resource.type,
                "resource": resource.id,
                "field": field,
                "basis": one.basis,
                "note": one.note,
                "reference": dict(one.reference) if isinstance(one, Enriched) else None,
                "target": None if isinstance(one, Enriched) else _target(one.quote),
                "links": {"self": f"/v1/citations/{name}"},
            }


def _target(quote: Quote) -> dict[str, Any]:
    return {
        "type": "SpecificResource",
        "source": f"/v1/sources/{quote.source}",
        "selector": [
            {"type": "TextQuoteSelector", "exact": quote.exact},
            {"type": "TextPositionSelector", "start": quote.start, "end": quote.end},
        ],
    }
