"""Routes that cost nothing to describe until somebody asks for their description."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi.routing import APIRoute


class Route(APIRoute):
    """A route that takes the model of its response for the OpenAPI document alone.

    Answers are bytes that were rendered before, so no request needs the model; it is built when
    the route is described.
    """

    def __init__(
        self, path: str, endpoint: Any, *, response_model: Any = None, **options: Any
    ) -> None:
        """Take the route's options; `response_model` may be a `partial` that makes the model."""
        super().__init__(path, endpoint, response_model=None, **options)
        self._model = response_model
        self._options = options

    def with_response_model(self) -> APIRoute:
        """The same route with its model, as FastAPI describes it."""
        model = self._model() if isinstance(self._model, partial) else self._model
        return APIRoute(self.path, self.endpoint, response_model=model, **self._options)
