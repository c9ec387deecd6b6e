"""Route class that builds response models only for the OpenAPI document."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi.routing import APIRoute


class Route(APIRoute):
    """A route whose response model is used only in the OpenAPI document.

    Endpoints return pre-rendered bytes, so no request needs the model. Building it lazily makes
    startup faster.
    """

    def __init__(
        self, path: str, endpoint: Any, *, response_model: Any = None, **options: Any
    ) -> None:
        """Create the route. `response_model` may be a `partial` that builds the model."""
        super().__init__(path, endpoint, response_model=None, **options)
        self._response_model = response_model
        self._options = options

    def with_response_model(self) -> APIRoute:
        """An equal `APIRoute` with the response model, from which FastAPI generates OpenAPI."""
        model = self._response_model
        if isinstance(model, partial):
            model = model()
        return APIRoute(self.path, self.endpoint, response_model=model, **self._options)
