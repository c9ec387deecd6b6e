"""What is wrapped around resources in a response."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

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


class Page(_Wrapped, Generic[T]):
    """One page of a collection."""

    data: list[T] = Field(description="The items, in the order asked for.")
    meta: PageMeta
    links: PageLinks
    included: None = Field(description="`null`: nothing was asked to be included.")
    facets: None = Field(description="`null`: no facets were asked for.")


class Item(_Wrapped, Generic[T]):
    """One resource."""

    data: T
    included: None = Field(description="`null`: nothing was asked to be included.")
