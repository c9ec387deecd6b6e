"""The same list in idiomatic FastAPI and SQLModel, with the usual optimizations.

Relationships are loaded with `selectinload`, responses are validated by a `response_model`, and the
connection pool has room for every worker thread. There are two routes: `def` with a session per
request from a dependency, and `async def`, which avoids threads and is faster in this benchmark.
"""

import os
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, computed_field, field_validator
from sqlalchemy import ColumnElement, create_engine
from sqlalchemy.orm import selectinload
from sqlmodel import JSON, Field, Relationship, Session, SQLModel, col, func, select

from benchmarks.peers.parameters import AwardParameters


class AwardObjective(SQLModel, table=True):
    """Join table of awards and objectives."""

    __tablename__ = "award_objectives"

    award: str = Field(foreign_key="awards.id", primary_key=True)
    objective: str = Field(foreign_key="objectives.id", primary_key=True)


class AwardRegion(SQLModel, table=True):
    """Join table of awards and regions."""

    __tablename__ = "award_regions"

    award: str = Field(foreign_key="awards.id", primary_key=True)
    region: str = Field(foreign_key="regions.id", primary_key=True)


class AwardForm(SQLModel, table=True):
    """A form of trafficking that an award addresses."""

    __tablename__ = "award_trafficking_forms"

    award: str = Field(foreign_key="awards.id", primary_key=True)
    trafficking_form: str = Field(primary_key=True)


class Objective(SQLModel, table=True):
    """The table of objectives."""

    __tablename__ = "objectives"

    id: str = Field(primary_key=True)


class Region(SQLModel, table=True):
    """The table of regions."""

    __tablename__ = "regions"

    id: str = Field(primary_key=True)


class AwardBase(SQLModel):
    """Columns that are also fields of the response."""

    id: str = Field(primary_key=True)
    partnership: str
    recipient: str | None
    title: str
    summary: str
    announced: str | None
    ends: str | None
    amount: int | None
    currency: str | None
    amount_qualifier: str | None
    has_sub_recipients: bool | None
    not_stated: list[str] = Field(sa_type=JSON)


class Award(AwardBase, table=True):
    """The table of awards."""

    __tablename__ = "awards"

    announced_first: str | None
    announced_last: str | None
    objectives: list[Objective] = Relationship(link_model=AwardObjective)
    regions: list[Region] = Relationship(link_model=AwardRegion)
    forms: list[AwardForm] = Relationship()


class Links(BaseModel):
    """Links to an award and its citations."""

    self: str
    citations: str


class AwardPublic(AwardBase):
    """An award in a response."""

    model_config = ConfigDict(from_attributes=True)  # type: ignore[assignment]

    objectives: list[str] | None
    regions: list[str] | None
    trafficking_forms: list[str] | None = Field(validation_alias="forms")

    @field_validator("objectives", "regions", "trafficking_forms", mode="before")
    @classmethod
    def ids(cls, related: list[Any]) -> list[str] | None:
        """Ids of related rows; None if there are none."""
        ids = [row.trafficking_form if isinstance(row, AwardForm) else row.id for row in related]
        return ids or None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def links(self) -> Links:
        """Links of this award."""
        citations = f"/v1/citations?resource_type=award&resource={self.id}"
        return Links(self=f"/v1/awards/{self.id}", citations=citations)


class AwardsPublic(BaseModel):
    """A page of awards in a response."""

    data: list[AwardPublic]
    total: int
    limit: int


engine = create_engine(
    f"sqlite:///file:{os.environ['DATABASE']}?mode=ro&immutable=1&uri=true",
    connect_args={"check_same_thread": False},
    pool_size=64,
)


def get_session() -> Iterator[Session]:
    """Dependency: a session for one request."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
shared_session = Session(engine)
app = FastAPI(telemetry={"tracing": False, "metrics": False})


@app.get("/ready")
async def ready() -> Response:
    """Readiness probe."""
    return Response()


@app.get("/v1/awards", response_model=AwardsPublic)
def list_awards(session: SessionDep, parameters: Annotated[AwardParameters, Query()]) -> Any:
    """A page of awards, on a worker thread."""
    return _page(session, parameters)


@app.get("/async/awards", response_model=AwardsPublic)
async def list_awards_async(parameters: Annotated[AwardParameters, Query()]) -> Any:
    """A page of awards, on the event loop with a single connection."""
    shared_session.expunge_all()
    return _page(shared_session, parameters)


def _page(session: Session, parameters: AwardParameters) -> dict[str, Any]:
    where = list(_conditions(parameters))
    total = session.exec(select(func.count()).select_from(Award).where(*where)).one()
    relationships = (Award.objectives, Award.regions, Award.forms)
    statement = (
        select(Award)
        .where(*where)
        .options(*(selectinload(relationship) for relationship in relationships))  # type: ignore[arg-type]
        .order_by(col(Award.announced_first), col(Award.id))
        .limit(parameters.limit)
    )
    return {"data": session.exec(statement).all(), "total": total, "limit": parameters.limit}


def _conditions(parameters: AwardParameters) -> Iterator[ColumnElement[bool]]:
    if parameters.partnership:
        yield col(Award.partnership).in_(parameters.partnership)
    if parameters.recipient:
        yield col(Award.recipient).in_(parameters.recipient)
    if parameters.region:
        yield col(Award.regions).any(col(Region.id).in_(parameters.region))
    if parameters.objective:
        yield col(Award.objectives).any(col(Objective.id).in_(parameters.objective))
    if parameters.trafficking_form:
        forms = col(AwardForm.trafficking_form).in_(parameters.trafficking_form)
        yield col(Award.forms).any(forms)
    if parameters.announced__gte:
        yield col(Award.announced_first) >= _first_day(parameters.announced__gte)
    if parameters.announced__lte:
        yield col(Award.announced_last) <= _first_day(parameters.announced__lte)
    if parameters.amount__gte is not None:
        yield col(Award.amount) >= parameters.amount__gte
    if parameters.amount__lte is not None:
        yield col(Award.amount) <= parameters.amount__lte


def _first_day(text: str) -> str:
    """First day of a partial date; the benchmark passes years and whole dates only."""
    return date.fromisoformat(f"{text}-01-01"[:10]).isoformat()
