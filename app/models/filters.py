"""Query parameters of a collection, as data for SQL, OpenAPI and error messages alike."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Filter:
    """An equality filter; repeated values are combined with OR.

    Attributes:
        parameter: Name in the query string, singular.
        field: Field of the document; if it is a list, at least one member must match.
        choices: The allowed values, if they are a closed set.
        pattern: Regular expression that values must match, if the set is open.
        expected: Description of the pattern, for error messages.
        max_length: Maximum number of characters of a value, if the set is open.
        facetable: Whether items can be counted by value.
    """

    parameter: str
    field: str
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    expected: str = ""
    max_length: int = 100
    facetable: bool = True


@dataclass(frozen=True, slots=True)
class Range:
    """A field that can be filtered by `__gte` and `__lte`."""

    field: str
    value_type: Literal["date", "integer"]

    @property
    def columns(self) -> tuple[str, str]:
        """The columns compared by `__gte` and `__lte`: first and last day of a date."""
        is_date = self.value_type == "date"
        return (f"{self.field}_first", f"{self.field}_last") if is_date else (self.field,) * 2


@dataclass(frozen=True, slots=True)
class Sort:
    """A field that a collection can be sorted by, and the column with its sort key."""

    field: str
    column: str
    nullable: bool = False
