"""The manners of `conformance run`: what it says and when it stops, a project's defaults, what a shell completes."""

import re
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from conformance.cli import app, run
from conformance.commands.endings import stopped_by
from conformance.commands.pyproject import keys
from conformance.options import Options

CREATED = "offblocks.customer.created-with-201"
HELD: dict[str, Any] = {"verdict": "conforms", "rules": []}

Seen = Callable[[], list[Options]]


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def in_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """The options of the runs that are made; nothing is run."""
    found: list[Options] = []

    def noted(options: Options, _listener: object) -> dict[str, Any]:
        found.append(options)
        return HELD

    monkeypatch.setattr("conformance.run.run", noted)
    monkeypatch.setattr("conformance.commands.running._tell", lambda *_given, **_how: None)
    return found


# -------------------------------------------------------------------------------------------------- what is said, when


def test_it_is_a_module_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "conformance", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("conformance ")


def test_the_commands_are_listed_in_whole_sentences_that_fit_80_columns() -> None:
    _usage, *lines = invoke("--help").stdout.splitlines()
    assert [line for line in lines if line.endswith("...") or len(line) > 80] == []


def test_quiet_says_the_verdict_alone_where_nothing_is_wrong() -> None:
    result = invoke("run", "offblocks", "-q", "--rule", CREATED)
    assert (result.exit_code, result.stderr) == (0, "")
    (line,) = result.stdout.splitlines()
    assert line.startswith("CONFORMS: OffBlocks, ")


def test_quiet_says_what_is_wrong_in_a_line_each(tmp_path: Path) -> None:
    result = invoke("run", "offblocks", "-q", "--cassettes", str(tmp_path), "--rule", CREATED)
    assert (result.exit_code, result.stderr) == (3, "")
    wrong, verdict = result.stdout.splitlines()
    assert wrong.startswith("blocked 1 rule  There are no cassettes of OffBlocks in ")
    assert verdict.startswith("INCONCLUSIVE: OffBlocks, ")


def test_quiet_and_verbose_exclude_each_other(seen: list[Options]) -> None:
    result = invoke("run", "-q", "-v")
    assert (result.exit_code, seen) == (2, [])
    assert "--quiet and --verbose exclude each other." in result.stderr


def test_a_failure_is_said_on_standard_error_before_the_summary(tmp_path: Path) -> None:
    result = invoke("run", "offblocks", "--cassettes", str(tmp_path), "--rule", CREATED)
    assert result.stderr.startswith(f"BLOCKED {CREATED}  There are no cassettes of OffBlocks in ")


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("offblocks/customer/a_new_customer_is_creatd", "Did you mean offblocks/customer/a_new_customer_is_created"),
        ("offblocks/customer/a_new_customer_is_created@never", "There is no circumstance 'never'. There are: "),
        ("zzz", "conformance rules show RULE lists those that judge a rule."),
    ],
)
def test_a_test_that_there_is_not_is_refused(seen: list[Options], test: str, said: str) -> None:
    result = invoke("run", "--test", test)
    assert (result.exit_code, seen) == (2, [])
    assert said in result.stderr


def test_a_test_and_the_first_failure_reach_the_run(seen: list[Options]) -> None:
    test = "offblocks/customer/a_new_customer_is_created@crowd"
    invoke("run", "-x", "--test", test)
    assert seen == [Options(tests=(test,), exit_first=True, workers=None)]


# ---------------------------------------------------------------------------------------------- a project's defaults

PROJECT = """
[project]
name = "ours"

[tool.conformance]
apis = ["offblocks"]
target = "sandbox"
base-url = { offblocks = "http://127.0.0.1:8080/offblocks" }
rule = ["offblocks.customer.*"]
cassettes = "recorded"
seed = 7
strict = true
allow-wait = false
pin-agent = "none"
screenshots = "pictures"
rate = 2.5
max-requests = 900
max-age = "30d"
min-judged = 80
baseline = "known.yaml"
time-limit = 60
workers = 2
examples = 3
"""


