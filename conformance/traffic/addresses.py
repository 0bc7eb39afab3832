"""Where the APIs are in a capture: as the user says, or guessed from the paths that were asked for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from conformance import ConformanceError
from conformance.api import Api
from conformance.specification import Specification
from conformance.traffic.capture import Capture, Entry

_PORTS = {"http": 80, "https": 443}
_DEEPEST = 12
"""How many segments of a path may belong to a base URL that is guessed."""
_SHOWN = 4


class AmbiguousTrafficError(ConformanceError, ValueError):
    """It cannot be told where an API is; the message says what to give."""


@dataclass(frozen=True)
class Address:
    """Where an API is.

    Args:
        scheme: The scheme.
        host: The host, in lower case.
        port: The port.
        path: The path, without a slash at its end.
    """

    scheme: str
    host: str
    port: int | None
    path: str

    @classmethod
    def of(cls, url: str) -> "Address | None":
        """The address that a URL is, with its whole path; None if it is no URL of HTTP."""
        return _address(url)

    def holds(self, other: "Address") -> bool:
        """Whether another one is at it or below it."""
        same = (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)
        return same and (other.path == self.path or other.path.startswith(f"{self.path}/"))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


@lru_cache(maxsize=4096)
def _address(url: str) -> Address | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    return Address(parts.scheme, parts.hostname, port, parts.path)


@dataclass(frozen=True)
class Sorted:
    """The entries of a capture by what they are for.

    Args:
        bases: The base URL of each API that was found, by its name.
        guessed: The names of the APIs whose base URL was guessed.
        entries: The entries of each API, by its name.
        elsewhere: How many entries are for something else.
    """

    bases: Mapping[str, Address]
    guessed: Sequence[str]
    entries: Mapping[str, Sequence[Entry]]
    elsewhere: int


def sort_entries(capture: Capture, base_urls: Mapping[str, str], apis: Sequence[Api]) -> Sorted:
    """Tell which entries are for which API.

    Args:
        capture: What was captured.
        base_urls: Where an API is, by its name; empty to guess it for all.
        apis: The APIs that can be meant.

    Raises:
        AmbiguousTrafficError: If it has to be guessed where an API is, and there are several such places or none at
            all.
    """
    bases = {name: _given(name, url) for name, url in base_urls.items()} or _guess(capture, apis)
    entries: dict[str, list[Entry]] = {name: [] for name in bases}
    elsewhere = 0
    most_special = sorted(bases.items(), key=lambda each: len(each[1].path), reverse=True)
    for entry in capture.entries:
        place = Address.of(entry.url)
        name = next((name for name, base in most_special if place is not None and base.holds(place)), None)
        if name is None:
            elsewhere += 1
        else:
            entries[name].append(entry)
    return Sorted(bases, [] if base_urls else list(bases), entries, elsewhere)


def _given(name: str, url: str) -> Address:
    found = Address.of(url)
    if found is None:
        raise AmbiguousTrafficError(f"{name}={url} names no place of HTTP.")
    return found


def _guess(capture: Capture, apis: Sequence[Api]) -> dict[str, Address]:
    """The one place for each API whose paths fit its operations; one that its description names goes before others."""
    found = {api.name: _candidates(api, capture.entries) for api in apis}
    for api in apis:
        if len(found[api.name]) > 1:
            found[api.name] = _documented(api, found[api.name]) or found[api.name]
    for name, places in found.items():
        if len(places) > 1:
            shown = ", ".join(map(str, places[:_SHOWN])) + (" …" if len(places) > _SHOWN else "")
            raise AmbiguousTrafficError(
                f"{capture.name} has requests that fit {name} at {len(places)} places: {shown}. "
                f"Say which it is, such as --base-url {name}={places[0]}"
            )
    if not any(found.values()):
        raise AmbiguousTrafficError(
            f"None of the {len(capture.entries)} requests in {capture.name} fits an operation of "
            f"{' or '.join(api.name for api in apis)}. Say where the API is with --base-url API=URL, the URL without "
            "/v1 or /v2."
        )
    return {name: places[0] for name, places in found.items() if places}


def _candidates(api: Api, entries: Iterable[Entry]) -> list[Address]:
    """The places at which a path below them is that of an operation, the one with most operations first."""
    specification = Specification.load(api.specification)
    found: dict[Address, set[str]] = defaultdict(set)
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        asked = entry.method, entry.url.partition("?")[0]
        place = None if asked in seen else Address.of(asked[1])
        seen.add(asked)
        if place is None:
            continue
        starts = [index for index, letter in enumerate(place.path) if letter == "/"][:_DEEPEST]
        for start in starts:
            if match := specification.match(entry.method, place.path[start:]):
                base = Address(place.scheme, place.host, place.port, place.path[:start])
                found[base].add(match.operation.id)
                break
    return sorted(found, key=lambda base: len(found[base]), reverse=True)


def _documented(api: Api, places: Sequence[Address]) -> list[Address]:
    servers = Specification.load(api.specification).document.get("servers", ())
    named = [Address.of(server["url"].rstrip("/")) for server in servers]
    known = [place for place in places if place in named]
    return known if len(known) == 1 else []
