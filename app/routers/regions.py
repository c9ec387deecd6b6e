"""`/v1/regions`: list and items."""

from app.models import Region
from app.responses.formats import CSV, GEOJSON, JSON, NDJSON
from app.routers.collection import collection_router

router = collection_router(
    Region,
    list_description="All regions, with their codes in other registers. The codes are `enriched`: "
    "each cites the reference it comes from. `format=geojson` returns the outlines.",
    formats=(JSON, CSV, NDJSON, GEOJSON),
    item_description="One region with its spellings in the source and its codes in other "
    "registers.",
)
