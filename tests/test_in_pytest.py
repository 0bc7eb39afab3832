"""The suites in a team's own pytest: how tests are chosen and set, and the verdict at the end."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from conformance.options import Options, pytest_options
from conformance.run import run

pytest_plugins = ["pytester"]

ALONE = ("-p", "no:cacheprovider", "-p", "no:schemathesis")
EXPIRY = (*ALONE, "--pyargs", "conformance.offblocks.suite.test_challenge_expiry")
"""One file of a suite, which is collected sooner than all of them."""
RULE = "offblocks.challenge.expires-after-one-hour"
TEST = "offblocks/challenge_expiry/a_challenge_is_refused_after_the_hour"


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Load what a run needs, which pytester would load anew for each test."""
    run(Options(("offblocks",), "sandbox", tests=(TEST,)))


@pytest.fixture
def pytest_of_a_team(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder of a team in which pytest runs as they start it."""
    monkeypatch.setenv("COLUMNS", "80")
    return pytester


def told(result: pytest.RunResult) -> list[str]:
    """What stands below the heading of the suites, as far as it is the verdict's."""
    lines = result.stdout.lines
    heading = next(number for number, line in enumerate(lines) if line.strip("= ") == "conformance")
    following = lines[heading + 1 :]
    return following[: next(number for number, line in enumerate(following) if line.startswith("="))]


def test_the_verdict_stands_in_the_summary(pytest_of_a_team: pytest.Pytester) -> None:
    result = pytest_of_a_team.runpytest_inprocess(*ALONE, "--pyargs", "conformance.offblocks.suite.test_digest")
    (line,) = told(result)
    assert line.startswith("CONFORMS in what was judged, ")
    assert "OffBlocks, recordings of the reference sandbox" in line
    assert result.ret == pytest.ExitCode.OK


def test_what_is_wrong_stands_above_it_in_a_line_each(pytest_of_a_team: pytest.Pytester) -> None:
    chosen = (f"--conformance-rule={RULE}", f"--conformance-cassettes={pytest_of_a_team.path}", "-x")
    result = pytest_of_a_team.runpytest_inprocess(*EXPIRY, *chosen)
    wrong, verdict = told(result)
    assert wrong.startswith("blocked 1 rule  There are no cassettes of OffBlocks in ")
    assert verdict.startswith("INCONCLUSIVE: OffBlocks, ")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes()["errors"] == 1  # of several tests that judge it


def test_the_report_is_that_of_a_run(pytest_of_a_team: pytest.Pytester) -> None:
    result = pytest_of_a_team.runpytest_inprocess(
        *EXPIRY, f"--conformance-test={TEST}", "--conformance-report=out", "--junitxml=theirs.xml"
    )
    assert told(result)[1:] == [f"Wrote {Path('out', name)}" for name in ("results.json", "report.html", "junit.xml")]
    found = json.loads((pytest_of_a_team.path / "out" / "results.json").read_bytes())
    assert found["verdict"] == "conforms"
    assert found["target"] == "replay"
    assert found["selected"] == {"rules": [], "tests": [TEST]}
    assert found["tests"] == 1
    assert next(rule["verdict"] for rule in found["rules"] if rule["id"] == RULE) == "pass"
    cases = ET.parse(pytest_of_a_team.path / "theirs.xml").getroot().findall(".//testcase")
    assert [case.get("name") for case in cases] == ["test_a_challenge_is_refused_after_the_hour"]


def test_tests_are_chosen_by_api_and_topic_and_counted(pytest_of_a_team: pytest.Pytester) -> None:
    chosen = "conformance(topic='customer') and not conformance(api='planbok')"
    result = pytest_of_a_team.runpytest_inprocess(*ALONE, "--pyargs", "conformance", "--co", "-q", "-m", chosen)
    listed = [line for line in result.stdout.lines if "::" in line]
    assert listed
    assert {line.partition("::")[0] for line in listed} == {"offblocks/suite/test_customer.py"}


def test_the_team_leaves_the_suites_out_by_one_mark(pytest_of_a_team: pytest.Pytester) -> None:
    own = pytest_of_a_team.makepyfile("def test_own():\n    pass\n")
    result = pytest_of_a_team.runpytest_inprocess(*EXPIRY, own, "-m", "not conformance")
    assert result.parseoutcomes()["passed"] == 1
    assert not [line for line in result.stdout.lines if line.strip("= ") == "conformance"]


def test_who_runs_none_of_the_suites_is_told_nothing(pytest_of_a_team: pytest.Pytester) -> None:
    pytest_of_a_team.makepyfile("def test_own():\n    pass\n")
    result = pytest_of_a_team.runpytest_inprocess(*ALONE)
    assert result.parseoutcomes() == {"passed": 1}
    assert not [line for line in result.stdout.lines if line.strip("= ") == "conformance"]


def test_the_ini_file_says_what_is_always_given(pytest_of_a_team: pytest.Pytester) -> None:
    pytest_of_a_team.makeini(
        f"""
        [pytest]
        addopts = --strict-config --strict-markers
        conformance_target = sandbox
        conformance_rule =
            {RULE}
        conformance_seed = 7
        conformance_strict = true
        conformance_examples = 1
        conformance_test = {TEST}
        conformance_report = out
        """
    )
    result = pytest_of_a_team.runpytest_inprocess(*EXPIRY)
    assert result.ret == pytest.ExitCode.OK, result.stdout.str()
    found = json.loads((pytest_of_a_team.path / "out" / "results.json").read_bytes())
    assert (found["target"], found["seed"], found["strict"], found["examples"]) == ("sandbox", "7", True, 1)
    assert found["selected"]["rules"] == [RULE]


def test_the_command_line_comes_before_the_ini_file_whose_folder_names_paths(
    pytest_of_a_team: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest_of_a_team.makeini(
        f"[pytest]\nconformance_target = live\nconformance_cassettes = mine\nconformance_test = {TEST}\n"
    )
    inner = pytest_of_a_team.mkdir("inner")
    monkeypatch.chdir(inner)
    result = pytest_of_a_team.runpytest_inprocess(*EXPIRY, "-c", "../tox.ini", "--conformance-target=replay")
    wrong, _ = told(result)
    assert f"There are no cassettes of OffBlocks in {pytest_of_a_team.path / 'mine' / 'offblocks'}" in wrong


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("conformance_target = production", "conformance_target: 'production' is not one of replay, sandbox, live."),
        ("conformance_examples = many", "conformance_examples: 'many' is no number."),
        ("conformance_base_url = offblocks", "'offblocks' is not API=URL"),
    ],
)
def test_what_the_ini_file_cannot_say_is_told(pytest_of_a_team: pytest.Pytester, line: str, said: str) -> None:
    pytest_of_a_team.makeini(f"[pytest]\n{line}\n")
    result = pytest_of_a_team.runpytest_inprocess(*EXPIRY)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.stderr.str() + result.stdout.str()


