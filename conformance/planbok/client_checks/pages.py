"""The URL of a hosted page, and where an answer redirects to."""

import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import quote, unquote, urljoin, urlsplit

from conformance.exchange import Exchange

_REDIRECTIONS = range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.BAD_REQUEST)
_PORTS = {"http": 80, "https": 443}
_KEPT_IN_URLS = "%:/?#[]@!$&'()*+,;=~"
_LINK = re.compile(r"[0-9A-Za-z_-]{16,}")


@dataclass(frozen=True)
class Page:
    """A URL in the form in which a browser asks for it: two URLs that a browser takes for one are equal here."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str

    @classmethod
    def at(cls, url: str) -> "Page | None":
        """The page at a URL, None if it is no URL."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme)
            path, query = (quote(part, safe=_KEPT_IN_URLS) for part in (parts.path or "/", parts.query))
        except ValueError:
            return None
        return cls(parts.scheme, parts.hostname or "", port, path, query)

    @property
    def names(self) -> tuple[str, ...]:
        """What stands in the path and in the query that may be the id of something."""
        return tuple(_LINK.findall(f"{self.path} {self.query}"))

    def is_at(self, other: "Page | None") -> bool:
        """Whether only the queries differ, if anything does."""
        return other is not None and replace(self, query="") == replace(other, query="")

    def is_beside(self, other: "Page") -> bool:
        """Whether it is on the origin and in the directory of `other`."""
        origins = [(page.scheme, page.host, page.port) for page in (self, other)]
        return origins[0] == origins[1] and self.path.startswith(f"{other.path.rpartition('/')[0]}/")

    def resembles(self, other: "Page") -> bool:
        """Whether it is `other` changed in its query or spelling, or has another link in the place of the same link."""
        spelt = [unquote(page.path).casefold().rstrip("/") for page in (self, other)]
        (parent, _, link), (other_parent, _, other_link) = (page.path.rpartition("/") for page in (self, other))
        beside = parent == other_parent and bool(_LINK.fullmatch(link)) and bool(_LINK.fullmatch(other_link))
        return self.host == other.host and (spelt[0] == spelt[1] or beside)


def redirect_target(exchange: Exchange) -> str | None:
    """Where an answer redirects to, None if it does not."""
    location = exchange.response.header("Location")
    if location is None or exchange.response.status not in _REDIRECTIONS:
        return None
    try:
        return urljoin(exchange.request.url, location)
    except ValueError:
        return None
