"""What all resources share: the document, its links, and its table's last column."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, computed_field

from app.models.base import Model, StrictModel
from app.models.document import Document
from app.models.evidence import EvidenceByField
from app.models.values import FIELD_PATTERN, Slug

NotStated = Annotated[
    list[Annotated[str, Field(pattern=FIELD_PATTERN)]],
    Field(
        description="Fields that are `null` because the source does not give their value. "
        "A `null` that is not listed here does not apply."
    ),
]
CitedBy = Annotated[
    EvidenceByField,
    Field(exclude=True, description="What the value of each field rests on, by field."),
]


class Links(Model):
    """Where a resource and what it rests on are found, from the root of the origin."""

    self: str = Field(description="This resource.")
    citations: str = Field(description="The citations that the values of this resource rest on.")


class Resource(Document, StrictModel):
    """One noun of the record.

    The same model is read from the seed file, with `evidence`, and served, with `links`.
    """

    parent_field: ClassVar[str | None] = None
    """The field that names the resource this one belongs to."""
    references: ClassVar[Mapping[str, str]] = {}
    """Fields that hold ids, and the type they name."""
    uncited_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields that need no citation, besides the ones that never do."""
    searchable_fields: ClassVar[tuple[str, ...]] = ("title", "summary")
    """Fields of text that full-text search covers, the title first."""

    id: Slug

    if TYPE_CHECKING:  # declared by each noun, last, so that they close the document
        not_stated: list[str]
        evidence: EvidenceByField

    @computed_field(description="Links, as paths from the root of the origin.")  # type: ignore[prop-decorator]
    @property
    def links(self) -> Links:
        """Paths of this resource and of its citations."""
        return Links(
            self=f"/v1/{self.collection}/{self.id}",
            citations=f"/v1/citations?resource_type={self.type}&resource={self.id}",
        )

    def get(self, field: str) -> Any:
        """The value of a field; None where it is null, or where this type has no such field."""
        return self.__dict__.get(field)

    @classmethod
    @cache
    def cited_fields(cls) -> frozenset[str]:
        """Names of the fields whose value must rest on at least one citation."""
        never = {"id", "position", "not_stated", "evidence", cls.parent_field}
        return frozenset(cls.model_fields) - never - cls.uncited_fields
