"""Our own log of requests, as ``GET /_sandbox/requests`` answers it: its entries as captured exchanges."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import jsonschema_rs

from conformance.exchange import Exchange, Headers, Request, Response
from conformance.files import data_path, first_problem
from conformance.recording.content_codings import decoded_fields
from conformance.traffic.capture import (
    LONGEST,
    Captured,
    Entry,
    TrafficUnreadableError,
    plain_url,
    read_time,
    without_answer_of_others,
)


@dataclass(frozen=True)
class LoggedRequest:
    """An entry of the log.

    Args:
        name: What to call the log.
        number: Its number, from 1 up.
        raw: The entry, in the form of ``specs/schemas/requests.json``.
    """

    name: str
    number: int
    raw: Mapping[str, Any]

    @property
    def method(self) -> str:
        """The method, in upper case."""
        return str(self.raw["request"]["method"]).upper()

    @property
    def url(self) -> str:
        """The URL."""
        return plain_url(str(self.raw["request"]["url"]))

    def captured(self) -> Captured:
        """All that the log holds of it.

        Raises:
            TrafficUnreadableError: If something in it cannot be read.
        """
        sent, answered = self.raw["request"], self.raw["response"]
        exchange = Exchange(
            id=f"{self.name}#{self.number}",
            operation=None,
            identity="",
            at=self._time("at"),
            seconds=min(self.raw["seconds"], LONGEST),
            request=Request(_headers(sent), self._body("request"), self.method, self.url),
            response=Response(decoded_fields(_headers(answered)), self._body("response"), answered["status"]),
            machine_at=self._time("machine_at"),
        )
        return without_answer_of_others(Captured(exchange, asked=self.url))

    def _body(self, side: str) -> bytes:
        message = self.raw[side]
        if "body" in message:
            return str(message["body"]).encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode(message["body_base64"], validate=True)
        except (binascii.Error, ValueError):
            raise self._unreadable(f"{side}/body_base64", "it is no base64") from None

    def _time(self, member: str) -> datetime:
        try:
            return read_time(self.raw[member])
        except ValueError:
            raise self._unreadable(member, "it is no ISO 8601 time") from None

    def _unreadable(self, place: str, problem: str) -> TrafficUnreadableError:
        return TrafficUnreadableError(
            f"{self.name} is no log of requests that can be read: {self.number - 1}/{place}: {problem}."
        )


def read_log(name: str, raw: Any) -> Sequence[Entry]:
    """The entries of a log.

    Args:
        name: What to call it.
        raw: What was read from its JSON.

    Raises:
        TrafficUnreadableError: If it has another form than ``specs/schemas/requests.json``.
    """
    if problem := first_problem(_validator(), raw):
        place = "/".join(map(str, problem[0])) or "the top"
        raise TrafficUnreadableError(
            f"{name} is neither an HTTP Archive nor a log of requests that can be read: {place}: {problem[1]}."
        )
    return [LoggedRequest(name, number, entry) for number, entry in enumerate(raw, start=1)]


@cache
def _validator() -> Any:
    schema = json.loads(data_path("specs/schemas/requests.json").read_bytes())
    return jsonschema_rs.validator_for(schema, mask="this")


def _headers(message: Mapping[str, Any]) -> Headers:
    return tuple((name, value) for name, value in message["headers"])
