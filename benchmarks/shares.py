"""Where the time of a replay goes: its shares in percent, by the part of the program that spends it, as JSON.

A profile weighs calls of functions heavier than they are: the shares say where to look, not what there is to gain.
"""

import argparse
import cProfile
import io
import json
import pstats
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout, suppress
from typing import Any

PARTS = {
    "imports": ("importlib", "dataclasses.py", "enum.py", "typing.py"),
    "pytest": ("/_pytest/", "/pluggy/", "conformance/run.py", "conformance/plugin.py"),
    "yaml": ("/yaml/", "conformance/speed/plain_yaml.py"),
    "httpx": (
        "/httpx/",
        "conformance/speed/http_client.py",
        "conformance/bounds/",
        "/http/cookiejar.py",
        "/urllib/request.py",
    ),
    "signatures": ("/http_sf/", "/http_message_signatures/", "/cryptography/", "conformance/standards/"),
    "cassettes": ("conformance/recording/", "conformance/targets/"),
    "client rules": ("client_checks",),
    "provider rules": ("/checks/", "conformance/judging/", "conformance/findings.py", "conformance/specification.py"),
    "hosted page": (
        "/justhtml/",
        "conformance/planbok/html_forms.py",
        "conformance/planbok/page",
        "conformance/planbok/pin_agent.py",
    ),
    "scenarios": ("/suite/", "conformance/circumstances/", "conformance/parts/", "conformance/scenario.py"),
    "reports": ("conformance/reporting/", "/rich/", "conformance/runner.py", "conformance/verdicts.py"),
}
"""The parts, and what the path of a file of each of them holds; the first that fits counts."""
REST = "the rest"


def part_of(path: str) -> str:
    """The part that a file belongs to."""
    return next((part for part, marks in PARTS.items() if any(mark in path for mark in marks)), REST)


def shares(profile: cProfile.Profile) -> dict[str, float]:
    """The share of each part in percent, the largest first; what C functions take is their callers'."""
    spent: Counter[str] = Counter()
    entries: dict[tuple[str, int, str], Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for (path, _, _), (_, _, seconds, _, callers) in entries.items():
        if path != "~":
            spent[part_of(path)] += seconds
        for (caller, _, _), (_, _, inside, _) in callers.items() if path == "~" else ():
            spent[part_of(caller)] += inside
    whole = sum(spent.values())
    return {part: round(100 * seconds / whole, 1) for part, seconds in spent.most_common()}


def main() -> None:
    """Profile one replay from the first import on, and print the shares."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rule", metavar="PATTERN", help="only rules whose id matches (default all)")
    options = parser.parse_args()
    arguments = ["run", *(["--rule", options.rule] if options.rule else [])]
    profile = cProfile.Profile()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), profile, suppress(SystemExit):
        from conformance.cli import app  # noqa: PLC0415  (its imports are part of what is measured)

        app(arguments)
    print(json.dumps(shares(profile), indent=2))


if __name__ == "__main__":
    main()
