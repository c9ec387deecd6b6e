"""What a collection can be asked, as data: SQL, OpenAPI and error texts all read it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Filter:
    """An equality filter; repeated values mean OR.

    Attributes:
        parameter: Name in the query string, singular.
        field: Field of the document; where it holds a list, one member must match.
        choices: The closed set of values, where there is one.
        pattern: What a value must look like, where the set is open.
        expected: The pattern in words.
        facetable: Whether its values can be counted as a facet.
    """

    parameter: str
    field: str
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    expected: str = ""
    facetable: bool = True


@dataclass(frozen=True, slots=True)
class Range:
    """A field that takes `__gte` and `__lte`."""

    field: str
    value_type: Literal["date", "integer"]

    @property
    def columns(self) -> tuple[str, str]:
        """The columns that `__gte` and `__lte` are held against; a date has two."""
        dated = self.value_type == "date"
        return (f"{self.field}_first", f"{self.field}_last") if dated else (self.field, self.field)


@dataclass(frozen=True, slots=True)
class Sort:
    """A field that a list can be sorted by, and the column that holds its sort key."""

    field: str
    column: str
    nullable: bool = False
