"""Base class of all resources of the record."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, computed_field

from app.models.base import Model, StrictModel
from app.models.document import Document
from app.models.evidence import EvidenceByField
from app.models.filters import Filter
from app.models.values import FieldName, Id

NotStated = Annotated[
    list[FieldName],
    Field(
        description="Fields that are `null` because the source does not give a value. "
        "A field that is `null` but not listed here does not apply."
    ),
]
CitedBy = Annotated[
    EvidenceByField,
    Field(exclude=True, description="Evidence for the value of each field, by field."),
]


class Links(Model):
    """Paths of a resource and of its citations, relative to the root of the origin."""

    self: str = Field(description="This resource.")
    citations: str = Field(description="Citations for the values of this resource.")


class Resource(Document, StrictModel):
    """A resource of the record.

    The same model validates the seed file, with `evidence`, and renders responses, with `links`.
    """

    parent_field: ClassVar[str | None] = None
    """Field with the id of the resource that this one belongs to."""
    references: ClassVar[Mapping[str, str]] = {}
    """Fields that hold ids of other resources, with their type."""
    uncited_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields that need no citation, in addition to those that never do."""
    searchable_fields: ClassVar[tuple[str, ...]] = ("title", "summary")
    """Text fields covered by full-text search, the title first."""

    id: Id

    if TYPE_CHECKING:  # each subclass declares them last, so that they end the document
        not_stated: list[str]
        evidence: EvidenceByField

    @computed_field(description="Links, as paths relative to the root of the origin.")  # type: ignore[prop-decorator]
    @property
    def links(self) -> Links:
        """Paths of this resource and of its citations."""
        return Links(
            self=f"/v1/{self.collection}/{self.id}",
            citations=f"/v1/citations?resource_type={self.type}&resource={self.id}",
        )

    def get(self, field: str) -> Any:
        """The value of a field; None if it is null or this type has no such field."""
        return self.__dict__.get(field)

    @classmethod
    @cache
    def all_filters(cls) -> tuple[Filter, ...]:
        """The filters of the collection: by id, its own, and by fields that are not stated."""
        cited = cls.cited_fields()
        choices = tuple(field for field in cls.document_fields() if field in cited)
        return (*super().all_filters(), Filter("not_stated", "not_stated", choices=choices))

    @classmethod
    @cache
    def cited_fields(cls) -> frozenset[str]:
        """Names of the fields whose values must have at least one citation."""
        never = {"id", "position", "not_stated", "evidence", cls.parent_field}
        return frozenset(cls.model_fields) - never - cls.uncited_fields
