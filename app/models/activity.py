"""Activities: the work under an award."""

from typing import Annotated, ClassVar

from pydantic import Field

from app.models.filters import Filter, Sort
from app.models.resource import CitedBy, NotStated, Resource
from app.models.values import Id, Position, ShortText, Text, Title


class Activity(Resource):
    """One line of work under an award."""

    type: ClassVar[str] = "activity"
    collection: ClassVar[str] = "activities"
    parent_field: ClassVar[str | None] = "award"
    references: ClassVar = {"award": "award", "objectives": "objective", "regions": "region"}
    searchable_fields: ClassVar = ("title", "summary", "stakeholders", "supports")
    filters: ClassVar = (
        Filter("award", "award"),
        Filter("objective", "objectives"),
        Filter("region", "regions"),
    )
    sorts: ClassVar = (Sort("position", "position"), Sort("title", "title_key"))

    award: Id = Field(description="Award that the activity belongs to.")
    position: Position
    title: Title = Field(description="Title in the project's own words.")
    summary: Text = Field(description="What is done, in the project's own words.")
    objectives: Annotated[list[Id], Field(min_length=1)] | None = Field(
        description="Objectives of the partnership that the activity supports."
    )
    regions: Annotated[list[Id], Field(min_length=1)] | None = Field(
        description="Regions that the source names for the activity itself, not for its award."
    )
    stakeholders: Annotated[list[ShortText], Field(min_length=1)] | None = Field(
        description="Groups that the source names for the activity."
    )
    supports: Title | None = Field(description="National plan that the activity helps implement.")
    not_stated: NotStated
    evidence: CitedBy
