"""What is known to fail already: a file that says of each rule why, by which ticket, and until when that is borne."""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from conformance import ConformanceError
from conformance.files import data_path, first_problem, read_bounded, write_whole
from conformance.speed.plain_yaml import read_yaml
from conformance.verdicts import Verdict

FORMAT = "conformance-baseline/1"
_LARGEST = 4 * 1024 * 1024
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNJUDGED = {Verdict.ERROR, Verdict.BLOCKED, Verdict.SKIPPED, Verdict.UNTESTED}
_HEAD = f"""\
# What is known to fail. Say of each rule why that is borne (`reason`); without it the file is refused. `ticket` and
# `until`, the last day on which it is borne, may be left out.
format: {FORMAT}
"""


class BaselineError(ConformanceError, ValueError):
    """A baseline cannot be read or written, or says what cannot be; the message says what to mend."""


class State(StrEnum):
    """How an entry of a baseline stands to a run."""

    KNOWN = "known"
    GONE = "gone"
    EXPIRED = "expired"
    NEEDLESS = "needless"
    NOT_JUDGED = "not judged"
    NOT_PART = "not part of the run"


FAILING = (State.GONE, State.EXPIRED)
"""The states of an entry that fail a run."""


@dataclass(frozen=True)
class Entry:
    """A rule that is known to fail.

    Args:
        rule: Its id.
        reason: Why that is borne.
        ticket: Where it is followed up, empty if that is not said.
        until: The last day on which it is borne (UTC), None without one.
    """

    rule: str
    reason: str
    ticket: str = ""
    until: date | None = None

    def state(self, verdict: Verdict | None, today: date) -> State:
        """How it stands to a run.

        Args:
            verdict: What the run says of the rule, None if it is not part of it.
            today: The day of the run (UTC).
        """
        if self.until is not None and today > self.until:
            return State.EXPIRED
        if verdict is None:
            return State.NOT_PART
        if verdict in _UNJUDGED:
            return State.NOT_JUDGED
        return {Verdict.FAIL: State.KNOWN, Verdict.PASS: State.GONE}.get(verdict, State.NEEDLESS)


@dataclass(frozen=True)
class Baseline:
    """What is known to fail.

    Args:
        path: The file that says so.
        entries: The rules.
    """

    path: Path
    entries: Sequence[Entry] = field(default=())

    @staticmethod
    def load(path: Path, rules: Collection[str]) -> "Baseline":
        """Read a baseline.

        Args:
            path: A YAML file in the form of ``specs/schemas/baseline.json``.
            rules: The ids of all rules that there are.

        Raises:
            BaselineError: If it is missing, no YAML, of another form, names a rule that there is not or one twice,
                lacks a reason, or has a date that is none.
        """
        try:
            raw = _with_text_dates(read_yaml(read_bounded(path, _LARGEST)))
        except OSError as error:
            raise BaselineError(f"The baseline {path} cannot be read: {error.strerror}.") from error
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise BaselineError(f"The baseline {path} is not YAML: {' '.join(str(error).split())}") from error
        if problem := first_problem(_schema(), raw):
            place, message = problem
            raise BaselineError(f"The baseline {path} is wrong at {_place(raw, place)}: {message}")
        entries = [_entry(each, path) for each in raw["entries"]]
        _check(entries, rules, path)
        return Baseline(path, entries)

    def told(self, verdicts: Mapping[str, Verdict], today: date) -> list[dict[str, Any]]:
        """How each entry stands to a run, in the form of ``specs/schemas/results.json``.

        Args:
            verdicts: What the run says of each rule, by its id.
            today: The day of the run (UTC).
        """
        return [
            {
                "rule": entry.rule,
                "reason": entry.reason,
                "ticket": entry.ticket or None,
                "until": entry.until.isoformat() if entry.until else None,
                "state": entry.state(verdicts.get(entry.rule), today).value,
            }
            for entry in self.entries
        ]


def _with_text_dates(raw: Any) -> Any:
    """What YAML took for dates, as text again."""
    for entry in raw.get("entries") or () if isinstance(raw, dict) else ():
        until = entry.get("until") if isinstance(entry, dict) else None
        if isinstance(until, date):
            entry["until"] = str(until) if isinstance(until, datetime) else until.isoformat()
    return raw


@cache
def _schema() -> Any:
    import jsonschema_rs  # noqa: PLC0415  (50 ms that only a reader of baselines should pay)

    return jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/baseline.json").read_bytes()))


def _place(raw: Any, place: Sequence[str | int]) -> str:
    """A place in a baseline, with the rule that it is about."""
    where = "/".join(map(str, place)) or "the top"
    match place:
        case ["entries", int(index), *_]:
            entry = raw["entries"][index]
            named = entry.get("rule") if isinstance(entry, dict) else None
            return f"{where} ({named})" if isinstance(named, str) else where
        case _:
            return where


def _entry(raw: Mapping[str, Any], path: Path) -> Entry:
    if not raw["reason"].strip():
        raise BaselineError(f"The baseline {path} gives no reason for {raw['rule']}: say why its failure is borne.")
    until = raw.get("until")
    day = _day(until) if until is not None else None
    if until is not None and day is None:
        raise BaselineError(
            f"In the baseline {path} {raw['rule']} is borne until {until!r}, which is no date such as 2026-12-31."
        )
    return Entry(raw["rule"], raw["reason"].strip(), raw.get("ticket") or "", day)


def _day(text: str) -> date | None:
    """The day that a text names, None if it names none."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _check(entries: Iterable[Entry], rules: Collection[str], path: Path) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.rule not in rules:
            close = " or ".join(get_close_matches(entry.rule, rules))
            hint = f"Did you mean {close}?" if close else "List them with: conformance rules"
            raise BaselineError(f"The baseline {path} names the rule {entry.rule!r}, which there is not. {hint}")
        if entry.rule in seen:
            raise BaselineError(f"The baseline {path} names {entry.rule} more than once.")
        seen.add(entry.rule)


def write_baseline(path: Path, results: Mapping[str, Any]) -> int:
    """Write a first baseline: an entry for each rule that fails, for a person to complete.

    What the baseline of the run said of a rule that still fails stays.

    Args:
        path: Where to.
        results: In the form of ``specs/schemas/results.json``.

    Returns:
        How many entries lack a reason.

    Raises:
        BaselineError: If it cannot be written.
    """
    known = {entry["rule"]: entry for entry in results.get("baseline", {}).get("entries", ())}
    entries = []
    for rule in results["rules"]:
        if rule["verdict"] == Verdict.FAIL:
            before = known.get(rule["id"], {})
            kept = {name: before[name] for name in ("ticket", "until") if before.get(name)}
            entries.append({"rule": rule["id"], "reason": before.get("reason", ""), **kept})
    body = yaml.safe_dump({"entries": entries}, sort_keys=False, allow_unicode=True, width=1000)
    try:
        write_whole(path, _HEAD + body)
    except OSError as error:
        raise BaselineError(
            f"The baseline cannot be written to {path}: {error.strerror}. Give another file."
        ) from error
    return sum(not entry["reason"] for entry in entries)
