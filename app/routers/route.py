"""Routes: response models are built only for OpenAPI; endpoints are called directly; formats."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from app.responses.formats import FORMATS
from app.server.negotiation import NegotiatedPath

_TELEMETRY_KEY = "fastapi.telemetry"
"""Key in the ASGI scope of a request that FastAPI's telemetry observes."""


class Route(APIRoute):
    """A route whose response model is used only in the OpenAPI document.

    Endpoints return pre-rendered bytes, so no request needs the model. Building it lazily makes
    startup faster.

    An endpoint with the request as its only parameter is called directly, which halves the time
    that the framework takes for a request. With telemetry, FastAPI calls it, to trace the call.
    """

    def __init__(
        self, path: str, endpoint: Any, *, response_model: Any = None, **options: Any
    ) -> None:
        """Create the route. `response_model` may be a `partial` that builds the model."""
        super().__init__(path, endpoint, response_model=None, **options)
        self._response_model = response_model
        self._options = options
        self._start_of_path = path.partition("{")[0]
        parameters = [*inspect.signature(endpoint).parameters]
        self._is_called_directly = (
            inspect.iscoroutinefunction(endpoint)
            and parameters == [self.dependant.request_param_name]
            and not self.dependencies
        )

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request matches; most routes have another start, which is quick to see."""
        if scope.get("root_path") or scope["path"].startswith(self._start_of_path):
            return super().matches(scope)
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request whose path matches; the method may not."""
        if (
            self._is_called_directly
            and scope["method"] in (self.methods or ())
            and _TELEMETRY_KEY not in scope
        ):
            response = await self.endpoint(Request(scope, receive, send))
            await response(scope, receive, send)
        else:
            await super().handle(scope, receive, send)

    def with_response_model(self) -> APIRoute:
        """An equal `APIRoute` with the response model, from which FastAPI generates OpenAPI."""
        model = self._response_model
        if isinstance(model, partial):
            model = model()
        return APIRoute(self.path, self.endpoint, response_model=model, **self._options)


def negotiated_paths(routes: Iterable[BaseRoute]) -> Iterator[NegotiatedPath]:
    """The paths of all routes that declare several formats of their 200 response."""
    for route in routes:
        if isinstance(route, APIRoute):
            content = route.responses.get(200, {}).get("content", {})
            formats = tuple(offered for offered in FORMATS if offered.media_type in content)
            parameters = (route.openapi_extra or {}).get("parameters", ())
            has_parameter = any(parameter["name"] == "format" for parameter in parameters)
            if len(formats) > 1:
                yield NegotiatedPath(route.path, route.path_regex, formats, has_parameter)
