"""Template context of the API guide: examples on the served data and lists of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.archive.archive import COLLECTIONS, Archive
from app.exports.citing import cited_record, cited_resource, plain_text
from app.models import RESOURCE_BY_TYPE, Document, Resource
from app.models.evidence import BASIS_MEANINGS, UNCITED_VALUES
from app.pages.guide.documents import document_groups
from app.pages.guide.reference import Reference
from app.pages.guide.rendering import example_file
from app.pages.record.words import shorten
from app.query.examples import (
    ExampleResource,
    announcement_year,
    example_resource,
    first_ids,
    misspelled_query,
    misspelling_error,
    referenced_ids,
    search_word,
)
from app.query.query import includable_fields
from app.responses.problems import PROBLEMS
from app.settings import Settings

DEFAULT_BASE_URL = "http://127.0.0.1:8000"
"""Base URL in the examples when `PUBLIC_URL` is not set: the address of `make serve`."""

SECTIONS: Mapping[str, str] = {
    "start": "First request",
    "filtering": "Filter and sort",
    "paging": "Next page",
    "fields": "Select fields",
    "related": "Related resources and counts",
    "formats": "Other formats",
    "evidence": "Sources for every value",
    "cite": "How to cite",
    "errors": "Errors",
    "caching": "Caching",
    "changes": "Releases and changes",
    "copy": "Keep a copy",
    "clients": "Generate a client",
    "stability": "Versioning and stability",
}
"""Title of each section of the guide, by its anchor."""
_NEXT_PAGE: Mapping[str, Mapping[str, str]] = {
    "links": {
        "self": "/v1/activities?limit=3",
        "next": "/v1/activities?limit=3&cursor=FdyQkzhQ9L5z…",
    }
}
"""How a page of a list refers to the next one."""
_MAX_KNOWN_IDS = 50
"""Maximum number of ids that are offered for a parameter."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CollectionParameters:
    """Query parameters and their values that one collection supports."""

    collection: str
    filters: tuple[str, ...]
    ranges: tuple[str, ...]
    sorts: tuple[str, ...]
    facets: tuple[str, ...]
    includes: tuple[str, ...]


def guide_context(archive: Archive, document: Json, settings: Settings) -> Json:
    """Variables of the guide's template.

    Args:
        archive: Source of the example ids and responses.
        document: The OpenAPI document, for the reference.
        settings: Public base URL and publisher, if they are set.
    """
    known_ids = _known_ids(archive)
    base_url = settings.public_url or DEFAULT_BASE_URL
    example = example_resource(archive)
    return {
        "base": base_url,
        "is_public": settings.public_url is not None,
        "first_release": next(iter(archive.releases)),
        "description": shorten(archive.metadata["description"]),
        "example": example,
        "citation": _citation(archive, example, settings),
        "next_page": _NEXT_PAGE,
        "region_ids": first_ids(archive, "regions", 2),
        "year": announcement_year(archive),
        "word": search_word(archive),
        "release": archive.release,
        "programs": _programs(base_url),
        "collections": [_collection_parameters(name) for name in COLLECTIONS],
        "bases": BASIS_MEANINGS,
        "uncited_values": UNCITED_VALUES,
        "problems": PROBLEMS.values(),
        "misspelled": misspelled_query(archive),
        "error_response": misspelling_error(archive).document("/v1/awards"),
        "sections": SECTIONS,
        "document_groups": document_groups(),
        "reference": Reference(document, known_ids),
        "known_ids": known_ids,
    }


def _citation(archive: Archive, example: ExampleResource, settings: Settings) -> str:
    """The citation of the example, or of an empty record, as text."""
    work = cited_record(archive, settings.public_url, settings.publisher_name, archive.connection)
    if example.response is not None:
        work = cited_resource(work, example.response["data"], example.variable)
    return plain_text(work).decode().rstrip()


def _programs(base_url: str) -> Mapping[str, str]:
    """The programs of the guide that are files, by language, with this base URL."""
    return {
        language: example_file(name).decode().replace(DEFAULT_BASE_URL, base_url)
        for language, name in {"python": "keep_a_copy.py", "js": "keep_a_copy.mjs"}.items()
    }


def _collection_parameters(collection: str) -> CollectionParameters:
    model = COLLECTIONS[collection]
    return CollectionParameters(
        collection,
        tuple(filter_.parameter for filter_ in model.filters),
        tuple(range_.field for range_ in model.ranges),
        tuple(sort.field for sort in model.sorts),
        model.facets(),
        includable_fields(model),
    )


def _known_ids(archive: Archive) -> Mapping[str, Sequence[str]]:
    """The first ids that parameters may have, by the key of the parameter in a `Reference`."""
    known = {f"{name}.id": first_ids(archive, name, _MAX_KNOWN_IDS) for name in COLLECTIONS}
    for name, model in COLLECTIONS.items():
        for filter_ in model.all_filters():
            target = _referenced_collection(model, filter_.field)
            if target is not None:
                ids = referenced_ids(archive, model, filter_, target, _MAX_KNOWN_IDS)
                known[f"{name}.{filter_.parameter}"] = ids
    labels = list(archive.releases)[-_MAX_KNOWN_IDS:]
    known |= dict.fromkeys(("releases.id", "label", "since", "until"), labels)
    return {key: values for key, values in known.items() if values}


def _referenced_collection(model: type[Document], field: str) -> str | None:
    """The collection of the resources that a field references; None for other fields."""
    type_ = model.references.get(field) if issubclass(model, Resource) else None
    return None if type_ is None else RESOURCE_BY_TYPE[type_].collection
