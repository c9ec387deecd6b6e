"""Settings that are limits of other parts, or end up in documents with a schema of their own."""

from __future__ import annotations

import httptools
import pytest

from app.settings import ConfigurationError, Settings, read_settings

_DCAT_LOCAL_PART = set("abcXYZ019_~!$&'*+=-")
"""Characters of a dot-atom (RFC 5322) that the schema of DCAT-US accepts before the `@`."""


def message(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    """What is reported about an environment variable with an invalid value."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as error:
        read_settings()
    return str(error.value)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables are read in any case; an empty one leaves the default, others are ignored."""
    environment = {"PORT": "8080", "max_age": "60", "HOST": "", "ACCESS_LOG": "false", "COLOR": "1"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert (settings.port, settings.max_age, settings.host) == (8080, 60, "127.0.0.1")
    assert settings.access_log is False


def test_every_invalid_variable_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name, with what was found."""
    monkeypatch.setenv("PORT", "70000")
    assert "LOG_FORMAT is 'xml'" in message(monkeypatch, "LOG_FORMAT", "xml")
    assert "PORT is '70000'" in message(monkeypatch, "LOG_FORMAT", "xml")


@pytest.mark.parametrize(
    "value",
    [
        "https://example.org",
        "http://example.org:8080",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "https://my_host.internal",
        "https://xn--mnchen-3ya.example",
    ],
)
def test_a_public_url_is_an_origin(value: str) -> None:
    """Scheme, host and optional port."""
    assert Settings(public_url=value).public_url == value


@pytest.mark.parametrize(
    "value",
    [
        "https://example.org/",
        "https://example.org/record",
        "https://example.org/a/b",
        "https://example.org?a=b",
        "https://example.org#a",
        "https://user@example.org",
        "https://",
        "https://a b.example",
        "https://a<b.example",
        'https://a".example',
        "https://münchen.example",
        "https://example.org:port",
        "https://example.org:",
        "https://example.org:123456",
        "ftp://example.org",
        "example.org",
        "https://example.org\n",
    ],
)
def test_a_public_url_with_anything_else_is_rejected(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """Links start at the root, so a path would make all of them wrong; the message says so."""
    reported = message(monkeypatch, "PUBLIC_URL", value)
    assert reported.startswith(f"PUBLIC_URL is {value!r}: expected scheme, host and optional port")
    assert "such as https://example.org; it has no path" in reported


@pytest.mark.parametrize(
    "value",
    [
        "data@example.org",
        "data+record@example.org",
        "first.last@sub.example.org",
        "o'brien@example.org",
        "a_b-c=d~e!f$g&h*i@example.org",
        "1@2.example",
        "x@xn--mnchen-3ya.example",
        f"{''.join(sorted(_DCAT_LOCAL_PART))}@example.org",
    ],
)
def test_an_email_address_is_what_its_schema_accepts(value: str) -> None:
    """Every dot-atom that `hasEmail` can hold as a `mailto:` URI."""
    assert Settings(contact_email=value).contact_email == value


@pytest.mark.parametrize(
    "value",
    [
        "example.org",
        "@example.org",
        "a@",
        "a@localhost",
        "a@example.org.",
        "a@-example.org",
        "a@exam_ple.org",
        ".a@example.org",
        "a.@example.org",
        "a..b@example.org",
        "a b@example.org",
        "a@b@example.org",
        "a%b@example.org",
        "a#b@example.org",
        "a?b@example.org",
        "a/b@example.org",
        "josé@example.org",
        "a@münchen.example",
        "mailto:a@example.org",
        "A Name <a@example.org>",
        "a@example.org, b@example.org",
        "a@example.org\n",
    ],
)
def test_another_email_address_is_rejected(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """It would be no address, or make the catalog invalid."""
    reported = message(monkeypatch, "CONTACT_EMAIL", value)
    assert "expected an email address such as data@example.org, in ASCII" in reported


def _parse(url_bytes: int) -> None:
    """Parse a request with a URL of this size, as the server does."""
    path = b"/".ljust(url_bytes, b"a")
    parser = httptools.HttpRequestParser(object())
    parser.feed_data(b"GET %b HTTP/1.1\r\nHost: record.test\r\n\r\n" % path)
    httptools.parse_url(path)


def test_the_longest_url_is_that_of_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A larger limit would promise what the parser rejects."""
    longest = 65_535
    assert Settings(max_url_bytes=longest).max_url_bytes == longest
    _parse(longest)
    with pytest.raises(httptools.HttpParserError):
        _parse(longest + 1)
    reported = message(monkeypatch, "MAX_URL_BYTES", str(longest + 1))
    assert str(longest) in reported
