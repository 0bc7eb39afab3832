"""The kill matrix: what counts as caught, what is run for it, how it is kept."""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import conformance as package
from conformance.api import registered
from conformance.catalogue import Basis, Catalogue, Party
from conformance.cli import app
from conformance.matrix import filling
from conformance.matrix.cluster import NoClusterError, cluster
from conformance.matrix.filling import Entry, Matrix
from conformance.matrix.form import MatrixUnreadableError, read, source_digest
from conformance.matrix.judgement import holds, judge, notices, summary, upper_bound
from conformance.matrix.observation import Rehearsal, differing_tests, is_generated, observe_differing, rehearse
from conformance.matrix.trials import SECTIONS, Trial, listing, strongest_basis, trials
from conformance.matrix.verdicts import RuleVerdict
from conformance.matrix.workers import processes
from conformance.reporting.faults import block, figures, page
from conformance.sandbox.behaviour import declared_changes
from conformance.sandbox.faults import UnknownFaultError
from conformance.sandbox.lookups import overridden
from conformance.sandbox.recorder import differing_worlds
from conformance.verdicts import Verdict

OFFBLOCKS = registered()["offblocks"]
CATALOGUE = Catalogue.load(OFFBLOCKS.rules)
CREATED = "offblocks/customer/a_new_customer_is_created"
EXPIRY = "offblocks/challenge_expiry/a_challenge_is_refused_after_the_hour"
AT_ONCE = "offblocks/signing/of_two_signatures_at_once_one_succeeds"
EVENT = "offblocks/webhook/a_change_of_a_customer_is_sent"
GENERATED = "offblocks/properties/right_requests.getChallenge"
WRITTEN = (CREATED, EXPIRY, AT_ONCE, EVENT)
FEW = (*WRITTEN, GENERATED)
DOCUMENTED, INFERRED, CONTRADICTED = (
    next(rule.id for rule in CATALOGUE.values() if rule.basis is basis and rule.party is Party.PROVIDER)
    for basis in (Basis.DOCUMENTED, Basis.INFERRED, Basis.CONTRADICTED)
)
HELD = RuleVerdict(Verdict.PASS, Verdict.PASS)
FAILED = RuleVerdict(Verdict.FAIL, Verdict.FAIL, frozenset({"t: here"}))
READ = RuleVerdict(Verdict.NOTE, Verdict.NOTE, frozenset({"this"}))
NOTED = RuleVerdict(Verdict.NOTE, Verdict.FAIL, frozenset({"t: here"}))


class Here(Executor):
    """Does the work at once, in this process."""

    def __init__(self) -> None:
        self.given: list[tuple[Any, ...]] = []

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        self.given.append((work.__name__, *arguments, options))
        future: Future[Any] = Future()
        future.set_result(work(*arguments, **options))
        return future


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def made(*names: str, tests: Sequence[str] = FEW) -> tuple[dict[str, Any], list[str]]:
    """The matrix of these, made of few tests, and the names in the order in which their entries were made."""
    order: list[str] = []
    found = Matrix(trials(names), tests=tests)
    found.fill(Here(), lambda entry: order.append(entry["name"]))
    return found.to_json(), order


# ------------------------------------------------------------------------------------------------ what there is to try


def test_all_are_tried_if_none_is_named() -> None:
    sections = {section: [trial for trial in trials() if trial.section == section] for section in SECTIONS}
    assert len(sections["faults"]) >= 150
    assert len(sections["mutations"]) >= 300
    assert len(sections["variations"]) >= 60


def test_a_star_matches_any_text() -> None:
    assert {trial.name for trial in trials(["offblocks: getCustomer 200 /id *"])} == {
        f"offblocks: getCustomer 200 /id {word}" for word in ("dropped", "renamed", "retyped", "null")
    }


def test_a_name_with_a_star_is_that_one() -> None:
    (trial,) = trials(["offblocks: listCustomers 200 /*/id dropped"])
    assert trial == Trial("offblocks", "offblocks: listCustomers 200 /*/id dropped")


def test_a_name_that_there_is_not_is_refused_with_what_is_close() -> None:
    with pytest.raises(
        UnknownFaultError, match=r"called 'AcceptsExpiredChalenge'\. Close to it: AcceptsExpiredChalleng"
    ):
        trials(["AcceptsExpiredChalenge"])


