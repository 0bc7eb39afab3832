"""What `conformance report` costs for results of many rules, each broken by many exchanges, and how large it is.

Nothing but the standard library is loaded here, as in `run.py`, so that the child's peak memory is its own.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from run import CONFORMANCE, cost  # type: ignore[import-not-found]  # it lies beside this script

NEEDED = {"seconds_below": 3, "peak_rss_mb_below": 300, "report_html_mb_below": 2}
FORMS = ("html", "junit", "sarif", "summary", "har")
SOURCE = "https://docs.example/guide"
EXCHANGES_OF_A_RULE = 10


def rule(number: int, exchanges: int) -> dict[str, Any]:
    """A rule that each of so many exchanges breaks in another place."""
    said = {"text": f"Guide, line {number}", "says": f"Answer {number} is of its form.", "url": f"{SOURCE}#{number}"}
    finding = {"held": False, "verdict": "fail", "expected": "a text of this form", "reading": None, "reason": ""}
    return {
        "id": f"wallets.answers.rule-{number}",
        "api": "wallets",
        "title": f"Answer {number} has the form that the guide describes.",
        "level": "must",
        "basis": "documented",
        "party": "provider",
        "protects": "isolation" if number % 5 == 0 else None,
        "sources": [{"text": "Guide, Answers (schema)", "url": SOURCE, "statements": [said] * 3}],
        "verdict": "fail",
        "reason": "response /data: expected a text",
        "blocked_by": None,
        "findings": [
            {
                **finding,
                "test": f"wallets/answers/test_{number}_{each}",
                "where": f"response /data/{each}",
                "got": f"another one, {number} of {each}",
                "exchange": f"wallets/answers/test_{number}#{each}",
            }
            for each in range(exchanges)
        ],
    }


def exchange(identifier: str) -> dict[str, Any]:
    """An exchange with bodies of 1 and 4 KB."""
    headers = [["Content-Type", "application/json"], ["Date", "Thu, 15 Jan 2026 12:00:00 GMT"]]
    return {
        "id": identifier,
        "operation": "listAnswers",
        "identity": "first",
        "at": "2026-01-15T12:00:00+00:00",
        "seconds": 0.01,
        "breaks": [],
        "request": {
            "method": "POST",
            "url": f"https://api.example/{identifier}",
            "headers": headers,
            "body": "q" * 1000,
        },
        "response": {"status": 200, "headers": headers, "body": "a" * 4000},
    }


def large_results(rules: int) -> dict[str, Any]:
    """Results of so many rules, each broken by ten exchanges of its own."""
    judged = [rule(number, EXCHANGES_OF_A_RULE) for number in range(rules)]
    ids = [finding["exchange"] for each in judged for finding in each["findings"]]
    tests = {finding["test"]: "Given a question, when it is asked." for each in judged for finding in each["findings"]}
    others = ("error", "warn", "note", "blocked", "pass", "skipped", "untested")
    return {
        "format": "conformance-results/1",
        "suite": {"version": "0"},
        "target": "live",
        "subject": "https://api.example",
        "seed": "1",
        "examples": 10,
        "strict": False,
        "cassettes": None,
        "pin_agent": None,
        "allow_wait": False,
        "started": "2026-01-15T12:00:00+00:00",
        "duration_s": 60,
        "verdict": "fails",
        "summary": {"fail": rules, **dict.fromkeys(others, 0)},
        "apis": {"wallets": "Wallets"},
        "base_urls": {},
        "tests": len(tests),
        "scenarios": tests,
        "remarks": [],
        "broken_but_inferred": [],
        "rules": judged,
        "exchanges": [exchange(each) for each in ids],
    }


def write_large_results(rules: int) -> None:
    """Write them to standard output: in a process of its own, whose memory nobody measures."""
    json.dump(large_results(rules), sys.stdout)


def main() -> None:
    """Measure, and print the figures as one JSON object.

    Raises:
        SystemExit: If a report was not made; the message is what was said instead.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rules", type=int, default=500, help="how many rules there are (default 500)")
    rules = parser.parse_args().rules
    with TemporaryDirectory() as folder:
        make = "import sys; from report import write_large_results as write; write(int(sys.argv[1]))"
        here = Path(__file__).parent
        with Path(folder, "results.json").open("w", encoding="utf-8") as file:
            subprocess.run([sys.executable, "-c", make, str(rules)], stdout=file, check=True, cwd=here)  # noqa: S603  (the command above)
        figures = {"rules": rules, "exchanges": EXCHANGES_OF_A_RULE * rules, "needed": NEEDED}
        for forms in (("html",), FORMS):
            into = Path(folder, "-".join(forms))
            made = cost([*CONFORMANCE, "report", folder, "--into", str(into), *(f"--format={form}" for form in forms)])
            if made.exit_code != 1:
                raise SystemExit(f"conformance report ended with {made.exit_code}:\n{made.said}")
            sizes = {path.name: round(path.stat().st_size / 1e6, 3) for path in sorted(into.iterdir())}
            figures["all forms" if forms == FORMS else "html"] = {**made.figures(), "mb": sizes}
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
