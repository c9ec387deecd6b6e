"""What is wrapped around resources in a response."""

from typing import Generic, TypeVar

from pydantic import Field, create_model
from typing_extensions import TypeAliasType

from app.models.activity import Activity
from app.models.award import Award
from app.models.base import Model
from app.models.citation import Citation
from app.models.document import Document
from app.models.objective import Objective
from app.models.organization import Organization
from app.models.partnership import Partnership
from app.models.region import Region
from app.models.source import Source

T = TypeVar("T")


class PageMeta(Model):
    """What a page says of itself."""

    total: int = Field(ge=0, description="Number of items on all pages under the same filters.")
    limit: int = Field(ge=1, description="Most items on a page.")
    release: str = Field(description="Release of the data: SHA-256 of its seed file.")


class PageLinks(Model):
    """Paths from the root of the origin."""

    self: str = Field(description="This page.")
    next: str | None = Field(description="The next page, or `null` on the last one.")


class Included(Model):
    """Resources that were asked to be included, once each; only the collections asked for."""

    partnerships: list[Partnership] = Field(default_factory=list)
    objectives: list[Objective] = Field(default_factory=list)
    awards: list[Award] = Field(default_factory=list)
    activities: list[Activity] = Field(default_factory=list)
    regions: list[Region] = Field(default_factory=list)
    organizations: list[Organization] = Field(default_factory=list)
    sources: list[Source] = Field(default_factory=list)
    citations: list[Citation] = Field(default_factory=list)


class FacetCount(Model):
    """How many items have a value."""

    value: str | None = Field(description="The value; `null` for items that have none.")
    count: int = Field(ge=1, description="Number of items under the same filters.")


Facets = TypeAliasType("Facets", dict[str, list[FacetCount]])


class Page(Model, Generic[T]):
    """One page of a collection."""

    data: list[T] = Field(description="The items, in the order asked for.")
    meta: PageMeta
    links: PageLinks
    included: Included | None = Field(description="What `include` asked for; `null` without it.")
    facets: Facets | None = Field(
        description="What `facet` asked for, by filter and the commonest value first; `null` "
        "without it. An item with several values counts under each."
    )


class Item(Model, Generic[T]):
    """One resource."""

    data: T
    included: Included | None = Field(description="What `include` asked for; `null` without it.")


def page_model(model: type[Document]) -> type[Model]:
    """`AwardPage`, and so on: the name that generated clients get."""
    name = f"{model.__name__}Page"
    return create_model(name, __base__=Page[model], __doc__=f"One page of {model.collection}.")  # type: ignore[valid-type]


def item_model(model: type[Document]) -> type[Model]:
    """`AwardItem`, and so on."""
    name = f"{model.__name__}Item"
    return create_model(name, __base__=Item[model], __doc__=f"One {model.type}.")  # type: ignore[valid-type]
