import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import EntryPoint, version
from pathlib import Path
from pkgutil import walk_packages
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

import conformance
from conformance import ConformanceError
from conformance import api as apis
from conformance.api import Api, UnknownApiError, registered
from conformance.catalogue import Catalogue, CatalogueError
from conformance.cli import app
from conformance.commands import doctor
from conformance.commands.rulebook import proving_faults
from conformance.findings import Finding, Outcome
from conformance.judging.results import Run, results
from conformance.offblocks import OffBlocksApi
from conformance.offblocks import api as offblocks
from conformance.planbok import api as planbok
from conformance.recording.cassettes import CassetteUnreadableError
from conformance.run import Options, SuiteCrashedError, UsageError
from conformance.sandbox.behaviour import declared_changes
from conformance.sandbox.faults import Fault
from conformance.sandbox.introduction import introduction
from conformance.sandbox.server import RunningSandbox, start
from conformance.settings import LiveSettings, SettingsError
from conformance.specification import SpecificationError

RULES = list(Catalogue.load(offblocks.rules).values())
CREATED = "offblocks.customer.created-with-201"
TEST = "offblocks/customer/a_new_one_is_created"


@pytest.fixture(autouse=True)
def one_api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(apis, "registered", lambda: {"offblocks": offblocks})


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def judged(outcome: Outcome, **members: Any) -> dict[str, Any]:
    finding = Finding(CREATED, outcome, test=TEST, **members)
    return results(
        Run(
            Options(seed="0"),
            "recordings",
            {"offblocks": "OffBlocks"},
            datetime(2026, 1, 15, tzinfo=UTC),
            1.0,
            [finding],
            scenarios={finding.test: "Given this, when that."},
        ),
        RULES,
    )


HELD = judged(Outcome.HELD, where="response status", expected="201", got="201")
BROKEN = judged(Outcome.BROKEN, where="response status", expected="201", got="500")
BLOCKED = judged(Outcome.BLOCKED, reason="The server does not answer.")


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], list[Options]]:
    """Have runs give these results, or raise; gives the options of the runs made."""

    def give(outcome: object) -> list[Options]:
        seen: list[Options] = []

        def run(options: Options, _listener: object) -> object:
            seen.append(options)
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        monkeypatch.setattr("conformance.run.run", run)
        return seen

    return give


Give = Callable[[object], list[Options]]


# ------------------------------------------------------------------------------------------------------------- run


@pytest.mark.parametrize(
    ("outcome", "code", "line"),
    [
        (HELD, 0, "CONFORMS in what was judged, 1 of "),
        (BROKEN, 1, "FAILS: OffBlocks"),
        (BLOCKED, 3, "INCONCLUSIVE: OffBlocks"),
    ],
    ids=["conforms", "fails", "inconclusive"],
)
def test_the_exit_code_says_the_verdict(given: Give, outcome: object, code: int, line: str) -> None:
    given(outcome)
    result = invoke("run")
    assert result.exit_code == code
    assert result.stdout.splitlines()[-1].startswith(line)


@pytest.mark.parametrize(
    "error",
    [
        UsageError("Give another option."),
        UnknownApiError("There is no such API."),
        CatalogueError("The rules file is wrong."),
        SpecificationError("The specification is wrong."),
        SettingsError("These settings are missing."),
        CassetteUnreadableError("The cassette is no YAML."),
    ],
)
def test_what_the_user_can_mend_is_exit_2_with_one_message(given: Give, error: Exception) -> None:
    given(error)
    result = invoke("run")
    assert result.exit_code == 2
    assert result.stderr == f"Error: {error}\n"
    assert result.stdout == ""


def test_a_suite_that_crashed_is_exit_3(given: Give) -> None:
    given(SuiteCrashedError("The suite broke, which says nothing of the subject."))
    result = invoke("run")
    assert result.exit_code == 3
    assert result.stderr == "Error: The suite broke, which says nothing of the subject.\n"


def subclasses(kind: type[ConformanceError]) -> set[type[ConformanceError]]:
    return {kind, *(each for direct in kind.__subclasses__() for each in subclasses(direct))}


