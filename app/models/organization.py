"""Organizations that take part in a partnership or publish a source."""

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field
from typing_extensions import TypeAliasType

from app.models.filters import Filter, Sort
from app.models.resource import CitedBy, NotStated, Resource
from app.models.values import Title

OrganizationKind = TypeAliasType(
    "OrganizationKind",
    Literal["government", "government_agency", "international_organization", "ngo"],
)
OrganizationRole = TypeAliasType(
    "OrganizationRole", Literal["signatory", "investor", "implementer", "publisher"]
)


class Organization(Resource):
    """A government, an agency, an implementing partner or a publisher."""

    type: ClassVar[str] = "organization"
    collection: ClassVar[str] = "organizations"
    searchable_fields: ClassVar = ("name", "short_name")
    filters: ClassVar = (
        Filter("kind", "kind", choices=get_args(OrganizationKind.__value__)),
        Filter("role", "roles", choices=get_args(OrganizationRole.__value__)),
    )
    sorts: ClassVar = (Sort("name", "name_key"),)

    name: Title = Field(description="Name, as given in the source.")
    short_name: Title | None = Field(description="Short name or abbreviation.")
    kind: OrganizationKind | None = Field(description="Type of organization.")
    roles: Annotated[list[OrganizationRole], Field(min_length=1)] | None = Field(
        description="Roles in the record."
    )
    not_stated: NotStated
    evidence: CitedBy
