"""Query parameters of the list, as a FastAPI application would declare them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Slugs = Annotated[list[Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]], Field()]
PartialDate = Annotated[str, Field(pattern=r"^\d{4}(-\d\d(-\d\d)?)?$")]
Amount = Annotated[int, Field(ge=0, le=2**53 - 1)]
Include = Literal["partnership", "recipient", "objectives", "regions", "citations"]
Facet = Literal["partnership", "recipient", "objective", "region", "trafficking_form"]


class AwardParameters(BaseModel):
    """Query parameters of the list of awards."""

    model_config = ConfigDict(extra="forbid")

    partnership: Slugs = []
    recipient: Slugs = []
    objective: Slugs = []
    region: Slugs = []
    trafficking_form: list[Literal["sex", "labor"]] = []
    announced__gte: PartialDate | None = None
    announced__lte: PartialDate | None = None
    ends__gte: PartialDate | None = None
    ends__lte: PartialDate | None = None
    amount__gte: Amount | None = None
    amount__lte: Amount | None = None
    q: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    sort: Literal["announced", "-announced", "ends", "-ends", "title", "-title"] = "announced"
    limit: Annotated[int, Field(ge=1, le=1_000)] = 200
    cursor: Annotated[str, Field(max_length=200)] | None = None
    include: list[Include] = []
    facet: list[Facet] = []
    format: Literal["json", "csv", "ndjson"] = "json"