def test_every_error_of_ours_is_one_message_and_its_exit_code(given: Give) -> None:
    for module in walk_packages(conformance.__path__, "conformance."):
        if ".suite." not in module.name:
            import_module(module.name)
    ours = {each for each in subclasses(ConformanceError) if each.__module__.startswith("conformance")}
    assert {each.__name__: each.exit_code for each in ours} == {
        "AdapterBrokeError": 3,
        "AmbiguousTrafficError": 2,
        "LogNotWrittenError": 2,
        "NotMergedError": 2,
        "NotResumedError": 2,
        "PageFileError": 2,
        "ResultsUnreadableError": 2,
        "ProxyNotStartedError": 2,
        "TrafficUnreadableError": 2,
        "PageNotReachedError": 2,
        "NoOperatorsError": 2,
        "NotCheckedError": 2,
        "NotComparableError": 2,
        "NotForkedError": 3,
        "TableUnreadableError": 2,
        "RequestUnreadableError": 2,
        "AdapterNotStartedError": 2,
        "BaselineError": 2,
        "BrokenApiError": 2,
        "CassetteUnreadableError": 2,
        "CatalogueError": 2,
        "StatementsError": 2,
        "ConformanceError": 2,
        "DescriptionRefusedError": 2,
        "DocumentsUnreadableError": 2,
        "FileUnreadableError": 2,
        "MatrixNotWrittenError": 2,
        "MatrixUnreadableError": 2,
        "NameRefusedError": 2,
        "FolderUnwritableError": 2,
        "NoClusterError": 2,
        "NotRecordedError": 2,
        "NothingToScanError": 2,
        "PackageExistsError": 2,
        "ProbeError": 2,
        "ProbeSilentError": 3,
        "ReportNotWrittenError": 2,
        "SandboxNotStartedError": 2,
        "SettingsError": 2,
        "SpecificationError": 2,
        "SuiteCrashedError": 3,
        "UnknownApiError": 2,
        "UnknownFaultError": 2,
        "UnknownLevelError": 2,
        "UnknownTestError": 2,
        "ProjectSettingsError": 2,
        "UnknownRuleError": 2,
        "UsageError": 2,
        "VectorsUnreadableError": 2,
    }
    for each in ours:
        given(each("This is wrong."))
        result = invoke("run")
        assert (result.exit_code, result.stderr, result.stdout) == (each.exit_code, "Error: This is wrong.\n", "")


def test_an_unforeseen_error_is_told_without_a_traceback(given: Give) -> None:
    given(KeyError("id"))
    result = invoke("run")
    assert result.exit_code == 3
    assert "KeyError: 'id' (test_cli.py, line" in result.stderr
    assert "Traceback" not in result.output


def test_an_interrupted_run_is_exit_130_with_one_line(given: Give) -> None:
    given(KeyboardInterrupt())
    result = invoke("run")
    assert result.exit_code == 130
    assert result.stderr == "Interrupted; there is no verdict.\n"


def test_every_flag_reaches_the_run(given: Give, tmp_path: Path) -> None:
    seen = given(HELD)
    cassettes = tmp_path / "cassettes"
    result = invoke(
        *("run", "offblocks", "--target", "sandbox", "--base-url", "offblocks=http://127.0.0.1:8080/offblocks/"),
        *("--rule", "offblocks.challenge.*", "--rule", CREATED, "--cassettes", str(cassettes), "--seed", "7"),
        *("--strict", "--allow-wait", "--workers", "2", "--pin-agent", "none", "--examples", "3"),
        *("--baseline", str(tmp_path / "known.yaml")),
    )
    assert result.exit_code == 0
    assert seen == [
        Options(
            apis=("offblocks",),
            target="sandbox",
            base_urls={"offblocks": "http://127.0.0.1:8080/offblocks"},
            rule=("offblocks.challenge.*", CREATED),
            cassettes=cassettes,
            seed="7",
            strict=True,
            allow_wait=True,
            pin_agent="none",
            baseline=tmp_path / "known.yaml",
            workers=2,
            examples=3,
        )
    ]


