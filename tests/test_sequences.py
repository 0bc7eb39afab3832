"""Sequences of calls find what only an order of calls shows, cut it down, and say nothing of a sandbox as it is."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.api import Api, named, registered
from conformance.exchange import Response
from conformance.findings import Finding, Outcome
from conformance.generation.exploration import STEPS, Exploration, draw, explore
from conformance.generation.sequence_report import judge_sequences, program, with_calls
from conformance.generation.sequences import BrokenError, CallSequence, sequence_kind, steps_of, subject_for
from conformance.offblocks.faults.response import WrapsTheList
from conformance.offblocks.sandbox import Call, Customer, OffBlocks
from conformance.planbok.sandbox import Challenge, Planbok, Status, Task
from conformance.reporting.files import write_reports
from conformance.run import Options, run
from conformance.sandbox.server import RunningSandbox, start
from conformance.scenario import NeedError, StepFailedError, recording
from conformance.specification import Specification
from conformance.targets import Conditions, Subject
from conformance.targets.sandbox import SandboxTarget

APIS = [name for name, api in registered().items() if api.model]
MANY = 20
"""More customers than a sequence has calls that could make them."""
SEQUENCES = 30
"""A run at its default draws so many."""
A_FEW = 9
"""So many show the defects from the seed that is tried."""


class SignsAgainAfterAFetch(OffBlocks):
    """Takes a signed challenge once more when it was fetched since."""

    async def get_challenge(self, call: Call) -> Response:
        customer = self.find_customer(call)
        if customer.challenges[-1] not in self.fetched:
            self.fetched.append(customer.challenges[-1])
        return await super().get_challenge(call)

    def may_sign(self, customer: Customer) -> bool:
        signed = not super().may_sign(customer)
        return not signed or customer.challenges[-1] in self.fetched

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.fetched: list[object] = []


class SignsAgainInACrowd(OffBlocks):
    """Takes a signed challenge once more when it has many customers, of whom a sequence makes only a few."""

    def may_sign(self, customer: Customer) -> bool:
        return super().may_sign(customer) or len(self.customers) > MANY


class KeepsResultsOfPagesOpenedTwice(Planbok):
    """Shows a result for ever if the page of its challenge was opened twice."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.opened: list[str] = []

    def visited(self, challenge: Challenge, request: Any) -> Response:
        self.opened.append(challenge.id)
        return super().visited(challenge, request)

    def result_is_readable(self, challenge: Challenge) -> bool:
        completed = challenge.task is Task.CREATE_WALLETS and challenge.status is Status.VERIFIED
        return super().result_is_readable(challenge) or (completed and self.opened.count(challenge.id) > 1)


PLANTED = [
    pytest.param("offblocks", SignsAgainAfterAFetch, "offblocks.signing.second-is-409", 4, id="signs-again"),
    pytest.param(
        "planbok", KeepsResultsOfPagesOpenedTwice, "planbok.result.gone-after-15-minutes", 6, id="keeps-results"
    ),
]


@contextmanager
def sandbox(api: str, kind: type | None = None) -> Iterator[RunningSandbox]:
    """A sandbox of one API, with a defect or as it is."""
    with pytest.MonkeyPatch.context() as patch:
        if kind is not None:
            patch.setattr(type(named(api)), "sandbox", kind)
        with start(apis=[named(api)]) as running:
            yield running


@contextmanager
def subject_of(api: str, running: RunningSandbox, seed: str) -> Iterator[Subject]:
    """What a test has of a sandbox."""
    target = SandboxTarget({api: Specification.load(named(api).specification)}, {api: f"{running.origin}/{api}"})
    target.open(named(api))
    yield target.subject(named(api), f"{api}/sequences/calls_in_any_order_keep_the_rules", Conditions(seed))
    target.close()


def kind_of(api: str) -> type[CallSequence]:
    return sequence_kind(named(api))


