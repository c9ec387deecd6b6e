"""Scalar types of resource fields.

Those that are a `TypeAliasType` are schemas of their own in JSON Schema and OpenAPI, under their
name: the strings of lists, and strings whose notation generated clients should show.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypeAliasType

SLUG_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
COUNTRY_PATTERN = r"^[A-Z]{2}$"
COUNTRY_EXPECTED = "an uppercase ISO 3166-1 alpha-2 code such as FR"
FIELD_PATTERN = r"^[a-z][a-z0-9_]*$"
FIELD_EXPECTED = "a field name: lowercase letters, digits and underscores"
SUBDIVISION_PATTERN = r"^[A-Z]{2}-[A-Z0-9]{1,3}$"
UBIGEO_PATTERN = r"^([0-9]{2}){1,3}$"
WIKIDATA_PATTERN = r"^Q[1-9][0-9]*$"
FILE_NAME_PATTERN = r"^[a-z0-9._-]+$"
_CURRENCY_PATTERN = r"^[A-Z]{3}$"
_SHA256_PATTERN = r"^[0-9a-f]{64}$"
_PRINTABLE = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
"""No control characters except line feed and tab."""

EXPECTED_BY_PATTERN: Mapping[str, str] = {
    SLUG_PATTERN: "an id of lowercase letters, digits and single hyphens, such as first-award",
    COUNTRY_PATTERN: COUNTRY_EXPECTED,
    FIELD_PATTERN: FIELD_EXPECTED,
    SUBDIVISION_PATTERN: "an ISO 3166-2 code such as FR-IDF",
    UBIGEO_PATTERN: "2, 4 or 6 digits, such as 010203",
    WIKIDATA_PATTERN: "a Wikidata item such as Q90",
    FILE_NAME_PATTERN: "a file name of lowercase letters, digits, dots, underscores and hyphens",
    _CURRENCY_PATTERN: "an uppercase ISO 4217 code such as USD",
    _SHA256_PATTERN: "64 lowercase hexadecimal digits",
    _PRINTABLE: "text without control characters other than line feed and tab",
}
"""Description of the text that a pattern accepts, for error messages."""

Id = TypeAliasType(
    "Id",
    Annotated[
        str, Field(pattern=SLUG_PATTERN, max_length=100, description="Permanent lowercase id.")
    ],
)
Text = Annotated[str, Field(min_length=1, max_length=100_000, pattern=_PRINTABLE)]
Title = Annotated[str, Field(min_length=1, max_length=1_000, pattern=_PRINTABLE)]
ShortText = TypeAliasType(
    "ShortText",
    Annotated[Title, Field(description="A name, a title or another text of a few words.")],
)
FieldName = TypeAliasType(
    "FieldName", Annotated[str, Field(pattern=FIELD_PATTERN, description="Name of a field.")]
)
CountryCode = TypeAliasType(
    "CountryCode",
    Annotated[str, Field(pattern=COUNTRY_PATTERN, description="ISO 3166-1 alpha-2 code.")],
)
CurrencyCode = TypeAliasType(
    "CurrencyCode",
    Annotated[str, Field(pattern=_CURRENCY_PATTERN, description="ISO 4217 code.")],
)
Amount = Annotated[
    int,
    Field(ge=0, le=2**53 - 1, description="Whole units of the currency; never a fraction."),
]
AmountQualifier = TypeAliasType("AmountQualifier", Literal["up_to", "at_least", "about"])
Position = Annotated[int, Field(ge=1, le=10_000, description="Position in the order of the page.")]
Sha256 = Annotated[str, Field(pattern=_SHA256_PATTERN, description="SHA-256, hexadecimal.")]