def test_the_list_names_what_is_broken_and_what_permits() -> None:
    found = listing()
    fault = next(each for each in found["faults"] if each["name"] == "AcceptsExpiredChallenge")
    assert fault["api"] == "offblocks"
    assert "offblocks.challenge.expires-after-one-hour" in fault["breaks"]
    assert fault["basis"] == strongest_basis(fault["breaks"], CATALOGUE)
    assert all(each["permits"] for each in found["variations"])
    assert {each["name"] for part in found.values() for each in part} == {
        trial.name for trial in trials() if trial.section != "mutations"
    }


def test_the_strongest_basis_is_the_surest_of_them() -> None:
    assert strongest_basis([CONTRADICTED, INFERRED], CATALOGUE) is Basis.INFERRED
    assert strongest_basis([INFERRED, DOCUMENTED, CONTRADICTED], CATALOGUE) is Basis.DOCUMENTED


# ------------------------------------------------------------------------------------------------------ what is caught


@pytest.mark.parametrize(
    ("basis", "wrong", "right", "expected"),
    [
        (Basis.DOCUMENTED, FAILED, HELD, True),
        (Basis.DOCUMENTED, RuleVerdict(Verdict.WARN, Verdict.WARN), HELD, True),
        (Basis.DOCUMENTED, HELD, HELD, False),
        (Basis.DOCUMENTED, FAILED, FAILED, False),
        (Basis.DOCUMENTED, RuleVerdict(Verdict.BLOCKED, Verdict.BLOCKED), HELD, False),
        (Basis.DOCUMENTED, RuleVerdict(Verdict.ERROR, Verdict.ERROR), HELD, False),
        (Basis.STANDARD, FAILED, HELD, True),
        (Basis.INFERRED, NOTED, HELD, True),
        (Basis.INFERRED, NOTED, NOTED, False),
        (Basis.INFERRED, RuleVerdict(Verdict.NOTE, Verdict.FAIL), HELD, False),
        (Basis.INFERRED, RuleVerdict(Verdict.NOTE, Verdict.PASS, frozenset({"t: here"})), HELD, False),
        (Basis.CONTRADICTED, RuleVerdict(Verdict.NOTE, Verdict.NOTE, frozenset({"that"})), READ, True),
        (Basis.CONTRADICTED, READ, READ, False),
        (Basis.CONTRADICTED, RuleVerdict(Verdict.FAIL, Verdict.FAIL, frozenset({"None"})), READ, True),
    ],
)
def test_a_rule_notices_a_fault_by_its_basis(
    basis: Basis, wrong: RuleVerdict, right: RuleVerdict, *, expected: bool
) -> None:
    assert notices(basis, wrong, right) is expected


def test_a_fault_is_caught_by_a_rule_of_the_strongest_basis() -> None:
    right = {"t": {DOCUMENTED: HELD, INFERRED: HELD}}
    both = judge((DOCUMENTED, INFERRED), {"t": {DOCUMENTED: FAILED, INFERRED: NOTED}}, right, CATALOGUE)
    weaker = judge((DOCUMENTED, INFERRED), {"t": {DOCUMENTED: HELD, INFERRED: NOTED}}, right, CATALOGUE)
    assert (both.caught, both.caught_by, both.missed_by) == (True, (DOCUMENTED, INFERRED), ())
    assert (weaker.caught, weaker.caught_by, weaker.missed_by) == (False, (INFERRED,), (DOCUMENTED,))


def test_a_test_that_was_not_run_finds_what_it_found_before() -> None:
    right = {"one": {DOCUMENTED: HELD}, "other": {DOCUMENTED: FAILED}}
    assert not judge((DOCUMENTED,), {"one": {DOCUMENTED: FAILED}}, right, CATALOGUE).caught


def test_a_rule_that_fails_unnamed_is_in_the_judgement() -> None:
    right = {"t": {DOCUMENTED: HELD, INFERRED: HELD}}
    judgement = judge((INFERRED,), {"t": {DOCUMENTED: FAILED, INFERRED: NOTED}}, right, CATALOGUE)
    assert judgement.also == (DOCUMENTED,)
    assert judge((DOCUMENTED,), {"t": {DOCUMENTED: FAILED, INFERRED: NOTED}}, right, CATALOGUE).also == ()


@pytest.mark.parametrize("verdict", Verdict)
def test_a_variation_raises_an_alarm_by_what_is_red(verdict: Verdict) -> None:
    wrong = {"t": {DOCUMENTED: RuleVerdict(verdict, verdict)}}
    red = {Verdict.ERROR, Verdict.FAIL, Verdict.WARN, Verdict.BLOCKED}
    assert bool(judge((), wrong, {"t": {DOCUMENTED: HELD}}, CATALOGUE).alarms) is (verdict in red)


