"""Base class of the items of every collection."""

from typing import ClassVar

from app.models.base import Model
from app.models.filters import Filter, Range, Sort


class Document(Model):
    """One item of a collection, with the query parameters of the collection."""

    type: ClassVar[str]
    """Singular name, as in a citation's `resource_type`."""
    collection: ClassVar[str]
    """Plural name, as in the path and the database table."""
    filters: ClassVar[tuple[Filter, ...]] = ()
    ranges: ClassVar[tuple[Range, ...]] = ()
    sorts: ClassVar[tuple[Sort, ...]]
    """Available sorts, the default first."""

    @classmethod
    def facets(cls) -> tuple[str, ...]:
        """Parameters of the filters whose values can be counted."""
        return tuple(filter_.parameter for filter_ in cls.filters if filter_.facetable)
