"""Releases: the published states of the data, and the tables that hold what they had."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from app.models.base import Model, StrictModel
from app.models.citation import ResourceType
from app.models.dates import Day, first_day
from app.models.document import Document
from app.models.filters import Filter, Sort
from app.models.values import Id, Sha256, Text

LABEL_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(\.([2-9]|[1-9][0-9]+))?$"
DRAFT = "draft"
"""In place of a label: the data differs from every release."""
LATEST = "latest"
"""In place of a label: the data as it is served, whatever its label."""
RELEASE_DESCRIPTION = (
    "Release of the data: SHA-256 of its seed in canonical form (RFC 8785), hexadecimal."
)
LABEL_DESCRIPTION = (
    "Label of the release: its date, with a number if it is not the first of the day; `draft` if "
    "the data was changed since the last release."
)
DATE_DESCRIPTION = "Date of the release; of a draft, that of the last change."
NOTE_DESCRIPTION = "Why the release was made; `null` for a draft."
_NOTE = TypeAdapter(Text)
_LABEL_EXPECTED = "a date, with a number if it is not the first release of the day"


def label_order(label: str) -> tuple[str, int]:
    """Sort key of labels: the date, then the number, which is 1 if there is none."""
    day, _, number = label.partition(".")
    return day, int(number or 1)


def label_day(label: str) -> str:
    """The date in a label."""
    return label[:10]


def name_release(label: str) -> str:
    """What a release is called in a sentence."""
    return "the draft" if label == DRAFT else f"release {label}"


def is_label(text: str) -> bool:
    """Whether a text is the label of a release."""
    try:
        return bool(_validate_label(text))
    except ValueError:
        return False


def is_note(text: str) -> bool:
    """Whether a text can be the note of a release."""
    try:
        return bool(_NOTE.validate_python(text.strip()))
    except ValidationError:
        return False


def _validate_label(value: str) -> str:
    if not re.fullmatch(LABEL_PATTERN, value):
        raise ValueError(f"expected {_LABEL_EXPECTED}, such as 2026-11-24 or 2026-11-24.2")
    first_day(label_day(value))
    return value


Label = Annotated[
    str,
    AfterValidator(_validate_label),
    Field(json_schema_extra={"pattern": LABEL_PATTERN}, description=f"Label: {_LABEL_EXPECTED}."),
]


class Stamp(StrictModel):
    """What makes a seed a release; written by `cpc-record release`."""

    label: Label
    note: Text = Field(description="Why the release was made.")
    previous: Sha256 | None = Field(
        default=None,
        description="Digest of the release before, SHA-256 of its seed in canonical form (RFC "
        "8785); `null` for the first.",
    )
    content: Sha256 = Field(
        description="SHA-256 of the seed in canonical form (RFC 8785) without this member, or "
        "without the whole stamp if that has no `previous`; a seed that was changed since is a "
        "draft."
    )

    def as_written(self) -> dict[str, Any]:
        """Its members as the seed has them."""
        return self.model_dump(exclude_unset=True)

    def covered(self) -> dict[str, Any] | None:
        """Its members that `content` covers: all others; None for one without `previous`."""
        if "previous" not in self.model_fields_set:
            return None
        return self.model_dump(exclude={"content"})


class Retirement(StrictModel):
    """A resource of an earlier release that the record does not have any more."""

    type: ResourceType = Field(description="Type of the resource.")
    id: Id = Field(description="Id of the resource, which is never used again.")
    reason: Text = Field(description="Why it was removed.")
    replaced_by: Annotated[list[Id], Field(min_length=1)] | None = Field(
        description="Resources of the same type that replace it."
    )


class ReleaseLinks(Model):
    """Paths of a release, relative to the root of the origin."""

    self: str = Field(description="This release.")
    record: str = Field(description="The whole record of this release.")
    changes: str | None = Field(
        description="What it changed in the release before; `null` for the first."
    )


class Release(Document):
    """A state of the data that was published."""

    type: ClassVar[str] = "release"
    collection: ClassVar[str] = "releases"
    id_filter: ClassVar = Filter(
        "id",
        "id",
        pattern=rf"{LABEL_PATTERN}|^{DRAFT}$",
        expected="a label such as 2026-11-24 or 2026-11-24.2",
        facetable=False,
    )
    sorts: ClassVar = (Sort("position", "position"),)
    default_sort: ClassVar[str] = "-position"

    id: Annotated[str, Field(description="The label, as in the path.")]
    label: str = Field(description=LABEL_DESCRIPTION)
    position: int = Field(ge=1, description="Place in the order of releases: 1 for the first.")
    date: Day = Field(description=DATE_DESCRIPTION)
    digest: Sha256 = Field(description=RELEASE_DESCRIPTION)
    note: str | None = Field(description=NOTE_DESCRIPTION)
    draft: bool = Field(description="Whether this is a draft, which has not been released.")
    counts: dict[str, int] = Field(description="Number of items in each collection.")
    links: ReleaseLinks
