"""What every collection of the API is made of."""

import builtins
from typing import ClassVar

from sqlmodel import SQLModel

from app.models.base import Model
from app.models.filters import Filter, Range, Sort


class Document(Model):
    """One item of a collection, and what the collection can be asked."""

    type: ClassVar[str]
    """Singular name, as in a citation's `resource_type`."""
    collection: ClassVar[str]
    """Plural name, as in the path and the database table."""
    table: ClassVar[builtins.type[SQLModel]]
    """Typed columns that serve filters and sorting, the rendered document last."""
    filters: ClassVar[tuple[Filter, ...]] = ()
    ranges: ClassVar[tuple[Range, ...]] = ()
    sorts: ClassVar[tuple[Sort, ...]]
    """Sorts on offer, the default first."""

    @classmethod
    def facets(cls) -> tuple[str, ...]:
        """Filters whose values can be counted."""
        return tuple(one.parameter for one in cls.filters if one.facetable)
