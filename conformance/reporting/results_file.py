"""``results.json`` as text: a member a line, and of the long lists an item a line, so that a rule can be pointed at."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

NAME = "results.json"
_OPENED = ("rules", "exchanges", "scenarios", "contradictions", "remarks", "broken_but_inferred", "mistakes")


def written(results: Mapping[str, Any]) -> Iterator[str]:
    """The results as JSON, piece by piece: the whole text may have many megabytes.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    opening = "{\n"
    for name, value in results.items():
        yield f"{opening}  {_json(name)}: "
        yield from _items(value) if _is_opened(name, value) else [_json(value)]
        opening = ",\n"
    yield "\n}\n"


def lines_of_rules(results: Mapping[str, Any]) -> range:
    """On which line of `written` each rule stands, counted from 1."""
    before = 1
    for name, value in results.items():
        if name == "rules":
            break
        before += len(value) + 2 if _is_opened(name, value) else 1
    return range(before + 2, before + 2 + len(results["rules"]))


def _items(value: Any) -> Iterator[str]:
    """A list or an object with an item a line."""
    first, last = "{}" if isinstance(value, Mapping) else "[]"
    opening = f"{first}\n"
    for each in value:
        item = f"{_json(each)}: {_json(value[each])}" if isinstance(value, Mapping) else _json(each)
        yield f"{opening}    {item}"
        opening = ",\n"
    yield f"\n  {last}"


def _is_opened(name: str, value: Any) -> bool:
    return name in _OPENED and bool(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
