"""Exchanges on a page: each shown once, its bodies folded, and no more of them than the page can carry."""

from collections.abc import Mapping
from typing import Any

from conformance.judging.results import TRAFFIC
from conformance.reporting.markup import Html, joined, tag

LONGEST_BODY = 2048
"""The bytes of a body, or of a text, that the page shows; ``results.json`` has all of it."""
_LONGEST_HEADER = 256
_MOST_SHOWN = 512 * 1024
"""The characters of all exchanges on one page; of what does not fit the page has the first line."""


class Exchanges:
    """The exchanges of a run, for its page.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """

    def __init__(self, results: Mapping[str, Any]) -> None:
        self._known: dict[str, Mapping[str, Any]] = {exchange["id"]: exchange for exchange in results["exchanges"]}
        self._of_suite = results["target"] != TRAFFIC
        self._anchors: dict[str, str] = {}
        self._left = _MOST_SHOWN

    def find(self, identifier: str | None) -> Mapping[str, Any] | None:
        """The exchange with this id, None if the results do not have it."""
        return self._known.get(identifier or "")

    def shown(self, identifier: str) -> Html:
        """An exchange in full; or its first line and where it is, if the page has shown it or has no room for it."""
        exchange = self.find(identifier)
        if exchange is None:
            return tag("p", "Exchange ", tag("code", identifier), ", which the results do not hold.")
        line = first_line(exchange)
        if anchor := self._anchors.get(identifier):
            return tag("p", "The same exchange as above: ", tag("a", line, href=f"#{anchor}"))
        parts = joined(
            tag("p", "; ".join(self._described(exchange)), css="quiet"),
            tag("pre", _message(f"{exchange['request']['method']} {_asked(exchange)}", exchange["request"])),
            tag("pre", _message(_status(exchange), exchange["response"])),
        )
        if len(parts) > self._left:
            where = tag("code", identifier)
            return tag("p", tag("code", line), ". This page is full: results.json has the exchange as ", where, ".")
        self._left -= len(parts)
        anchor = self._anchors[identifier] = f"exchange-{len(self._anchors) + 1}"
        return tag("details", tag("summary", tag("code", line)), parts, id=anchor, css="exchange", open=True)

    def _described(self, exchange: Mapping[str, Any]) -> list[str]:
        described = [
            exchange["operation"] or "no operation of the description",
            f"as {exchange['identity']}",
            f"at {exchange['at']}",
            f"took {exchange['seconds']} s",
            exchange["id"],
        ]
        if "asked" in exchange:
            described.append(f"by way of {exchange['request']['url']}")
        if exchange["breaks"]:
            on_purpose = " on purpose" if self._of_suite else ""
            described.append(f"breaks{on_purpose} {', '.join(exchange['breaks'])}")
        return described


def first_line(exchange: Mapping[str, Any]) -> str:
    """An exchange in one line: method, URL and status."""
    return folded(f"{exchange['request']['method']} {_asked(exchange)} → {_status(exchange)}", _LONGEST_HEADER)


def _asked(exchange: Mapping[str, Any]) -> str:
    """The URL at which the server was asked, which is another one than the client's if a proxy stands between."""
    return str(exchange.get("asked", exchange["request"]["url"]))


def _status(exchange: Mapping[str, Any]) -> str:
    return str(exchange["response"]["status"] or "no answer")


def folded(text: str, longest: int = LONGEST_BODY) -> str:
    """The start of a text, and how long it is, if it has more bytes than that."""
    encoded = text.encode(errors="backslashreplace")
    if len(encoded) <= longest:
        return text
    start = encoded[:longest].decode(errors="ignore")
    return f"{start}…\n[folded: {longest:,} of {len(encoded):,} bytes; results.json has all of them]"


def _message(start: str, message: Mapping[str, Any]) -> str:
    lines = [folded(start), *(f"{name}: {folded(value, _LONGEST_HEADER)}" for name, value in message["headers"])]
    body = message["body"] if "body" in message else f"base64: {message['body_base64']}"
    return folded("\n".join(lines)) + (f"\n\n{folded(body)}" if body and body != "base64: " else "")
