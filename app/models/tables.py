"""The database schema of an archive: a table per collection, link tables, tables of releases.

Only the compiler imports it: a server selects from the tables of an archive by their names.
"""

from typing import ClassVar

from sqlalchemy import Column, ForeignKey, Integer, String, Table
from sqlmodel import Field, SQLModel

from app.models import RESOURCE_BY_TYPE, RESOURCES, Resource
from app.models.filters import Filter

SCHEMA = SQLModel.metadata
"""All tables."""


class TableRow(SQLModel):
    """A row of a table; the subclass declares the columns.

    Pydantic's validators, which would be built on first use, are never used.
    """

    model_config = {"defer_build": True}


class PartnershipRow(TableRow, table=True):
    """Columns of the `partnerships` table."""

    __tablename__ = "partnerships"

    id: str = Field(primary_key=True)
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
    investment_qualifier: str | None
    investor: str | None = Field(foreign_key="organizations.id")
    document: str


class ObjectiveRow(TableRow, table=True):
    """Columns of the `objectives` table."""

    __tablename__ = "objectives"

    id: str = Field(primary_key=True)
    partnership: str = Field(foreign_key="partnerships.id")
    position: int
    title: str
    title_key: str
    summary: str
    document: str


class AwardRow(TableRow, table=True):
    """Columns of the `awards` table."""

    __tablename__ = "awards"

    id: str = Field(primary_key=True)
    partnership: str = Field(foreign_key="partnerships.id")
    recipient: str | None = Field(foreign_key="organizations.id")
    title: str
    title_key: str
    summary: str
    announced: str | None
    announced_first: str | None
    announced_last: str | None
    ends: str | None
    ends_first: str | None
    ends_last: str | None
    amount: int | None
    currency: str | None
    amount_qualifier: str | None
    has_sub_recipients: bool | None
    document: str


class ActivityRow(TableRow, table=True):
    """Columns of the `activities` table."""

    __tablename__ = "activities"

    id: str = Field(primary_key=True)
    award: str = Field(foreign_key="awards.id")
    position: int
    title: str
    title_key: str
    summary: str
    supports: str | None
    document: str


class RegionRow(TableRow, table=True):
    """Columns of the `regions` table."""

    __tablename__ = "regions"

    id: str = Field(primary_key=True)
    name: str
    name_key: str
    country: str | None
    iso_3166_2: str | None
    inei_ubigeo: str | None
    wikidata: str | None
    document: str


class OrganizationRow(TableRow, table=True):
    """Columns of the `organizations` table."""

    __tablename__ = "organizations"

    id: str = Field(primary_key=True)
    name: str
    name_key: str
    short_name: str | None
    kind: str | None
    document: str


class SourceRow(TableRow, table=True):
    """Columns of the `sources` table."""

    __tablename__ = "sources"

    id: str = Field(primary_key=True)
    publisher: str | None = Field(foreign_key="organizations.id")
    title: str
    title_key: str
    url: str | None
    archived_from: str | None
    archived_to: str | None
    sha256: str
    bytes: int
    characters: int
    document: str


class CitationRow(TableRow, table=True):
    """Columns of the `citations` table."""

    __tablename__ = "citations"

    id: str = Field(primary_key=True)
    resource_type: str
    resource: str
    field: str
    basis: str
    note: str | None
    source: str | None = Field(foreign_key="sources.id")
    start: int | None
    end: int | None
    exact: str | None
    prefix: str | None
    suffix: str | None
    reference_title: str | None
    reference_url: str | None
    reference_license: str | None
    document: str


class ReleaseRow(TableRow, table=True):
    """Columns of the `releases` table: a row per release, and one for a draft.

    Attributes:
        id: The label.
        position: Place in the order of releases, from 1.
        date: Day of the release.
        digest: SHA-256 of the seed in canonical form.
        note: Why it was made; null for a draft.
        draft: Whether it is a draft.
        metadata_document: Metadata of the record in this release, as JSON.
        document: The release, as JSON.
    """

    __tablename__ = "releases"

    id: str = Field(primary_key=True)
    position: int
    date: str
    digest: str
    note: str | None
    draft: bool
    metadata_document: str
    document: str


class VersionRow(TableRow, table=True):
    """Columns of the `versions` table: how long the versions of a document stood.

    A document without a row has stood unchanged since the first release.

    Attributes:
        type: Type of the document.
        id: Id of the document.
        first: Position of the first release with this version.
        last: Position of the last release with it; null if it is the present version.
        document: The version as JSON; null if it is the present one, as its collection has it.
    """

    __tablename__ = "versions"

    type: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    first: int = Field(primary_key=True)
    last: int | None
    document: str | None


class RetiredRow(TableRow, table=True):
    """Columns of the `retired` table: ids that were in an earlier release and are not now.

    Attributes:
        type: Type of the document, also `citation`.
        id: Its id.
        release: Label of the release that removed it.
        reason: Why, as in the seed; null for a citation of a resource that is still there.
        replaced_by: Ids of what replaces it, as a JSON array; null if nothing does.
    """

    __tablename__ = "retired"

    type: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    release: str
    reason: str | None
    replaced_by: str | None


class ChangeRow(TableRow, table=True):
    """Columns of the `changes` table: a value that a release changed, or its citations.

    Attributes:
        key: Sort key, see `change_key`.
        release: Position of the release.
        type: Type of the resource; `citation` or `record`.
        resource: Id of the resource.
        field: Field with the value; null if the value is a whole citation.
        before: The old value as canonical JSON; null if there was none.
        after: The new value as canonical JSON; null if there is none.
        citations_before: Ids of the citations of the old value, as a JSON array.
        citations_after: Ids of the citations of the new value, as a JSON array.
        previous: Release of the previous row with this key; `NO_POSITION` for the first one.
        next: Release of the next row with this key; `MAX_POSITION` for the last one.
        changed_in: Last release, up to this row's, that changed the value and not only its
            citations; `NO_POSITION` if there is none.
    """

    __tablename__ = "changes"
    __table_args__: ClassVar = {"sqlite_with_rowid": False}

    key: str = Field(primary_key=True)
    release: int = Field(primary_key=True)
    type: str
    resource: str
    field: str | None
    before: str | None
    after: str | None
    citations_before: str
    citations_after: str
    previous: int
    next: int
    changed_in: int


def _link_table(model: type[Resource], filter_: Filter, name: str) -> Table:
    """A link table: the members of a list field, one row per item and member.

    Its other columns repeat the rowid of the item and its range columns, so that rows under a
    filter and a range can be counted without a join.
    """
    target = RESOURCE_BY_TYPE.get(model.references.get(filter_.field, ""))
    references = [] if target is None else [ForeignKey(f"{target.collection}.id")]
    types = {column: range_.value_type for range_ in model.ranges for column in range_.columns}
    return Table(
        name,
        SCHEMA,
        Column(model.type, String, ForeignKey(f"{model.collection}.id"), primary_key=True),
        Column(filter_.parameter, String, *references, primary_key=True),
        Column("item_rowid", Integer, nullable=False),
        *(
            Column(column, String if type_ == "date" else Integer)
            for column, type_ in types.items()
        ),
    )


for _model in RESOURCES:
    for _filter in _model.all_filters():
        if (_name := _model.link_table(_filter.field)) is not None:
            _link_table(_model, _filter, _name)