def test_a_report_that_cannot_be_written_is_told_before_anything_runs(pytest_of_a_team: pytest.Pytester) -> None:
    (pytest_of_a_team.path / "file").touch()
    result = pytest_of_a_team.runpytest_inprocess(*EXPIRY, "--conformance-report=file/out")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "No report can be written to file/out" in result.stderr.str()


def test_a_report_that_cannot_be_written_in_the_end_is_no_good_end(pytest_of_a_team: pytest.Pytester) -> None:
    (pytest_of_a_team.path / "file").touch()
    pytest_of_a_team.makeini(f"[pytest]\nconformance_report = file/out\nconformance_test = {TEST}\n")
    result = pytest_of_a_team.runpytest_inprocess(*EXPIRY)
    assert result.parseoutcomes()["passed"] == 1
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert told(result)[-1].startswith(f"No report can be written to {pytest_of_a_team.path / 'file' / 'out'}")


def test_the_example_of_the_page_is_taken(pytest_of_a_team: pytest.Pytester) -> None:
    page = (Path(__file__).parents[1] / "docs" / "pytest.md").read_text(encoding="utf-8")
    pytest_of_a_team.makeini(page.partition("```ini\n")[2].partition("```")[0] + "addopts = --strict-config\n")
    result = pytest_of_a_team.runpytest_inprocess(*EXPIRY, "--co", "-q")
    assert result.ret == pytest.ExitCode.OK, result.stderr.str()
    assert any("@" in line for line in result.stdout.lines)  # the sandbox has circumstances
    assert not (pytest_of_a_team.path / "reports").exists()  # nothing was judged


def test_the_page_has_each_setting_and_nothing_else() -> None:
    page = (Path(__file__).parents[1] / "docs" / "pytest.md").read_text(encoding="utf-8")
    settings = [option.ini for option in pytest_options()]
    assert re.findall(r"^\| `(conformance_\w+)` \|", page, re.MULTILINE) == [*settings, "conformance_report"]
