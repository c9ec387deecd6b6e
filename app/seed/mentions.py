"""Dates, numbers and countries that a text mentions, in the notations of English web pages.

A number or name that is a part of a longer one is not mentioned: neither `5` in `5 million` nor
`Guinea` in `Papua New Guinea`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from app.models.dates import first_day
from app.models.notation import cardinal_words, ordinal_digits, ordinal_words
from app.models.text_folding import fold

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"\b(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY_WORDS = {ordinal_words(day): day for day in range(31, 0, -1)}
_DAY = rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?|{'|'.join(_DAY_WORDS).replace('-', '[- ]')})\b"
_LINK = r"(?:[\s,]*(?:[-–—&,]|\b(?:and|or|to|through|until)\b)\s*)"
_DAYS = rf"{_DAY}(?:{_LINK}(?:the\s+)?{_DAY})*"
_YEAR = r"(?:,?\s*(?:of\s+)?(?P<year>\b\d{4}\b))"
_MONTH_FIRST = rf"{_MONTH}\s+(?:the\s+)?{_DAYS}"
_DAY_FIRST = rf"{_DAYS}\s+(?:day\s+)?(?:of\s+)?{_MONTH}"
_DATES = re.compile(
    rf"(?P<iso>(?<![\d-])\d{{4}}-\d{{2}}(?:-\d{{2}})?(?![\d-]))"
    rf"|(?<![\d/])(?P<us>\d{{1,2}}/\d{{1,2}}/\d{{4}})(?![\d/])"
    rf"|(?<![\d.])(?P<dotted>\d{{1,2}}\.\d{{1,2}}\.\d{{4}})(?![\d.])"
    rf"|(?P<days>(?:{_MONTH_FIRST}|{_DAY_FIRST})(?:{_LINK}(?:{_MONTH_FIRST}|{_DAY_FIRST}))*){_YEAR}"
    rf"|(?P<months>{_MONTH}(?:{_LINK}{_MONTH})*){_YEAR.replace('year', 'month_year')}"
)
_SINGLE_YEAR = re.compile(r"\b\d{4}\b")

_SCALES = {
    "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000,
    "mn": 1_000_000, "bn": 1_000_000_000,
}  # fmt: skip
_SUFFIXES = {"k": 1_000, "m": 1_000_000, "mm": 1_000_000, "b": 1_000_000_000, **_SCALES}
_NUMBER_TOKEN = re.compile(
    r"(?:(?<![a-z\d])|(?<=\busd)|(?<=\beur)|(?<=\bgbp))"
    r"(?P<digits>\d+(?:,\d{3})*(?:\.\d+)?)(?P<suffix>[a-z]*)|[a-z]+|[^\s-]"
)
_FOLLOWERS: Mapping[str, set[str]] = {
    "unit": {"hundred", "scale"},
    "teen": {"hundred", "scale"},
    "tens": {"unit", "scale"},
    "digits": {"hundred", "scale"},
    "hundred": {"unit", "teen", "tens", "scale"},
    "scale": {"unit", "teen", "tens"},
}
"""Kinds of words that continue a number, by the kind of its last word."""
_NOT_COUNTS = {"%", "percent"}


def mentioned_dates(text: str) -> set[str]:
    """Every date, at the precision of the text: `2024-02-29`, `2024-02` or `2024`.

    Of dates with slashes, the month comes first if it can; of dates with dots, the day.
    """
    text = _normalize(text)
    days_and_months = (date for match in _DATES.finditer(text) for date in _dates_of(match))
    years = _SINGLE_YEAR.findall(_DATES.sub(" ; ", text))
    return {date for date in [*days_and_months, *years] if _is_in_calendar(date)}


def _dates_of(match: re.Match[str]) -> Iterator[str]:
    """The dates of a match of `_DATES`."""
    if match["iso"]:
        yield match["iso"]
    elif match["us"]:
        month, day, year = match["us"].split("/")
        yield (
            f"{year}-{day:0>2}-{month:0>2}" if int(month) > 12 else f"{year}-{month:0>2}-{day:0>2}"
        )
    elif match["dotted"]:
        day, month, year = match["dotted"].split(".")
        yield f"{year}-{month:0>2}-{day:0>2}"
    elif match["months"]:
        for month in re.findall(_MONTH, match["months"]):
            yield f"{match['month_year']}-{_month_number(month)}"
    else:
        yield from _days_of(match["days"], match["year"])


def _days_of(days: str, year: str) -> Iterator[str]:
    """Each day of an enumeration such as `April 2 and 3`; one like `2th` is left out."""
    for part in re.findall(rf"{_MONTH_FIRST}|{_DAY_FIRST}", days):
        [month] = re.findall(_MONTH, part)
        for day in re.findall(_DAY, re.sub(_MONTH, "", part)):
            number = _DAY_WORDS.get(day.replace(" ", "-")) or int(re.sub(r"\D", "", day))
            if not day[-1].isalpha() or day[0].isalpha() or day == ordinal_digits(number):
                yield f"{year}-{_month_number(month)}-{number:02}"


def _month_number(name: str) -> str:
    return f"{_MONTHS.index(name[:3]) + 1:02}"


def _is_in_calendar(date: str) -> bool:
    try:
        first_day(date)
    except ValueError:
        return False
    return True


def _normalize(text: str) -> str:
    """The text in lower case, with usual spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True, slots=True)
