"""Regions where the work takes place."""

from typing import Annotated, ClassVar

from pydantic import Field

from app.models.filters import Filter, Sort
from app.models.resource import CitedBy, NotStated, Resource
from app.models.values import (
    COUNTRY_EXPECTED,
    COUNTRY_PATTERN,
    SUBDIVISION_PATTERN,
    UBIGEO_PATTERN,
    WIKIDATA_PATTERN,
    CountryCode,
    ShortText,
    Title,
)


class Region(Resource):
    """A region of a country, as the source names it."""

    type: ClassVar[str] = "region"
    collection: ClassVar[str] = "regions"
    searchable_fields: ClassVar = ("name", "aliases", "iso_3166_2", "inei_ubigeo", "wikidata")
    filters: ClassVar = (
        Filter("country", "country", pattern=COUNTRY_PATTERN, expected=COUNTRY_EXPECTED),
    )
    sorts: ClassVar = (Sort("name", "name_key"),)

    name: Title = Field(description="Name.")
    aliases: Annotated[list[ShortText], Field(min_length=1)] | None = Field(
        description="Other names and spellings used in the source."
    )
    country: CountryCode | None
    iso_3166_2: Annotated[str, Field(pattern=SUBDIVISION_PATTERN)] | None = Field(
        description="ISO 3166-2 subdivision code."
    )
    inei_ubigeo: Annotated[str, Field(pattern=UBIGEO_PATTERN)] | None = Field(
        description="Geographic location code (ubigeo) of the statistics institute INEI; RENIEC's "
        "codes differ."
    )
    wikidata: Annotated[str, Field(pattern=WIKIDATA_PATTERN)] | None = Field(
        description="Wikidata item."
    )
    not_stated: NotStated
    evidence: CitedBy
