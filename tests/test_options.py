"""What a run is asked to do: from words to one object, and from process to process."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from conformance.options import (
    FIXED_SEED,
    Options,
    PinAgentName,
    TargetName,
    about_options,
    pytest_options,
    read_base_urls,
)

ALL = Options(
    time_limit=60,
    max_requests=100,
    max_age=86400,
    screenshots=Path("/pictures"),
    smoke=True,
    allow_production=True,
    rate=2.5,
    ends_at=1.5,
    apis=("offblocks", "planbok"),
    target="live",
    base_urls={"offblocks": "https://a.example/x", "planbok": "http://127.0.0.1:1"},
    rule=("offblocks.*", "planbok.key.a"),
    tests=("offblocks/customer/a",),
    cassettes=Path("/recorded"),
    seed="a b",
    strict=True,
    allow_wait=True,
    pin_agent="none",
    min_judged=90,
    baseline=Path("/known.yaml"),
    workers=3,
    record=True,
    record_failing=True,
    examples=7,
    thorough=True,
    reduce=False,
    exit_first=True,
    known=("offblocks.customer.a",),
    done=("offblocks/customer/a",),
)


def test_one_json_carries_every_option() -> None:
    assert all(getattr(ALL, each.name) != getattr(Options(), each.name) for each in fields(Options))
    assert Options.read(json.loads(ALL.to_json())) == ALL


def test_a_folder_is_carried_from_where_it_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    carried = Options.read(json.loads(Options(cassettes=Path("mine"), baseline=Path("known.yaml")).to_json()))
    assert (carried.cassettes, carried.baseline) == (tmp_path / "mine", tmp_path / "known.yaml")


def test_what_was_not_given_is_carried_as_not_given() -> None:
    assert Options.read(json.loads(Options().to_json())) == Options()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["offblocks"], "'offblocks' is not API=URL"),
        (["=https://a.example"], "is not API=URL"),
        (["offblocks=ftp://a.example"], "begins with https:// or http://"),
        (["offblocks=https://a.example:99999"], "is not API=URL"),
        (["offblocks=https://a.example/v2/"], "must end before /v1 or /v2"),
        (["offblocks=https://a.example?x=1"], "must end before /v1 or /v2, without a query"),
        (["offblocks=https://a.example", "offblocks=https://b.example"], "offblocks is given twice"),
    ],
)
def test_a_wrong_base_url_is_refused_with_what_is_wrong(words: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        read_base_urls(words)


def test_base_urls_end_without_a_slash() -> None:
    assert read_base_urls(["a=https://a.example/x/", "b=http://127.0.0.1:1"]) == {
        "a": "https://a.example/x",
        "b": "http://127.0.0.1:1",
    }


@pytest.mark.parametrize(
    ("options", "seed"),
    [
        (Options(), FIXED_SEED),
        (Options(target="sandbox"), FIXED_SEED),
        (Options(target="live"), "fresh"),
        (Options(target="live", seed="7"), "7"),
        (Options(seed="7"), "7"),
    ],
)
def test_a_run_always_has_a_seed(options: Options, seed: str) -> None:
    assert options.seeded(lambda: "fresh").seed == seed


@pytest.mark.parametrize(
    ("target", "given", "effective"),
    [
        ("replay", None, "http"),
        ("sandbox", None, "http"),
        ("live", None, "none"),
        ("live", "http", "http"),
        ("sandbox", "none", "none"),
    ],
)
def test_nobody_stands_in_at_a_page_of_the_vendor_unless_asked_to(
    target: TargetName, given: PinAgentName | None, effective: str
) -> None:
    assert Options(target=target, pin_agent=given).effective_pin_agent == effective


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (Options(), True),
        (Options(rule=("x.*",)), False),
        (Options(rule=("x.*", "a.*.c")), True),
        (Options(tests=("a/b/name.one",)), True),
        (Options(tests=("a/b/name",)), True),
        (Options(tests=("a/b/name.two",)), False),
        (Options(tests=("a/b/name",), rule=("x.*",)), True),
        (Options(tests=("a/b/other",), rule=("a.*",)), False),
    ],
)
def test_a_test_is_wanted_for_its_name_and_its_rules(options: Options, wanted: bool) -> None:
    assert options.wants_test("a/b/name.one", ["a.b.c", "a.b.d"]) is wanted


def test_a_test_without_a_rule_is_wanted_unless_rules_are_asked_for() -> None:
    assert Options().wants_test("a/b/c", [])
    assert not Options(rule=("a.*",)).wants_test("a/b/c", [])


def test_patterns_without_a_rule_are_named() -> None:
    assert Options(rule=("a.*", "b.*", "*.c")).unmatched_patterns(["a.b.c"]) == ["b.*"]


@pytest.mark.parametrize(
    ("options", "processes"),
    [
        (Options(workers=3), 3),
        (Options(workers=None), 1),
        (Options(workers=None, target="live"), 1),
        (Options(workers=None, target="sandbox"), 8),
        (Options(workers=None, target="sandbox", rule=("a.*",)), 1),
        (Options(workers=None, target="sandbox", tests=("a/b/c",)), 1),
    ],
)
def test_auto_gives_a_whole_run_on_the_sandbox_each_core(options: Options, processes: int) -> None:
    assert options.processes(8) == processes


def test_every_option_says_what_it_does() -> None:
    assert about_options().keys() == {each.name for each in fields(Options)}
    assert all(about.help.endswith(".") for about in about_options().values())


def test_pytest_has_every_option_but_what_it_has_itself() -> None:
    options = list(pytest_options())
    by_field = {each.field: each.taken() for each in options}
    assert {each.name for each in fields(Options)} - by_field.keys() == {
        *("allow_production", "apis", "baseline", "done", "ends_at", "exit_first", "known", "max_age", "min_judged"),
        *("record_failing", "reduce", "smoke", "time_limit", "workers"),
    }
    assert [each.flag for each in options] == [
        *("--conformance-target", "--conformance-base-url", "--conformance-rule", "--conformance-test"),
        *("--conformance-cassettes", "--conformance-seed", "--conformance-strict", "--conformance-allow-wait"),
        *("--conformance-pin-agent", "--conformance-screenshots", "--conformance-rate"),
        *("--conformance-max-requests", "--conformance-record"),
        *("--conformance-examples", "--conformance-thorough"),
    ]
    assert by_field["target"]["choices"] == ("replay", "sandbox", "live")
    assert by_field["pin_agent"]["choices"] == ("http", "browser", "person", "none")
    assert by_field["examples"]["type"] is int
    assert by_field["rate"]["type"] is float
    assert all(taken["default"] is None for taken in by_field.values())
    assert [each.ini for each in options][:2] == ["conformance_target", "conformance_base_url"]


def test_it_imports_nothing_of_ours() -> None:
    program = (
        "import sys; from conformance_pytest import load; load('options'); "
        "print([name for name in sys.modules if name.split('.')[0] == 'conformance'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