def test_without_flags_the_recordings_of_all_apis_are_judged(given: Give) -> None:
    seen = given(HELD)
    invoke("run")
    assert seen == [Options(workers=None)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "production"), "'production' is not one of"),
        (("--workers", "0"), "'0' is neither a number from 1 up nor auto."),
        (("--workers", "many"), "'many' is neither a number from 1 up nor auto."),
        (("--nonsense",), "--nonsense"),
        (("--base-url", "https://api.example"), "is not API=URL"),
        (("--base-url", "offblocks="), "is not API=URL"),
        (("--base-url", "offblocks=ftp://api.example"), "is not API=URL"),
        (("--base-url", "offblocks=http://[::1"), "is not API=URL"),
        (("--base-url", "offblocks=http://api.example:99999"), "is not API=URL"),
        (("--base-url", "offblocks=https://api.example/v1"), "must end before /v1 or /v2"),
        (("--base-url", "offblocks=https://a.example", "--base-url", "offblocks=https://b.example"), "is given twice"),
    ],
)
def test_wrong_usage_is_exit_2_and_runs_nothing(given: Give, arguments: tuple[str, ...], said: str) -> None:
    seen = given(HELD)
    result = invoke("run", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert seen == []


def test_reports_are_written_to_the_folder(given: Give, tmp_path: Path) -> None:
    given(BROKEN)
    result = invoke("run", "--report", str(tmp_path / "report"))
    assert result.exit_code == 1
    written = json.loads((tmp_path / "report" / "results.json").read_bytes())
    assert written.pop("mistakes")
    assert written == BROKEN
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"results.json", "report.html", "junit.xml"}


