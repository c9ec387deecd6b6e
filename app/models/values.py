"""The scalar types that resources are made of."""

from typing import Annotated

from pydantic import Field

SLUG_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
COUNTRY_PATTERN = r"^[A-Z]{2}$"
COUNTRY_EXPECTED = "an ISO 3166-1 alpha-2 code in capitals such as PE"
FIELD_PATTERN = r"^[a-z][a-z0-9_]*$"
FIELD_EXPECTED = "a field's name: lower-case letters, digits and underscores"

Slug = Annotated[
    str, Field(pattern=SLUG_PATTERN, max_length=100, description="Permanent lower-case id.")
]
_PRINTABLE = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
"""No control characters but line feed and tab."""

Text = Annotated[str, Field(min_length=1, max_length=100_000, pattern=_PRINTABLE)]
Title = Annotated[str, Field(min_length=1, max_length=1_000, pattern=_PRINTABLE)]
Country = Annotated[str, Field(pattern=COUNTRY_PATTERN, description="ISO 3166-1 alpha-2 code.")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 code.")]
Amount = Annotated[
    int,
    Field(ge=0, le=2**53 - 1, description="Whole units of the currency beside it; never a float."),
]
Position = Annotated[int, Field(ge=1, le=10_000, description="Place in the order of the page.")]
Url = Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=2_000)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, hexadecimal.")]
