"""Awards of foreign assistance."""

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field
from typing_extensions import TypeAliasType

from app.models.dates import PartialDate
from app.models.filters import Filter, Range, Sort
from app.models.resource import CitedBy, NotStated, Resource
from app.models.values import Amount, AmountQualifier, CurrencyCode, Id, Text, Title

TraffickingForm = TypeAliasType("TraffickingForm", Literal["sex", "labor"])
_FORMS = get_args(TraffickingForm.__value__)


class Award(Resource):
    """Foreign assistance to one recipient in support of a partnership."""

    type: ClassVar[str] = "award"
    collection: ClassVar[str] = "awards"
    parent_field: ClassVar[str | None] = "partnership"
    references: ClassVar = {
        "partnership": "partnership",
        "recipient": "organization",
        "objectives": "objective",
        "regions": "region",
    }
    filters: ClassVar = (
        Filter("partnership", "partnership"),
        Filter("recipient", "recipient"),
        Filter("objective", "objectives"),
        Filter("region", "regions"),
        Filter("trafficking_form", "trafficking_forms", choices=_FORMS),
    )
    ranges: ClassVar = (
        Range("announced", "date"),
        Range("ends", "date"),
        Range("amount", "integer"),
    )
    sorts: ClassVar = (
        Sort("announced", "announced_first", nullable=True),
        Sort("ends", "ends_first", nullable=True),
        Sort("title", "title_key"),
        Sort("amount", "amount", nullable=True),
    )

    partnership: Id = Field(description="Partnership that the award supports.")
    recipient: Id | None = Field(description="Organization that receives and implements the award.")
    title: Title = Field(description="Title in the project's own words.")
    summary: Text = Field(description="Purpose, in the project's own words.")
    announced: PartialDate | None = Field(description="Date of the announcement.")
    ends: PartialDate | None = Field(description="Planned end of the work.")
    amount: Amount | None = Field(description="Amount, in units of `currency`.")
    currency: CurrencyCode | None = Field(description="Currency of `amount`.")
    amount_qualifier: AmountQualifier | None = Field(
        description="How `amount` is qualified: `up_to` if it is a ceiling, `at_least`, or "
        "`about`. `null` if the amount has no such qualification or is `null` itself: then this "
        "field does not apply, and is not listed in `not_stated`."
    )
    objectives: Annotated[list[Id], Field(min_length=1)] | None = Field(
        description="Objectives of the partnership that the award supports."
    )
    regions: Annotated[list[Id], Field(min_length=1)] | None = Field(
        description="Regions where the work takes place."
    )
    trafficking_forms: Annotated[list[TraffickingForm], Field(min_length=1)] | None = Field(
        description="Forms of child trafficking that the award addresses."
    )
    has_sub_recipients: bool | None = Field(
        description="Whether the recipient passes funds on to sub-recipients."
    )
    not_stated: NotStated
    evidence: CitedBy
