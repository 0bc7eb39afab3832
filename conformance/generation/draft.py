"""One generated request, before it is sent, and the names of the places in it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from conformance.exchange import Mode

ABSENT: Any = object()
"""Stands for a value that is not there."""
JSON = "application/json"
"""The media type of a body, unless the place `CONTENT_TYPE` holds another."""
METHOD = "method"
"""The place of a method that the specification does not have at the path."""
IDENTITY = "identity"
"""The place of an identity to which the things that a request is about do not belong."""
CONTENT_TYPE = "header Content-Type"
"""The place of the type of a body."""
FURTHER = "body /*"
"""The place of members that the specification does not know."""
MEMBER = "body /"
"""What the place of each member of a body begins with."""

_UNRESERVED_OR_ESCAPED = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True)
class Draft:
    """One generated request, before what really exists is put into it.

    Args:
        phase: The phase of schemathesis that it comes of: ``examples``, ``coverage`` or ``fuzzing``.
        method: The method, in upper case.
        template: The template of the path.
        values: What stands in each place of path, query and headers as text, a list for what stands there more than
            once: ``path id``, ``query page``, ``header Idempotency-Key``.
        body: The parsed body, bytes for one that is no JSON, `ABSENT` for none.
        wrong: The places that do not fit the specification.
        further: The names of members that the specification does not know.
    """

    phase: str
    method: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    body: Any = ABSENT
    wrong: tuple[str, ...] = ()
    further: tuple[str, ...] = ()

    @property
    def mode(self) -> Mode:
        """Whether it fits the specification (positive) or not (negative)."""
        return Mode.NEGATIVE if self.wrong else Mode.POSITIVE

    def value(self, place: str) -> Any:
        """What stands in a place such as ``query page`` or ``body /name``, `ABSENT` if nothing does."""
        if not place.startswith(MEMBER):
            return self.values.get(place, ABSENT)
        return self.body.get(place.removeprefix(MEMBER), ABSENT) if isinstance(self.body, dict) else ABSENT

    def is_wrong(self, place: str) -> bool:
        """Whether a place, what it lies in, or what lies in it, does not fit the specification."""
        around = {place, "body" if place.startswith("body") else place}
        return any(each in around or each.startswith(f"{place}/") for each in self.wrong)

    def with_values(self, values: Mapping[str, Any]) -> "Draft":
        """The same request with other values in some places; a place that is wrong keeps what it has.

        Args:
            values: The new values by their places, `ABSENT` to take a value out.
        """
        changed, body = dict(self.values), self.body
        for place, value in values.items():
            if self.is_wrong(place):
                continue
            if not place.startswith(MEMBER):
                changed[place] = value
            elif isinstance(body, dict):
                body = {**body, place.removeprefix(MEMBER): value}
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if value is not ABSENT}
        return replace(self, values={place: each for place, each in changed.items() if each is not ABSENT}, body=body)

    def _values_of(self, kind: str) -> dict[str, Any]:
        return {place.removeprefix(kind): value for place, value in self.values.items() if place.startswith(kind)}

    @property
    def path(self) -> str:
        """The path below the base URL, with the query."""
        values, query = self._values_of("path "), self._values_of("query ")
        path = re.sub(r"\{([^{}]+)\}", lambda name: _escaped(values[name[1]]), self.template)
        return f"{path}?{urlencode(query, doseq=True)}" if query else path

    @property
    def headers(self) -> dict[str, str]:
        """The header fields."""
        return self._values_of("header ")

    @property
    def content(self) -> bytes | None:
        """The bytes of the body, None for none."""
        if self.body is ABSENT or isinstance(self.body, bytes):
            return None if self.body is ABSENT else self.body
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


def _escaped(value: str) -> str:
    return value if _UNRESERVED_OR_ESCAPED.fullmatch(value) else quote(value, safe="")
