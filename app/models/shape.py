"""What models are made from: shapes of answers, parts of the seed, rows of tables.

None is built before it is first used. A server only selects what was rendered before, so it starts
without building any.
"""

from pydantic import BaseModel, ConfigDict
from sqlmodel import SQLModel


class Shape(BaseModel):
    """The shape of an answer, or of a part of one."""

    model_config = ConfigDict(defer_build=True)


class Part(Shape):
    """A part of the seed file: nothing missing, nothing more, no type taken for another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Row(SQLModel):
    """The columns of a table."""

    model_config = {"defer_build": True}
