"""Dates, numbers and countries are recognized in the usual notations, and in no others."""

from __future__ import annotations

from datetime import date

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.notation import cardinal_words, ordinal_digits, ordinal_words, us_date
from app.seed.mentions import (
    country_names,
    mentioned_countries,
    mentioned_dates,
    mentioned_numbers,
)

DATES: list[tuple[str, set[str]]] = [
    ("April 2, 2020", {"2020-04-02"}),
    ("on April 2nd, 2020, in Lima", {"2020-04-02"}),
    ("April 02, 2020", {"2020-04-02"}),
    ("Apr. 2, 2020", {"2020-04-02"}),
    ("Sept. 30 2021", {"2021-09-30"}),
    ("APRIL 2, 2020", {"2020-04-02"}),
    ("2 April 2020", {"2020-04-02"}),
    ("2\u00a0April\u00a02020", {"2020-04-02"}),
    ("Thursday, 2 Apr 2020", {"2020-04-02"}),
    ("2nd of April 2020", {"2020-04-02"}),
    ("the 2nd day of April, 2020", {"2020-04-02"}),
    ("the twenty-first of June, 2017", {"2017-06-21"}),
    ("2020-04-02", {"2020-04-02"}),
    ("2020-04-02T10:00Z", {"2020-04-02"}),
    ("2020-04", {"2020-04"}),
    ("4/2/2020", {"2020-04-02"}),
    ("13/4/2020", {"2020-04-13"}),
    ("2.4.2020", {"2020-04-02"}),
    ("October 2017", {"2017-10"}),
    ("Oct. 2017", {"2017-10"}),
    ("May of 2018", {"2018-05"}),
    ("in 2017", {"2017"}),
    ("2017-2021 National Plan", {"2017", "2021"}),
    ("June 15–16, 2017", {"2017-06-15", "2017-06-16"}),
    ("from April 2 to May 3, 2020", {"2020-04-02", "2020-05-03"}),
    ("between 2 and 4 May 2020", {"2020-05-02", "2020-05-04"}),
    ("April and June 2020", {"2020-04", "2020-06"}),
    ("from January 20, 2017 to 2021", {"2017-01-20", "2021"}),
    ("April 2th, 2020", set()),
    ("April 1nd, 2020", set()),
    ("February 30, 2020", set()),
    ("13/13/2020", set()),
    ("April 2", set()),
    ("12020 and 202", set()),
    ("the 2020s", set()),
    ("FY2020", set()),
]
"""Each text with the dates that it mentions."""

NUMBERS: list[tuple[str, set[float], set[float]]] = [
    ("a four-year plan", {4}, set()),
    ("a 4-year plan", {4}, set()),
    ("twelve-year", {12}, set()),
    ("a twenty-four-year plan", {24}, set()),
    ("four hundred years", {400}, set()),
    ("a hundred and five", {105}, set()),
    ("nineteen hundred", {1_900}, set()),
    ("between three and four", {3, 4}, set()),
    ("2–4 years", {2, 4}, set()),
    ("$5 million", {5_000_000}, set()),
    ("$5.0 million", {5_000_000}, set()),
    ("$0.5 million", {500_000}, set()),
    ("$1.25 billion", {1_250_000_000}, set()),
    ("a $5-million program", {5_000_000}, set()),
    ("five million dollars", {5_000_000}, set()),
    ("$5M", {5_000_000}, set()),
    ("$5mn", {5_000_000}, set()),
    ("US$500K", {500_000}, set()),
    ("USD5 million", {5_000_000}, set()),
    ("$5,000,000", {5_000_000}, set()),
    ("$5,000,000.00", {5_000_000}, set()),
    ("two million five hundred thousand", {2_500_000}, set()),
    ("$5 million 3 years ago", {5_000_000, 3}, set()),
    ("the first of its kind", set(), {1}),
    ("the tenth", set(), {10}),
    ("the 1st", set(), {1}),
    ("the 21st", set(), {21}),
    ("the twenty-first", set(), {21}),
    ("the twenty first", set(), {21}),
    ("the one hundred and twelfth", set(), {112}),
    ("the hundredth", set(), {100}),
    ("the first in twenty", {20}, {1}),
    ("the 21th", set(), set()),
    ("the 3th", set(), set()),
    ("5%", set(), set()),
    ("five percent", set(), set()),
    ("1.5 years", {1.5}, set()),
    ("4x, H264, 5g", set(), set()),
    ("millions of people", set(), set()),
    ("June 15, 2017", set(), set()),
    ("the 2nd of April 2020", set(), set()),
]
"""Each text with the cardinal and ordinal numbers that it mentions."""