@pytest.mark.parametrize(
    ("hits", "tries", "bound"), [(0, 60, 0.0487), (0, 1, 0.95), (1, 20, 0.2161), (3, 3, 1), (0, 0, 1)]
)
def test_the_bound_is_that_of_clopper_and_pearson(hits: int, tries: int, bound: float) -> None:
    assert upper_bound(hits, tries) == pytest.approx(bound, abs=1e-4)


def test_the_summary_counts() -> None:
    fault = {"caught": True, "also": [], "seconds": 1.0}
    parts: dict[str, Sequence[Mapping[str, Any]]] = {
        "faults": [fault, {**fault, "also": ["x"]}, {**fault, "caught": False}],
        "mutations": [fault],
        "variations": [{"alarms": [], "seconds": 0.5}, {"alarms": ["x"], "seconds": 0.5}],
    }
    counted = summary(parts)
    assert (counted["faults"], counted["faults_caught"], counted["faults_attributed"]) == (3, 2, 1)
    assert (counted["mutations"], counted["mutations_caught"]) == (1, 1)
    assert (counted["variations"], counted["variations_alarming"]) == (2, 1)
    assert counted["seconds"] == 5.0


GOOD = {
    "faults": 100,
    "faults_caught": 100,
    "faults_attributed": 95,
    "mutations": 100,
    "mutations_caught": 100,
    "variations": 60,
    "variations_alarming": 0,
    "false_alarms_at_most": 0.0487,
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"mutations_caught": 98}, True),
        ({"mutations_caught": 97}, False),
        ({"faults_caught": 99}, False),
        ({"faults_attributed": 94}, False),
        ({"variations_alarming": 1}, False),
    ],
)
def test_a_matrix_is_held_to_its_promise(change: dict[str, int], *, expected: bool) -> None:
    assert holds({**GOOD, **change}) is expected


# ------------------------------------------------------------------------------------------------------- what is run


@pytest.fixture(scope="module")
def rehearsed() -> Rehearsal:
    return rehearse(OFFBLOCKS, WRITTEN)


def test_a_rehearsal_keeps_what_each_test_asked_and_found(rehearsed: Rehearsal) -> None:
    assert set(rehearsed.recordings) == set(rehearsed.observation.verdicts) == set(WRITTEN)
    assert ("createCustomer", 201) in {(name, answer.status) for name, answer in rehearsed.answers[CREATED]}
    assert set(rehearsed.scenarios()) == set(WRITTEN)


def test_the_sandbox_as_it_is_makes_no_difference_but_to_what_cannot_be_asked_again(rehearsed: Rehearsal) -> None:
    assert differing_worlds(OFFBLOCKS, (), rehearsed.recordings) == [AT_ONCE]


@pytest.mark.parametrize(
    ("name", "tests"),
    [
        ("AcceptsExpiredChallenge", {EXPIRY, AT_ONCE}),
        ("AnswersTokensWith201", set(WRITTEN)),
        ("SendsEventsWithoutId", {EVENT, AT_ONCE}),
        ("SendsEventsOnce", {AT_ONCE}),
    ],
)
def test_a_fault_makes_a_difference_to_the_tests_that_see_it(name: str, tests: set[str], rehearsed: Rehearsal) -> None:
    assert set(differing_worlds(OFFBLOCKS, (name,), rehearsed.recordings)) == tests


def test_only_the_tests_are_run_that_see_a_difference(rehearsed: Rehearsal) -> None:
    name = "AcceptsExpiredChallenge"
    observation = observe_differing(OFFBLOCKS, {name: WRITTEN}, rehearsed.recordings)[name]
    assert set(observation.verdicts) == {EXPIRY, AT_ONCE}
    assert observation.verdicts[EXPIRY]["offblocks.challenge.expires-after-one-hour"].plain is Verdict.FAIL


def test_a_test_that_looks_up_nothing_of_a_fault_is_not_asked_again(rehearsed: Rehearsal) -> None:
    assert AT_ONCE in differing_worlds(OFFBLOCKS, ("SendsEventsWithoutId",), rehearsed.recordings)
    assert differing_tests(OFFBLOCKS, "SendsEventsWithoutId", rehearsed.recordings) == [EVENT]


