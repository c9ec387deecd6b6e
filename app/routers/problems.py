"""What the `type` of an error resolves to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import Field

from app.models.shape import Shape
from app.problems import PROBLEMS, InvalidParameters, NotFound, Problem
from app.representations import encode
from app.routers.dependencies import NoParameters
from app.routers.responses import declared
from app.routes import Route

router = APIRouter(prefix="/problems", tags=["problems"], route_class=Route)


class ProblemKind(Shape):
    """A kind of problem, explained."""

    type: str = Field(description="Its identifier, as in the `type` of an error.")
    title: str = Field(description="Its name.")
    status: int = Field(description="HTTP status code it comes with.")
    explanation: str = Field(description="What it means and what to do.")


class ProblemKinds(Shape):
    """Every kind of problem."""

    data: list[ProblemKind]


class ProblemKindItem(Shape):
    """One kind of problem."""

    data: ProblemKind


@router.get(
    "",
    operation_id="listProblems",
    summary="List kinds of problems",
    description="Every `type` that an error of this API can have.",
    response_model=ProblemKinds,
    response_description="The kinds of problems.",
    responses=declared(InvalidParameters),
    dependencies=[NoParameters],
)
async def list_problems() -> Response:
    """Every kind of problem, explained."""
    return Response(kinds_body(), media_type="application/json")


@router.get(
    "/{slug}",
    operation_id="getProblem",
    summary="Get the explanation of a problem",
    description="What the `type` of an error means.",
    response_model=ProblemKindItem,
    response_description="The explanation.",
    responses=declared(NotFound, InvalidParameters),
    dependencies=[NoParameters],
)
async def get_problem(
    slug: Annotated[str, Path(description="Last part of the `type`.", examples=["not-found"])],
) -> Response:
    """One kind of problem, explained.

    Raises:
        NotFound: No error of this API has such a type.
    """
    if slug not in PROBLEMS:
        raise NotFound(f"No problem has this type. Known are {', '.join(PROBLEMS)}.")
    return Response(kind_body(slug), media_type="application/json")


def kinds_body() -> bytes:
    """Every kind of problem as JSON."""
    return encode({"data": [_explained(problem) for problem in PROBLEMS.values()]})


def kind_body(slug: str) -> bytes:
    """One kind of problem as JSON."""
    return encode({"data": _explained(PROBLEMS[slug])})


def _explained(problem: type[Problem]) -> dict[str, object]:
    return {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "explanation": problem.explanation,
    }
