"""Base classes of documents and of parts of the seed.

Pydantic's validators are built on first use. Serving needs none, since it only selects documents
that are already rendered, so a server starts faster.
"""

from functools import cache

from pydantic import BaseModel, ConfigDict


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