def test_no_change_makes_a_difference_to_a_test_that_looks_up_nothing_of_it(rehearsed: Rehearsal) -> None:
    left_out = 0
    for name in list(declared_changes(OFFBLOCKS))[::9]:
        names = overridden(OFFBLOCKS, (name,))
        idle = {test: each for test, each in rehearsed.recordings.items() if each.steady and not each.uses(names)}
        assert differing_worlds(OFFBLOCKS, (name,), idle) == []
        left_out += len(idle)
    assert left_out > len(WRITTEN)


def test_generated_tests_are_known_by_their_topic() -> None:
    assert is_generated(GENERATED)
    assert is_generated("offblocks/sequences/calls_in_any_order_keep_the_rules")
    assert not is_generated(CREATED)


# -------------------------------------------------------------------------------------------------------- the matrix


@pytest.fixture(scope="module")
def small() -> tuple[dict[str, Any], list[str]]:
    return made(
        "AcceptsExpiredChallenge", "WrapsTheList", "offblocks: createCustomer 201 /id dropped", "AcceptsAnySecret"
    )


def test_a_matrix_says_what_was_caught_by_what(small: tuple[dict[str, Any], list[str]]) -> None:
    found, order = small
    faults = {fault["name"]: fault for fault in found["faults"]}
    assert faults["AcceptsExpiredChallenge"]["caught"]
    assert "offblocks.challenge.expires-after-one-hour" in faults["AcceptsExpiredChallenge"]["caught_by"]
    assert [mutation["caught_by"] for mutation in found["mutations"]] == [
        ["offblocks.response.matches-inferred-schema"]
    ]
    assert [variation["alarms"] for variation in found["variations"]] == [[]]
    assert sorted(order) == sorted(each["name"] for part in SECTIONS for each in found[part])
    assert found["complete"]


def test_a_miss_has_its_reason(small: tuple[dict[str, Any], list[str]]) -> None:
    (missed,) = [fault for fault in small[0]["faults"] if not fault["caught"]]
    assert missed["name"] == "AcceptsAnySecret"
    assert missed["reason"] == "None of the 1 tests to which it makes a difference broke a rule of that basis."


def test_a_mutation_stops_at_the_first_test_that_catches_it(small: tuple[dict[str, Any], list[str]]) -> None:
    assert [mutation["tests"] for mutation in small[0]["mutations"]] == [1]


def test_generated_tests_are_run_for_what_they_alone_catch() -> None:
    executor = Here()
    Matrix(trials(["AcceptsExpiredChallenge"]), tests=FEW).fill(executor, lambda _: None)
    assert [given[0] for given in executor.given] == ["rehearse", "observe_differing"]
    lonely = Here()
    name = "offblocks: getChallenge 200 /challenge dropped"
    found = Matrix(trials([name]), tests=(GENERATED,))
    found.fill(lonely, lambda _: None)
    assert lonely.given[-1] == ("observe", OFFBLOCKS, {name: [GENERATED]}, {})
    assert found.to_json()["mutations"][0]["caught"]


def test_a_matrix_is_written_and_read(small: tuple[dict[str, Any], list[str]], tmp_path: Path) -> None:
    file = tmp_path / "matrix.json"
    file.write_text(json.dumps(small[0]), encoding="utf-8")
    assert read(file) == small[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read: "),
        ("{", "cannot be read: "),
        ("{}", 'is wrong at the top: "format" is a required property'),
    ],
)
def test_what_is_no_matrix_is_refused(text: str | None, message: str, tmp_path: Path) -> None:
    file = tmp_path / "matrix.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(MatrixUnreadableError, match=re.escape(f"The matrix {file} {message}")):
        read(file)


def test_what_stands_in_a_matrix_is_not_tried_again(small: tuple[dict[str, Any], list[str]]) -> None:
    before = {**small[0], "faults": small[0]["faults"][:1], "complete": False}
    again = Matrix(trials([each["name"] for part in SECTIONS for each in small[0][part]]), before, FEW)
    assert [trial.name for trial in again.remaining] == [small[0]["faults"][1]["name"]]
    again.fill(Here(), lambda _: None)
    whole = again.to_json()
    assert whole["complete"]
    assert [fault["name"] for fault in whole["faults"]] == [fault["name"] for fault in small[0]["faults"]]


