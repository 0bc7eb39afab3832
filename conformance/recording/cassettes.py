"""Cassettes: the journal of one test in a file of vcr's YAML, found again by what a request is."""

import json
import os
import shlex
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from vcr.errors import CannotOverwriteExistingCassetteException
from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.request import Request as VcrRequest

from conformance.exchange import Delivery, Exchange, Generated, Headers, Message, Request, Response
from conformance.files import data_path, first_problem
from conformance.findings import shorten
from conformance.recording.redaction import Redactor
from conformance.scenario import StepFailedError

FORMAT = "conformance-cassette/1"
_OWN_TO_THE_CONNECTION = {"accept", "accept-encoding", "connection", "date", "host", "server", "user-agent"}


class CassetteMissingError(StepFailedError):
    """There is no cassette of a test."""


class CassetteUnreadableError(ValueError):
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
            raw = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        except FileNotFoundError as error:
            raise CassetteMissingError(f"There is no cassette {path.name}") from error
        except OSError as error:
            raise CassetteUnreadableError(f"The cassette {path} cannot be read: {error.strerror}.") from error
        except yaml.YAMLError as error:
            raise CassetteUnreadableError(f"The cassette {path} is not YAML: {error}") from error
        if problem := first_problem(_schema(), raw):
            place, message = problem
            where = "/".join(map(str, place)) or "the top"
            raise CassetteUnreadableError(f"The cassette {path} is wrong at {where}: {message}")
        try:
            return cls._read(raw)
        except ValueError as error:
            raise CassetteUnreadableError(f"The cassette {path} is wrong: {error}") from error

    @classmethod
    def _read(cls, raw: Mapping[str, Any]) -> "Cassette":
        base_url = raw["base_url"]
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
            webhook_url=raw.get("webhook_url"),
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
            "interactions": [_write_exchange(exchange, self.base_url) for exchange in self.exchanges],
            **({"deliveries": [_write_delivery(delivery) for delivery in self.deliveries]} if self.deliveries else {}),
        }
        text = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1000)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


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
def _schema() -> Any:
    import jsonschema_rs  # noqa: PLC0415  (50 ms that only a reader of cassettes should pay)

    return jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/cassette.json").read_bytes()))


