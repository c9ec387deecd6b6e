"""Assertions about problem documents."""

from __future__ import annotations

from typing import Any

import httpx

_REQUIRED_MEMBERS = {"type", "title", "status", "detail", "instance"}
_REMOVAL_MEMBERS = {"release", "reason", "replaced_by"}


def assert_problem(
    response: httpx.Response, status: int, vary: str | None = "Accept, Accept-Encoding"
) -> dict[str, Any]:
    """Check that a response is a problem document (RFC 9457) and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers.get("vary") == vary
    assert "etag" not in response.headers
    problem: dict[str, Any] = response.json()
    others = _REMOVAL_MEMBERS if status == 410 else set()
    assert set(problem) - {"errors"} == _REQUIRED_MEMBERS | others
    assert problem["status"] == status
    assert problem["type"].startswith("/problems/")
    assert all(
        isinstance(problem[name], str) and problem[name] for name in _REQUIRED_MEMBERS - {"status"}
    )
    for error in problem.get("errors", []):
        assert set(error) == {"parameter", "message", "allowed", "did_you_mean"}
        assert error["message"]
    assert "Traceback" not in response.text
    assert "sqlite" not in response.text.lower()
    return problem