COUNTRIES: list[tuple[str, str]] = [
    ("Burma", "MM"),
    ("Turkey", "TR"),
    ("Türkiye", "TR"),
    ("Ivory Coast", "CI"),
    ("Côte d\u2019Ivoire", "CI"),
    ("Cote d'Ivoire", "CI"),
    ("Russia", "RU"),
    ("the Russian Federation", "RU"),
    ("the U.S. government", "US"),
    ("the U.S and others", "US"),
    ("US foreign assistance", "US"),
    ("USA", "US"),
    ("U.S.A.", "US"),
    ("the United States", "US"),
    ("THE UNITED STATES OF AMERICA", "US"),
    ("America", "US"),
    ("the UK", "GB"),
    ("the U.K.", "GB"),
    ("Great Britain", "GB"),
    ("the Czech Republic", "CZ"),
    ("Czechia", "CZ"),
    ("Swaziland", "SZ"),
    ("Eswatini", "SZ"),
    ("Cape Verde", "CV"),
    ("South Korea", "KR"),
    ("the Republic of Korea", "KR"),
    ("North Korea", "KP"),
    ("the DPRK", "KP"),
    ("Laos", "LA"),
    ("Lao PDR", "LA"),
    ("Vietnam", "VN"),
    ("Viet Nam", "VN"),
    ("Syria", "SY"),
    ("Bolivia", "BO"),
    ("Tanzania", "TZ"),
    ("Venezuela", "VE"),
    ("Moldova", "MD"),
    ("Iran", "IR"),
    ("Micronesia", "FM"),
    ("the Federated States of Micronesia", "FM"),
    ("Congo", "CG CD"),
    ("the Republic of the Congo", "CG"),
    ("Congo-Brazzaville", "CG"),
    ("the Democratic Republic of the Congo", "CD"),
    ("the DRC", "CD"),
    ("Macedonia", "MK"),
    ("East Timor", "TL"),
    ("Taiwan", "TW"),
    ("the Netherlands", "NL"),
    ("the Gambia", "GM"),
    ("St. Lucia", "LC"),
    ("the Holy See", "VA"),
    ("Perú's", "PE"),
    ("U.S.-Peru CPC Partnership", "US PE"),
    ("Guinea and Papua New Guinea", "GN PG"),
    ("Dominica and the Dominican Republic", "DM DO"),
    ("for us in peru", "PE"),
    ("Papua New Guinea", "PG"),
    ("Guinea-Bissau", "GW"),
    ("South Sudan", "SS"),
    ("the U.S. Virgin Islands", "VI"),
    ("American Samoa", "AS"),
    ("Latin America", ""),
    ("Northern Ireland", ""),
    ("New Mexico", ""),
    ("Nigerian", ""),
]
"""Each text with the countries that it mentions."""


@pytest.mark.parametrize(("text", "dates"), DATES)
def test_dates_are_mentioned(text: str, dates: set[str]) -> None:
    """A date is found at the precision of the text; an impossible or misspelled one is not."""
    assert mentioned_dates(text) == dates


@pytest.mark.parametrize(("text", "cardinals", "ordinals"), NUMBERS)
def test_numbers_are_mentioned(text: str, cardinals: set[float], ordinals: set[float]) -> None:
    """A number is found as a whole, in words or digits; neither its parts nor a date are."""
    found = mentioned_numbers(text)
    assert [set(map(float, numbers)) for numbers in found] == [cardinals, ordinals]


@pytest.mark.parametrize(("text", "codes"), COUNTRIES)
def test_countries_are_mentioned(text: str, codes: str) -> None:
    """A country is found by any usual name, but not in the longer name of another place."""
    assert mentioned_countries(text) == set(codes.split())


@pytest.mark.parametrize("code", [country.alpha_2 for country in pycountry.countries])
def test_every_country_is_mentioned_by_its_names(code: str) -> None:
    """All names of ISO 3166-1 and all everyday names lead to the country."""
    for name in country_names(code):
        assert code in mentioned_countries(f"the government of {name} signed")
        assert code in mentioned_countries(name.upper())


@given(st.dates())
def test_every_day_is_mentioned(day: date) -> None:
    """Every calendar day is found in each style."""
    month = us_date(day.isoformat()[:7]).split()[0]
    year = f"{day.year:04}"
    for text in (
        us_date(day.isoformat()),
        f"{day.day} {month} {year}",
        f"{month} {ordinal_digits(day.day)}, {year}",
        f"{month[:3]}. {day.day:02}, {year}",
        f"the {ordinal_words(day.day)} of {month} {year}",
        day.isoformat(),
    ):
        assert mentioned_dates(text) == {day.isoformat()}
    assert mentioned_dates(f"{month} {year}") == {day.isoformat()[:7]}


@given(st.integers(1, 99), st.integers(1, 999))
def test_every_number_is_mentioned(small: int, large: int) -> None:
    """Every number is found in words and digits, alone and before a unit."""
    assert mentioned_numbers(cardinal_words(small))[0] == {small}
    assert mentioned_numbers(ordinal_words(small))[1] == {small}
    assert mentioned_numbers(ordinal_digits(large))[1] == {large}
    assert mentioned_numbers(f"{large} million")[0] == {large * 1_000_000}
    assert mentioned_numbers(f"${large / 10} million")[0] == {large * 100_000}
    assert mentioned_numbers(f"{cardinal_words(small)} thousand")[0] == {small * 1_000}


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    """No text is a crash."""
    mentioned_dates(text)
    mentioned_numbers(text)
    mentioned_countries(text)
