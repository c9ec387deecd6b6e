"""The seed of a new record: one resource of each type, with an empty text for what is missing."""

from __future__ import annotations

import re
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel
from typing_extensions import TypeAliasType

from app.models import RESOURCES, Resource, Source
from app.models.evidence import Reference
from app.models.header import Metadata
from app.models.source import Furniture
from app.models.text_folding import fold
from app.seed.json_text import format_json

SCHEMA_FILE = "seed.schema.json"
"""Name of the JSON Schema that a seed refers to."""
_MAX_SLUG_CHARACTERS = 80


def write_skeleton(url: str, source_id: str, modified: str) -> str:
    """A seed that is valid once each empty text is replaced, except for what `cite` fills in.

    Args:
        url: URL of the page.
        source_id: Id of the source.
        modified: Date of the last change.
    """
    values = {"$schema": SCHEMA_FILE, **_blanks(Metadata), "modified": modified}
    for model in RESOURCES:
        values[model.collection] = [_resource(model)]
    [source] = values[Source.collection]
    source |= {"id": source_id, "url": url, "furniture": [_furniture()]}
    source["evidence"]["url"] = [{"basis": "enriched", "reference": _blanks(Reference)}]
    return format_json(values) + "\n"


def slug_of(url: str) -> str:
    """An id for the page of a URL: its last part that says something, as a slug."""
    path = re.sub(r"(/index)?\.html?$", "", unquote(urlsplit(url).path)).rstrip("/")
    slug = re.sub(r"[^a-z0-9]+", "-", fold(path.rpartition("/")[2]))
    return slug[:_MAX_SLUG_CHARACTERS].strip("-") or "page"


def _resource(model: type[Resource]) -> dict[str, Any]:
    """A resource without values; each field that needs one has an empty citation."""
    blanks = _blanks(model)
    if "position" in blanks:
        blanks["position"] = 1
    for field in ("sha256", "bytes", "characters"):
        blanks.pop(field, None)  # `cite` fills them in
    cited = [field for field in blanks if field in model.cited_fields()]
    citation = {"basis": "", "quote": {"exact": ""}}
    return {**blanks, "not_stated": [], "evidence": {field: [citation] for field in cited}}


def _furniture() -> dict[str, str]:
    """A passage by its words; `cite` fills in its position."""
    return {field: "" for field in Furniture.model_fields if field not in ("start", "end")}


def _blanks(model: type[BaseModel]) -> dict[str, Any]:
    """Each required field with an empty text, or with a list or object of empty texts."""
    fields = model.model_fields.items()
    return {name: _blank(field.annotation) for name, field in fields if field.is_required()}


def _blank(annotation: Any) -> Any:
    if isinstance(annotation, TypeAliasType):
        return _blank(annotation.__value__)
    arguments = [argument for argument in get_args(annotation) if argument is not NoneType]
    if get_origin(annotation) is Literal and len(arguments) == 1:
        return arguments[0]
    if get_origin(annotation) is list:
        return [_blank(arguments[0])]
    if get_origin(annotation) is Annotated or NoneType in get_args(annotation):
        return _blank(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _blanks(annotation)
    return ""
