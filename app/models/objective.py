"""What a partnership set out to do."""

from typing import ClassVar

from pydantic import Field
from sqlmodel import Field as Column

from app.models.base import TableRow
from app.models.filters import Filter, Sort
from app.models.resource import CitedBy, NotStated, Resource
from app.models.values import Position, Slug, Text, Title


class ObjectiveRow(TableRow, table=True):
    """An objective's columns."""

    __tablename__ = "objectives"

    id: str = Column(primary_key=True)
    partnership: str = Column(foreign_key="partnerships.id")
    position: int
    title: str
    title_key: str
    summary: str
    document: str


class Objective(Resource):
    """One aim of a partnership."""

    type: ClassVar[str] = "objective"
    collection: ClassVar[str] = "objectives"
    parent_field: ClassVar[str | None] = "partnership"
    references: ClassVar = {"partnership": "partnership"}
    table: ClassVar = ObjectiveRow
    filters: ClassVar = (Filter("partnership", "partnership"),)
    sorts: ClassVar = (Sort("position", "position"), Sort("title", "title_key"))

    partnership: Slug = Field(description="Partnership it belongs to.")
    position: Position
    title: Title = Field(description="One-word label.")
    summary: Text = Field(description="What is aimed at, in the project's own words.")
    not_stated: NotStated
    evidence: CitedBy
