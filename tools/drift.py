"""Write docs/drift.md, or with ``--check`` say whether it differs: the kinds of change, and how well they are told.

The changes made on purpose stand in ``tests/drift/changes.yaml``.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.drift.descriptions import compare
from conformance.drift.form import IMPACTS, Change
from conformance.drift.kinds import EITHER, OTHERS, READ, WRITTEN, Kind
from conformance.drift.references import Described
from conformance.drift.traffic import KINDS
from conformance.speed.plain_yaml import read_yaml

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "drift.md"
MADE = ROOT / "tests" / "drift" / "changes.yaml"
NOTHING = "none"
HEAD = """# What changed, and how bad it is

`conformance drift` compares two OpenAPI descriptions, two `results.json`, two folders of recordings, recordings with
a server, or a document with its statements. Each finding has a level: **breaking**, if a client that was right before
is wrong or wrongly served now; **risky**, if that depends on the client; **harmless** else. What a client writes
(requests, and its answers to webhooks) breaks where less is taken than before; what it reads (responses, and webhooks)
breaks where more can come. `python -m tools.drift` makes this page.

## How well it is told

Changes made on purpose in [`tests/drift/changes.yaml`](../tests/drift/changes.yaml), {real} of {all} from the change
logs of public APIs. A false alarm is a harmless change, or none at all, that is rated breaking. A schema is rated as
one that a client writes and as one that it reads, so that there are {rated} rows.

"""

OF_DESCRIPTIONS = """
## Kinds of change of a description

The part comes first in the id of what is in a schema: `request-body-`, `request-property-`, `request-parameter-`,
`response-body-`, `response-property-`, `response-header-`, `webhook-body-`, `webhook-property-`, `webhook-header-`,
`webhook-answer-body-`. A limit is named: `request-property-max-length-decreased`.

| in a schema | written | read |
| --- | --- | --- |
"""


@dataclass(frozen=True)
class Made:
    """A change that was made on purpose, in one direction.

    Args:
        entry: What it is called.
        way: What has it: ``write`` and ``read`` a body, ``operation``, ``webhook`` or ``description``.
        before: What a description has before.
        after: What it has after.
        impact: The worst impact that is to be told, ``none`` if nothing is.
        kinds: The kinds that are to be named.
        source: The change log that it is from, empty if it is from none.
    """

    entry: str
    way: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    impact: str
    kinds: tuple[str, ...]
    source: str

    @property
    def id(self) -> str:
        """What it is called, with what has it."""
        return f"{self.entry} ({self.way})"

    def told(self) -> list[Change]:
        """What the comparison says of it."""
        return compare(described(self.before), described(self.after))


def described(part: Mapping[str, Any]) -> Described:
    """A description that has this part."""
    return Described("it", {"openapi": "3.1.0", "info": {"version": "1"}, "paths": {}, **part})


def worst(changes: Sequence[Change]) -> str:
    """The worst impact of some changes, ``none`` if there is no change."""
    return min((change.impact for change in changes), key=IMPACTS.index, default=NOTHING)


def made() -> Iterator[Made]:
    """Each change that was made on purpose, once for each direction that it is rated in."""
    for each in read_yaml(MADE.read_bytes()):
        for way, (member, build) in _WAYS.items():
            wanted = each.get(way) if member == "schema" else each.get("level") if member in each else None
            if member not in each or wanted is None:
                continue
            before, after = (build(part) for part in each[member])
            yield Made(each["id"], way, before, after, wanted[0], tuple(wanted[1:]), each.get("from", ""))


def _as_request(schema: Any) -> Any:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"paths": {"/a": {"post": {"requestBody": body, "responses": {}}}}}


def _as_response(schema: Any) -> Any:
    answer = {"description": "", "content": {"application/json": {"schema": schema}}}
    return {"paths": {"/a": {"get": {"responses": {"200": answer}}}}}


_WAYS: Mapping[str, tuple[str, Any]] = {
    "write": ("schema", _as_request),
    "read": ("schema", _as_response),
    "operation": ("operation", lambda part: {"paths": {"/a": {"post": part}}}),
    "webhook": ("webhook", lambda part: {"webhooks": {"a": {"post": part}}}),
    "description": ("description", lambda part: part),
}
_IN_WORDS = {
    "write": "bodies that a client writes",
    "read": "bodies that a client reads",
    "operation": "operations",
    "webhook": "webhooks",
    "description": "whole descriptions",
}


def page() -> str:
    """What docs/drift.md should hold."""
    changes = list(made())
    real, entries = ({each.entry for each in changes if each.source}, {each.entry for each in changes})
    parts = [HEAD.format(real=len(real), all=len(entries), rated=len(changes))]
    parts += _measured(changes)
    parts.append(OF_DESCRIPTIONS)
    for name in dict.fromkeys((*WRITTEN, *READ, *EITHER)):
        cells = [_cell(EITHER.get(name) or table.get(name)) for table in (WRITTEN, READ)]
        parts.append(f"| {name} | {cells[0]} | {cells[1]} |\n")
    parts.append("\n| elsewhere | level | what a client must change |\n| --- | --- | --- |\n")
    parts += [f"| {name} | {kind.impact} | {kind.advice} |\n" for name, kind in OTHERS.items()]
    parts.append(
        "\n## Kinds of change of recordings\n\n| kind | level | what a client must change |\n| --- | --- | --- |\n"
    )
    parts += [f"| {name} | {impact} | {advice} |\n" for name, (impact, advice) in KINDS.items()]
    return "".join(parts)


def _measured(changes: Sequence[Made]) -> Iterator[str]:
    """A table of how many changes are found and rated as they should be, and how many alarms are false."""
    yield "| changes of | made | breaking | told as breaking | risky, harmless, none | told so | false alarms |\n"
    yield "| --- | --- | --- | --- | --- | --- | --- |\n"
    total: Counter[str] = Counter()
    for way, words in _IN_WORDS.items():
        counted = _counted([each for each in changes if each.way == way])
        total += counted
        yield _measured_row(words, counted)
    yield _measured_row("all", total)


def _counted(changes: Sequence[Made]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for each in changes:
        told = each.told()
        is_named = set(each.kinds) <= {change.kind for change in told}
        group = "breaking" if each.impact == "breaking" else "milder"
        counted[group] += 1
        counted[f"{group} told"] += worst(told) == each.impact and is_named
        counted["false"] += each.impact in {"harmless", NOTHING} and worst(told) == "breaking"
    return counted


def _measured_row(name: str, counted: Mapping[str, int]) -> str:
    cells = (counted["breaking"], counted["breaking told"], counted["milder"], counted["milder told"], counted["false"])
    return f"| {name} | {counted['breaking'] + counted['milder']} | {' | '.join(map(str, cells))} |\n"


def _cell(kind: Kind | None) -> str:
    return f"{kind.impact}: {kind.advice}" if kind and kind.advice != "Nothing." else str(kind.impact) if kind else ""


def main(arguments: Sequence[str]) -> int:
    """Write the page, or check it.

    Args:
        arguments: The words of the command line.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="say whether the page is as it should be, and write nothing"
    )
    if not parser.parse_args(arguments).check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == page():
        return 0
    print("docs/drift.md is not what python -m tools.drift makes.")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
