"""Read all resources through the client of openapi-python-client and print them as JSON."""

from __future__ import annotations

import json
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit

from record_client import Client, api, models
from record_client.api.activities import get_activity, list_activities
from record_client.api.awards import get_award, list_awards
from record_client.api.citations import get_citation, list_citations
from record_client.api.meta import get_index, get_meta
from record_client.api.objectives import get_objective, list_objectives
from record_client.api.organizations import get_organization, list_organizations
from record_client.api.partnerships import get_partnership, list_partnerships
from record_client.api.record import get_record
from record_client.api.regions import get_region, list_regions
from record_client.api.search import search
from record_client.api.sources import get_source, list_sources
from record_client.types import UNSET, Unset

Json = dict[str, Any]
T = TypeVar("T")


class Document(Protocol):
    """One item of a collection."""

    id: str

    def to_dict(self) -> Json:
        """The item as JSON."""


class Page(Protocol):
    """Members that every page has."""

    links: models.PageLinks

    @property
    def data(self) -> Sequence[Document]:
        """The items."""


class Item(Protocol):
    """Envelope of a single item."""

    @property
    def data(self) -> Document:
        """The item."""


class ListOperation(Protocol):
    """An operation that lists a collection."""

    def __call__(self, *, client: Client, limit: int | Unset, cursor: str | Unset) -> object:
        """A page, or a problem."""


class GetOperation(Protocol):
    """An operation that gets one item."""

    def __call__(self, id: str, *, client: Client) -> object:  # noqa: A002 - the generated name
        """An item, or a problem."""


@dataclass(frozen=True)
class Collection:
    """The two operations of a collection and their response types."""

    list_items: ListOperation
    page: type[Page]
    get_item: GetOperation
    item: type[Item]

    def pages(self, client: Client) -> Iterator[Page]:
        """All pages, following the cursor."""
        cursor: str | Unset = UNSET
        while True:
            page = expect(self.page, self.list_items(client=client, limit=50, cursor=cursor))
            yield page
            if page.links.next_ is None:
                return
            cursor = parse_qs(urlsplit(page.links.next_).query)["cursor"][0]

    def read(self, client: Client) -> Json:
        """All items, and the first one requested again by its id."""
        items = [item for page in self.pages(client) for item in page.data]
        first = expect(self.item, self.get_item(items[0].id, client=client))
        return {"items": [item.to_dict() for item in items], "item": first.data.to_dict()}


def expect(model: type[T], response: object) -> T:
    """The response, checked to be an instance of the model.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(response, model):
        raise TypeError(f"{response} is not a {model.__name__}")
    return response


COLLECTIONS = {
    "partnerships": Collection(
        list_partnerships.sync, models.PartnershipPage, get_partnership.sync, models.PartnershipItem
    ),
    "objectives": Collection(
        list_objectives.sync, models.ObjectivePage, get_objective.sync, models.ObjectiveItem
    ),
    "awards": Collection(list_awards.sync, models.AwardPage, get_award.sync, models.AwardItem),
    "activities": Collection(
        list_activities.sync, models.ActivityPage, get_activity.sync, models.ActivityItem
    ),
    "regions": Collection(list_regions.sync, models.RegionPage, get_region.sync, models.RegionItem),
    "organizations": Collection(
        list_organizations.sync,
        models.OrganizationPage,
        get_organization.sync,
        models.OrganizationItem,
    ),
    "sources": Collection(list_sources.sync, models.SourcePage, get_source.sync, models.SourceItem),
    "citations": Collection(
        list_citations.sync, models.CitationPage, get_citation.sync, models.CitationItem
    ),
}


def available_collections() -> list[str]:
    """Names of the collections of the record in the generated client."""
    packages = pkgutil.walk_packages(api.__path__, f"{api.__name__}.")
    names = {name for _, name, is_package in packages if not is_package}
    tags = {name.split(".")[-2] for name in names if ".list_" in name}
    return sorted(tags - {"problems", "record", "releases"})  # the record's list is of exports


def amount_not_stated(client: Client) -> list[str]:
    """Ids of the awards whose amount is not stated in the source."""
    page = expect(models.AwardPage, list_awards.sync(client=client))
    return [
        award.id for award in page.data if award.amount is None and "amount" in award.not_stated
    ]


def in_cusco_or_loreto(client: Client) -> Json:
    """A filtered and sorted page, with the recipients of the awards."""
    response = list_awards.sync(
        client=client,
        region=["cusco", "loreto"],
        sort=models.ListAwardsSort("-title"),
        include=[models.ListAwardsIncludeItem("recipient")],
    )
    return expect(models.AwardPage, response).to_dict()


def problem(response: object, status: int) -> Json:
    """The response as JSON, checked to be a problem document with this status."""
    document = expect(models.ProblemDocument, response)
    if document.status != status:
        raise ValueError(f"{document.status} instead of {status}: {document.detail}")
    return document.to_dict()


def summary(client: Client) -> Json:
    """Everything read from the server."""
    return {
        "available": available_collections(),
        "collections": {name: collection.read(client) for name, collection in COLLECTIONS.items()},
        "in_cusco_or_loreto": in_cusco_or_loreto(client),
        "amount_not_stated": amount_not_stated(client),
        "search": expect(models.HitPage, search.sync(client=client, q="cusco")).to_dict(),
        "index": expect(models.Index, get_index.sync(client=client)).to_dict(),
        "meta": expect(models.Meta, get_meta.sync(client=client)).to_dict(),
        "record": expect(models.WholeRecord, get_record.sync(client=client)).to_dict(),
        "not_found": problem(get_award.sync("nobody", client=client), 404),
        "invalid": problem(list_awards.sync(client=client, limit=0), 422),
    }


with Client(base_url=sys.argv[1], raise_on_unexpected_status=True) as connected:
    json.dump(summary(connected), sys.stdout)
