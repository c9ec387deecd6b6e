"""The OpenAPI document for generators of clients: responses in JSON alone."""

from __future__ import annotations

from typing import Any

from app.responses.formats import JSON
from app.responses.problems import NotAcceptable, RangeNotSatisfiable
from app.routers.openapi_document import FORMATS_DESCRIPTION, drop_unused_schemas

Json = dict[str, Any]

_JSON_ONLY_DESCRIPTION = """
**Formats.** This document is for generators of clients, so it describes JSON alone. `/openapi.json`
has the other formats and the files for download as well.
"""
_ERRORS_OF_FORMATS = (str(NotAcceptable.status), str(RangeNotSatisfiable.status))
"""Status codes of errors that no request for JSON causes."""
_FILES = "/{file}"
"""End of the paths of files, each of which has one format, whatever `Accept` says."""


def client_document(document: Json) -> Json:
    """Change an OpenAPI document so that every 200 response is JSON and nothing else; return it.

    Many generators take an operation with several media types for a download or a stream, and give
    clients text, or nothing, in place of the JSON. Files are left out, and so is `items` beside
    `prefixItems`: some generators make one more member of it.
    """
    description: str = document["info"]["description"]
    document["info"]["description"] = description.replace(
        FORMATS_DESCRIPTION.strip(), _JSON_ONLY_DESCRIPTION.strip()
    )
    document["paths"] = {
        path: item
        for path, item in document["paths"].items()
        if not path.endswith(_FILES) and _reduce_to_json(item["get"])
    }
    for schema in document["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            if "prefixItems" in field:
                del field["items"]
    drop_unused_schemas(document)
    return document


def _reduce_to_json(operation: Json) -> bool:
    """Remove the other formats of an operation, and what only concerns them, if it has JSON."""
    responses = operation["responses"]
    content = responses["200"]["content"]
    if JSON.media_type not in content:
        return False
    responses["200"]["content"] = {JSON.media_type: content[JSON.media_type]}
    for status in _ERRORS_OF_FORMATS:
        responses.pop(status, None)
    if parameters := operation.get("parameters"):
        operation["parameters"] = [each for each in parameters if each["name"] != "format"]
    return True