def test_what_breaks_other_rules_now_is_tried_again(small: tuple[dict[str, Any], list[str]]) -> None:
    entry = {**small[0]["faults"][0], "breaks": ["offblocks.response.is-json"]}
    again = Matrix(trials([entry["name"]]), {**small[0], "faults": [entry]})
    assert [trial.name for trial in again.remaining] == [entry["name"]]


def test_a_matrix_of_other_rules_is_not_continued(small: tuple[dict[str, Any], list[str]]) -> None:
    other = {**small[0], "sources": dict.fromkeys(small[0]["sources"], f"sha256:{'0' * 64}")}
    with pytest.raises(MatrixUnreadableError, match="made from other rules or descriptions"):
        Matrix(trials(["AcceptsExpiredChallenge"]), other)


def test_a_matrix_says_by_which_source_it_was_made(small: tuple[dict[str, Any], list[str]]) -> None:
    assert small[0]["suite"]["source"] == source_digest()
    chosen = trials(["AcceptsExpiredChallenge"])
    assert not Matrix(chosen, small[0]).is_of_other_source
    assert not Matrix(
        chosen, {**small[0], "suite": {"version": "0"}, **{part: [] for part in SECTIONS}}
    ).is_of_other_source


@pytest.mark.parametrize("source", [f"sha256:{'0' * 64}", None])
def test_a_matrix_of_another_source_is_continued_and_stays_one_of_that_source(
    source: str | None, small: tuple[dict[str, Any], list[str]]
) -> None:
    suite = {"version": "0.1.0"} | ({"source": source} if source else {})
    again = Matrix(trials(["AcceptsExpiredChallenge"]), {**small[0], "suite": suite})
    assert again.is_of_other_source
    assert again.to_json()["suite"].get("source") == source
    assert Matrix([], again.to_json()).is_of_other_source


def test_the_digest_of_the_source_covers_each_file_by_its_name_and_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sandbox").mkdir()
    one, other = tmp_path / "sandbox" / "state.py", tmp_path / "model.py"
    one.write_text("a = 1", encoding="utf-8")
    other.write_text("b = 2", encoding="utf-8")
    monkeypatch.setattr(package, "__path__", [str(tmp_path)])
    before = source_digest()
    (tmp_path / "notes.txt").write_text("no source", encoding="utf-8")
    assert source_digest() == before
    one.write_text("a = 3", encoding="utf-8")
    changed = source_digest()
    other.rename(tmp_path / "models.py")
    assert len({before, changed, source_digest()}) == 3


# ---------------------------------------------------------------------------------------------------- who does the work


def test_processes_of_this_machine_do_it() -> None:
    with processes(1) as executor:
        found = Matrix(trials(["AcceptsExpiredChallenge"]), tests=(EXPIRY,))
        found.fill(executor, lambda _: None)
    assert found.to_json()["summary"]["faults_caught"] == 1


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_of_two_processes_does_it() -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as local:
        assert len(local.workers) == 2
        with cluster(local.scheduler_address) as executor:
            found = Matrix(trials(["AcceptsExpiredChallenge", "offblocks: getCustomer 200 /id *"]), tests=(EXPIRY,))
            found.fill(executor, lambda _: None)
    counted = found.to_json()["summary"]
    assert (counted["faults_caught"], counted["mutations_caught"]) == (1, 4)


def test_a_cluster_without_dask_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NoClusterError, match=re.escape("pip install 'wallet-conformance[cluster]'")):
        cluster("tcp://127.0.0.1:1").__enter__()


# --------------------------------------------------------------------------------------------------------- the commands


def test_the_command_lists_faults_and_variations() -> None:
    printed = invoke("faults")
    assert printed.exit_code == 0
    assert "AcceptsExpiredChallenge" in printed.stdout
    assert re.fullmatch(r"\d+ faults, \d+ variations", printed.stdout.splitlines()[-1])
    assert json.loads(invoke("faults", "--json").stdout) == listing()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Here:
    """Has the command do its work here, with few tests."""
    executor = Here()

    class Few(Matrix):
        def __init__(self, chosen: Sequence[Trial], before: Mapping[str, Any] | None = None) -> None:
            super().__init__(chosen, before, (EXPIRY,))

        def fill(self, _executor: Executor, on_entry: Callable[[Entry], None]) -> None:
            super().fill(executor, on_entry)

    monkeypatch.setattr(filling, "Matrix", Few)
    return executor


