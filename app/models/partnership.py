"""The signed compact."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from sqlmodel import Field as Column

from app.models.base import StrictModel, TableRow, member_table
from app.models.dates import PartialDate
from app.models.filters import Filter, Range, Sort
from app.models.resource import CitedBy, NotStated, Resource
from app.models.values import (
    COUNTRY_EXPECTED,
    COUNTRY_PATTERN,
    Amount,
    Country,
    Currency,
    Slug,
    Text,
    Title,
)


class PartnershipRow(TableRow, table=True):
    """A partnership's columns."""

    __tablename__ = "partnerships"

    id: str = Column(primary_key=True)
    name: str
    name_key: str
    short_name: str | None
    summary: str
    signed: str | None
    signed_first: str | None
    signed_last: str | None
    planned_years: int | None
    ends: str | None
    investment_amount: int | None
    investment_currency: str | None
    investor: str | None = Column(foreign_key="organizations.id")
    document: str


_RANGES = (Range("signed", "date"), Range("investment_amount", "integer"))
member_table("partnership_countries", _RANGES, partnership="partnerships", country=None)
member_table("partnership_regions", _RANGES, partnership="partnerships", region="regions")


class Precedence(StrictModel):
    """Which of its kind the partnership was, counted within a scope."""

    scope: Literal["americas", "world"] = Field(description="Where it is counted.")
    ordinal: int = Field(ge=1, le=10_000, description="1 for the first of its kind.")


class Partnership(Resource):
    """A signed child protection compact."""

    type: ClassVar[str] = "partnership"
    collection: ClassVar[str] = "partnerships"
    references: ClassVar = {"investor": "organization", "regions": "region"}
    searchable_fields: ClassVar = ("name", "short_name", "summary")
    table: ClassVar = PartnershipRow
    filters: ClassVar = (
        Filter("country", "countries", pattern=COUNTRY_PATTERN, expected=COUNTRY_EXPECTED),
        Filter("region", "regions"),
    )
    ranges: ClassVar = _RANGES
    sorts: ClassVar = (Sort("signed", "signed_first", nullable=True), Sort("name", "name_key"))

    name: Title = Field(description="Full name.")
    short_name: Title | None = Field(description="Shorter name.")
    summary: Text = Field(description="What it is for, in the project's own words.")
    countries: Annotated[list[Country], Field(min_length=1)] | None = Field(
        description="Countries that signed, in the order of the source."
    )
    signed: PartialDate | None = Field(description="When it was signed.")
    planned_years: Annotated[int, Field(ge=1, le=100)] | None = Field(
        description="Planned length of the partnership, in years."
    )
    ends: PartialDate | None = Field(description="When the planned period ends.")
    investment_amount: Amount | None = Field(
        description="The whole investment, in units of `investment_currency`."
    )
    investment_currency: Currency | None = Field(description="Currency of `investment_amount`.")
    investor: Slug | None = Field(description="Organization that invests.")
    precedence: Annotated[list[Precedence], Field(min_length=1)] | None = Field(
        description="Which of its kind the partnership was, by scope."
    )
    regions: Annotated[list[Slug], Field(min_length=1)] | None = Field(
        description="Regions where the partnership works."
    )
    not_stated: NotStated
    evidence: CitedBy
