"""`/v1/partnerships`: list and items."""

from app.models import Partnership
from app.routers.collection import collection_router

router = collection_router(
    Partnership,
    list_description="All partnerships, with signatories, date of signature, duration and funding.",
    item_description="One partnership. If the page gives a planned duration but no end date, "
    "`ends` is `null` and listed in `not_stated`.",
)
