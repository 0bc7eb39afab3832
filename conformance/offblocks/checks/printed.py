"""The members that the documents' own examples show, in answers to the same operation about the same state."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from conformance.exchange import Exchange
from conformance.files import data_path
from conformance.findings import Finding
from conformance.offblocks.checks.base import SAYS
from conformance.specification import Specification
from conformance.speed.plain_yaml import read_yaml

_RULE = "response.shows-printed-members"


@dataclass(frozen=True)
class _Example:
    """What an example shows.

    Args:
        document: The key of the document that prints it, and the section.
        answers: What it is an example of: the operation, its status, the state of the customer, if it has one.
        members: The members that it shows.
    """

    document: str
    answers: tuple[str, int, str]
    members: Mapping[str, Any]


def members(exchange: Exchange, specification: Specification) -> Iterator[Finding]:
    """Whether an answer has each member that the printed examples of its operation and state all have.

    Of which type a member is, is what other rules say.

    Args:
        exchange: The request and its answer.
        specification: The description of the API.
    """
    shown = exchange.response.members()
    state = str(shown.get("status", ""))
    key = (exchange.operation or "", exchange.response.status, state)
    examples = [example for example in _examples(specification) if example.answers == key]
    if not examples or not shown:
        return
    named = "; ".join(dict.fromkeys(example.document for example in examples))
    first, *others = (example.members for example in examples)
    expected = [name for name in first if all(name in other for other in others)]
    missing = [name for name in expected if name not in shown]
    for name in missing:
        said = f"a member {name}, as printed in {named}"
        yield SAYS.judged(_RULE, False, f"response /{name}", said, _instead(name, shown), exchange)
    if not missing:
        said = f"{', '.join(expected)}, as printed in {named}"
        yield SAYS.judged(_RULE, True, "response body", said, "so", exchange)


def _instead(name: str, shown: Mapping[str, Any]) -> str:
    """What stands in the place of a member: nothing, or a member of a like name."""
    like = [other for other in shown if _plain(other) == _plain(name)]
    return f"nothing, but a member {like[0]}" if like else "nothing"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@cache
def _examples(specification: Specification) -> Sequence[_Example]:
    path = data_path("specs/offblocks/documents.yaml")
    found = []
    for entry in read_yaml(path.read_bytes())["exchanges"]:
        asked, answered = entry["request"], entry.get("response", {})
        matched = specification.match(asked["method"], asked["path"])
        shown = json.loads(answered["body"]) if "body" in answered else None
        if matched is not None and isinstance(shown, dict):
            key = (matched.operation.id, answered["status"], str(shown.get("status", "")))
            found.append(_Example(f"{entry['section']} ({entry['document']})", key, shown))
    return found
