"""Cassettes: the journal of one test in a file of vcr's YAML."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from conformance import ConformanceError
from conformance.bounds.urls import UrlRefused, below, foreign_url
from conformance.exchange import Delivery, Exchange, Generated, Headers, Message, Request, Response
from conformance.files import data_path, first_problem, read_bounded, write_whole
from conformance.scenario import StepFailedError
from conformance.speed.plain_yaml import read_yaml

FORMAT = "conformance-cassette/1"
_SHOWN = 80
_OWN_TO_THE_CONNECTION = {"accept", "accept-encoding", "connection", "date", "host", "server", "user-agent"}


class CassetteMissingError(StepFailedError):
    """There is no cassette of a test."""


class CassetteUnreadableError(ConformanceError, ValueError):
    """A cassette is no YAML or has another form than ``specs/schemas/cassette.json``."""


@dataclass(frozen=True)
class Cassette:
    """The journal of one test, without secrets.

    Args:
        api: The name of the API.
        test: The id of the test.
        origin: What was recorded, such as ``reference sandbox``.
        recorded: When (UTC).
        specification: The digest of the specification at that time.
        suite: The version of the suite.
        seed: The seed that ids came from.
        base_url: The base URL that the client used, without its port.
        settings: The API's other settings, none of them secret.
        webhook_url: The address at which webhooks were received.
        is_of_person: Whether a person did at hosted pages what was asked, which no exchange shows.
        short_waits: What was waited for shortly, since it had not come in a minute before, and for how many seconds.
        exchanges: The exchanges, URLs absolute.
        deliveries: The webhooks received.
    """

    api: str
    test: str
    origin: str
    recorded: datetime
    specification: str
    suite: str
    seed: str
    base_url: str
    settings: Mapping[str, str] = field(default_factory=dict)
    webhook_url: str | None = None
    short_waits: Mapping[str, float] = field(default_factory=dict)
    is_of_person: bool = False
    exchanges: Sequence[Exchange] = ()
    deliveries: Sequence[Delivery] = ()

    @classmethod
    def load(cls, path: Path) -> "Cassette":
        """Read a cassette.

        Raises:
            CassetteMissingError: If there is no such file.
            CassetteUnreadableError: If it is no cassette.
        """
        try:
            raw = read_yaml(read_bounded(path))
        except FileNotFoundError as error:
            raise CassetteMissingError(f"There is no cassette {path.name}") from error
        except OSError as error:
            raise CassetteUnreadableError(f"The cassette {path} cannot be read: {error.strerror}.") from error
        except yaml.YAMLError as error:
            raise CassetteUnreadableError(f"The cassette {path} is not YAML: {error}") from error
        if problem := first_problem_of("cassette", raw):
            raise CassetteUnreadableError(f"The cassette {path} is wrong at {problem}")
        try:
            return cls._read(raw)
        except ValueError as error:
            raise CassetteUnreadableError(f"The cassette {path} is wrong: {error}") from error

    @classmethod
    def _read(cls, raw: Mapping[str, Any]) -> "Cassette":
        base_url = _checked(raw["base_url"], "the base_url")
        return cls(
            api=raw["api"],
            test=raw["test"],
            origin=raw["origin"],
            recorded=datetime.fromisoformat(raw["recorded"]),
            specification=raw["specification"],
            suite=raw["suite"],
            seed=raw["seed"],
            base_url=base_url,
            settings=raw["settings"],
            webhook_url=_checked(raw["webhook_url"], "the webhook_url") if "webhook_url" in raw else None,
            short_waits=raw.get("short_waits", {}),
            is_of_person=raw.get("pin_agent") == "person",
            exchanges=tuple(
                _read_exchange(entry, f"{raw['test']}#{number}", base_url)
                for number, entry in enumerate(raw["interactions"], start=1)
            ),
            deliveries=tuple(_read_delivery(entry) for entry in raw.get("deliveries", [])),
        )

    def save(self, path: Path) -> None:
        """Write the cassette whole, or not at all."""
        document = {
            "version": 1,
            "format": FORMAT,
            "api": self.api,
            "test": self.test,
            "origin": self.origin,
            "recorded": self.recorded.isoformat(timespec="seconds"),
            "specification": self.specification,
            "suite": self.suite,
            "seed": self.seed,
            "base_url": self.base_url,
            "settings": dict(self.settings),
            **({"webhook_url": self.webhook_url} if self.webhook_url else {}),
            **({"pin_agent": "person"} if self.is_of_person else {}),
            **({"short_waits": dict(self.short_waits)} if self.short_waits else {}),
            "interactions": [_write_exchange(exchange, self.base_url) for exchange in self.exchanges],
            **({"deliveries": [_write_delivery(delivery) for delivery in self.deliveries]} if self.deliveries else {}),
        }
        text = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1000)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)


def recording_command(api: str, folder: Path, origin: str = "") -> str:
    """The command that records an API's cassettes anew, in a POSIX shell's form.

    Args:
        api: The name of the API.
        folder: Where its cassettes lie.
        origin: What they were recorded from; the reference sandbox if that is not known.
    """
    words = ["conformance", "record", api, "--target", "live" if origin == "live" else "sandbox"]
    if folder.parent != data_path("cassettes"):
        words += ["--cassettes", str(folder.parent)]
    return shlex.join(words)


@cache
def _schema(name: str) -> Any:
    import jsonschema_rs  # noqa: PLC0415  (50 ms that only a reader of cassettes should pay)

    return jsonschema_rs.validator_for(json.loads(data_path(f"specs/schemas/{name}.json").read_bytes()))


def first_problem_of(name: str, raw: object) -> str | None:
    """Where a file of ours is not what the schema of a name says, and why; None if it is."""
    problem = first_problem(_schema(name), raw)
    if problem is None:
        return None
    place, message = problem
    return f"{'/'.join(map(str, place)) or 'the top'}: {message}"


def without_port(url: str) -> str:
    """A URL without the port that its server happened to get."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.hostname or "").geturl()