def project(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")


def test_a_project_says_what_is_always_given(seen: list[Options], tmp_path: Path) -> None:
    project(tmp_path, PROJECT)
    result = invoke("run")
    assert result.exit_code == 0, result.output
    assert seen == [
        Options(
            apis=("offblocks",),
            target="sandbox",
            base_urls={"offblocks": "http://127.0.0.1:8080/offblocks"},
            rule=("offblocks.customer.*",),
            cassettes=tmp_path / "recorded",
            seed="7",
            strict=True,
            pin_agent="none",
            screenshots=tmp_path / "pictures",
            rate=2.5,
            min_judged=80,
            baseline=tmp_path / "known.yaml",
            time_limit=60,
            workers=2,
            examples=3,
        )
    ]


def test_the_page_has_each_option_that_a_project_can_set_and_nothing_else() -> None:
    page = (Path(__file__).parents[1] / "docs" / "command-line.md").read_text(encoding="utf-8")
    table = page[page.index("| key | value |") : page.index("A key that there is not")]
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == list(keys(run))
    assert list(tomllib.loads(PROJECT)["tool"]["conformance"]) == list(keys(run))


def test_the_command_line_comes_first_and_the_nearest_file_that_has_the_table(
    seen: list[Options], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path, '[tool.conformance]\nseed = "1"\nexamples = 3\ncassettes = "recorded"\n')
    inner = tmp_path / "part" / "of it"
    inner.mkdir(parents=True)
    project(inner.parent, "[tool.other]\n")
    monkeypatch.chdir(inner)
    invoke("run", "offblocks", "--seed", "2")
    assert seen == [Options(apis=("offblocks",), seed="2", examples=3, cassettes=tmp_path / "recorded", workers=None)]


def test_what_comes_from_the_project_is_said(seen: list[Options], tmp_path: Path) -> None:
    project(tmp_path, '[tool.conformance]\nseed = "1"\nexamples = 3\n')
    assert invoke("run", "--seed", "2").stderr == f"examples as in {tmp_path / 'pyproject.toml'}\n"
    assert invoke("record", "--target", "sandbox").stderr == f"seed, examples as in {tmp_path / 'pyproject.toml'}\n"
    assert invoke("run", "-q").stderr == ""
    assert [each.seed for each in seen] == ["2", "1", "1"]


def test_what_a_project_says_of_servers_stays_out_of_a_replay(seen: list[Options], tmp_path: Path) -> None:
    project(tmp_path, PROJECT)
    invoke("run", "--target", "replay")
    invoke("run", "--target", "documents")
    invoke("run", "--target", "live")
    assert [(each.cassettes, each.max_requests, each.max_age) for each in seen] == [
        (tmp_path / "recorded", None, 30 * 86_400),
        (None, None, None),
        (tmp_path / "recorded", 900, None),
    ]
    assert [bool(each.base_urls) for each in seen] == [False, False, True]


def test_a_recording_takes_of_it_what_it_knows(seen: list[Options], tmp_path: Path) -> None:
    project(tmp_path, PROJECT)
    invoke("record", "--target", "sandbox", "--seed", "9")
    (options,) = seen
    assert (options.target, options.seed, options.examples, options.strict) == ("sandbox", "9", 3, False)
    assert options.cassettes == tmp_path / "recorded"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("targt = 'live'", "has 'targt', which is no option of it. Did you mean 'target'?"),
        ("min_judged = 3", "has 'min_judged', which is no option of it. Did you mean 'min-judged'?"),
        ("zzz = 3", "has 'zzz', which is no option of it. There are: allow-wait, apis, base-url,"),
        ("report = 'here'", "has 'report', which is no option of it."),
        ("target = 'production'", "target = 'production': 'production' is not one of"),
        ("examples = 0", "examples = 0: 0 is not in the range x>=1."),
        ("examples = 2.5", "examples = 2.5: '2.5' is not a valid integer range."),
        ("examples = true", "examples = True: It is a text or a number."),
        ("workers = 'many'", "workers = 'many': 'many' is neither a number from 1 up nor auto."),
        ("strict = 'yes'", "strict = 'yes': It is true or false."),
        ("rule = 'offblocks.*'", "rule = 'offblocks.*': It is a list of texts."),
        ("base-url = 'http://a.example'", "It is a table of URLs by API"),
        ("base-url = { offblocks = 'ftp://a.example' }", "is not API=URL"),
        ("= 3", "pyproject.toml cannot be read: "),
    ],
)
def test_what_a_project_cannot_say_is_told_with_its_place(
    seen: list[Options], tmp_path: Path, text: str, said: str
) -> None:
    project(tmp_path, f"[tool.conformance]\n{text}\n")
    result = invoke("run")
    assert (result.exit_code, seen) == (2, [])
    assert result.stderr.startswith(f"Error: {tmp_path / 'pyproject.toml'}")
    assert said in result.stderr


