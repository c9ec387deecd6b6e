"""Partnerships: the signed compacts."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.models.base import StrictModel
from app.models.dates import PartialDate
from app.models.filters import Filter, Range, Sort
from app.models.resource import CitedBy, NotStated, Resource
from app.models.values import (
    COUNTRY_EXPECTED,
    COUNTRY_PATTERN,
    Amount,
    AmountQualifier,
    CountryCode,
    CurrencyCode,
    Id,
    Text,
    Title,
)


class Precedence(StrictModel):
    """Rank of the partnership among those of its kind, by date of signing."""

    scope: Literal["world", "africa", "americas", "asia", "europe", "oceania"] = Field(
        description="Area in which partnerships are counted: the world, or a region of UN M49."
    )
    ordinal: int = Field(ge=1, le=10_000, description="Rank: 1 for the first of its kind.")


class Partnership(Resource):
    """A signed child protection compact."""

    type: ClassVar[str] = "partnership"
    collection: ClassVar[str] = "partnerships"
    references: ClassVar = {"investor": "organization", "regions": "region"}
    searchable_fields: ClassVar = ("name", "short_name", "summary")
    filters: ClassVar = (
        Filter("country", "countries", pattern=COUNTRY_PATTERN, expected=COUNTRY_EXPECTED),
        Filter("region", "regions"),
    )
    ranges: ClassVar = (Range("signed", "date"), Range("investment_amount", "integer"))
    sorts: ClassVar = (
        Sort("signed", "signed_first", nullable=True),
        Sort("name", "name_key"),
        Sort("investment_amount", "investment_amount", nullable=True),
    )

    name: Title = Field(description="Full name.")
    short_name: Title | None = Field(description="Shorter name.")
    summary: Text = Field(description="Purpose, in the project's own words.")
    countries: Annotated[list[CountryCode], Field(min_length=1)] | None = Field(
        description="Countries that signed, in the order given in the source."
    )
    signed: PartialDate | None = Field(description="Date of signing.")
    planned_years: Annotated[int, Field(ge=1, le=100)] | None = Field(
        description="Planned duration, in years."
    )
    ends: PartialDate | None = Field(description="End of the planned period.")
    investment_amount: Amount | None = Field(
        description="Total investment, in units of `investment_currency`."
    )
    investment_currency: CurrencyCode | None = Field(description="Currency of `investment_amount`.")
    investment_qualifier: AmountQualifier | None = Field(
        description="How `investment_amount` is qualified: `up_to` if it is a ceiling, `at_least`, "
        "or `about`. `null` if the amount has no such qualification or is `null` itself: then this "
        "field does not apply, and is not listed in `not_stated`."
    )
    investor: Id | None = Field(description="Organization that provides the investment.")
    precedence: Annotated[list[Precedence], Field(min_length=1)] | None = Field(
        description="Rank among partnerships of its kind, by area."
    )
    regions: Annotated[list[Id], Field(min_length=1)] | None = Field(
        description="Regions where the work takes place."
    )
    not_stated: NotStated
    evidence: CitedBy