def test_a_report_that_cannot_be_written_is_told_before_anything_runs(given: Give, tmp_path: Path) -> None:
    seen = given(HELD)
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = invoke("run", "--report", str(tmp_path / "file" / "report"))
    assert result.exit_code == 2
    assert "No report can be written" in result.stderr
    assert seen == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nonsense",), "There is no API called 'nonsense'. Known: offblocks."),
        (("--rule", "nothing.*"), "No rule matches 'nothing.*'. List them with: conformance rules"),
        (("--target", "live"), "These settings are missing: CONFORMANCE_OFFBLOCKS_BASE_URL"),
    ],
)
def test_a_real_run_that_cannot_be_made_says_what_to_give(arguments: tuple[str, ...], said: str) -> None:
    result = invoke("run", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


# ---------------------------------------------------------------------------------------------------------- record


def test_record_runs_with_recording_on(given: Give) -> None:
    seen = given(HELD)
    invoke("record", "offblocks", "--target", "sandbox", "--rule", CREATED)
    assert seen == [Options(apis=("offblocks",), target="sandbox", rule=(CREATED,), record=True)]


def test_record_tells_what_was_written_and_what_was_not_and_why(given: Give, tmp_path: Path) -> None:
    given(BROKEN)
    result = invoke("record", "--target", "sandbox", "--cassettes", str(tmp_path))
    assert result.exit_code == 1
    assert f"Wrote 0 cassettes of OffBlocks to {tmp_path / 'offblocks'}" in result.stdout
    assert f"not recorded: {TEST}: fail {CREATED}: response status: expected 201, got 500" in result.stdout


def test_a_cassette_that_was_written_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "offblocks" / "customer" / "another.yaml"
    old.parent.mkdir(parents=True)
    old.write_text("before", encoding="utf-8")

    def run(_options: Options, _listener: object) -> dict[str, Any]:
        (old.parent / "a_new_one_is_created.yaml").write_text("now", encoding="utf-8")
        return HELD

    monkeypatch.setattr("conformance.run.run", run)
    result = invoke("record", "--target", "sandbox", "--cassettes", str(tmp_path))
    assert result.exit_code == 0
    assert "Wrote 1 cassettes" in result.stdout
    assert "not recorded" not in result.stdout


@pytest.mark.parametrize("arguments", [(), ("--target", "replay"), ("--target", "documents")])
def test_only_a_server_can_be_recorded(given: Give, arguments: tuple[str, ...]) -> None:
    seen = given(HELD)
    assert invoke("record", *arguments).exit_code == 2
    assert seen == []


# ----------------------------------------------------------------------------------------------------------- rules


def test_rules_as_json_has_sources_and_readings() -> None:
    listed = json.loads(invoke("rules", "--json").stdout)
    assert [rule["id"] for rule in listed] == [rule.id for rule in RULES]
    assert all(rule["sources"][0]["document"]["url"].startswith("https://") for rule in listed)
    assert any(rule["readings"] for rule in listed)


@pytest.mark.parametrize("arguments", [("--json", "show", CREATED), ("show", CREATED, "--json")])
def test_one_rule_as_json_is_that_of_the_list(arguments: tuple[str, ...]) -> None:
    shown = json.loads(invoke("rules", *arguments).stdout)
    assert shown == next(rule for rule in json.loads(invoke("rules", "--json").stdout) if rule["id"] == CREATED)


def test_an_api_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("theirs", "their_package.nowhere:api", apis.GROUP)
    monkeypatch.setattr(apis, "registered", registered.__wrapped__)
    monkeypatch.setattr(apis, "entry_points", lambda group: [point])
    result = invoke("rules")
    assert result.exit_code == 2
    assert "The API 'theirs', registered as their_package.nowhere:api, cannot be loaded: Module" in result.stderr


def test_the_help_of_the_sandbox_lists_its_routes() -> None:
    shown = invoke("sandbox", "--help").stdout
    parts = {
        "",
        "/clock",
        "/faults",
        "/variations",
        "/webhook",
        "/requests",
        "/deliveries",
        "/findings",
        "/reset",
        "/worlds",
    }
    shortcuts = {
        f"/{name}{path}" for name, api in registered().items() if api.sandbox for path in api.sandbox.shortcuts
    }
    assert set(re.findall(r"/_sandbox((?:/[a-z{}]+)*) ", shown)) == parts | shortcuts


def test_rules_of_an_unknown_api_are_refused() -> None:
    result = invoke("rules", "--api", "nonsense")
    assert result.exit_code == 2
    assert "Known: offblocks" in result.stderr


def test_a_broken_rules_file_is_exit_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text("rules: {", encoding="utf-8")

    class BrokenApi(OffBlocksApi):
        def find(self, relative: str) -> Path:
            return tmp_path / "rules.yaml"

    monkeypatch.setattr(apis, "registered", lambda: {"offblocks": BrokenApi()})
    result = invoke("rules")
    assert result.exit_code == 2
    assert "is not YAML" in result.stderr


def test_a_broken_list_of_sources_is_exit_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copy(offblocks.rules, tmp_path)
    (tmp_path / "sources.yaml").write_text("sources: {", encoding="utf-8")

    class BrokenApi(OffBlocksApi):
        def find(self, relative: str) -> Path:
            return tmp_path / Path(relative).name

    monkeypatch.setattr(apis, "registered", lambda: {"offblocks": BrokenApi()})
    result = invoke("rules")
    assert result.exit_code == 2
    assert "sources.yaml is not YAML" in result.stderr


def test_a_rule_is_shown_with_all_that_is_known_of_it() -> None:
    result = invoke("rules", "show", CREATED)
    assert result.exit_code == 0
    rule = next(rule for rule in RULES if rule.id == CREATED)
    for part in (
        rule.title,
        "level       must",
        "basis       documented",
        "party       provider",
        "operations  createCustomer, POST /v1/customers",
        str(rule.sources[0]),
        rule.sources[0].document.url,
        f"conformance run offblocks --rule {CREATED}",
    ):
        assert part in result.stdout


def test_a_contradicted_rule_is_shown_with_its_readings() -> None:
    text = invoke("rules", "show", "offblocks.response.path-prefix").stdout
    assert "reading     v1-only: " in text
    assert "reading     unprefixed-too: " in text


def test_a_rule_is_shown_with_what_its_statements_say_and_where_to_find_them() -> None:
    text = invoke("rules", "show", "offblocks.challenge.renewed-after-the-hour").stdout
    assert (
        "creation.expired-is-replaced: A challenge that was not signed within 1 hour from its issue is replaced" in text
    )
    assert "/customer-creation#:~:text=within%201%20hour%20from\n" in text


@pytest.mark.parametrize(
    ("rule", "command"),
    [
        (CREATED, f"conformance run offblocks --rule {CREATED}"),
        ("offblocks.client.sends-token", "conformance sandbox --judge"),
        ("offblocks.client.takes-events", "conformance webhooks check offblocks --url URL"),
    ],
)
def test_what_judges_a_rule_is_told(rule: str, command: str) -> None:
    assert f"judge it    {command}\n" in invoke("rules", "show", rule).stdout


def test_rules_by_statement_lists_each_statement_with_what_covers_it() -> None:
    result = invoke("rules", "--by-statement")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    begin = lines.index("  creation.fetched-again  Guide, line 102")
    block = "\n".join(lines[begin : begin + 6])
    assert "A challenge that was lost, or could not be signed at once, can be fetched again." in block
    assert "rules     offblocks.challenge.fetched-with-200, offblocks.challenge.stays-until-signed" in block
    assert "offblocks/challenge/a_challenge_is_fetched_again" in block
    assert "AnswersFetchesWith202" in block
    assert "reason    navigation" in result.stdout
    assert " statements: " in lines[-1]


def test_rules_by_statement_as_json_is_of_one_api_if_it_is_named() -> None:
    result = invoke("rules", "--by-statement", "--api", "offblocks", "--json")
    assert result.exit_code == 0, result.stderr
    listed = json.loads(result.stdout)
    assert {each["api"] for each in listed} == {"offblocks"}
    first = listed[0]
    assert set(first) == {
        *("id", "api", "document", "place", "says", "url", "digest", "rules", "tests", "faults", "reason"),
    }
    assert (first["id"], first["reason"]) == ("creation.site", "navigation")


def test_rules_by_statement_is_not_about_one_rule() -> None:
    result = invoke("rules", "--by-statement", "show", CREATED)
    assert result.exit_code == 2
    assert "that does not go with show" in result.stderr


@pytest.mark.parametrize("api", [offblocks, planbok], ids=["offblocks", "planbok"])
def test_the_faults_of_every_rule_are_those_that_break_it(api: Api) -> None:
    faults = {name: each for name, each in declared_changes(api).items() if issubclass(each, Fault)}
    assert faults
    for rule in Catalogue.load(api.rules):
        assert proving_faults(api, rule) == sorted(
            (name for name, each in faults.items() if rule in each.breaks), key=list(faults).index
        )


def test_a_rule_is_shown_with_the_tests_that_judge_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "test_customer.py").write_text(
        "from conformance.scenario import verifies\n\n\n"
        f'@verifies("{CREATED}", "offblocks.other.rule")\ndef test_a_new_one(subject):\n    """Given."""\n\n\n'
        '@verifies("offblocks.other.rule")\ndef test_another(subject):\n    """Given."""\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(OffBlocksApi, "suite", tmp_path)
    text = invoke("rules", "show", CREATED).stdout
    assert "tests       offblocks/customer/a_new_one\n" in text
    assert "another" not in text
    assert "tests       none" in invoke("rules", "show", "offblocks.response.path-prefix").stdout


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("offblocks.customer.created-with-200", CREATED),
        ("path-prefix", "offblocks.response.path-prefix"),
        ("zzz", "List them with: conformance rules"),
        ("x", "List them with: conformance rules"),
    ],
)
def test_an_unknown_rule_is_refused_with_those_that_come_close(wanted: str, said: str) -> None:
    result = invoke("rules", "show", wanted)
    assert result.exit_code == 2
    assert said in result.stderr


