"""An HTTP Archive that somebody exported (HAR 1.2): its entries as captured exchanges."""

import base64
import binascii
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Any

import jsonschema_rs

from conformance.exchange import Exchange, Headers, Request, Response
from conformance.files import data_path, first_problem
from conformance.recording.content_codings import decoded_fields
from conformance.recording.har import CREATOR
from conformance.traffic.capture import (
    LONGEST,
    REQUEST_BODY,
    RESPONSE_BODY,
    Captured,
    Entry,
    TrafficUnreadableError,
    is_cut,
    plain_url,
    read_time,
    without_answer_of_others,
)

_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
_Body = tuple[bytes, bool, bool]


@dataclass(frozen=True)
class HarEntry:
    """An entry of an archive.

    Args:
        name: What to call the archive.
        number: Its number, from 1 up.
        method: The method, in upper case.
        url: The URL, without a fragment.
        raw: The entry.
        is_ours: Whether our own tools wrote it.
    """

    name: str
    number: int
    method: str
    url: str
    raw: Mapping[str, Any]
    is_ours: bool

    def captured(self) -> Captured:
        """All that the archive holds of it.

        Raises:
            TrafficUnreadableError: If something in it cannot be read.
        """
        raw, problem = self.raw, first_problem(_validator("entry"), self.raw)
        if problem:
            raise self._unreadable("/".join(map(str, problem[0])), problem[1])
        request, request_lacks, is_exact = self._request()
        response, response_lacks = self._response()
        world_time = raw.get("_worldTime")
        started = self._time("startedDateTime")
        exchange = Exchange(
            id=f"{self.name}#{self.number}",
            operation=None,
            identity="",
            at=self._time("_worldTime") if world_time else started,
            seconds=_seconds(raw.get("time")),
            request=request,
            response=response,
            machine_at=started if world_time else None,
        )
        captured = Captured(
            exchange,
            asked=raw.get("_upstream", self.url),
            is_exact=is_exact,
            is_cached=bool(raw.get("_fromCache")),
            lacks=frozenset({*request_lacks, *response_lacks, *raw.get("_lacks", ())}),
            replaced=frozenset(raw.get("_replaced", ())),
        )
        return without_answer_of_others(captured)

    def _request(self) -> tuple[Request, Sequence[str], bool]:
        """The request, what it lacks, and whether its body is that which was sent to the byte."""
        sent = self.raw["request"]
        data, headers = sent.get("postData") or {}, _headers(sent["headers"])
        encoding = data.get("encoding") or data.get("_encoding")
        body = self._bytes(data, "request/postData/text", encoding)
        declared = _number(next((value for name, value in headers if name.lower() == "content-length"), None))
        declared = declared or _number(sent.get("bodySize"))
        is_coded = any(name.lower() == "content-encoding" for name, _ in headers)
        lacks = [REQUEST_BODY] if is_cut(body, declared) and not (is_coded and body) else []
        return Request(headers, body, self.method, self.url), lacks, self.is_ours or encoding == "base64" or not body

    def _response(self) -> tuple[Response, Sequence[str]]:
        """The response, its body decoded, and what it lacks; one of status 0 where there was none."""
        answered = self.raw.get("response") or {}
        content, headers = answered.get("content") or {}, _headers(answered.get("headers", ()))
        if not headers and content.get("mimeType"):
            headers = (("Content-Type", content["mimeType"]),)
        body = self._bytes(content, "response/content/text", content.get("encoding"))
        status = max(answered.get("status", 0), 0)
        declared = _number(content.get("size"))
        declared = declared or _number(
            next((value for name, value in headers if name.lower() == "content-length"), None)
        )
        bodiless = self.method == "HEAD" or status in _WITHOUT_BODY or not status
        lacks = [RESPONSE_BODY] if not bodiless and is_cut(body, declared) else []
        return Response(decoded_fields(headers), body, status), lacks

    def _bytes(self, holder: Mapping[str, Any], place: str, encoding: str | None) -> bytes:
        text = holder.get("text") or ""
        if encoding != "base64":
            return text.encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise self._unreadable(place, "it is no base64, though it is said to be") from None

    def _time(self, member: str) -> datetime:
        try:
            return read_time(self.raw[member])
        except ValueError:
            raise self._unreadable(member, "it is no ISO 8601 time, such as 2026-01-15T12:00:00.000Z") from None

    def _unreadable(self, place: str, problem: str) -> TrafficUnreadableError:
        where = f"log/entries/{self.number - 1}" + (f"/{place}" if place else "")
        return TrafficUnreadableError(f"{self.name} is no HTTP Archive that can be read: {where}: {problem}.")


def read_archive(name: str, raw: Any) -> Sequence[Entry]:
    """The entries of an archive.

    Args:
        name: What to call it.
        raw: What was read from its JSON.

    Raises:
        TrafficUnreadableError: If it is no archive.
    """
    if problem := first_problem(_validator(), raw):
        place = "/".join(map(str, problem[0])) or "the top"
        raise TrafficUnreadableError(f"{name} is no HTTP Archive that can be read: {place}: {problem[1]}.")
    log = raw["log"]
    ours = is_ours(log)
    return [
        HarEntry(
            name,
            number,
            entry["request"]["method"].upper(),
            plain_url(entry["request"]["url"]),
            entry,
            ours,
        )
        for number, entry in enumerate(log["entries"], start=1)
    ]


def is_ours(log: Mapping[str, Any]) -> bool:
    """Whether our own tools wrote an archive, by the log that it consists of."""
    return bool(log.get("creator", {}).get("name") == CREATOR)


@cache
def _validator(part: str | None = None) -> Any:
    """What checks an archive, or a part of it; what stands there is not told, since it may be secret."""
    schema = json.loads(data_path("specs/schemas/har.json").read_bytes())
    if part is not None:
        schema = {"$schema": schema["$schema"], "$ref": f"#/$defs/{part}", "$defs": schema["$defs"]}
    return jsonschema_rs.validator_for(schema, mask="this")


def _headers(lines: Sequence[Mapping[str, str]]) -> Headers:
    """The header lines, without the pseudo-header fields of HTTP/2 (RFC 9113, section 8.3)."""
    return tuple((line["name"], line["value"]) for line in lines if not line["name"].startswith(":"))


def _seconds(said: Any) -> float:
    """How long something took, which is said in milliseconds; 0 if it is not."""
    usable = isinstance(said, int | float) and math.isfinite(said) and said > 0
    return min(said / 1000, LONGEST) if usable else 0.0


def _number(said: Any) -> int:
    """A number of bytes; 0 if none is said."""
    try:
        return max(int(said), 0)
    except (OverflowError, TypeError, ValueError):
        return 0