class _NumberWord:
    """A part of a number.

    Attributes:
        kind: Its role, a key of `_FOLLOWERS`.
        value: Its own value.
        is_ordinal: Whether it ends an ordinal.
    """

    kind: str
    value: Decimal
    is_ordinal: bool = False


def mentioned_numbers(text: str) -> tuple[set[Decimal], set[Decimal]]:
    """Every cardinal and every ordinal number, in digits or words; those of dates are left out."""
    numbers = [(words[-1].is_ordinal, _evaluate(words)) for words in _numbers(text)]
    cardinals = {value for is_ordinal, value in numbers if not is_ordinal}
    return cardinals, {value for is_ordinal, value in numbers if is_ordinal}


def mentioned_ordinals(text: str) -> list[Decimal]:
    """Every ordinal number, in the order of the text."""
    return [_evaluate(words) for words in _numbers(text) if words[-1].is_ordinal]


def _numbers(text: str) -> Iterator[list[_NumberWord]]:
    tokens = list(_NUMBER_TOKEN.finditer(_DATES.sub(" ; ", _normalize(text))))
    index = 0
    while index < len(tokens):
        words, index = _number_at(tokens, index)
        after = tokens[index].group() if index < len(tokens) else ""
        if words and after not in _NOT_COUNTS:
            yield words


def _number_at(tokens: Sequence[re.Match[str]], index: int) -> tuple[list[_NumberWord], int]:
    """The longest number that starts at a token, and the index of the token after it."""
    words: list[_NumberWord] = []
    start = index
    while index < len(tokens):
        token, following = tokens[index], tokens[index + 1 : index + 2]
        if token.group() == "and" and words and words[-1].kind in ("hundred", "scale"):
            if not following or not _continues(words, _number_word(following[0])):
                break
            index += 1
            continue
        word = _number_word(token)
        if not words and token.group() in ("a", "an") and following:
            multiplier = _number_word(following[0])
            if multiplier and multiplier.kind in ("hundred", "scale"):
                word = _NumberWord("unit", Decimal(1))
        if word is None or not _continues(words, word):
            break
        words.append(word)
        index += 1
    return words, max(index, start + 1)


def _continues(words: Sequence[_NumberWord], word: _NumberWord | None) -> bool:
    if word is None or (words and words[-1].is_ordinal):
        return False
    if not words:
        return word.kind not in ("hundred", "scale") or word.is_ordinal
    after_digits = words[-1].kind == "scale" and words[0].kind == "digits"
    return word.kind in _FOLLOWERS[words[-1].kind] and not after_digits


def _number_word(token: re.Match[str]) -> _NumberWord | None:
    """A token as part of a number; None if it is none."""
    if not token["digits"]:
        return _number_words().get(token.group())
    value, suffix = Decimal(token["digits"].replace(",", "")), token["suffix"]
    if not suffix:
        return _NumberWord("digits", value)
    if token.group() == ordinal_digits(int(value)):
        return _NumberWord("digits", value, is_ordinal=True)
    scale = _SUFFIXES.get(suffix)
    return _NumberWord("scaled digits", value * scale) if scale else None


@cache
def _number_words() -> Mapping[str, _NumberWord]:
    kinds = {**dict.fromkeys(range(10), "unit"), **dict.fromkeys(range(10, 20), "teen")}
    kinds |= dict.fromkeys(range(20, 100, 10), "tens")
    words = {cardinal_words(value): (kind, value) for value, kind in kinds.items()}
    words |= {"hundred": ("hundred", 100)}
    words |= {name: ("scale", value) for name, value in _SCALES.items()}
    ordinals = {ordinal_words(value): (kind, value) for value, kind in kinds.items()}
    ordinals |= {f"{name}th": words[name] for name in ("hundred", "thousand", "million", "billion")}
    return {
        **{name: _NumberWord(kind, Decimal(value)) for name, (kind, value) in words.items()},
        **{
            name: _NumberWord(kind, Decimal(value), is_ordinal=True)
            for name, (kind, value) in ordinals.items()
        },
    }


def _evaluate(words: Sequence[_NumberWord]) -> Decimal:
    total, current = Decimal(0), Decimal(0)
    for word in words:
        if word.kind == "hundred":
            current = (current or Decimal(1)) * 100
        elif word.kind == "scale":
            total, current = total + (current or 1) * word.value, Decimal(0)
        else:
            current += word.value
    return total + current


