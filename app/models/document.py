"""Base class of the items of every collection."""

from functools import cache
from types import UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

from app.models.base import Model
from app.models.filters import Filter, Range, Sort

Key = tuple[str, str]
"""Type and id of a document."""


class Document(Model):
    """One item of a collection, with the query parameters of the collection."""

    type: ClassVar[str]
    """Singular name, as in a citation's `resource_type`."""
    collection: ClassVar[str]
    """Plural name, as in the path and the database table."""
    id_filter: ClassVar[Filter] = Filter("id", "id", facetable=False)
    """The filter by id, which every collection has."""
    filters: ClassVar[tuple[Filter, ...]] = ()
    """Filters of this collection alone; `all_filters` has the common ones as well."""
    ranges: ClassVar[tuple[Range, ...]] = ()
    sorts: ClassVar[tuple[Sort, ...]]
    """Available sorts, the default first."""
    default_sort: ClassVar[str | None] = None
    """Value of `sort` if it is not given; None for the first sort."""

    @classmethod
    def facets(cls) -> tuple[str, ...]:
        """Parameters of the filters whose values can be counted."""
        return tuple(filter_.parameter for filter_ in cls.all_filters() if filter_.facetable)

    @classmethod
    @cache
    def all_filters(cls) -> tuple[Filter, ...]:
        """The filters of the collection: by id, and its own."""
        return (cls.id_filter, *cls.filters)

    @classmethod
    @cache
    def link_table(cls, field: str) -> str | None:
        """Name of the table with the members of a list field; None if the field is not a list."""
        info = cls.model_fields.get(field)
        return f"{cls.type}_{field}" if info is not None and _is_list(info.annotation) else None


def _is_list(annotation: Any) -> bool:
    """Whether a type is a list, or a list or null."""
    origin = get_origin(annotation)
    if origin in {Annotated, Union, UnionType}:
        return any(map(_is_list, get_args(annotation)))
    return origin is list
