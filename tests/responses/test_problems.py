"""The exact content of problem documents."""

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


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_document_has_all_members(problem: type[Problem]) -> None:
    """Type, title, status, detail and instance, in this order, never cached."""
    error = (
        problem([ParameterError("x", "x is wrong.")])
        if problem is InvalidParameters
        else problem("It is wrong.")
    )
    response = error.response("/v1/awards")
    document = json.loads(bytes(response.body))
    assert list(document)[:5] == ["type", "title", "status", "detail", "instance"]
    assert document["type"] == f"/problems/{problem.slug}"
    assert (document["title"], document["status"]) == (problem.title, problem.status)
    assert document["detail"] == ("x is wrong." if problem is InvalidParameters else "It is wrong.")
    assert document["instance"] == "/v1/awards"
    assert ("errors" in document) == (problem is InvalidParameters)
    assert response.status_code == problem.status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert b'": ' not in bytes(response.body)
    assert str(error) == error.detail


def test_every_error_is_reported() -> None:
    """A document contains all errors, and their messages joined in `detail`."""
    errors = [
        ParameterError("a", "a is wrong."),
        ParameterError("b", "b too.", ("x", "y"), "x"),
    ]
    document = json.loads(bytes(InvalidParameters(errors).response("/").body))
    assert document["detail"] == "a is wrong. b too."
    assert document["errors"] == [
        {"parameter": "a", "message": "a is wrong.", "allowed": None, "did_you_mean": None},
        {"parameter": "b", "message": "b too.", "allowed": ["x", "y"], "did_you_mean": "x"},
    ]


def test_a_problem_can_have_headers() -> None:
    """A response has the headers of its exception and is not cacheable."""
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
def test_the_instance_is_an_encoded_path(path: str, instance: str) -> None:
    """`instance` is percent-encoded (RFC 3986, 3.3) and has a maximum length."""
    assert json.loads(bytes(NotFound("x").response(path).body))["instance"] == instance


def test_a_lone_surrogate_is_escaped() -> None:
    """A lone surrogate in `detail` is escaped; other non-ASCII characters are not."""
    body = bytes(NotFound("lone \ud800, Perú").response("/").body)
    assert b"lone \\ud800, Per\xc3\xba" in body


@pytest.mark.parametrize(
    ("name", "match"),
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
def test_the_closest_match_is_similar(name: str, match: str | None) -> None:
    """Case is ignored; a name that differs too much or is too long has no match."""
    assert closest_match(name, ["region", "recipient", "limit"]) == match


def test_names_of_up_to_64_characters_are_compared() -> None:
    """64 characters are compared; 65 are not."""
    allowed = "x" * 64
    assert closest_match("x" * 63 + "y", [allowed]) == allowed
    assert closest_match("x" * 64 + "y", [allowed]) is None
    assert closest_match("x" * 65, ["x" * 65]) is None


def test_the_most_similar_name_is_the_match() -> None:
    """Of several similar names, the most similar one is the match."""
    assert closest_match("titel", ["tilt", "title", "little"]) == "title"


def test_problems_are_listed_by_slug() -> None:
    """Every problem has its slug as its key, and the contract uses only their statuses."""
    assert all(slug == problem.slug for slug, problem in PROBLEMS.items())
    responses = read_document()["paths"]["/v1/awards"]["get"]["responses"]
    statuses = {str(problem.status) for problem in PROBLEMS.values()}
    assert {code for code in responses if code >= "400"} <= statuses
