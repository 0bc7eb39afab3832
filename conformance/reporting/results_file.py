"""``results.json`` as text: a member a line, and of the long lists an item a line, so that a rule can be pointed at."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

NAME = "results.json"
_OPENED = ("rules", "exchanges", "scenarios", "contradictions", "remarks", "broken_but_inferred", "mistakes")


def written(results: Mapping[str, Any]) -> str:
    """The results as JSON.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    return "{\n" + ",\n".join(_members(results)) + "\n}\n"


def lines_of_rules(results: Mapping[str, Any]) -> range:
    """On which line of `written` each rule stands, counted from 1."""
    before = 1
    for name, value in results.items():
        if name == "rules":
            break
        before += len(value) + 2 if _is_opened(name, value) else 1
    return range(before + 2, before + 2 + len(results["rules"]))


def _members(results: Mapping[str, Any]) -> Iterator[str]:
    for name, value in results.items():
        if not _is_opened(name, value):
            yield f"  {_json(name)}: {_json(value)}"
        elif isinstance(value, Mapping):
            items = ",\n".join(f"    {_json(key)}: {_json(item)}" for key, item in value.items())
            yield f"  {_json(name)}: {{\n{items}\n  }}"
        else:
            items = ",\n".join(f"    {_json(item)}" for item in value)
            yield f"  {_json(name)}: [\n{items}\n  ]"


def _is_opened(name: str, value: Any) -> bool:
    return name in _OPENED and bool(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