def _write_body(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _read_body(body: object) -> bytes:
    match body:
        case None:
            return b""
        case str():
            return body.encode("utf-8", "surrogatepass")
        case bytes():
            return body
    raise ValueError(f"a body is a {type(body).__name__}; put it into quotation marks to make it text")


def _checked(url: str, what: str) -> str:
    try:
        foreign_url(url)
    except UrlRefused as error:
        raise ValueError(f"{what} {url[:_SHOWN]!r} is no URL: {error}") from error
    return url


def _write_headers(headers: Headers) -> dict[str, list[str]]:
    written: dict[str, list[str]] = {}
    for name, value in headers:
        if name.lower() not in _OWN_TO_THE_CONNECTION:
            written.setdefault(name, []).append(value)
    return written


def _read_headers(headers: dict[str, list[str]]) -> Headers:
    return tuple((name, value) for name, values in headers.items() for value in values)


def _write_exchange(exchange: Exchange, base_url: str) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    return {
        "request": {
            "method": request.method,
            "uri": below(request.url, base_url),
            "headers": _write_headers(request.headers),
            "body": _write_body(request.body),
        },
        "response": {
            "status": {"code": response.status, "message": ""},
            "headers": _write_headers(response.headers),
            "body": {"string": _write_body(response.body)},
        },
        "operation": exchange.operation,
        "identity": exchange.identity,
        "at": exchange.at.isoformat(),
        "seconds": round(exchange.seconds, 2),
        "breaks": sorted(exchange.breaks),
        **({"generated": exchange.generated.to_json()} if exchange.generated else {}),
    }


def _read_exchange(entry: dict[str, Any], identifier: str, base_url: str) -> Exchange:
    request, response = entry["request"], entry["response"]
    return Exchange(
        id=identifier,
        operation=entry["operation"],
        identity=entry["identity"],
        at=datetime.fromisoformat(entry["at"]),
        seconds=entry["seconds"],
        request=Request(
            method=request["method"],
            url=base_url + request["uri"] if request["uri"].startswith("/") else _checked(request["uri"], "the uri"),
            headers=_read_headers(request["headers"]),
            body=_read_body(request["body"]),
        ),
        response=Response(
            status=response["status"]["code"],
            headers=_read_headers(response["headers"]),
            body=_read_body(response["body"]["string"]),
        ),
        breaks=frozenset(entry["breaks"]),
        generated=Generated.from_json(entry["generated"]) if "generated" in entry else None,
    )


def _write_delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "after": delivery.after,
        "identity": delivery.identity,
        "at": delivery.at.isoformat(),
        "method": delivery.request.method,
        "uri": delivery.request.url,
        "headers": _write_headers(delivery.request.headers),
        "body": _write_body(delivery.request.body),
        "answered": delivery.answered,
    }


def _read_delivery(entry: dict[str, Any]) -> Delivery:
    request = Request(
        method=entry["method"],
        url=entry["uri"],
        headers=_read_headers(entry["headers"]),
        body=_read_body(entry["body"]),
    )
    return Delivery(entry["after"], entry["identity"], datetime.fromisoformat(entry["at"]), request, entry["answered"])


def rebased(exchange: Exchange, base_url: str, to: str) -> Exchange:
    """The exchange as it would have been with its server at another origin, wherever that is named.

    Args:
        exchange: The exchange.
        base_url: A URL below the origin that the server has.
        to: A URL below the origin that it is to have.
    """
    old, new = _origin(base_url), _origin(to)
    request, response = exchange.request, exchange.response
    return replace(
        exchange,
        request=replace(request, url=request.url.replace(old, new), **_moved(request, old, new)),
        response=replace(response, **_moved(response, old, new)),
    )


def _moved(message: Message, old: str, new: str) -> dict[str, Any]:
    return {
        "headers": tuple((name, value.replace(old, new)) for name, value in message.headers),
        "body": message.body.replace(old.encode(), new.encode()),
    }


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