# --------------------------------------------------------------------------------------------------------- sandbox


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Have the sandbox stop as soon as it has introduced itself; gives what it was started with."""
    seen: list[dict[str, Any]] = []

    def serve(
        port: int,
        host: str,
        faults: tuple[str, ...],
        seed: str,
        *,
        started: Callable[[RunningSandbox], None],
        beyond_loopback: bool,
        allowed_hosts: tuple[str, ...],
    ) -> None:
        given = {"host": host, "faults": faults, "seed": seed, "beyond_loopback": beyond_loopback}
        seen.append({**given, "allowed_hosts": allowed_hosts})
        with start(port, seed=seed, apis=[offblocks]) as running:
            started(running)

    monkeypatch.setattr("conformance.sandbox.server.serve", serve)
    return seen


def test_the_flags_of_the_sandbox_reach_it(served: list[dict[str, Any]]) -> None:
    changes = ("--fault", "A", "--variation", "B", "--fault", "C")
    invoke("sandbox", "--port", "0", "--seed", "mine", *changes, "--allow-host", "our.box", "--allow-host", "b")
    given = {"host": "127.0.0.1", "faults": ("A", "C", "B"), "seed": "mine", "beyond_loopback": False}
    assert served == [{**given, "allowed_hosts": ("our.box", "b")}]


@pytest.mark.usefixtures("served")
def test_the_sandbox_introduces_itself_with_settings_that_a_live_run_takes(tmp_path: Path) -> None:
    result = invoke("sandbox", "--port", "0")
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if line.startswith("CONFORMANCE_")]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    settings = offblocks.settings.load()
    assert settings.base_url.startswith("http://127.0.0.1:")
    assert set(settings.credentials) == {"first", "second"}
    assert "-----BEGIN PUBLIC KEY-----" in result.stdout


def test_the_first_request_gives_a_token_when_it_is_copied() -> None:
    with start(apis=[offblocks]) as running:
        command = introduction(running, [offblocks])
        command = command[command.index("curl ") :]
        url, body = re.search(r"POST (\S+)", command), re.search(r"-d '(.*)'", command)
        assert url
        assert body
        with httpx.Client() as client:
            answer = client.post(url[1], content=body[1], headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["tokenType"] == "Bearer"


def test_the_first_request_carries_the_key_where_no_token_is_asked_for() -> None:
    with start(apis=[planbok]) as running:
        command = introduction(running, [planbok])
        command = command[command.index("curl ") :]
        url, header = re.search(r"-sS (\S+)", command), re.search(r"-H '(.*): (.*)'", command)
        assert url
        assert header
        with httpx.Client() as client:
            answer = client.get(url[1], headers={header[1]: header[2]})
    assert answer.json()["data"] == []


def test_a_sandbox_beyond_loopback_is_warned_of(served: list[dict[str, Any]]) -> None:
    assert "Everybody who reaches" not in invoke("sandbox", "--port", "0", "--host", "::1").stderr
    assert "Everybody who reaches 192.0.2.1" in invoke("sandbox", "--port", "0", "--host", "192.0.2.1").stderr
    assert [each["beyond_loopback"] for each in served] == [False, True]


@pytest.mark.parametrize("flag", ["--fault", "--variation"])
def test_an_unknown_fault_or_variation_is_refused(flag: str) -> None:
    result = invoke("sandbox", "--port", "0", flag, "NoSuchSin")
    assert result.exit_code == 2
    assert "There is no fault or variation called 'NoSuchSin'" in result.stderr


def test_a_taken_port_is_exit_2() -> None:
    with start(apis=[offblocks]) as running:
        result = invoke("sandbox", "--port", running.origin.rpartition(":")[2])
    assert result.exit_code == 2
    assert "Choose another port" in result.stderr


def test_the_sandbox_serves_until_it_is_interrupted() -> None:
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "  # some shells ignore it
        "from conformance import api, cli; from conformance.offblocks import api as ours; "
        "api.registered = lambda: {'offblocks': ours}; cli.main()"
    )
    command = [sys.executable, "-c", code, "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("The reference sandbox serves at http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert errors == "Stopped.\n"


# ---------------------------------------------------------------------------------------------------------- doctor


@pytest.mark.parametrize(("ok", "code", "word"), [(True, 0, "ok "), (False, 1, "problem ")])
def test_the_doctor_says_each_part_in_a_line(
    monkeypatch: pytest.MonkeyPatch,
    ok: bool,
    code: int,
    word: str,
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: iter([doctor.Check(ok=ok, subject="Python", detail="3.11.7")]))
    result = invoke("doctor")
    assert result.exit_code == code
    assert result.stdout.startswith(word)
    assert "Python: 3.11.7" in result.stdout


@pytest.mark.parametrize(("conclusive", "code"), [(True, 0), (False, 3)])
def test_a_probe_prints_what_it_found_out(monkeypatch: pytest.MonkeyPatch, conclusive: bool, code: int) -> None:
    answer = SimpleNamespace(
        question="Is @query needed?", answer="No.", detail="GET without it was answered 200.", conclusive=conclusive
    )
    settings = SimpleNamespace(load=lambda: LiveSettings("http://127.0.0.1:9", {}))
    monkeypatch.setattr(OffBlocksApi, "probe", SimpleNamespace(probe=lambda _settings: iter([answer])))
    monkeypatch.setattr(OffBlocksApi, "settings", settings)
    result = invoke("doctor", "--probe", "offblocks")
    assert result.exit_code == code
    assert result.stdout == "Is @query needed? No.\n  GET without it was answered 200.\n"
    assert not result.stderr


def test_an_api_without_a_probe_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OffBlocksApi, "probe", None)
    result = invoke("doctor", "--probe", "offblocks")
    assert result.exit_code == 2
    assert result.stderr == "Error: OffBlocks has no probe.\n"


def test_a_probe_without_settings_says_what_to_set() -> None:
    result = invoke("doctor", "--probe", "offblocks")
    assert result.exit_code == 2
    assert "CONFORMANCE_OFFBLOCKS_BASE_URL" in result.stderr


# ------------------------------------------------------------------------------------------------------------ help


@pytest.mark.parametrize("command", ["run", "record", "rules", "sandbox", "judge", "proxy", "doctor"])
def test_every_command_has_help(command: str) -> None:
    assert f" {command}" in invoke("--help").stdout
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert "Options:" in result.stdout


def test_the_version_is_said() -> None:
    result = invoke("--version")
    assert result.exit_code == 0
    assert result.stdout == f"conformance {version('wallet-conformance')}\n"


def test_without_a_command_there_is_help() -> None:
    result = invoke()
    assert result.exit_code == 2
    assert "Judge APIs, rule by rule." in result.output


HEAVY = ("cryptography", "httpx", "hypothesis", "pydantic", "pytest", "rich", "schemathesis", "uvicorn", "vcr", "yaml")


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (["--help"], []),
        (["rules", "show", CREATED], ["rich", "yaml"]),
    ],
    ids=["help", "rules show"],
)
def test_nothing_heavy_is_loaded(arguments: list[str], loaded: list[str]) -> None:
    code = (
        "import atexit, sys; from conformance.cli import main; "
        f"atexit.register(lambda: print(*({{*{HEAVY}}} & {{*sys.modules}}), file=sys.stderr)); main()"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout
    assert sorted(done.stderr.split()) == loaded


# ------------------------------------------------------------------------------------------------- nobody reads on


@pytest.mark.parametrize(
    "arguments",
    [["rules"], ["rules", "--json"], ["rules", "show", CREATED], ["vectors"], ["doctor"], ["--version"]],
    ids=" ".join,
)
def test_output_that_nobody_reads_ends_the_command_in_silence(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", "from conformance.cli import main; main()", *arguments]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["rules"], 2, "Error: what this command writes cannot be written: No space left on device."),
        (["rules", "--json"], 2, "Error: what this command writes cannot be written: No space left on device."),
        (["--version"], 2, "Error: what this command writes cannot be written: No space left on device."),
        (
            ["run", "--rule", CREATED],
            0,
            "The summary cannot be written: No space left on device. The verdict: conforms.",
        ),
    ],
)
def test_a_full_disk_is_no_fault_of_ours(arguments: list[str], code: int, said: str) -> None:
    command = [sys.executable, "-c", "from conformance.cli import main; main()", *arguments]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (code, said)


def test_progress_that_nobody_reads_does_not_end_a_run() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", "from conformance.cli import main; main()", "run", "--rule", CREATED]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=writing, text=True, check=False)
    os.close(writing)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("CONFORMS: ")
