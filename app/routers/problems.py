"""`/problems`: explanations of the error types, as HTML or JSON."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from app.models.base import Model
from app.query.parameters import path_parameter
from app.responses.formats import HTML, JSON, negotiate_format
from app.responses.problems import PROBLEMS, InvalidParameters, NotFound, Problem
from app.responses.representations import encode_json
from app.routers.dependencies import ArchiveDep, NoParameters, accept_header
from app.routers.html import html_response
from app.routers.openapi_examples import problem_examples
from app.routers.openapi_responses import openapi_responses
from app.routers.route import Route

router = APIRouter(prefix="/problems", tags=["problems"], route_class=Route)

_SLUG = path_parameter("slug", "Last segment of the `type`.", [NotFound.slug])


class ProblemType(Model):
    """A problem type with its explanation."""

    type: str = Field(description="Identifier, as in the `type` of an error.")
    title: str = Field(description="Title, as in the `title` of an error.")
    status: int = Field(description="HTTP status code.")
    explanation: str = Field(description="What the problem means.")
    remedy: str = Field(description="What a client should do.")


class ProblemTypes(Model):
    """List of all problem types."""

    data: list[ProblemType]


class ProblemTypeItem(Model):
    """One problem type."""

    data: ProblemType


@router.get(
    "",
    operation_id="listProblems",
    summary="List problem types",
    description="Every `type` of error that this API returns, as JSON or HTML.",
    response_model=ProblemTypes,
    response_description="The problem types.",
    responses=openapi_responses(InvalidParameters, formats=(JSON, HTML)),
    dependencies=[NoParameters],
)
async def list_problems(request: Request) -> Response:
    """All problem types."""
    if _prefers_html(request):
        return await html_response(request.scope, "problems.html", problems=PROBLEMS.values())
    return Response(problem_list_body(), media_type="application/json")


@router.get(
    "/{slug}",
    operation_id="getProblem",
    summary="Get a problem type",
    description="Explanation of one error `type`, as JSON or HTML.",
    response_model=ProblemTypeItem,
    response_description="The problem type.",
    responses=openapi_responses(NotFound, InvalidParameters, formats=(JSON, HTML)),
    openapi_extra={"parameters": [_SLUG]},
    dependencies=[NoParameters],
)
async def get_problem(request: Request, archive: ArchiveDep) -> Response:
    """One problem type.

    Raises:
        NotFound: No problem type has this slug.
    """
    slug = request.path_params["slug"]
    if slug not in PROBLEMS:
        raise NotFound(f"No problem type has this slug. Slugs are {', '.join(PROBLEMS)}.")
    if _prefers_html(request):
        problem = PROBLEMS[slug]
        others = [other for other in PROBLEMS.values() if other is not problem]
        example = problem_examples(archive).get(problem.status)
        context = {"problem": problem, "example": example, "others": others}
        return await html_response(request.scope, "problem.html", **context)
    return Response(problem_body(slug), media_type="application/json")


def _prefers_html(request: Request) -> bool:
    """Whether `Accept` prefers HTML to JSON."""
    return negotiate_format(accept_header(request), (JSON, HTML)) is HTML


def problem_list_body() -> bytes:
    """The body of `/problems` as JSON."""
    return encode_json({"data": [_problem_type(problem) for problem in PROBLEMS.values()]})


def problem_body(slug: str) -> bytes:
    """The body of `/problems/{slug}` as JSON."""
    return encode_json({"data": _problem_type(PROBLEMS[slug])})


def _problem_type(problem: type[Problem]) -> dict[str, object]:
    return {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "explanation": problem.explanation,
        "remedy": problem.remedy,
    }