_EVERYDAY_NAMES: Mapping[str, Sequence[str]] = {
    "AE": ("UAE", "Emirates"),
    "AG": ("Antigua",),
    "BA": ("Bosnia",),
    "BN": ("Brunei",),
    "BO": ("Bolivia",),
    "CD": (
        "Democratic Republic of the Congo",
        "Democratic Republic of Congo",
        "DR Congo",
        "DRC",
        "Congo-Kinshasa",
        "Congo",
        "Zaire",
    ),
    "CG": ("Congo", "Republic of Congo", "Congo-Brazzaville"),
    "CI": ("Ivory Coast",),
    "CN": ("PRC",),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic",),
    "FK": ("Falklands",),
    "FM": ("Micronesia",),
    "GB": ("UK", "Great Britain", "Britain"),
    "IE": ("Republic of Ireland",),
    "IR": ("Iran",),
    "KP": ("North Korea", "DPRK"),
    "KR": ("South Korea", "Korea", "ROK"),
    "LA": ("Laos", "Lao PDR", "Lao"),
    "MD": ("Moldova",),
    "MK": ("Macedonia", "FYROM"),
    "MM": ("Burma",),
    "MO": ("Macau",),
    "NL": ("Holland",),
    "PS": ("Palestine", "Palestinian Territories", "West Bank", "Gaza"),
    "RU": ("Russia",),
    "ST": ("Sao Tome",),
    "SY": ("Syria",),
    "SZ": ("Swaziland",),
    "TL": ("East Timor",),
    "TR": ("Turkey",),
    "TT": ("Trinidad",),
    "TW": ("Taiwan",),
    "TZ": ("Tanzania",),
    "US": ("US", "USA", "America"),
    "VA": ("Vatican", "Vatican City", "Holy See"),
    "VC": ("Saint Vincent",),
    "VE": ("Venezuela",),
    "VG": ("British Virgin Islands",),
    "VI": ("US Virgin Islands",),
    "VN": ("Vietnam",),
}
"""Names and abbreviations in English prose, in addition to those of ISO 3166-1."""
_OTHER_PLACES = (
    "Central America", "Gulf of Guinea", "Gulf of Mexico", "Inner Mongolia", "Latin America",
    "New Jersey", "New Mexico", "North America", "Northern America", "Northern Ireland",
    "South America",
)  # fmt: skip
"""Places whose names contain the name of a country that is not meant."""
_NAME_TOKEN = re.compile(r"(?:[A-Z]\.){2,}|[A-Z]\.[A-Z]\b|\w+")


def mentioned_countries(text: str) -> set[str]:
    """ISO 3166-1 alpha-2 codes of every country named; `Congo` alone may be either of the two."""
    tokens = _name_tokens(text)
    names = _country_names()
    longest = max(map(len, names))
    codes: set[str] = set()
    index = 0
    while index < len(tokens):
        lengths = range(min(longest, len(tokens) - index), 0, -1)
        length = next((n for n in lengths if tuple(tokens[index : index + n]) in names), 0)
        codes |= names.get(tuple(tokens[index : index + length]), set())
        index += length or 1
    return codes


def country_names(code: str) -> list[str]:
    """Names of a country, the usual one first."""
    names = [*_iso_names(code), *_EVERYDAY_NAMES.get(code, ())]
    return list(dict.fromkeys(names))


@cache
def _country_names() -> Mapping[tuple[str, ...], set[str]]:
    """Countries by the tokens of their names."""
    import pycountry  # noqa: PLC0415 - reads its tables on first use

    names: dict[tuple[str, ...], set[str]] = {
        tuple(_name_tokens(name)): set() for name in _OTHER_PLACES
    }
    for country in pycountry.countries:
        for name in country_names(country.alpha_2):
            names.setdefault(tuple(_name_tokens(name)), set()).add(country.alpha_2)
    return names


def _iso_names(code: str) -> Iterator[str]:
    """Names of ISO 3166-1: `Korea, Republic of` also as `Republic of Korea`."""
    import pycountry  # noqa: PLC0415 - reads its tables on first use

    country: Any = pycountry.countries.get(alpha_2=code)
    for attribute in ("common_name", "name", "official_name"):
        name = getattr(country, attribute, None)
        if name is not None:
            first, comma, last = name.partition(", ")
            yield f"{last} {first}" if comma and last.endswith((" of", " the")) else name


def _name_tokens(text: str) -> list[str]:
    """Words without case and accents; capital abbreviations keep their case: `US` is not `us`."""
    tokens = []
    for token in _NAME_TOKEN.findall(unicodedata.normalize("NFKC", text)):
        abbreviation = token.replace(".", "")
        folded = abbreviation if abbreviation in _abbreviations() else fold(token)
        tokens.append("saint" if folded == "st" else folded)
    return tokens


@cache
def _abbreviations() -> set[str]:
    names: Iterable[str] = (name for names in _EVERYDAY_NAMES.values() for name in names)
    return {word for name in names for word in name.split() if word.isupper()}