@pytest.mark.parametrize(("api", "kind", "rule", "longest"), PLANTED)
def test_a_defect_that_only_an_order_of_calls_shows_is_found_from_every_seed(
    api: str, kind: type, rule: str, longest: int, seeds: range
) -> None:
    del longest
    missed = []
    with sandbox(api, kind) as running:
        for seed in map(str, seeds):
            with subject_of(api, running, seed) as subject:
                exploration = Exploration(subject, kind_of(api), seed=subject.ids.below(2**64))
                for number in range(SEQUENCES):
                    if rule not in exploration.failed:
                        exploration.draw(number)
                missed += [] if rule in exploration.failed else [seed]
    assert missed == []


def drawn(running: RunningSandbox, seed: int, sequences: int) -> list[str]:
    """The calls of a few sequences, each sequence as a program."""
    with subject_of("offblocks", running, "0") as subject:
        return [program(each) for each in draw(subject, kind_of("offblocks"), seed=seed, sequences=sequences).passed]


def test_a_seed_alone_decides_which_sequences_are_drawn_and_no_two_are_alike(seeds: range) -> None:
    with sandbox("offblocks") as running:
        first, again, other = (drawn(running, seed, len(seeds)) for seed in (1, 1, 2))
    assert first == again
    assert len({*first, *other}) == 2 * len(seeds)
    assert {each.count("calls.") for each in first} == {STEPS}


@pytest.mark.parametrize(("api", "kind", "rule", "longest"), PLANTED)
def test_a_sequence_that_shows_a_defect_is_cut_down(api: str, kind: type, rule: str, longest: int) -> None:
    with sandbox(api, kind) as running, subject_of(api, running, "0") as subject:
        explored = explore(subject, kind_of(api), seed=subject.ids.below(2**64), sequences=A_FEW)
    assert len(explored.failed[rule].calls) <= longest, with_calls("", explored.failed[rule])


def told(subject: Subject, rule: str) -> str:
    """What a test of sequences tells of a broken rule."""
    with recording([]) as record, pytest.raises(NeedError):
        judge_sequences(subject, kind_of(subject.api.name))
    return next(each.got for each in record.findings if each.rule == rule and each.outcome is Outcome.BROKEN)


def test_what_shows_only_after_other_sequences_is_told_so() -> None:
    rule = "offblocks.signing.second-is-409"
    with sandbox("offblocks", SignsAgainInACrowd) as running, subject_of("offblocks", running, "0") as subject:
        got = told(subject, rule)
    assert "calls that shows it after the others of this test; alone, in a new world, it did not:" in got


def test_what_was_proved_is_not_replaced_by_what_was_not() -> None:
    rule = "offblocks.signing.second-is-409"
    with sandbox("offblocks", SignsAgainAfterAFetch) as running, subject_of("offblocks", running, "0") as subject:
        explored = explore(subject, kind_of("offblocks"), seed=subject.ids.below(2**64), sequences=A_FEW)
        proved = explored.failed[rule]
        explored.end(explored.begin(), [Finding(rule, Outcome.BROKEN)])
    assert rule in explored.shortened
    assert explored.failed[rule] is proved


