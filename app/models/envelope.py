"""What is wrapped around resources in a response."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

from app.models.activity import Activity
from app.models.award import Award
from app.models.citation import Citation
from app.models.objective import Objective
from app.models.organization import Organization
from app.models.partnership import Partnership
from app.models.region import Region
from app.models.source import Source

T = TypeVar("T")


class _Wrapped(BaseModel):
    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """`AwardPage` rather than `Page[Award]`: the name that generated clients get."""
        return f"{params[0].__name__}{cls.__name__}"


class PageMeta(BaseModel):
    """What a page says of itself."""

    total: int = Field(ge=0, description="Number of items on all pages under the same filters.")
    limit: int = Field(ge=1, description="Most items on a page.")
    release: str = Field(description="Release of the data: SHA-256 of its seed file.")


class PageLinks(BaseModel):
    """Paths from the root of the origin."""

    self: str = Field(description="This page.")
    next: str | None = Field(description="The next page, or `null` on the last one.")


class Included(BaseModel):
    """Resources that were asked to be included, once each; only the collections asked for."""

    partnerships: list[Partnership] = Field(default_factory=list)
    objectives: list[Objective] = Field(default_factory=list)
    awards: list[Award] = Field(default_factory=list)
    activities: list[Activity] = Field(default_factory=list)
    regions: list[Region] = Field(default_factory=list)
    organizations: list[Organization] = Field(default_factory=list)
    sources: list[Source] = Field(default_factory=list)
    citations: list[Citation] = Field(default_factory=list)


class FacetCount(BaseModel):
    """How many items have a value."""

    value: str | None = Field(description="The value; `null` for items that have none.")
    count: int = Field(ge=1, description="Number of items under the same filters.")


class Page(_Wrapped, Generic[T]):
    """One page of a collection."""

    data: list[T] = Field(description="The items, in the order asked for.")
    meta: PageMeta
    links: PageLinks
    included: Included | None = Field(description="What `include` asked for; `null` without it.")
    facets: dict[str, list[FacetCount]] | None = Field(
        description="What `facet` asked for, by filter and the commonest value first; `null` "
        "without it. An item with several values counts under each."
    )


class Item(_Wrapped, Generic[T]):
    """One resource."""

    data: T
    included: Included | None = Field(description="What `include` asked for; `null` without it.")
