"""The scripts that measure and that gather evidence still work; what they find is nobody's business here."""

import importlib.util
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copy
from types import ModuleType
from typing import Any, Self

import pytest

from conformance.matrix.session import Observation
from conformance.matrix.verdicts import RuleVerdict
from conformance.verdicts import Verdict

CHECKOUT = Path(__file__).parents[1]
CREATED = "offblocks.customer.created-with-201"
ONE_RULE = "offblocks.authentication.expired-token-refused"


def call(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CHECKOUT / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def script(path: str) -> ModuleType:
    """A script of ours, imported."""
    specification = importlib.util.spec_from_file_location(Path(path).stem, CHECKOUT / path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend((CHECKOUT / path).parent)
        specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    sizes = ("--cassettes", "offblocks/flow/", "--repetitions", "1", "--worlds", "3", "--customers", "6")
    done = call("benchmarks/run.py", "--rule", ONE_RULE, *sizes)
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


def test_the_figures_stand_side_by_side(figures: dict[str, Any]) -> None:
    assert list(figures) == [
        *("date", "machine", "comparison", "replay", "shares", "sandbox", "short_commands"),
        *("explanation", "fresh_world", "properties", "sandbox_rate"),
    ]


def test_a_replay_is_measured_by_what_vcrpy_alone_takes(figures: dict[str, Any]) -> None:
    comparison, replay = figures["comparison"], figures["replay"]
    assert comparison["cpu_seconds"] > 0
    assert replay["times_the_comparison"] == {
        name: pytest.approx(replay[name] / comparison[name], abs=0.01) for name in ("seconds", "cpu_seconds")
    }


def test_the_shares_of_a_replay_are_those_of_its_parts(figures: dict[str, Any]) -> None:
    shares = figures["shares"]
    assert sum(shares.values()) == pytest.approx(100, abs=1)
    assert {"imports", "pytest", "yaml", "cassettes", "client rules", "provider rules", "the rest"} <= shares.keys()


def test_what_answers_at_once_and_a_world_have_their_time(figures: dict[str, Any]) -> None:
    assert list(figures["short_commands"]["seconds"]) == ["--help", "--version", "rules show"]
    assert min(figures["short_commands"]["seconds"].values()) > 0
    assert figures["explanation"]["cpu_seconds"] > 0
    assert figures["fresh_world"]["worlds"] == 3
    assert figures["fresh_world"]["p50_ms"] > 0


@pytest.mark.parametrize("target", ["replay", "sandbox"])
def test_a_run_has_its_cost_and_verdicts(figures: dict[str, Any], target: str) -> None:
    run = figures[target]
    assert run["seconds"] > 0
    assert run["cpu_seconds"] > 0
    assert 10 < run["peak_rss_mb"] < 10_000
    assert run["exit_code"] in {0, 1, 3}
    assert list(run["verdicts"]) == [verdict.value for verdict in Verdict]
    assert sum(run["verdicts"].values()) == 1


def test_the_sandbox_run_judges_its_rule(figures: dict[str, Any]) -> None:
    assert figures["sandbox"]["exit_code"] == 0
    assert figures["sandbox"]["verdicts"]["pass"] == 1


def test_the_rate_counts_every_creation(figures: dict[str, Any]) -> None:
    rate = figures["sandbox_rate"]
    assert rate["customers"] == 6
    assert rate["creations_per_second"] > 0
    assert 0 < rate["p50_ms"] <= rate["p99_ms"]


def test_what_is_needed_stands_beside_what_was_measured(figures: dict[str, Any]) -> None:
    needed = {name: figures[name]["needed"] for name in list(figures) if "needed" in figures[name]}
    assert needed == {
        "replay": {"times_the_comparison_at_most": 1.15, "peak_rss_mb_at_most": 120},
        "sandbox": {"seconds_at_most": 15, "cpu_seconds_at_most": 20},
        "short_commands": {"seconds_below": 0.3},
        "explanation": {"cpu_seconds_below": 0.5},
        "fresh_world": {"ms_below": 5},
        "sandbox_rate": {"creations_per_second_at_least": 300, "p99_ms_below": 50},
    }


def test_a_run_that_gives_no_results_says_why() -> None:
    done = call("benchmarks/run.py", "--rule", "no.such.rule", "--cassettes", "offblocks/flow/", "--repetitions", "1")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "conformance run --target replay wrote no results:" in done.stderr
    assert "No rule matches 'no.such.rule'" in done.stderr


def test_a_rule_has_the_time_of_its_tests_and_generated_requests_their_rate() -> None:
    done = call("benchmarks/properties.py", "--rule", "offblocks.customer.broken-json-is-400", "--examples", "3")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["cases"] > 10
    assert figures["cases_per_second"] == pytest.approx(figures["cases"] / figures["seconds_of_cases"], rel=0.1)
    assert figures["seconds_by_rule"]["offblocks.response.undescribed-refused"] > 0
    assert figures["seconds_by_rule"]["offblocks.customer.broken-json-is-400"] > 0
    assert list(figures["seconds_by_rule"].values()) == sorted(figures["seconds_by_rule"].values(), reverse=True)


def test_a_file_of_traffic_has_its_seconds_and_verdict() -> None:
    done = call("benchmarks/traffic.py", "--exchanges", "12", "--repetitions", "1")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["exchanges"] >= 12
    assert figures["seconds"] > 0
    assert figures["verdict"].startswith("CONFORMS in what was judged")
    assert figures["needed"] == {"seconds_at_most_for_2000": 3.0}


def test_a_run_that_generates_nothing_has_no_rate(figures: dict[str, Any]) -> None:
    assert (figures["properties"]["cases"], figures["properties"]["cases_per_second"]) == (0, None)
    assert next(iter(figures["properties"]["seconds_by_rule"])).startswith("offblocks.")


# ---------------------------------------------------------------------------------------------------- evidence: seeds


@pytest.fixture(scope="module")
def seeds() -> ModuleType:
    """``evidence/seeds.py``, imported."""
    return script("evidence/seeds.py")


@pytest.mark.usefixtures("repository")
def test_seeds_that_make_no_difference_exit_0_and_are_written_down(tmp_path: Path) -> None:
    output = tmp_path / "seeds.json"
    done = call("evidence/seeds.py", "--runs", "2", "--rule", ONE_RULE, "--output", str(output))
    assert done.returncode == 0, done.stderr
    found = json.loads(output.read_bytes())
    assert found["rules"] == {ONE_RULE: "pass"}
    assert found["verdicts"]["pass"] == [1]
    assert found["seeds"] == ["1", "2"]
    assert found["differences"] == {}
    assert found["uncommitted_changes"] in {True, False}
    assert len(found["commit"]) == 40
    assert found["date"].endswith("+00:00")
    assert "pass             1 rules\n" in done.stdout
    assert found["alarms"] == {}
    assert "0 rules differ, 0 raise an alarm\n" in done.stdout


def test_the_scenarios_are_the_tests_that_generate_nothing(seeds: ModuleType) -> None:
    scenarios = seeds.scenarios()
    assert "planbok/page/a_wrong_pin_completes_nothing" in scenarios
    assert {test.split("/")[1] for test in scenarios} & {"properties", "sequences"} == set()
    assert {test.split("/")[0] for test in scenarios} == {"offblocks", "planbok"}


def test_a_verdict_that_differs_is_told_with_its_seeds(seeds: ModuleType) -> None:
    runs = {
        "1": {"a.b": "pass", "a.c": "pass", "a.d": "note"},
        "2": {"a.b": "pass", "a.c": "fail", "a.d": "note"},
        "3": {"a.b": "pass", "a.c": "pass"},
    }
    assert seeds.differences(runs) == {
        "a.c": {"pass": ["1", "3"], "fail": ["2"]},
        "a.d": {"note": ["1", "2"], "absent": ["3"]},
    }


@pytest.mark.usefixtures("repository")
def test_a_difference_stands_in_the_table_and_fails(
    seeds: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(seeds, "ProcessPoolExecutor", FakePool)
    assert seeds.main(["--runs", "2", "--output", str(tmp_path / "seeds.json")]) == 1
    printed = capsys.readouterr().out
    assert "a.b: pass with 1; fail with 2\n" in printed
    assert "pass        0 or 1 rules\n" in printed
    assert "alarm: a.b is pass or fail\n" in printed
    assert "1 rules differ, 1 raise an alarm\n" in printed


def test_what_takes_hours_asks_git_first(seeds: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(seeds, "ProcessPoolExecutor", lambda *_arguments, **_options: pytest.fail("It has begun."))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"which git does not tell: .*No such file"):
        seeds.main(["--output", str(tmp_path / "seeds.json")])


class FakePool:
    """Instead of runs, a rule that passes with the first seed alone."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def map(self, run: object, seeds: list[str], rules: object) -> list[dict[str, str]]:
        return [{"a.b": "pass" if seed == "1" else "fail"} for seed in seeds]


# ----------------------------------------------------------------------------------------------- evidence: variations


@pytest.fixture(scope="module")
def variations() -> ModuleType:
    """``evidence/variations.py``, imported."""
    return script("evidence/variations.py")


@pytest.mark.parametrize(
    ("changed", "told"), [("evidence/new.json", False), ("evidence/seeds.py", True), ("conformance/new.json", True)]
)
def test_only_evidence_may_differ_from_the_commit(repository: str, tmp_path: Path, changed: str, *, told: bool) -> None:
    for folder in ("evidence", "conformance"):
        (tmp_path / folder).mkdir()
    copy(CHECKOUT / "evidence/origin.py", tmp_path / "evidence")
    (tmp_path / ".gitignore").write_text("__pycache__/\n")
    git = [repository, "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "all"]):
        subprocess.run([*git, *command], check=True)
    (tmp_path / changed).write_text("new")
    assert script(str(tmp_path / "evidence/origin.py")).origin()["uncommitted_changes"] is told


@pytest.mark.usefixtures("repository")
def test_an_alarm_that_a_variation_raises_is_told_and_fails(
    variations: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def generated(api: object, name: str | None) -> Observation:
        del api
        verdict = Verdict.FAIL if name == "SaysNothingInRefusals" else Verdict.PASS
        return Observation({"offblocks/properties/a_test": {CREATED: RuleVerdict(verdict, verdict)}}, 1.0, {})

    monkeypatch.setattr(variations, "generated", generated)
    monkeypatch.setattr(variations, "processes", ThreadPoolExecutor)
    output = tmp_path / "variations.json"
    assert variations.main(["SaysNothingInRefusals", "WrapsTheList", "--output", str(output)]) == 1
    printed = capsys.readouterr().out
    assert f"alarm: {CREATED}, with SaysNothingInRefusals\n" in printed
    assert "1 of 2 variations raise an alarm\n" in printed
    written = json.loads(output.read_bytes())
    assert len(written["commit"]) == 40
    assert written["uncommitted_changes"] in {True, False}
    found = written["variations"]
    assert {each["name"]: each["alarms"] for each in found} == {"SaysNothingInRefusals": [CREATED], "WrapsTheList": []}


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("name", ["NoSuchVariation", "KeepsKeysForADay"])
def test_what_is_no_variation_is_refused(variations: ModuleType, tmp_path: Path, name: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        variations.main([name, "--output", str(tmp_path / "variations.json")])
    assert stopped.value.code == 2
    assert not (tmp_path / "variations.json").exists()


def test_what_a_report_costs_is_measured_with_the_sizes_of_its_files() -> None:
    done = call("benchmarks/report.py", "--rules", "3")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["rules"], figures["exchanges"]) == (3, 30)
    assert list(figures["html"]["mb"]) == ["report.html", "results.json"]
    assert len(figures["all forms"]["mb"]) == 6
    assert figures["html"]["cpu_seconds"] > 0
    assert figures["needed"] == {"seconds_below": 3, "peak_rss_mb_below": 300, "report_html_mb_below": 2}