def test_only_what_was_cut_down_is_called_the_shortest(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = "offblocks.signing.second-is-409"
    monkeypatch.setattr("conformance.generation.exploration._MOST_RULES", 0)
    with sandbox("offblocks", SignsAgainAfterAFetch) as running, subject_of("offblocks", running, "0") as subject:
        got = told(subject, rule)
    assert "\nA sequence of calls that shows it:\n" in got
    assert "shortest" not in got


def test_a_server_of_which_a_note_is_taken_at_each_list_passes_sequences_and_has_them_recorded() -> None:
    with sandbox("offblocks", WrapsTheList) as running, subject_of("offblocks", running, "0") as subject:
        explored = draw(subject, kind_of("offblocks"), seed=1, sequences=3)
        assert not explored.failed
        assert len(explored.passed) == 3
        asked_little = replace(subject, conditions=replace(subject.conditions, examples=3))
        with recording(()) as record, pytest.raises(NeedError):
            judge_sequences(asked_little, kind_of("offblocks"))
    shown = {finding.rule: finding for finding in record.findings}
    noted = shown["offblocks.response.matches-inferred-schema"]
    assert noted.outcome is Outcome.BROKEN
    assert "A sequence of calls that shows it:" in noted.got
    assert shown["offblocks.customer.created-with-201"].outcome is Outcome.HELD
    assert any(exchange.generated for exchange in subject.journal.exchanges)


def test_a_report_tells_the_shortest_sequence_as_a_list_and_as_a_program_that_shows_it(tmp_path: Path) -> None:
    rule = "offblocks.signing.second-is-409"
    with sandbox("offblocks", SignsAgainAfterAFetch) as running:
        base_url = f"{running.origin}/offblocks"
        options = Options(apis=("offblocks",), target="sandbox", base_urls={"offblocks": base_url}, rule=(rule,))
        results = run(replace(options, examples=3))
        finding = next(each for each in results["rules"][0]["findings"] if each["held"] is False)
        calls, _, written = finding["got"].partition("--live:\n\n")
        first, *between, last = re.findall(r"^\d\. (.*)$", calls, re.MULTILINE)
        assert first == "the first client creates a customer: createCustomer 201"
        assert sorted(between) == [
            "the challenge of customer 1 is fetched: getChallenge 200",
            "the newest challenge of customer 1 is signed: signChallenge 204",
        ]
        assert last == "the newest challenge of customer 1 is signed: signChallenge 204"
        file = tmp_path / "sequence.py"
        file.write_text(written, encoding="utf-8")
        command = [sys.executable, str(file)]
        wrong = subprocess.run([*command, "--base-url", base_url], capture_output=True, text=True, check=False)
        right = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stderr) == (1, "")
    assert f"BROKEN {rule}: response status: expected 409, got 204" in wrong.stdout
    assert (right.returncode, right.stdout.splitlines()[-1]) == (0, "No rule was broken.")


@pytest.mark.parametrize("api", APIS)
def test_a_sandbox_as_it_is_breaks_no_rule_in_any_sequence(api: str, seeds: range) -> None:
    with sandbox(api) as running:
        for seed in map(str, seeds):
            with subject_of(api, running, seed) as subject:
                explored = explore(subject, kind_of(api), seed=subject.ids.below(2**64), sequences=len(seeds))
            assert {rule: with_calls("", sequence) for rule, sequence in explored.failed.items()} == {}
            assert len(explored.passed) == len(seeds)


@pytest.mark.parametrize("api", APIS)
def test_what_was_recorded_is_judged_again_without_being_drawn(api: str, tmp_path: Path) -> None:
    rules = {"offblocks": "offblocks.signing.second-is-409", "planbok": "planbok.page.cancelled-makes-no-wallet"}
    with sandbox(api) as running:
        recorded = run(
            Options(
                apis=(api,),
                target="sandbox",
                base_urls={api: f"{running.origin}/{api}"},
                rule=(rules[api],),
                examples=3,
                cassettes=tmp_path,
                record=True,
            )
        )
    replayed = run(Options(apis=(api,), rule=(rules[api],), cassettes=tmp_path))
    for results in (recorded, replayed):
        assert results["verdict"] == "conforms"
        assert any(each["test"].startswith(f"{api}/sequences/") for each in results["rules"][0]["findings"])
    assert replayed["remarks"] == []


def test_a_recorded_answer_that_breaks_a_rule_of_the_model_is_found_in_a_replay(tmp_path: Path) -> None:
    rule = "offblocks.signing.second-is-409"
    options: dict[str, Any] = {"apis": ("offblocks",), "rule": (rule,), "cassettes": tmp_path}
    run(Options(target="sandbox", examples=3, record=True, **options))
    file = tmp_path / "offblocks" / "sequences" / "calls_in_any_order_keep_the_rules.yaml"
    text = file.read_text(encoding="utf-8")
    assert "code: 409" in text
    file.write_text(text.replace("code: 409", "code: 418"), encoding="utf-8")
    assert run(Options(**options))["rules"][0]["verdict"] == "fail"


