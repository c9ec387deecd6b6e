"""Problem documents: their shape, to the letter."""

from __future__ import annotations

import json

import pytest

from app.responses.problems import (
    PROBLEMS,
    InvalidParameters,
    NotFound,
    ParameterError,
    Problem,
    Unavailable,
    closest_match,
)
from tests.support.contract import read_document


@pytest.mark.parametrize("kind", PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_is_rendered_whole(kind: type[Problem]) -> None:
    """Type, title, status, detail and instance, in this order, never to be kept."""
    error = (
        kind([ParameterError("x", "x is wrong.")])
        if kind is InvalidParameters
        else kind("It is wrong.")
    )
    response = error.response("/v1/awards")
    told = json.loads(bytes(response.body))
    assert list(told)[:5] == ["type", "title", "status", "detail", "instance"]
    assert told["type"] == f"/problems/{kind.slug}"
    assert (told["title"], told["status"]) == (kind.title, kind.status)
    assert told["detail"] == ("x is wrong." if kind is InvalidParameters else "It is wrong.")
    assert told["instance"] == "/v1/awards"
    assert ("errors" in told) == (kind is InvalidParameters)
    assert response.status_code == kind.status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert b'": ' not in bytes(response.body)
    assert str(error) == error.detail


def test_every_error_is_listed() -> None:
    """Several errors stand in one document, their messages in one detail."""
    errors = [
        ParameterError("a", "a is wrong."),
        ParameterError("b", "b too.", ("x", "y"), "x"),
    ]
    told = json.loads(bytes(InvalidParameters(errors).response("/").body))
    assert told["detail"] == "a is wrong. b too."
    assert told["errors"] == [
        {"parameter": "a", "message": "a is wrong.", "allowed": None, "did_you_mean": None},
        {"parameter": "b", "message": "b too.", "allowed": ["x", "y"], "did_you_mean": "x"},
    ]


def test_a_problem_has_headers_of_its_own() -> None:
    """What is raised with headers is answered with them, and is not kept either."""
    headers = {"Retry-After": "5"}
    error = Unavailable("Later.", headers=headers)
    response = error.response("/")
    assert response.headers["retry-after"] == "5"
    assert response.headers["cache-control"] == "no-store"
    error.headers["X-Other"] = "1"
    assert headers == {"Retry-After": "5"}


@pytest.mark.parametrize(
    ("path", "instance"),
    [
        ("/v1/a b", "/v1/a%20b"),
        ("/~!$&'()*+,;=:@", "/~!$&'()*+,;=:@"),
        ('/"<>\\^`{|}', "/%22%3C%3E%5C%5E%60%7B%7C%7D"),
        ("/é", "/%C3%A9"),
        ("/" + "a" * 5_000, "/" + "a" * 1_999),
        ("", ""),
    ],
)
def test_the_instance_is_a_path(path: str, instance: str) -> None:
    """It is percent-encoded (RFC 3986, 3.3) and bounded."""
    assert json.loads(bytes(NotFound("x").response(path).body))["instance"] == instance


def test_text_that_is_no_text_is_told() -> None:
    """A lone surrogate in a detail is escaped, and other letters are not."""
    body = bytes(NotFound("lone \ud800, Perú").response("/").body)
    assert b"lone \\ud800, Per\xc3\xba" in body


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("regoin", "region"),
        ("REGION", "region"),
        ("zzz", None),
        ("", None),
        ("re", None),
        ("region" + "n" * 58, None),
        ("regions" * 9 + "x", None),
        ("regions" * 9 + "xy", None),
    ],
)
def test_the_nearest_name_is_near(name: str, meant: str | None) -> None:
    """Case does not matter; what is far, or too long to be a slip, has none."""
    assert closest_match(name, ["region", "recipient", "limit"]) == meant


def test_a_long_name_is_compared_up_to_a_length() -> None:
    """64 characters are still compared, 65 are not."""
    known = "x" * 64
    assert closest_match("x" * 63 + "y", [known]) == known
    assert closest_match("x" * 64 + "y", [known]) is None
    assert closest_match("x" * 65, ["x" * 65]) is None


def test_the_first_of_several_near_names_is_the_nearest() -> None:
    """One name is told, the one most alike."""
    assert closest_match("titel", ["tilt", "title", "little"]) == "title"


def test_every_kind_is_under_its_own_slug() -> None:
    """The table, the contract's statuses and the kinds agree."""
    assert all(slug == kind.slug for slug, kind in PROBLEMS.items())
    responses = read_document()["paths"]["/v1/awards"]["get"]["responses"]
    statuses = {str(kind.status) for kind in PROBLEMS.values()}
    assert {code for code in responses if code >= "400"} <= statuses
