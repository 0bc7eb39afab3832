"""Write docs/hostile.md from ``evidence/hostile.json``, or with ``--check`` say that it differs."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from tools.hostile import files, harms

CHECKOUT = Path(__file__).parents[2]
EVIDENCE = CHECKOUT / "evidence" / "hostile.json"
PAGE = CHECKOUT / "docs" / "hostile.md"
_SHOWN = 150

_INTRODUCTION = """# Servers and files that mean harm

What a server sends is read up to a limit of size and time, files are read up to a limit of size, depth and growth, and
no secret of yours gets out. This page is written by `python -m tools.hostile.page` from `evidence/hostile.json`, which
`evidence/hostile.py` makes.

| limit | value | what happens beyond it |
| --- | --- | --- |
| body of an answer, decompressed | 1 MiB; `CONFORMANCE_MAX_BODY=BYTES` | what depends on it is `blocked` |
| body of a hosted page | 128 KiB | as above |
| head, interim answers and chunk sizes of an answer | 512 KiB besides the body | as above |
| an exchange, or going to a page with its redirects | 30 s | as above |
| a run | `--time-limit SECONDS` | what was not judged is `skipped` |
| a file of YAML or JSON | 5 MiB, 100 levels, 100,000 nodes with its aliases | exit code 2 |
| `.env` | 1 MiB, a file | exit code 2 |
| a webhook | 1 MiB, in 10 s, on one of 100 connections; 1,000 of them or 16 MiB a test | 413, closed, 503 |
| a request to the sandbox | 64 KiB of head, 1 MiB of body | 431, 413 |

`conformance doctor --scan PATH` looks for the secrets that you have set in a file or a folder, in every form in which
they are hidden, and in parts of 12 characters: run it on what you share.
"""


def page(evidence: Mapping[str, Any]) -> str:
    """The page."""
    parts = [_INTRODUCTION]
    parts.append(
        "\n## Servers\n\nEach stands before the reference sandbox and answers some requests so; the run judges two or"
        " three rules. Seconds are those of a machine that does other things too; CPU seconds are those of the run.\n\n"
    )
    parts.append(_table(evidence["servers"]))
    parts.append("\n## Files\n\n")
    parts.append(_table(evidence["files"]))
    if kills := evidence.get("kills"):
        halves = sum(bool(each["half_written"]) for each in kills)
        parts.append(
            f"\n## Killed\n\n{len(kills)} commands, `run --report` and `record`, were killed at random moments by INT,"
            f" TERM or KILL: {halves} of them left a file that was not whole.\n"
        )
    if planted := evidence.get("planted"):
        found = sum(bool(each["found"]) for each in planted)
        parts.append(
            f"\n## Secrets\n\nSecrets were planted in the settings of {len(planted)} command lines, most of them"
            " against a server that answers with what it was sent, as it is, in base64, in hex or in a URL:"
            f" {found} of them showed one, or a part of one, in their output, reports or cassettes.\n"
        )
    if renewed := evidence.get("renewed"):
        later = ", ".join(f"{part} ({made['date'][:10]}, of {made['commit'][:7]})" for part, made in renewed.items())
        parts.append(f"\nMeasured anew later than the rest: {later}.\n")
    return "".join(parts)


def _table(entries: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| what it does | how | s | CPU s | MB | verdict | exit | cause named |", f"|{' --- |' * 8}"]
    for kind, shapes in groupby(entries, key=lambda entry: entry["kind"]):
        for number, entry in enumerate(shapes):
            cells = (
                "" if number else kind,
                entry["name"],
                f"{entry['seconds']:g}",
                f"{entry['cpu_seconds']:g}",
                str(entry["megabytes"]),
                entry["verdict"] if entry["right"] else f"{entry['verdict']}, which is not right",
                str(entry["code"]),
                _cause(entry["cause"]),
            )
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cause(text: str) -> str:
    plain = "".join(each if each.isprintable() else " " for each in text)
    short = plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}…"
    for sign in "\\`*_[]<>|":
        short = short.replace(sign, f"\\{sign}")
    return short


def unmeasured(evidence: Mapping[str, Any]) -> list[str]:
    """The kinds and names of servers and files that the evidence does not have."""
    measured = {(entry["kind"], entry["name"]) for part in ("servers", "files") for entry in evidence[part]}
    listed = [(shape.kind, shape.name) for shape in harms.shapes()]
    listed += [(shape.kind, shape.name) for shape in files.shapes()]
    return [f"{kind}: {name}" for kind, name in listed if (kind, name) not in measured]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or check it; 1 if it differs, or something was not measured.

    Args:
        arguments: The command line's, None for the process's own.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, say what differs")
    options = parser.parse_args(arguments)
    evidence = json.loads(EVIDENCE.read_bytes())
    if missing := unmeasured(evidence):
        print(f"evidence/hostile.json lacks {', '.join(missing)}; evidence/hostile.py measures them")
        return 1
    text = page(evidence)
    if options.check:
        if PAGE.read_text(encoding="utf-8") == text:
            return 0
        print("docs/hostile.md differs from evidence/hostile.json; python -m tools.hostile.page writes it")
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
