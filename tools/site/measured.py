"""The code mutants of the sandbox and what came of each, from the last measurement."""

from collections.abc import Mapping
from typing import Any

from conformance.reporting.mutants import sentence
from tools.site.text import table

_HEAD = """# Code mutants

Whoever writes both the faults and the tests knows what the tests look for. So `conformance faults mutants` changes the
sandbox's own source by operators that know no rule, and tries which changes the suite notices. How a survivor is
looked at stands in [Contributing](../CONTRIBUTING.md#look-at-code-mutants).

"""
_KINDS = (
    ("Not caught", lambda each: each["outcome"] == "survived"),
    ("Shown by no answer", lambda each: each["outcome"] not in {"survived", "caught"}),
    ("Caught", lambda each: each["outcome"] == "caught"),
)


def page(mutants: Mapping[str, Any]) -> str:
    """The page in Markdown, with links as from a page of docs/.

    Args:
        mutants: A table in the form of ``specs/schemas/mutants.json``.
    """
    said = sentence(mutants["summary"])
    parts = [
        _HEAD.replace("(\n", "("),
        f"Measured on {mutants['date'][:10]}, of commit {mutants['commit'][:7]}: {said}.\n\n",
    ]
    for title, belongs in _KINDS:
        rows = [
            (
                f"`{each['place']}`",
                f"`{each['change'].replace('`', '')}`",
                each["verdict"] or ", ".join(f"`{rule}`" for rule in each["caught_by"]),
                each["reason"],
            )
            for each in mutants["mutants"]
            if belongs(each)
        ]
        parts += [f"## {title}\n\n", table(("place", "change", "verdict", "reason"), rows) or "None.\n\n"]
    return "".join(parts)
