"""What is known to fail does not fail a run; what does not fail any more, or is not borne any more, does."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from click.testing import CliRunner

from conformance.api import registered
from conformance.catalogue import Catalogue, Rule
from conformance.cli import app
from conformance.commands import baselines
from conformance.files import data_path
from conformance.findings import Finding, Outcome
from conformance.judging.baseline import Baseline, BaselineError, write_baseline
from conformance.judging.results import Run, results
from conformance.options import Options
from conformance.reporting.console import summary
from conformance.reporting.html import html
from conformance.reporting.junit import junit
from conformance.reporting.lines import Output
from conformance.reporting.phrases import verdict_line

RULES = list(Catalogue.load(registered()["offblocks"].rules).values())
FAILING, OTHER = [r for r in RULES if r.level == "must" and r.basis == "documented" and r.party == "provider"][:2]
INFERRED = next(r for r in RULES if r.basis == "inferred" and r.level == "must" and not r.protects)
HELD, BROKEN, BLOCKED = Outcome.HELD, Outcome.BROKEN, Outcome.BLOCKED
SCHEMA = jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/results.json").read_bytes()))


def entry(rule: Rule, **more: str) -> dict[str, str]:
    return {"rule": rule.id, "reason": "The vendor knows.", **more}


def written(folder: Path, *entries: object, form: str = "conformance-baseline/1") -> Path:
    path = folder / "known.yaml"
    path.write_text(yaml.safe_dump({"format": form, "entries": list(entries)}), encoding="utf-8")
    return path


def judged(baseline: Path | None, *seen: tuple[Rule, Outcome], strict: bool = False) -> dict[str, Any]:
    findings = [Finding(rule.id, outcome, "status", "201", "500", reason="", test="t") for rule, outcome in seen]
    known = Baseline.load(baseline, [rule.id for rule in RULES]) if baseline else None
    started = datetime(2026, 6, 1, 12, tzinfo=UTC)
    run = Run(Options(seed="0", strict=strict), "it", {"offblocks": "OffBlocks"}, started, 1, findings, baseline=known)
    told = results(run, RULES)
    assert list(SCHEMA.iter_errors(told)) == []
    return told


def states(told: dict[str, Any]) -> list[str]:
    return [each["state"] for each in told["baseline"]["entries"]]


def test_a_known_failure_does_not_fail_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = judged(written(tmp_path, entry(FAILING, ticket="T-1")), (FAILING, BROKEN), (OTHER, HELD))
    assert (told["verdict"], states(told)) == ("conforms", ["known"])
    assert next(rule for rule in told["rules"] if rule["id"] == FAILING.id)["verdict"] == "fail"
    assert "but for 1 known failure" in verdict_line(told)
    summary(told, Output())
    said = capsys.readouterr().out
    assert "KNOWN  1 entry" in said
    assert f"{FAILING.id}  known to fail (The vendor knows.; T-1)" in said
    assert "FAIL  " not in said
    assert "<failure" not in junit(told)
    assert "known to fail" in html(told)


def test_a_new_failure_beside_a_known_one_fails_the_run(tmp_path: Path) -> None:
    told = judged(written(tmp_path, entry(FAILING)), (FAILING, BROKEN), (OTHER, BROKEN))
    assert told["verdict"] == "fails"
    assert junit(told).count("<failure") == 1


@pytest.mark.parametrize(
    ("outcome", "until", "state", "verdict"),
    [
        (HELD, None, "gone", "fails"),
        (BROKEN, "2026-06-01", "known", "conforms"),
        (BROKEN, "2026-05-31", "expired", "fails"),
        (HELD, "2026-05-31", "expired", "fails"),
        (Outcome.SKIPPED, None, "not judged", "conforms"),
        (BLOCKED, None, "not judged", "inconclusive"),
    ],
)
def test_an_entry_stands_to_the_run_as_its_rule_does(
    outcome: Outcome, until: str | None, state: str, verdict: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = {"until": until} if until else {}
    told = judged(written(tmp_path, entry(FAILING, **more)), (FAILING, outcome), (OTHER, HELD))
    assert (states(told), told["verdict"]) == ([state], verdict)
    summary(told, Output())
    assert ("BASELINE WRONG" in capsys.readouterr().out) is (state in {"gone", "expired"})
    assert ('classname="baseline"' in junit(told)) is (state in {"gone", "expired"})


def test_a_rule_without_a_test_was_not_judged(tmp_path: Path) -> None:
    told = judged(written(tmp_path, entry(FAILING)), (OTHER, HELD))
    assert (states(told), told["verdict"]) == (["not judged"], "conforms")


def test_a_note_needs_no_entry_but_a_failure_under_strict_does(tmp_path: Path) -> None:
    path = written(tmp_path, entry(INFERRED))
    seen = ((INFERRED, BROKEN), (OTHER, HELD))
    assert judged(None, *seen)["verdict"] == "conforms"
    assert (states(judged(path, *seen)), judged(path, *seen)["verdict"]) == (["needless"], "conforms")
    assert judged(None, *seen, strict=True)["verdict"] == "fails"
    assert (states(judged(path, *seen, strict=True)), judged(path, *seen, strict=True)["verdict"]) == (
        ["known"],
        "conforms",
    )


def test_dates_need_no_quotation_marks(tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    lines = f"format: conformance-baseline/1\nentries:\n  - {{rule: {FAILING.id}, reason: Known., until: 2026-12-31}}\n"
    path.write_text(lines, encoding="utf-8")
    assert str(Baseline.load(path, [FAILING.id]).entries[0].until) == "2026-12-31"


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([{"rule": "offblocks.customer.nope", "reason": "x"}], "which there is not"),
        ([{"rule": FAILING.id[:-1], "reason": "x"}], f"Did you mean {FAILING.id}"),
        ([{"rule": FAILING.id, "reason": ""}], f"gives no reason for {FAILING.id}"),
        ([{"rule": FAILING.id, "reason": "  "}], "gives no reason"),
        ([{"rule": FAILING.id}], '"reason" is a required property'),
        ([{"rule": FAILING.id, "reason": "x", "until": "soon"}], "'soon', which is no date"),
        ([{"rule": FAILING.id, "reason": "x", "until": "2026-02-30"}], "'2026-02-30', which is no date"),
        ([{"rule": FAILING.id, "reason": "x", "until": "2026-02-03T10:00:00"}], "which is no date"),
        ([{"rule": FAILING.id, "reason": "x", "until": 3}], f"entries/0/until ({FAILING.id})"),
        ([{"rule": FAILING.id, "reason": "x", "why": "y"}], "Additional properties"),
        ([entry(FAILING), entry(FAILING)], "more than once"),
        ([3], "entries/0"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(entries: list[object], said: str, tmp_path: Path) -> None:
    path = written(tmp_path, *entries)
    with pytest.raises(BaselineError) as raised:
        Baseline.load(path, [rule.id for rule in RULES])
    assert said in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"a: [", b"[]", b"\x00", b"format: conformance-baseline/2\nentries: []"])
def test_what_is_no_baseline_is_exit_2(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    path.write_bytes(content)
    result = CliRunner().invoke(app, ["run", "offblocks", "--baseline", str(path)])
    assert (result.exit_code, str(path) in result.stderr) == (2, True)


def test_a_missing_baseline_is_exit_2_before_anything_runs(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["run", "offblocks", "--baseline", str(tmp_path / "nowhere.yaml")])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot be read" in result.stderr


@pytest.mark.parametrize("name", ["/dev/zero", "pipe"])
def test_a_baseline_that_has_no_end_is_not_read(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BaselineError, match=r"cannot be read: it is a (device|pipe), not a file"):
        Baseline.load(tmp_path / name, set())


def test_a_first_baseline_lacks_its_reasons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "first.yaml"
    baselines.write(path, judged(None, (FAILING, BROKEN), (OTHER, HELD)))
    assert "say of 1 why they are borne" in capsys.readouterr().err
    with pytest.raises(BaselineError, match="gives no reason"):
        Baseline.load(path, [FAILING.id])
    path.write_text(path.read_text(encoding="utf-8").replace("reason: ''", "reason: The vendor knows."), "utf-8")
    assert [each.rule for each in Baseline.load(path, [FAILING.id]).entries] == [FAILING.id]


def test_a_next_baseline_keeps_what_was_said(tmp_path: Path) -> None:
    known = written(tmp_path, entry(FAILING, ticket="T-1", until="2026-12-31"))
    path = tmp_path / "next.yaml"
    assert write_baseline(path, judged(known, (FAILING, BROKEN), (OTHER, BROKEN))) == 1
    found = {each["rule"]: each for each in yaml.safe_load(path.read_bytes())["entries"]}
    assert found[FAILING.id] == {**entry(FAILING), "ticket": "T-1", "until": "2026-12-31"}
    assert found[OTHER.id]["reason"] == ""


def test_a_baseline_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="cannot be written to"):
        write_baseline(tmp_path / "no" / "where.yaml", judged(None, (OTHER, HELD)))
