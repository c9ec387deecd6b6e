"""Response bodies: pages and single items, with their metadata and links."""

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
from app.models.release import (
    DATE_DESCRIPTION,
    LABEL_DESCRIPTION,
    NOTE_DESCRIPTION,
    RELEASE_DESCRIPTION,
)
from app.models.source import Source

T = TypeVar("T")


class ResourceLists(Model):
    """All resources, one list per type, in the order of the record."""

    partnerships: list[Partnership]
    objectives: list[Objective]
    awards: list[Award]
    activities: list[Activity]
    regions: list[Region]
    organizations: list[Organization]
    sources: list[Source]


class ReleaseMeta(Model):
    """Release that the metadata of the record belongs to."""

    release: str = Field(description=RELEASE_DESCRIPTION)
    release_label: str = Field(description=LABEL_DESCRIPTION)
    release_date: str = Field(description=DATE_DESCRIPTION)
    release_note: str | None = Field(description=NOTE_DESCRIPTION)


class PageMeta(Model):
    """Metadata of a page."""

    total: int = Field(ge=0, description="Number of matching items on all pages.")
    limit: int = Field(ge=1, description="Maximum number of items per page.")
    release: str = Field(description=RELEASE_DESCRIPTION)


class PageLinks(Model):
    """Paths, relative to the root of the origin."""

    self: str = Field(description="This page.")
    next: str | None = Field(description="The next page; `null` on the last one.")


class Included(Model):
    """Resources requested with `include`, without duplicates; only the requested collections."""

    partnerships: list[Partnership] = Field(default_factory=list)
    objectives: list[Objective] = Field(default_factory=list)
    awards: list[Award] = Field(default_factory=list)
    activities: list[Activity] = Field(default_factory=list)
    regions: list[Region] = Field(default_factory=list)
    organizations: list[Organization] = Field(default_factory=list)
    sources: list[Source] = Field(default_factory=list)
    citations: list[Citation] = Field(default_factory=list)


class FacetCount(Model):
    """Number of items with a value."""

    value: str | None = Field(description="The value; `null` for items without one.")
    label: str | None = Field(
        description="Name or title of the resource whose id the value is; otherwise `null`."
    )
    count: int = Field(ge=1, description="Number of matching items with this value.")


Facets = TypeAliasType("Facets", dict[str, list[FacetCount]])


class Page(Model, Generic[T]):
    """One page of a collection."""

    data: list[T] = Field(description="The items, in the requested order.")
    meta: PageMeta
    links: PageLinks
    included: Included | None = Field(
        description="Resources requested with `include`; `null` without it."
    )
    facets: Facets | None = Field(
        description="Counts requested with `facet`, by filter and the most frequent value first; "
        "`null` without it. An item with several values is counted once for each."
    )


class Item(Model, Generic[T]):
    """One resource."""

    data: T
    included: Included | None = Field(
        description="Resources requested with `include`; `null` without it."
    )


def page_model(model: type[Document]) -> type[Model]:
    """The response body of a list, named `AwardPage` and so on for generated clients."""
    name = f"{model.__name__}Page"
    return create_model(name, __base__=Page[model], __doc__=f"One page of {model.collection}.")  # type: ignore[valid-type]


def item_model(model: type[Document]) -> type[Model]:
    """The response body of a single resource, named `AwardItem` and so on."""
    name = f"{model.__name__}Item"
    return create_model(name, __base__=Item[model], __doc__=f"One {model.type}.")  # type: ignore[valid-type]
