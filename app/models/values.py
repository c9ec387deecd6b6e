"""Scalar types of resource fields."""

from typing import Annotated

from pydantic import Field

SLUG_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
COUNTRY_PATTERN = r"^[A-Z]{2}$"
COUNTRY_EXPECTED = "an uppercase ISO 3166-1 alpha-2 code such as PE"
FIELD_PATTERN = r"^[a-z][a-z0-9_]*$"
FIELD_EXPECTED = "a field name: lowercase letters, digits and underscores"

Slug = Annotated[
    str, Field(pattern=SLUG_PATTERN, max_length=100, description="Permanent lowercase id.")
]
_PRINTABLE = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
"""No control characters except line feed and tab."""

Text = Annotated[str, Field(min_length=1, max_length=100_000, pattern=_PRINTABLE)]
Title = Annotated[str, Field(min_length=1, max_length=1_000, pattern=_PRINTABLE)]
Country = Annotated[str, Field(pattern=COUNTRY_PATTERN, description="ISO 3166-1 alpha-2 code.")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 code.")]
Amount = Annotated[
    int,
    Field(ge=0, le=2**53 - 1, description="Whole units of the currency; never a fraction."),
]
Position = Annotated[int, Field(ge=1, le=10_000, description="Position in the order of the page.")]
Url = Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=2_000)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, hexadecimal.")]
