"""Objectives of a partnership."""

from typing import ClassVar

from pydantic import Field

from app.models.filters import Filter, Sort
from app.models.resource import CitedBy, NotStated, Resource
from app.models.values import Id, Position, Text, Title


class Objective(Resource):
    """One objective of a partnership."""

    type: ClassVar[str] = "objective"
    collection: ClassVar[str] = "objectives"
    parent_field: ClassVar[str | None] = "partnership"
    references: ClassVar = {"partnership": "partnership"}
    filters: ClassVar = (Filter("partnership", "partnership"),)
    sorts: ClassVar = (Sort("position", "position"), Sort("title", "title_key"))

    partnership: Id = Field(description="Partnership that the objective belongs to.")
    position: Position
    title: Title = Field(description="One-word label.")
    summary: Text = Field(description="The objective, in the project's own words.")
    not_stated: NotStated
    evidence: CitedBy