def without_port(url: str) -> str:
    """A URL without the port that its server happened to get."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.hostname or "").geturl()


def _write_body(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _read_body(body: str | bytes | None) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""


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
            "uri": request.url.removeprefix(base_url),
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
            url=base_url + request["uri"] if request["uri"].startswith("/") else request["uri"],
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


@dataclass(frozen=True)
class _Fingerprint:
    """What a request is, for finding its recorded answer."""

    method: str
    path: str
    query: str
    body: bytes
    idempotency_key: str | None
    breaks: frozenset[str]

    @classmethod
    def of(cls, request: Request, base_url: str, breaks: frozenset[str]) -> "_Fingerprint":
        below = urlsplit(request.url.removeprefix(base_url))
        return cls(request.method, below.path, below.query, request.body, request.header("Idempotency-Key"), breaks)

    def differences_as_sent(self, recorded: "_Fingerprint") -> list[str]:
        """What differs from a recorded request in what is sent, in words."""
        names = {
            "method": "the method",
            "path": "the path",
            "query": "the query",
            "body": "the body",
            "idempotency_key": "the Idempotency-Key",
        }
        return [
            f"{words} is {shorten(getattr(self, name))!r}, recorded was {shorten(getattr(recorded, name))!r}"
            for name, words in names.items()
            if getattr(self, name) != getattr(recorded, name)
        ]

    def differences(self, recorded: "_Fingerprint") -> list[str]:
        """What differs from a recorded request, in what is sent and in the rules that it breaks, in words."""
        found = self.differences_as_sent(recorded)
        if more := sorted(self.breaks - recorded.breaks):
            found.append(f"it breaks {', '.join(more)}, which the recorded request did not")
        if fewer := sorted(recorded.breaks - self.breaks):
            found.append(f"it does not break {', '.join(fewer)}, which the recorded request did on purpose")
        return found


class _Recorded(VcrRequest):  # type: ignore[misc]  # vcr has no types
    """A recorded request, which vcr need not copy, since nothing changes it."""

    def __deepcopy__(self, _memo: object) -> "_Recorded":
        return self


@dataclass
class Tape:
    """A cassette that is being played: finds recorded answers, and tells the time of the recording.

    Args:
        cassette: The cassette.
        path: Where it lies.
        redactor: Hides secrets in requests before they are compared.

    Attributes:
        played: The places of the exchanges that were asked for.
        strayed: Why the last request without a recorded answer has none; empty if all had one.
    """

    cassette: Cassette
    path: Path
    redactor: Redactor
    played: set[int] = field(default_factory=set)
    strayed: str = ""
    _thread: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self._recorded = [
            _Fingerprint.of(exchange.request, self.cassette.base_url, exchange.breaks)
            for exchange in self.cassette.exchanges
        ]

    # As a clock of the test.
    def now(self) -> datetime:
        """The recorded time of the next exchange, of the last one if all were played."""
        left = [index for index in range(len(self._recorded)) if index not in self.played]
        index = left[0] if left else len(self._recorded) - 1
        return self.cassette.exchanges[index].at

    def advance(self, duration: timedelta) -> None:
        """Nothing: the recorded times have passed already."""

    # As the player of a journal.
    @contextmanager
    def playing(self, request: Request, breaks: frozenset[str]) -> Iterator[None]:
        """Look up what is sent meanwhile from this thread as `request`.

        Raises:
            StepFailedError: If no recorded request that is left is the same.
        """
        sent = _Fingerprint.of(self.redactor.request(request), self.cassette.base_url, breaks)
        self._thread.sent = sent
        try:
            yield
        except CannotOverwriteExistingCassetteException as error:
            self.strayed = self._explain(sent)
            raise StepFailedError(self.strayed) from error
        self.played.add(self._thread.matched)

    def timing(self) -> tuple[datetime, float]:
        """When the exchange that this thread played last began (UTC), and how many seconds its answer took."""
        exchange = self.cassette.exchanges[self._thread.matched]
        return exchange.at, exchange.seconds

    def matches(self, _incoming: VcrRequest, recorded: VcrRequest) -> bool:
        """Vcr's question whether the request of this thread is a recorded one."""
        index: int = recorded.index
        if self._recorded[index] != self._thread.sent:
            return False
        self._thread.matched = index
        return True

    # As vcr's persister.
    def load_cassette(self, *_arguments: object, **_options: object) -> tuple[list[VcrRequest], list[dict[str, Any]]]:
        """The requests and responses in vcr's form."""
        requests, responses = [], []
        for index, exchange in enumerate(self.cassette.exchanges):
            request = _Recorded(exchange.request.method, exchange.request.url, exchange.request.body, {})
            request.index = index
            requests.append(request)
            responses.append(
                {
                    "status": {"code": exchange.response.status, "message": ""},
                    "headers": _write_headers(exchange.response.headers),
                    "body": {"string": exchange.response.body},
                }
            )
        if not requests:
            raise CassetteNotFoundError
        return requests, responses

    def save_cassette(self, *_arguments: object, **_options: object) -> None:
        """Nothing: a cassette that is played is not changed."""

    def unplayed(self) -> list[str]:
        """The ids of the exchanges that no request asked for."""
        return [exchange.id for index, exchange in enumerate(self.cassette.exchanges) if index not in self.played]

    def _explain(self, sent: _Fingerprint) -> str:
        left = [recorded for index, recorded in enumerate(self._recorded) if index not in self.played]
        again = (
            f"To record again: {recording_command(self.cassette.api, self.path.parent.parent, self.cassette.origin)}"
        )
        start = f"There is no recorded answer to {sent.method} {sent.path} in {self.path.name}"
        if not left:
            return f"{start}: all of its exchanges were played. {again}"
        nearest = min(left, key=lambda recorded: (recorded.path != sent.path, len(sent.differences_as_sent(recorded))))
        differences = sent.differences(nearest) or ["it was played already"]
        return f"{start}: {'; '.join(differences)}. {again}"


class Recorder:
    """vcr's persister for a test that is being recorded: the journal is written instead, when the test is over."""

    def load_cassette(self, *_arguments: object, **_options: object) -> tuple[list[VcrRequest], list[dict[str, Any]]]:
        """Nothing: what was recorded before is replaced."""
        raise CassetteNotFoundError

    def save_cassette(self, *_arguments: object, **_options: object) -> None:
        """Nothing: the journal knows more than vcr does."""


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
