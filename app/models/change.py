"""Changes: values that differ between two releases."""

from typing import Any, ClassVar, Literal

from pydantic import Field
from sqlmodel import Field as Column
from typing_extensions import TypeAliasType

from app.models.base import Model, TableRow

ChangedType = TypeAliasType(
    "ChangedType",
    Literal[
        "partnership",
        "objective",
        "award",
        "activity",
        "region",
        "organization",
        "source",
        "citation",
        "record",
    ],
)
ChangeKind = TypeAliasType("ChangeKind", Literal["added", "changed", "removed"])
NO_POSITION = 0
"""Position before that of the first release."""
MAX_POSITION = 2**31 - 1
"""Position after that of every release."""


def change_key(type_: str, resource: str = "", field: str | None = None) -> str:
    """Sort key of a change: by type, resource and field, and citations after all others."""
    return f"{int(type_ == 'citation')} {type_} {resource} {field or ''}".rstrip()


class ChangeRow(TableRow, table=True):
    """Columns of the `changes` table: a value that a release changed, or its citations.

    Attributes:
        key: Sort key, see `change_key`.
        release: Position of the release.
        type: Type of the resource; `citation` or `record`.
        resource: Id of the resource.
        field: Field with the value; null if the value is a whole citation.
        before: The old value as canonical JSON; null if there was none.
        after: The new value as canonical JSON; null if there is none.
        citations_before: Ids of the citations of the old value, as a JSON array.
        citations_after: Ids of the citations of the new value, as a JSON array.
        previous: Release of the previous row with this key; `NO_POSITION` for the first one.
        next: Release of the next row with this key; `MAX_POSITION` for the last one.
        changed_in: Last release, up to this row's, that changed the value and not only its
            citations; `NO_POSITION` if there is none.
    """

    __tablename__ = "changes"
    __table_args__: ClassVar = {"sqlite_with_rowid": False}

    key: str = Column(primary_key=True)
    release: int = Column(primary_key=True)
    type: str
    resource: str
    field: str | None
    before: str | None
    after: str | None
    citations_before: str
    citations_after: str
    previous: int
    next: int
    changed_in: int


class ChangeLinks(Model):
    """Paths, relative to the root of the origin."""

    resource: str = Field(description="The resource; if it was removed, a response with 410.")


class Change(Model):
    """A value that differs between two releases."""

    type: ChangedType = Field(
        description="Type of the resource; `citation` for a whole citation, `record` for the "
        "metadata of the record."
    )
    resource: str = Field(
        description="Id of the resource or citation; `record` for the metadata of the record."
    )
    field: str | None = Field(
        description="Field with the value; `null` if the value is a whole citation. The entry of "
        "`id` stands for the resource itself: it is added and removed together with it."
    )
    kind: ChangeKind = Field(
        description="`added`: there was no such field, as the resource is new; `removed`: there is "
        "none any more; `changed`: both have it, even if one value is `null`."
    )
    before: Any = Field(description="The value in the release `since`; `null` also if added.")
    after: Any = Field(description="The value in the release `until`; `null` also if removed.")
    release: str = Field(description="Label of the last release in between that changed it.")
    citations_before: list[str] = Field(description="Ids of the citations of the old value.")
    citations_after: list[str] = Field(description="Ids of the citations of the new value.")
    links: ChangeLinks
