"""Routes: endpoints with the request as their only parameter are called without FastAPI."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.routing import Match

from app.routers.route import Route

pytestmark = pytest.mark.anyio


async def _add_greeting(request: Request) -> str:
    request.state.greeting = "hello"
    return "hello"


def _application() -> FastAPI:
    router = APIRouter(route_class=Route)

    @router.get("/request-only/{name}")
    async def request_only(request: Request) -> Response:
        return PlainTextResponse(f"{request.path_params['name']} {_is_prepared(request)}")

    @router.get("/dependency")
    async def with_dependency(greeting: Annotated[str, Depends(_add_greeting)]) -> Response:
        return PlainTextResponse(greeting)

    @router.get("/route-dependency", dependencies=[Depends(_add_greeting)])
    async def with_route_dependency(request: Request) -> Response:
        return PlainTextResponse(request.state.greeting)

    @router.get("/blocking")
    def blocking(request: Request) -> Response:
        return PlainTextResponse(request.url.path)

    application = FastAPI()
    application.router.routes.extend(router.routes)
    return application


def _is_prepared(request: Request) -> bool:
    """Whether FastAPI prepared the request for dependencies."""
    return "fastapi_function_astack" in request.scope


async def _get(path: str, method: str = "GET") -> httpx.Response:
    transport = httpx.ASGITransport(app=_application())
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path)


async def test_an_endpoint_with_the_request_only_is_called_directly() -> None:
    """Such an endpoint has its path parameters, and FastAPI prepares nothing."""
    assert (await _get("/request-only/lima")).text == "lima False"


@pytest.mark.parametrize(
    ("path", "text"),
    [("/dependency", "hello"), ("/route-dependency", "hello"), ("/blocking", "/blocking")],
)
async def test_other_endpoints_are_called_by_fastapi(path: str, text: str) -> None:
    """Dependencies are solved, and functions that block run in a thread."""
    assert (await _get(path)).text == text


async def test_other_methods_are_rejected() -> None:
    """A path that matches with another method gives 405."""
    response = await _get("/request-only/lima", "POST")
    assert (response.status_code, response.headers["allow"]) == (405, "GET")


async def test_telemetry_traces_the_endpoint() -> None:
    """A request that telemetry observes is left to FastAPI, which traces the endpoint."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/request-only/lima",
        "headers": [],
        "query_string": b"",
        "fastapi.telemetry": None,
    }
    await _application()(scope, receive, send)
    assert messages[1]["body"] == b"lima True"


@pytest.mark.parametrize("root_path", ["", "/prefix"])
@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("/request-only/lima", Match.FULL),
        ("/request-only/", Match.NONE),
        ("/request-only", Match.NONE),
        ("/other/lima", Match.NONE),
    ],
)
def test_a_route_matches_its_path(root_path: str, path: str, match: Match) -> None:
    """With and without the prefix that a server removes."""
    route = next(
        route for route in _application().routes if isinstance(route, Route) and "{" in route.path
    )
    scope = {"type": "http", "method": "GET", "path": root_path + path, "root_path": root_path}
    assert route.matches(scope)[0] is match
