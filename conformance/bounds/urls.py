"""URLs that a server gave, or that hold what it gave: one constructor that says why one is none."""

import re
from functools import lru_cache
from ipaddress import ip_address

import httpx

__all__ = ["UrlRefused", "below", "foreign_url", "is_loopback"]

_LONGEST = 8192
"""The characters of a URL that servers and browsers are sure to take."""
_LONGEST_NAME, _LONGEST_LABEL = 253, 63
"""The characters of a host's name, and of a label of one (RFC 1035, section 2.3.4)."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_END_OF_PORTS = 65_536


class UrlRefused(httpx.InvalidURL):
    """A text is no URL that a request can be sent to."""


@lru_cache(maxsize=128)  # base URLs, and what is asked again and again
def foreign_url(text: str) -> httpx.URL:
    """An absolute URL of http or https from a text that somebody else wrote, or a part of.

    Args:
        text: The text.

    Raises:
        UrlRefused: If it is none; the message says what is wrong with it, and repeats nothing of its path or query.
    """
    if len(text) > _LONGEST:
        raise UrlRefused(f"it has {len(text):,} characters, more than {_LONGEST:,}")
    if found := _SURROGATE.search(text):
        raise UrlRefused(f"it holds half a character, U+{ord(found[0]):04X}")
    if found := _CONTROL.search(text):
        raise UrlRefused(f"it holds the character U+{ord(found[0]):04X}, which no URL does")
    try:
        url = httpx.URL(text)
        host = url.host  # decodes an international name
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise UrlRefused(_without_excerpt(str(error))) from error
    if url.scheme not in {"http", "https"}:
        raise UrlRefused(f"its scheme is {url.scheme[:20]!r}, not http or https" if url.scheme else "it has no scheme")
    if not host:
        raise UrlRefused("it names no host")
    if url.port is not None and not 0 < url.port < _END_OF_PORTS:
        raise UrlRefused(f"its port is {url.port}")
    if ":" not in host:
        _check_name(url.raw_host.decode("ascii"))
    return url


def below(url: str, base_url: str) -> str:
    """The part of a URL below a base URL, or the whole URL if it is elsewhere, as at another port of the same host."""
    rest = url.removeprefix(base_url)
    return rest if rest.startswith("/") else url


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, so that nothing that is sent there leaves it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_name(name: str) -> None:
    """Make sure that a host's name can be looked up.

    Raises:
        UrlRefused: If it cannot.
    """
    labels = name.removesuffix(".").split(".")
    if not all(labels):
        raise UrlRefused("a label of its host is empty")
    if len(name) > _LONGEST_NAME or any(len(label) > _LONGEST_LABEL for label in labels):
        raise UrlRefused(f"its host, or a label of it, is longer than {_LONGEST_NAME} and {_LONGEST_LABEL} characters")
    if any(label.lower() == "xn--" for label in labels):
        raise UrlRefused("a label of its host is the beginning of an international name and nothing else")


def _without_excerpt(message: str) -> str:
    """The message of an error without what it quotes."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "…", message)
