"""Write what the pages show of ``evidence/*.json``, or with ``--check`` say which page differs.

These are docs/faults.md, and what stands between marks in README.md, docs/peers.md, evidence/README.md and
benchmarks/README.md.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.api import registered
from conformance.matrix.form import MatrixUnreadableError, read
from conformance.matrix.trials import SECTIONS, Trial, trials
from conformance.mutants.form import TableUnreadableError
from conformance.mutants.form import read as read_mutants
from conformance.reporting.faults import block, page
from conformance.reporting.mutants import sentence as mutants_in_short

CHECKOUT = Path(__file__).parents[1]
EVIDENCE = CHECKOUT / "evidence"
COMPARISONS = {
    "`st run`, default examples": EVIDENCE / "schemathesis.json",
    "`st run`, 500 examples": EVIDENCE / "schemathesis-500.json",
}
"""What ``benchmarks/beside_schemathesis.py`` printed, by the column that it becomes."""

PEERS = {"respect": "`respect`", "prism": "`prism`", "specmatic": "`specmatic`", "dredd": "`dredd`"}
"""The columns of the comparison that ``benchmarks/beside_peers.py`` printed, by the name there."""

OF_PEERS = ("peers.json", "schemathesis-identities.json")

FAULTY = ("faults", "mutations")

Evidence = Mapping[str, Any]
"""The content of a file of evidence."""


class EvidenceUnreadableError(ValueError):
    """A file of evidence cannot be read; the message says which and why."""


def texts() -> dict[Path, str]:
    """What the pages should hold.

    Raises:
        MatrixUnreadableError: If the matrix cannot be read.
        TableUnreadableError: If the table of code mutants cannot be read.
        EvidenceUnreadableError: If another file cannot.
    """
    matrix = read(EVIDENCE / "matrix.json")
    titles = {name: api.title for name, api in registered().items()}
    comparisons = {name: _content(path) for name, path in COMPARISONS.items()}
    return {
        CHECKOUT / "docs" / "faults.md": f"{page(matrix, titles)}{newer(matrix)}",
        CHECKOUT / "README.md": _between_marks(CHECKOUT / "README.md", block(matrix) + _mutants() + _peers(matrix)),
        CHECKOUT / "docs" / "peers.md": _between_marks(
            CHECKOUT / "docs" / "peers.md",
            beside_peers(
                _content(EVIDENCE / "peers.json"), _content(EVIDENCE / "schemathesis-identities.json"), matrix
            ),
        ),
        EVIDENCE / "README.md": _between_marks(EVIDENCE / "README.md", dated()),
        CHECKOUT / "benchmarks" / "README.md": _between_marks(
            CHECKOUT / "benchmarks" / "README.md", f"{cost(comparisons)}\n{side_by_side(comparisons)}"
        ),
    }


def unmeasured(matrix: Evidence) -> list[Trial]:
    """The faults, mutations and variations that are newer than a matrix, or break other rules than it was told."""
    measured = {
        (part, entry["api"], entry["name"], tuple(entry.get("breaks", ())))
        for part in SECTIONS
        for entry in matrix[part]
    }
    return [each for each in trials() if (each.section, each.api, each.name, each.breaks) not in measured]


def newer(matrix: Evidence) -> str:
    """A section of the page that names what the matrix does not measure yet; empty if there is nothing."""
    found = unmeasured(matrix)
    if not found:
        return ""
    lines = [f"- `{each.name}` ({each.section})" for each in found]
    return (
        f"\n## Newer than the measurement\n\nThese {len(found)} were added since, or break other rules now. "
        "`tests/test_faults.py` tries for every rule a fault that breaks it, these among them, and every variation.\n\n"
        + "\n".join(lines)
        + "\n"
    )


def _mutants() -> str:
    """The row of the table of the README that tells of code mutants."""
    return f"| code mutants | {mutants_in_short(read_mutants(EVIDENCE / 'mutants.json')['summary'])} |\n"


def _content(path: Path) -> Evidence:
    try:
        content: Evidence = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EvidenceUnreadableError(f"The file {path} cannot be read: {error}") from error
    return content


def _between_marks(path: Path, text: str) -> str:
    """The page with `text` between its marks, each of them a line of its own."""
    content = path.read_text(encoding="utf-8")
    return re.sub(r"(?<=<!-- measured -->\n).*?(?=<!-- /measured -->)", lambda _: text, content, flags=re.DOTALL)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def dated() -> str:
    """What each file of evidence shows, when and of which commit it was made."""
    rows = []
    for path in sorted(EVIDENCE.glob("*.json")):
        found = _content(path)
        if "commit" in found:
            rows.append((f"`{path.name}`", found["date"][:10], found["commit"][:7], _in_short(found)))
    return _table(("file", "made on", "of commit", "what it found"), rows)


def _in_short(found: Evidence) -> str:  # noqa: PLR0911 - one form of evidence after another
    if "mutants" in found:
        return mutants_in_short(found["summary"])
    if "variations" in found:
        alarming = sum(bool(each["alarms"]) for each in found["variations"])
        return f"{alarming} of {len(found['variations'])} variations raise an alarm"
    if "crossings" in found:
        crossed = [is_caught for each in found["crossings"] for is_caught in each["crossed"].values()]
        of_all = f"{len(found['crossings'])} of {found['of_faults']} faults"
        return f"{sum(crossed)} of {len(crossed)} crossings of {of_all} caught"
    if "wrong" in found:
        return f"{len(found['wrong'])} of {len(found['runs'])} live runs against servers of other authors went wrong"
    if "servers" in found:
        parts = [found[part] for part in ("servers", "files", "kills", "planted") if part in found]
        wrong = sum(not entry["right"] for part in parts for entry in part)
        return f"{wrong} of {sum(map(len, parts))} servers, files, kills and planted secrets went wrong"
    if "noticed" in found:
        return f"{found['noticed']} of {found['made']} alterations noticed"
    return (
        f"in {found['runs']} runs of {len(found['rules'])} rules {len(found['differences'])} rules differ, "
        f"{len(found['alarms'])} raise an alarm"
    )


def cost(comparisons: Mapping[str, Evidence]) -> str:
    """What the suite and schemathesis caught together, and what a run of each cost.

    Args:
        comparisons: What was measured, by the column that it becomes.
    """
    first = next(iter(comparisons.values()))
    rows = [("`conformance run`", *_cost(first, lambda row: [row["suite"]]))]
    rows += [(name, *_cost(found, lambda row: row["schemathesis"])) for name, found in comparisons.items()]
    alarms = [sum(len(of_api[who]) for of_api in first["unchanged"].values()) for who in ("suite", "schemathesis")]
    made = f"Measured on {first['date'][:10]}, {first['machine']}, {first['workers']} runs of `st` at a time. "
    made += f"Of the sandbox as it is, the suite reports {alarms[0]} failures, `st` with default examples {alarms[1]}."
    return f"{made}\n\n{_table(('', *FAULTY, 'seconds a run', 'requests a run'), rows)}"


def _cost(found: Evidence, runs_of: Callable[[Evidence], Sequence[Evidence]]) -> tuple[str, ...]:
    """The cells of a row: what was caught of each section, then what a run took."""
    runs = [run for row in _rows(found) for run in runs_of(row)]
    means = [sum(run[what] for run in runs) / len(runs) for what in ("seconds", "requests")]
    caught = (_caught([runs_of(row) for row in found.get(section, ())]) for section in FAULTY)
    return *caught, *(f"{mean:.0f}" for mean in means)


def _caught(runs: Sequence[Sequence[Evidence]]) -> str:
    """How many were caught in any of their runs, and how many in all if these are fewer."""
    some, every = (sum(agree(run["caught"] for run in of_one) for of_one in runs) for agree in (any, all))
    if not runs:
        return "not tried"
    return f"{some} of {len(runs)}" + (f", {every} with every seed" if every < some else "")


def side_by_side(comparisons: Mapping[str, Evidence]) -> str:
    """Each fault and mutation, and who caught it.

    Args:
        comparisons: What was measured, by the column that it becomes.
    """
    found = {name: {row["name"]: row for row in _rows(of)} for name, of in comparisons.items()}
    rows = []
    for name in dict.fromkeys(name for rows in found.values() for name in rows):
        ours = next(of[name]["suite"]["caught"] for of in found.values() if name in of)
        cells = [_seeds(of[name]["schemathesis"]) if name in of else "not tried" for of in found.values()]
        rows.append((f"`{name}`", "caught" if ours else "missed", *cells))
    return _table(("fault or mutation", "`conformance run`", *found), rows)


def beside_peers(peers: Evidence, identities: Evidence, matrix: Evidence) -> str:
    """Who caught which of the ten faults, with what was measured when.

    Args:
        peers: What ``benchmarks/beside_peers.py`` printed.
        identities: What ``benchmarks/beside_schemathesis.py`` printed with two identities.
        matrix: What the suite catches.
    """
    ours = {each["name"]: each for section in FAULTY for each in matrix[section]}
    st = {row["name"]: _seeds(row["schemathesis"]) for row in _rows(identities)}
    rows = [
        (
            _told(ours[row["name"]]),
            "caught" if ours[row["name"]]["caught"] else "missed",
            st.get(row["name"], "not tried"),
            *(_peer(row["peers"][name]) for name in PEERS),
        )
        for row in peers["faults"]
    ]
    versions = ", ".join(f"{name} {number}" for name, number in _versions(peers, identities))
    return (
        f"Measured on {peers['date'][:10]} and, for `st`, {identities['date'][:10]}, {peers['machine']}. {versions}. "
        f"Of {len(rows)}, {_totals(peers, matrix)}.\n\n"
        + _table(("the sandbox", "this suite", "`st run`", *PEERS.values()), rows)
    )


def _totals(peers: Evidence, matrix: Evidence) -> str:
    """How many each tool catches."""
    caught = {each["name"] for section in FAULTY for each in matrix[section] if each["caught"]}
    own = sum(row["name"] in caught for row in peers["faults"])
    told = [(column, sum(row["peers"][name]["caught"] for row in peers["faults"])) for name, column in PEERS.items()]
    return ", ".join([f"this suite catches {own}", *(f"{column} {number}" for column, number in told)])


def _peers(matrix: Evidence) -> str:
    """The row of the table of the README that tells of other tools."""
    peers = _content(EVIDENCE / "peers.json")
    return f"| of {len(peers['faults'])} faults, shown to peers too | {_totals(peers, matrix)} |\n"


def _told(fault: Evidence) -> str:
    """What a fault does, and its name where that says something else."""
    title = fault.get("title", "")
    return f"{title} `{fault['name']}`" if fault["name"].isalnum() else title


def _peer(found: Evidence) -> str:
    if not found["ran"]:
        return "did not run"
    return "caught" if found["caught"] else "missed"


def _versions(peers: Evidence, identities: Evidence) -> list[tuple[str, str]]:
    """Each tool with the version that was measured."""
    told = [text.rpartition(" ") for name, text in peers["versions"].items() if name != "wallet-conformance"]
    own = [("wallet-conformance", peers["versions"]["wallet-conformance"])]
    return [*own, ("schemathesis", identities["versions"]["schemathesis"]), *((name, of) for name, _, of in told)]


def _rows(found: Evidence) -> list[Evidence]:
    return [row for section in FAULTY for row in found.get(section, ())]


def _seeds(runs: Sequence[Evidence]) -> str:
    caught = sum(run["caught"] for run in runs)
    return f"caught with {caught} of {len(runs)} seeds" if caught else "missed"


def main() -> None:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(prog="python -m tools.evidence", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a page differs")
    check = parser.parse_args().check
    try:
        pages = texts()
    except (EvidenceUnreadableError, MatrixUnreadableError, TableUnreadableError) as error:
        sys.exit(f"{error}\nHow to make it again stands in evidence/README.md.")
    stale = False
    for path, text in pages.items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale = True
        name = path.relative_to(CHECKOUT).as_posix()
        if check:
            print(f"{name} is not what python -m tools.evidence makes: run it, and look at what changed.")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"Wrote {name}")
    sys.exit(check and stale)


if __name__ == "__main__":
    main()