@pytest.mark.parametrize(
    ("api", "rules"),
    [
        ("offblocks", ("offblocks.signing.second-is-409", "offblocks.authentication.token-lives-an-hour")),
        ("planbok", ("planbok.page.cancelled-makes-no-wallet", "planbok.key.read-only-refused")),
    ],
)
def test_nothing_that_is_recorded_or_reported_holds_a_credential(
    api: str, rules: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: set[str] = set()

    def noted(target: SandboxTarget, api: Api, test: str, conditions: Conditions) -> Subject:
        subject = make(target, api, test, conditions)
        for found in subject.credentials.values():
            used.update(value for name, value in found.items() if not name.endswith("_id"))
        return subject

    make = SandboxTarget.subject
    monkeypatch.setattr(SandboxTarget, "subject", noted)
    options = Options(apis=(api,), target="sandbox", rule=rules, examples=1, cassettes=tmp_path / "new", record=True)
    write_reports(run(options), tmp_path / "report")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"results.json", "calls_in_any_order_keep_the_rules.yaml"} <= {path.name for path in files}
    assert used
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not [secret for secret in used if secret in text or json.dumps(secret)[1:-1] in text], path.name


class Weary(httpx.BaseTransport):
    """Sends until it is told to answer no more."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner
        self.rests = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.rests:
            raise httpx.ReadTimeout("timed out")
        return self.inner.handle_request(request)


def test_a_broken_rule_is_told_even_if_nothing_answers_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = "offblocks.signing.second-is-409"
    with sandbox("offblocks", SignsAgainAfterAFetch) as running, subject_of("offblocks", running, "0") as subject:
        weary = Weary(subject.sender)

        def end(exploration: Exploration, sequence: CallSequence, findings: Sequence[Finding]) -> None:
            keep(exploration, sequence, findings)
            weary.rests = bool(exploration.failed)

        keep = Exploration.end
        monkeypatch.setattr(Exploration, "end", end)
        with recording([]) as record, pytest.raises(StepFailedError, match="got no answer"):
            judge_sequences(replace(subject, sender=weary), kind_of("offblocks"))
    assert [finding.rule for finding in record.findings if finding.outcome is Outcome.BROKEN] == [rule]


def test_sequences_end_when_the_subject_does_not_answer() -> None:
    with sandbox("offblocks") as running, subject_of("offblocks", running, "0") as subject:
        running.stop()
        with pytest.raises(StepFailedError, match="got no answer"):
            draw(subject, kind_of("offblocks"), seed=0, sequences=1)


@pytest.mark.parametrize("api", APIS)
def test_a_replay_imports_no_hypothesis(api: str) -> None:
    source = f"import sys; import conformance.{api}.suite.test_sequences; print('hypothesis' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("api", APIS)
def test_every_step_says_what_it_does_with_its_arguments(api: str) -> None:
    for name, choice in steps_of(kind_of(api)).items():
        plainest = {each: values[0] for each, values in choice.choices.items()}
        assert "{" not in choice.says.format(**plainest), name
        assert all(f"{{{each}}}" in choice.says for each in plainest), name


def test_a_program_is_python_that_makes_each_call() -> None:
    with sandbox("offblocks") as running, subject_of("offblocks", running, "0") as subject:
        calls = kind_of("offblocks")(subject)
        calls.wait(seconds=1)
        compile(program(calls), "program", "exec")
        assert "    calls.wait(seconds=1)\n" in program(calls)


Steps = Sequence[tuple[str, dict[str, Any]]]

CREATE = ("create", {"client": "first"})
READ, FETCH = ("read", {"customer": 1}), ("fetch", {"customer": 1})
SIGN = ("sign", {"customer": 1, "challenge": "newest"})
SIGN_OLDER = ("sign", {"customer": 1, "challenge": "older"})
FAIL = ("sign_wrongly", {"customer": 1, "wrong": "by another wallet"})
AGAIN: tuple[str, dict[str, Any]] = ("repeat", {"key": "its key"})
VERIFY = ("simulate", {"customer": 1, "outcome": "verify"})
REJECT = ("simulate", {"customer": 1, "outcome": "reject"})
CREATE_AGAIN = ("create_again", {"customer": 1, "key": "its key"})
REUSE_KEY = ("reuse_key", {"customer": 1, "key": "the key"})
DUPLICATE = ("create_again", {"customer": 1, "key": "a new key"})
READY = ("create", {"what": "PIN and recovery"})
BARE = ("create", {"what": "nothing"})
HALF_READY = ("create", {"what": "a PIN alone"})
ASK = ("ask", {"customer": 1, "chains": "chains 1 and 3"})
PROVISION = ("provision", {"customer": 1, "chains": "chains 1 and 3"})
RESUBMIT = ("resubmit", {"customer": 1})
READ_CHALLENGE = ("read_challenge", {"customer": 1, "challenge": "newest"})
STRANGER = ("trespass", {"customer": 1})
LOOK = ("look", {"customer": 1, "what": "the wallets"})
FLAGS = ("look", {"customer": 1, "what": "the flags"})


def wait(seconds: int) -> tuple[str, dict[str, Any]]:
    return "wait", {"seconds": seconds}


def stranger(act: str) -> tuple[str, dict[str, Any]]:
    return "trespass", {"customer": 1, "act": act}


def do(act: str) -> tuple[str, dict[str, Any]]:
    return "act", {"customer": 1, "act": act, "challenge": "newest"}


def wrongly(wrong: str) -> tuple[str, dict[str, Any]]:
    return "sign_wrongly", {"customer": 1, "wrong": wrong}


RIGHT, WRONG, CANCEL = do("enters the right PIN"), do("enters a wrong PIN"), do("cancels")
SHOWN: Sequence[tuple[str, str, Steps]] = (
    ("ReadsAnotherExternalId", "offblocks.customer.readable", [CREATE, READ]),
    ("ListsActiveCustomersOnly", "offblocks.customer.listed", [CREATE, wait(62), ("list_all", {"client": "first"})]),
    (
        "CreatesDuplicates",
        "offblocks.customer.no-second-for-a-pair",
        [CREATE, DUPLICATE, ("list_all", {"client": "first"})],
    ),
    (
        "AnswersOnboardedPairWith200",
        "offblocks.customer.onboarded-pair-is-409",
        [CREATE, SIGN, READ, VERIFY, READ, DUPLICATE],
    ),
    ("AnswersFetchesWith202", "offblocks.challenge.fetched-with-200", [CREATE, FETCH]),
    ("ExpiresChallengesEarly", "offblocks.challenge.accepted-within-the-hour", [CREATE, wait(3590), SIGN]),
    ("AcceptsExpiredChallenge", "offblocks.challenge.expires-after-one-hour", [CREATE, wait(3602), SIGN]),
    (
        "RestartsTheHourOnFetch",
        "offblocks.challenge.hour-runs-from-issue",
        [CREATE, wait(1800), FETCH, wait(1802), SIGN],
    ),
    ("KeepsChallengeAfterFailure", "offblocks.challenge.renewed-after-failed-signature", [CREATE, FAIL, FETCH]),
    ("TakesFirstChallengeOnly", "offblocks.challenge.renewed-one-signs", [CREATE, FAIL, FETCH, SIGN]),
    ("ServesExpiredChallenge", "offblocks.challenge.renewed-after-the-hour", [CREATE, wait(3602), FETCH]),
    ("RenewsForTheSameHour", "offblocks.challenge.renewed-one-has-its-own-hour", [CREATE, wait(3602), FETCH, SIGN]),
    ("AcceptsAnySigner", "offblocks.signing.other-key-refused", [CREATE, FAIL]),
    (
        "VerifiesWhatWasSent",
        "offblocks.signing.foreign-challenge-refused",
        [CREATE, CREATE, wrongly("over another customer's challenge")],
    ),
    ("SkipsCharactersOutsideBase64", "offblocks.signing.outside-base64-refused", [CREATE, wrongly("as no base64")]),
    (
        "AcceptsSupersededChallenges",
        "offblocks.signing.superseded-challenge-refused",
        [CREATE, FAIL, FETCH, SIGN_OLDER],
    ),
    ("SignsTwice", "offblocks.signing.second-is-409", [CREATE, SIGN, SIGN]),
    ("MovesOnWrongSignature", "offblocks.signing.refusal-leaves-initiating", [CREATE, FAIL, READ]),
    ("LeavesSignedInitiating", "offblocks.signing.moves-the-status", [CREATE, SIGN, wait(62), READ]),
    ("ForgetsKeys", "offblocks.idempotency.repeat-answered-alike", [CREATE, CREATE_AGAIN]),
    ("ForgetsKeys", "offblocks.idempotency.sign-repeat-is-204", [CREATE, SIGN, AGAIN]),
    (
        "LooksAtTheChallengeBeforeTheKey",
        "offblocks.idempotency.sign-repeat-outlives-challenge",
        [CREATE, wait(2400), SIGN, wait(1300), AGAIN],
    ),
    ("IgnoresThePayload", "offblocks.idempotency.changed-payload-refused", [CREATE, REUSE_KEY]),
    ("AnswersAnotherPayloadWith400", "offblocks.idempotency.changed-payload-status", [CREATE, REUSE_KEY]),
    ("KeepsKeysForADay", "offblocks.idempotency.key-free-after-an-hour", [CREATE, wait(3602), REUSE_KEY]),
    ("ShowsCustomersToEverybody", "offblocks.isolation.customer-unseen", [CREATE, stranger("reads")]),
    (
        "ShowsCustomersToEverybody",
        "offblocks.isolation.challenge-unseen",
        [CREATE, stranger("fetches the challenge of")],
    ),
    ("ShowsCustomersToEverybody", "offblocks.isolation.no-action", [CREATE, stranger("signs for")]),
    ("ListsEverybodysCustomers", "offblocks.isolation.list-apart", [CREATE, ("list_all", {"client": "second"})]),
    ("AnswersSimulationWith200", "offblocks.flow.simulated-with-202", [CREATE, SIGN, READ, VERIFY]),
    ("IgnoresVerification", "offblocks.flow.verified-becomes-active", [CREATE, SIGN, READ, VERIFY, wait(62), READ]),
    ("ActivatesUnsigned", "offblocks.flow.unsigned-never-active", [CREATE, VERIFY, READ]),
    ("RevivesRejected", "offblocks.flow.rejected-is-final", [CREATE, SIGN, READ, REJECT, READ, VERIFY, READ]),
    (
        "OnboardsRejectedAgain",
        "offblocks.flow.rejected-not-onboarded-again",
        [CREATE, SIGN, READ, REJECT, READ, DUPLICATE],
    ),
    ("ShowsAPinBeforehand", "planbok.customer.has-pin", [BARE, FLAGS]),
    ("NeverShowsThePin", "planbok.customer.has-pin", [READY, wait(62), FLAGS]),
    ("NeverShowsRecovery", "planbok.customer.has-recovery", [READY, wait(62), FLAGS]),
    ("ReadsCustomersToStrangers", "planbok.customer.unseen-by-others", [READY, STRANGER]),
    ("ProvisionsWithoutPin", "planbok.gate.no-wallet-without-pin", [BARE, PROVISION, LOOK]),
    ("ProvisionsWithoutRecovery", "planbok.gate.no-wallet-without-recovery", [HALF_READY, PROVISION, LOOK]),
    ("ExpiresChallengesAfterTenMinutes", "planbok.challenge.completable-in-time", [READY, ASK, wait(700), RIGHT]),
    (
        "NeverExpiresChallenges",
        "planbok.challenge.expires-after-15-minutes",
        [READY, ASK, do("looks on"), wait(1080), RIGHT],
    ),
    ("CompletesWhenOpened", "planbok.page.asks-pin-every-time", [READY, ASK, do("looks on")]),
    ("VerifiesAtOnce", "planbok.challenge.starts-pending", [READY, ASK, READ_CHALLENGE]),
    ("AcceptsAnyPin", "planbok.page.wrong-pin-refused", [READY, ASK, WRONG]),
    ("ReopensCancelledChallenges", "planbok.page.cancelled-makes-no-wallet", [READY, ASK, CANCEL, RIGHT]),
    ("CompletesTwice", "planbok.page.completed-once", [READY, ASK, RIGHT, RESUBMIT, LOOK]),
    ("ShowsNoResult", "planbok.result.readable-after-completion", [READY, PROVISION]),
    ("KeepsResults", "planbok.result.gone-after-15-minutes", [READY, PROVISION, wait(1080), READ_CHALLENGE]),
    ("ListsEvmWalletsOnly", "planbok.list.holds-all", [READY, PROVISION, wait(62), LOOK]),
    ("ReplacesWallets", "planbok.list.wallet-ids-stay", [READY, PROVISION, LOOK, PROVISION, LOOK]),
    ("DropsWalletsWithTheirChallenge", "planbok.list.wallets-stay", [READY, PROVISION, LOOK, wait(1080), LOOK]),
    ("ShowsOtherAddressesInResults", "planbok.list.agrees-with-result", [READY, PROVISION, LOOK]),
    ("ListsStrangersWallets", "planbok.list.unseen-by-others", [READY, PROVISION, STRANGER]),
    ("AnnouncesNoWallets", "planbok.webhook.wallet-created-sent", [READY, PROVISION, wait(62), READ_CHALLENGE]),
    ("AnnouncesWalletsBeforehand", "planbok.webhook.not-before-completion", [READY, ASK, READ_CHALLENGE]),
    ("AnnouncesCancelledWallets", "planbok.webhook.none-for-a-failed-challenge", [READY, ASK, CANCEL]),
    ("AnnouncesOtherAddresses", "planbok.webhook.agrees-with-list", [READY, PROVISION, LOOK]),
)


def judged(api: str, fault: str | None, steps: Steps) -> tuple[set[str], set[str]]:
    """The rules that a sequence held and those that it broke, up to the first step that broke one."""
    with start(faults=[fault] if fault else [], apis=[named(api)]) as running, subject_of(api, running, "0") as subject:
        calls = kind_of(api)(subject_for(subject, "one"))
        broken: set[str] = set()
        try:
            for name, arguments in steps:
                getattr(calls, name)(**arguments)
            calls.finish()
        except BrokenError as error:
            broken = {finding.rule for finding in error.findings}
    return {finding.rule for finding in calls.findings}, broken


@pytest.mark.parametrize(("fault", "rule", "steps"), SHOWN)
def test_a_rule_is_broken_by_its_fault_and_held_by_a_sandbox_as_it_is(fault: str, rule: str, steps: Steps) -> None:
    api = rule.partition(".")[0]
    _, broken = judged(api, fault, steps)
    assert rule in broken
    held, broken = judged(api, None, steps)
    assert broken == set()
    assert rule in held


@pytest.mark.parametrize("api", APIS)
def test_every_rule_that_sequences_judge_is_shown_to_break(api: str) -> None:
    source = (named(api).suite / "test_sequences.py").read_text(encoding="utf-8")
    listed = set(re.findall(rf'"({api}\.[a-z0-9.-]+)"', source))
    assert listed - {rule for _, rule, _ in SHOWN} == set()
