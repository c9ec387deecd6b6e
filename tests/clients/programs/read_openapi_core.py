"""Validate requests and responses of a server with openapi-core and print what it made of them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import httpx
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict


@dataclass
class Request:
    """A request without a body, as openapi-core reads it."""

    host_url: str
    path: str
    query: str
    method: str = "get"
    body: bytes | None = None
    content_type: str = ""
    parameters: RequestParameters = field(init=False)

    def __post_init__(self) -> None:
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(parse_qsl(self.query)), header=Headers(), cookie={}
        )


@dataclass
class Response:
    """A response, as openapi-core reads it."""

    data: bytes
    status_code: int
    content_type: str
    headers: Headers


class Reader:
    """Requests paths of a server; both sides are validated.

    Attributes:
        unread: Status of each problem for which openapi-core needs a deserializer.
    """

    def __init__(self, client: httpx.Client, document: dict[str, object]) -> None:
        self.client = client
        problems = {"application/problem+json": json.loads}
        config = Config(spec_validator_cls=None, extra_media_type_deserializers=problems)
        self.api = OpenAPI.from_dict(document, config)
        self.plain = OpenAPI.from_dict(document, Config(spec_validator_cls=None))
        self.unread: list[int] = []

    def query(self, path: str) -> object:
        """The query parameters of a request, with their types."""
        return dict(self.api.unmarshal_request(self.request(path)).parameters.query)

    def get(self, path: str) -> object:
        """The body of a response."""
        received = self.client.get(path)
        content_type = received.headers["content-type"]
        headers = Headers(received.headers.multi_items())
        response = Response(received.content, received.status_code, content_type, headers)
        request = self.request(path)
        if received.is_error:
            try:
                self.plain.validate_response(request, response)
            except OpenAPIError:
                self.unread.append(received.status_code)
        return self.api.unmarshal_response(request, response).data

    def request(self, path: str) -> Request:
        """The request for a path, as openapi-core reads it."""
        parts = urlsplit(path)
        return Request(str(self.client.base_url), parts.path, parts.query)


def is_invalid(reader: Reader, path: str) -> bool:
    """Whether a request does not match the document."""
    try:
        reader.api.validate_request(reader.request(path))
    except OpenAPIError:
        return True
    return False


with httpx.Client(base_url=sys.argv[1]) as connected:
    reader = Reader(connected, connected.get("/openapi.json").json())
    paths = sys.argv[2:]
    summary = {
        "queries": {path: reader.query(path) for path in paths if not is_invalid(reader, path)},
        "bodies": {path: reader.get(path) for path in paths},
        "unread": reader.unread,
    }
json.dump(summary, sys.stdout)
