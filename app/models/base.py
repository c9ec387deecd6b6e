"""Base classes of documents, of parts of the seed and of table rows.

Pydantic's validators are built on first use. Serving needs none, since it only selects documents
that are already rendered, so a server starts faster.
"""

from collections.abc import Sequence
from functools import cache

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, ForeignKey, Integer, String, Table
from sqlmodel import SQLModel

from app.models.filters import Range


class Model(BaseModel):
    """A JSON object in a response."""

    model_config = ConfigDict(defer_build=True)

    @classmethod
    @cache
    def document_fields(cls) -> tuple[str, ...]:
        """The members of a rendered document, in its order."""
        fields = (name for name, field in cls.model_fields.items() if not field.exclude)
        return (*fields, *cls.model_computed_fields)


class StrictModel(Model):
    """A JSON object in the seed file: no unknown keys, no type coercion, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TableRow(SQLModel):
    """A row of a database table; the subclass declares the columns."""

    model_config = {"defer_build": True}


def member_table(name: str, ranges: Sequence[Range] = (), **columns: str | None) -> Table:
    """A link table: the members of a list field, one row per item and member.

    Its other columns repeat the rowid of the item and its range columns, so that rows under a
    filter and a range can be counted without a join.

    Args:
        name: Type of the item and name of the field, joined by `_`.
        ranges: The item's ranges.
        columns: Names of the item's and the member's column, each with the table that
            it refers to, or None if it holds plain text.
    """
    keys = {
        column: () if table is None else (ForeignKey(f"{table}.id"),)
        for column, table in columns.items()
    }
    key_columns = [Column(column, String, *key, primary_key=True) for column, key in keys.items()]
    types = {column: range_.value_type for range_ in ranges for column in range_.columns}
    copies = [
        Column(column, String if type_ == "date" else Integer) for column, type_ in types.items()
    ]
    item_rowid = Column("item_rowid", Integer, nullable=False)
    return Table(name, SQLModel.metadata, *key_columns, item_rowid, *copies)
