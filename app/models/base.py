"""What models are made from: shapes of answers, parts of the seed, rows of tables.

None is built before it is first used. A server only selects what was rendered before, so it starts
without building any.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, ForeignKey, Integer, String, Table
from sqlmodel import SQLModel

from app.models.filters import Range


class Model(BaseModel):
    """The shape of an answer, or of a part of one."""

    model_config = ConfigDict(defer_build=True)


class StrictModel(Model):
    """A part of the seed file: nothing missing, nothing more, no type taken for another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TableRow(SQLModel):
    """The columns of a table."""

    model_config = {"defer_build": True}


def member_table(name: str, ranges: Sequence[Range] = (), **columns: str | None) -> Table:
    """A table of the members of lists; no row of it is ever an object.

    After the members come copies of what the owner's row has: its number, and what ranges are held
    against. So the rows that a member and ranges select are counted without being looked up.

    Args:
        name: `TYPE_FIELD`, by which the members of a type's field are found.
        ranges: The ranges of the owner.
        columns: Each column and the table whose ids it holds, or None where it holds words.
    """
    keys = {
        column: () if to is None else (ForeignKey(f"{to}.id"),) for column, to in columns.items()
    }
    made = [Column(column, String, *key, primary_key=True) for column, key in keys.items()]
    kinds = {column: one.value_type for one in ranges for column in one.columns}
    copies = [
        Column(column, String if kind == "date" else Integer) for column, kind in kinds.items()
    ]
    number = Column("number", Integer, nullable=False)
    return Table(name, SQLModel.metadata, *made, number, *copies)
