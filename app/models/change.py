"""Changes: values that differ between two releases."""

from typing import Any, Literal

from pydantic import Field
from typing_extensions import TypeAliasType

from app.models.base import Model

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
