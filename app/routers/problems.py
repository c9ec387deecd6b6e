"""What the `type` of an error resolves to: a page for a browser, JSON for a program."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from app.models.base import Model
from app.query.parameters import path_parameter
from app.responses.formats import HTML, JSON, negotiate_format
from app.responses.problems import PROBLEMS, InvalidParameters, NotFound, Problem
from app.responses.representations import encode_json
from app.routers.dependencies import NoParameters, accept_header
from app.routers.html import html_response
from app.routers.openapi_document import PROBLEM_EXAMPLES
from app.routers.openapi_responses import openapi_responses
from app.routers.route import Route

router = APIRouter(prefix="/problems", tags=["problems"], route_class=Route)

_SLUG = path_parameter("slug", "Last part of the `type`.", [NotFound.slug])


class ProblemKind(Model):
    """A kind of problem, explained."""

    type: str = Field(description="Its identifier, as in the `type` of an error.")
    title: str = Field(description="Its name.")
    status: int = Field(description="HTTP status code it comes with.")
    explanation: str = Field(description="What it means and what to do.")


class ProblemKinds(Model):
    """Every kind of problem."""

    data: list[ProblemKind]


class ProblemKindItem(Model):
    """One kind of problem."""

    data: ProblemKind


@router.get(
    "",
    operation_id="listProblems",
    summary="List kinds of problems",
    description="Every `type` that an error of this API can have.",
    response_model=ProblemKinds,
    response_description="The kinds of problems.",
    responses=openapi_responses(InvalidParameters, formats=(JSON, HTML)),
    dependencies=[NoParameters],
)
async def list_problems(request: Request) -> Response:
    """Every kind of problem, explained."""
    if _reads(request):
        return await html_response("problems.html", problems=PROBLEMS.values())
    return Response(problem_list_body(), media_type="application/json")


@router.get(
    "/{slug}",
    operation_id="getProblem",
    summary="Get the explanation of a problem",
    description="What the `type` of an error means.",
    response_model=ProblemKindItem,
    response_description="The explanation.",
    responses=openapi_responses(NotFound, InvalidParameters, formats=(JSON, HTML)),
    openapi_extra={"parameters": [_SLUG]},
    dependencies=[NoParameters],
)
async def get_problem(request: Request) -> Response:
    """One kind of problem, explained.

    Raises:
        NotFound: No error of this API has such a type.
    """
    slug = request.path_params["slug"]
    if slug not in PROBLEMS:
        raise NotFound(f"No problem has this type. Known are {', '.join(PROBLEMS)}.")
    if _reads(request):
        problem = PROBLEMS[slug]
        others = [one for one in PROBLEMS.values() if one is not problem]
        example = PROBLEM_EXAMPLES.get(problem.status)
        return await html_response("problem.html", problem=problem, example=example, others=others)
    return Response(problem_body(slug), media_type="application/json")


def _reads(request: Request) -> bool:
    """Whether a browser asks, on behalf of a person."""
    return negotiate_format(accept_header(request), (JSON, HTML)) is HTML


def problem_list_body() -> bytes:
    """Every kind of problem as JSON."""
    return encode_json({"data": [_explained(problem) for problem in PROBLEMS.values()]})


def problem_body(slug: str) -> bytes:
    """One kind of problem as JSON."""
    return encode_json({"data": _explained(PROBLEMS[slug])})


def _explained(problem: type[Problem]) -> dict[str, object]:
    return {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "explanation": problem.explanation,
    }
