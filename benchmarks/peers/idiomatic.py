"""The same list the way FastAPI and SQLModel are usually written, with what is known to help.

Relationships are loaded with `selectinload`, the answer passes a `response_model`, and connections
are kept open for as many threads as may ask. It comes in both usual forms: `def`, with a session
per request from a dependency, and `async def`, which does without threads and is faster here.
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
    """An objective that an award serves."""

    __tablename__ = "award_objectives"

    award: str = Field(foreign_key="awards.id", primary_key=True)
    objective: str = Field(foreign_key="objectives.id", primary_key=True)


class AwardRegion(SQLModel, table=True):
    """A region that an award works in."""

    __tablename__ = "award_regions"

    award: str = Field(foreign_key="awards.id", primary_key=True)
    region: str = Field(foreign_key="regions.id", primary_key=True)


class AwardForm(SQLModel, table=True):
    """A form of trafficking that an award works against."""

    __tablename__ = "award_trafficking_forms"

    award: str = Field(foreign_key="awards.id", primary_key=True)
    trafficking_form: str = Field(primary_key=True)


class Objective(SQLModel, table=True):
    """An objective."""

    __tablename__ = "objectives"

    id: str = Field(primary_key=True)


class Region(SQLModel, table=True):
    """A region."""

    __tablename__ = "regions"

    id: str = Field(primary_key=True)


class AwardBase(SQLModel):
    """What an award's row and its answer share."""

    id: str = Field(primary_key=True)
    partnership: str
    recipient: str | None
    title: str
    summary: str
    announced: str | None
    ends: str | None
    amount: int | None
    currency: str | None
    has_sub_recipients: bool | None
    not_stated: list[str] = Field(sa_type=JSON)


class Award(AwardBase, table=True):
    """An award."""

    __tablename__ = "awards"

    announced_first: str | None
    announced_last: str | None
    objectives: list[Objective] = Relationship(link_model=AwardObjective)
    regions: list[Region] = Relationship(link_model=AwardRegion)
    forms: list[AwardForm] = Relationship()


class Links(BaseModel):
    """Where an award and what it rests on are found."""

    self: str
    citations: str


class AwardPublic(AwardBase):
    """An award as it is answered."""

    model_config = ConfigDict(from_attributes=True)  # type: ignore[assignment]

    objectives: list[str] | None
    regions: list[str] | None
    trafficking_forms: list[str] | None = Field(validation_alias="forms")

    @field_validator("objectives", "regions", "trafficking_forms", mode="before")
    @classmethod
    def ids(cls, related: list[Any]) -> list[str] | None:
        """What the related rows are called."""
        named = [one.trafficking_form if isinstance(one, AwardForm) else one.id for one in related]
        return named or None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def links(self) -> Links:
        """Where this award is found."""
        citations = f"/v1/citations?resource_type=award&resource={self.id}"
        return Links(self=f"/v1/awards/{self.id}", citations=citations)


class AwardsPublic(BaseModel):
    """A page of awards."""

    data: list[AwardPublic]
    total: int
    limit: int


engine = create_engine(
    f"sqlite:///file:{os.environ['DATABASE']}?mode=ro&immutable=1&uri=true",
    connect_args={"check_same_thread": False},
    pool_size=64,
)


def get_session() -> Iterator[Session]:
    """A session for one request."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
shared = Session(engine)
app = FastAPI(telemetry={"tracing": False, "metrics": False})


@app.get("/ready")
async def ready() -> Response:
    """Whether the application is up."""
    return Response()


@app.get("/v1/awards", response_model=AwardsPublic)
def list_awards(session: SessionDep, parameters: Annotated[AwardParameters, Query()]) -> Any:
    """A page of awards, on a thread."""
    return _page(session, parameters)


@app.get("/async/awards", response_model=AwardsPublic)
async def list_awards_at_once(parameters: Annotated[AwardParameters, Query()]) -> Any:
    """A page of awards, on the event loop, with one connection."""
    shared.expunge_all()
    return _page(shared, parameters)


def _page(session: Session, parameters: AwardParameters) -> dict[str, Any]:
    where = list(_conditions(parameters))
    total = session.exec(select(func.count()).select_from(Award).where(*where)).one()
    related = (Award.objectives, Award.regions, Award.forms)
    chosen = (
        select(Award)
        .where(*where)
        .options(*(selectinload(one) for one in related))  # type: ignore[arg-type]
        .order_by(col(Award.announced_first), col(Award.id))
        .limit(parameters.limit)
    )
    return {"data": session.exec(chosen).all(), "total": total, "limit": parameters.limit}


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
        yield col(Award.announced_first) >= _day(parameters.announced__gte)
    if parameters.announced__lte:
        yield col(Award.announced_last) <= _day(parameters.announced__lte)
    if parameters.amount__gte is not None:
        yield col(Award.amount) >= parameters.amount__gte
    if parameters.amount__lte is not None:
        yield col(Award.amount) <= parameters.amount__lte


def _day(text: str) -> str:
    """The first day of a date; the benchmark's last days are whole dates."""
    return date.fromisoformat(f"{text}-01-01"[:10]).isoformat()