def test_the_command_checks_and_writes(few: Here, tmp_path: Path) -> None:
    file = tmp_path / "matrix.json"
    done = invoke("faults", "check", "AcceptsExpiredChallenge", "--json", str(file), "--workers", "1")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("PROVEN: faults caught 1 of 1 (100 %); faults attributed 1 of 1 (100 %)")
    assert done.stderr.splitlines() == [
        "rehearsing on the sandbox as it is, then 1 to try",
        "1 of 1: AcceptsExpiredChallenge",
        f"Wrote {file}",
    ]
    assert read(file)["complete"]
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_what_falls_short_is_exit_1_and_shown(few: Here) -> None:
    done = invoke("faults", "check", "AcceptsAnySecret")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[0] == "MISSED  1"
    assert "  AcceptsAnySecret" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("FALLS SHORT: faults caught 0 of 1 (0 %)")


def test_an_interrupted_check_keeps_what_it_has_and_goes_on(
    few: Here, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, names = tmp_path / "matrix.json", ["AcceptsExpiredChallenge", "AcceptsAnySecret"]
    fill = Matrix.fill

    def interrupted(self: Matrix, executor: Executor, on_entry: Callable[[Entry], None]) -> None:
        def stop(entry: Entry) -> None:
            on_entry(entry)
            raise KeyboardInterrupt

        fill(self, executor, stop)

    monkeypatch.setattr(Matrix, "fill", interrupted)
    stopped = invoke("faults", "check", *names, "--json", str(file))
    assert stopped.exit_code == 130
    assert stopped.stderr.splitlines()[-2] == f"Wrote {file}, 1 are left: --resume {file} continues"
    assert not read(file)["complete"]
    monkeypatch.setattr(Matrix, "fill", fill)
    went_on = invoke("faults", "check", *names, "--resume", str(file))
    assert went_on.exit_code == 1, went_on.stderr
    assert went_on.stderr.splitlines()[-1] == f"Wrote {file}"
    assert sorted(fault["name"] for fault in read(file)["faults"]) == sorted(names)


def test_a_check_that_goes_on_with_another_source_says_so_once(few: Here, tmp_path: Path) -> None:
    file = tmp_path / "matrix.json"
    invoke("faults", "check", "AcceptsExpiredChallenge", "--json", str(file))
    made = read(file)
    said = f"The suite or the sandbox has changed since {file} was begun; what stands in it is not tried again."
    same = invoke("faults", "check", "AcceptsExpiredChallenge", "--resume", str(file))
    assert (same.exit_code, said in same.stderr) == (0, False)
    file.write_text(json.dumps({**made, "suite": {**made["suite"], "source": f"sha256:{'0' * 64}"}}), encoding="utf-8")
    went_on = invoke("faults", "check", "AcceptsExpiredChallenge", "--resume", str(file))
    assert went_on.exit_code == 0, went_on.stderr
    assert went_on.stderr.splitlines().count(said) == 1
    assert went_on.stdout.startswith("PROVEN")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Nonsense!"], "There is no fault, variation or mutation called 'Nonsense!'."),
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], "--workers is for this machine"),
        (["--resume", "nowhere.json"], "The matrix nowhere.json cannot be read"),
        (
            ["AcceptsAnySecret", "--json", "no/such/folder.json"],
            "What was measured cannot be written to no/such/folder.json",
        ),
    ],
)
def test_wrong_usage_is_exit_2_with_one_message(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("faults", "check", *arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"Error: {message}")
    assert done.stderr.count("\n") == 1


def test_a_rule_is_shown_with_the_faults_that_prove_it() -> None:
    shown = invoke("rules", "show", "offblocks.challenge.expires-after-one-hour").stdout
    assert "AcceptsExpiredChallenge" in shown[shown.index("faults") :]


# ---------------------------------------------------------------------------------------------------------- the page


def test_the_figures_are_rounded_down() -> None:
    nearly = {**GOOD, "faults": 2000, "faults_caught": 1999, "faults_attributed": 1999}
    assert dict(figures(nearly))["faults caught"] == "1999 of 2000 (99.9 %)"


def test_the_page_shows_each_fault_and_variation(small: tuple[dict[str, Any], list[str]]) -> None:
    shown = page(small[0], {"offblocks": "OffBlocks"})
    assert block(small[0]) in shown
    assert "| `AcceptsExpiredChallenge`" in shown
    assert "**Missed:** None of the 1 tests" in shown
    assert "| createCustomer 201 | 1 | 1 |" in shown
    assert "| `WrapsTheList` |" in shown