def test_the_example_of_the_page_is_taken(seen: list[Options], tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "command-line.md").read_text(encoding="utf-8")
    project(tmp_path, page.partition("```toml\n")[2].partition("```")[0])
    assert invoke("run").exit_code == 0
    assert seen[0].baseline == tmp_path / "known-failures.yaml"
    assert seen[0].base_urls == {"offblocks": "http://127.0.0.1:8080/offblocks"}


def test_the_options_of_the_page_are_those_of_a_run() -> None:
    page = (Path(__file__).parents[1] / "docs" / "command-line.md").read_text(encoding="utf-8")
    written = re.findall(r"`(-{1,2}[a-z][\w-]*)", page[: page.index("## Repeat")])
    assert written
    known = {name for parameter in (*run.params, *app.params) for name in parameter.opts}
    assert [each for each in written if each not in known | {"--help"}] == []


def test_help_needs_no_file_that_is_right(tmp_path: Path) -> None:
    project(tmp_path, "[tool.conformance]\ntargt = 3\n")
    assert invoke("run", "--help").exit_code == 0
    assert invoke("rules", "--help").exit_code == 0


# ----------------------------------------------------------------------------------------------- what a shell completes


@pytest.mark.parametrize(
    ("typed", "incomplete", "offered"),
    [
        ([], "ru", ["run", "rules"]),
        (["run"], "off", ["offblocks"]),
        (["run", "--target"], "s", ["sandbox"]),
        (["run", "--rule"], "offblocks.customer.created-w", [CREATED]),
        (["rules", "show"], "offblocks.customer.created-w", [CREATED]),
        (["sandbox", "--fault"], "AcceptsExpiredT", ["AcceptsExpiredToken"]),
        (["sandbox", "--variation"], "RefusesAccessWith403", ["RefusesAccessWith403"]),
        (["faults", "check"], "AcceptsExpiredT", ["AcceptsExpiredToken"]),
        (["proxy"], "off", ["offblocks"]),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else each,
)
def test_a_shell_is_offered_what_fits(typed: list[str], incomplete: str, offered: list[str]) -> None:
    shell = ShellComplete(app, {}, "conformance", "_CONFORMANCE_COMPLETE")
    assert [each.value for each in shell.get_completions(typed, incomplete)] == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_given_its_script(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(app, [], prog_name="conformance", env={"_CONFORMANCE_COMPLETE": f"{shell}_source"})
    assert result.exit_code == 0
    assert "_CONFORMANCE_COMPLETE" in result.stdout


# --------------------------------------------------------------------------------------------------- how it is stopped


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_command_as_ctrl_c_does_even_where_it_is_ignored(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), stopped_by(number):
            signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_of_several_signals_to_end_one_counts() -> None:
    before, after = signal.getsignal(signal.SIGTERM), list[str]()
    with stopped_by(signal.SIGTERM):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # as timeout(1) does
        after.append("what had been found is told")
    assert after
    assert signal.getsignal(signal.SIGTERM) is before


def test_elsewhere_than_in_the_main_thread_signals_stay_as_they_are() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), list[object]()

    def work() -> None:
        with stopped_by(signal.SIGTERM):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
