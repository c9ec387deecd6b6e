"""List and get, written once for every collection."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from app.models import Document
from app.models.envelope import Item, Page
from app.parameters import read
from app.problems import InvalidParameters, NotFound
from app.query import Query, find_document, find_page, parameters
from app.representations import item_body, page_body, page_links
from app.routers.dependencies import ArchiveDep, NoParameters, sent_pairs
from app.routers.responses import LINK_HEADER, declared


def collection_router(
    model: type[Document], *, list_description: str, item_description: str
) -> APIRouter:
    """Routes that list a collection and get one item of it.

    Args:
        model: What the collection is of.
        list_description: What a list gives and is good for, in Markdown.
        item_description: The same of one item.
    """
    router = APIRouter(prefix=f"/v1/{model.collection}", tags=[model.collection])
    plural, singular = model.collection.capitalize(), model.type.capitalize()
    taken = parameters(model.collection)
    article = "an" if model.type[0] in "aeiou" else "a"

    @router.get(
        "",
        operation_id=f"list{plural}",
        summary=f"List {model.collection}",
        description=list_description,
        response_model=Page[model],  # type: ignore[valid-type]
        response_description=f"A page of {model.collection}.",
        responses=declared(InvalidParameters, headers=LINK_HEADER),
        openapi_extra={"parameters": [one.openapi() for one in taken.values()]},
    )
    async def list_items(request: Request, archive: ArchiveDep) -> Response:
        query = Query.of(model.collection, read(request.scope["query_string"], taken))
        page = find_page(archive, query)
        links = page_links(router.prefix, sent_pairs(request), page)
        headers = {"Link": f'<{links["next"]}>; rel="next"'} if links["next"] else None
        body = page_body(page, query, archive.release, links)
        return Response(body, headers=headers, media_type="application/json")

    @router.get(
        "/{id}",
        operation_id=f"get{singular}",
        summary=f"Get {article} {model.type}",
        description=item_description,
        response_model=Item[model],  # type: ignore[valid-type]
        response_description=f"The {model.type}.",
        responses=declared(NotFound, InvalidParameters),
        dependencies=[NoParameters],
    )
    async def get_item(
        archive: ArchiveDep,
        name: Annotated[str, Path(alias="id", description=f"Id of the {model.type}.")],
    ) -> Response:
        document = find_document(archive, model.collection, name)
        if document is None:
            detail = f"No {model.type} has this id. {router.prefix} lists them all."
            raise NotFound(detail)
        return Response(item_body(document), media_type="application/json")

    return router
