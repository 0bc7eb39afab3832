"""The live target, at a reference sandbox that runs in another process and at servers that are of no use."""

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from conformance.bounds.transport import BoundedTransport
from conformance.cli import app
from conformance.clock import SystemClock
from conformance.ids import Ids
from conformance.offblocks import api
from conformance.offblocks.client import made_up_credentials
from conformance.run import Options, UsageError, run
from conformance.sandbox.remote import Control
from conformance.scenario import NeedError
from conformance.settings import SettingsError
from conformance.specification import Specification
from conformance.standards.message_signatures import key_from_seed, private_pem
from conformance.targets import MARK, Conditions
from conformance.targets.live import LiveTarget, PatientClock
from conformance.verdicts import Conclusion
from tests.conftest import some_rules

PREFIX = "CONFORMANCE_OFFBLOCKS_"
RULES = some_rules("offblocks", "authentication", "customer", "webhook")
A_MOMENT, A_WHILE = timedelta(milliseconds=20), timedelta(milliseconds=300)
"""How long a wait is; the while is for events, which come from another process."""
WAIT = SystemClock.advance
OTHER_KEY = private_pem(key_from_seed(Ids("other key").draw(64)))

Settings = Mapping[str, str]
Advance = Callable[[SystemClock, timedelta], None]
Answering = Callable[[Callable[[BaseHTTPRequestHandler], None]], AbstractContextManager[str]]
Environment = Callable[[Settings, Path], AbstractContextManager[pytest.MonkeyPatch]]


@pytest.fixture(scope="module")
def settings(sandbox_elsewhere: Control) -> Settings:
    """What a user would set, as the sandbox tells it."""
    world = sandbox_elsewhere.ask("GET", "")
    found = {f"{PREFIX}BASE_URL": world["base_urls"]["offblocks"]}
    for identity, infix in (("first", ""), ("second", "SECOND_")):
        for name, value in world["tenants"][identity]["offblocks"].items():
            found[f"{PREFIX}{infix}{name.upper()}"] = value
    return found


@pytest.fixture(scope="module")
def move_clock(sandbox_elsewhere: Control) -> Advance:
    """Short waits pass in a moment, in which the sandbox does what it does, since its clock is moved instead."""

    def advance(clock: SystemClock, duration: timedelta) -> None:
        WAIT(clock, min(duration, A_MOMENT))
        sandbox_elsewhere.ask("POST", "/clock", {"advance_seconds": duration.total_seconds()})

    return advance


@pytest.fixture
def judge(environment: Environment, move_clock: Advance, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def judge_live(settings: Settings, advance: Advance = move_clock, **options: Any) -> dict[str, Any]:
        with environment(settings, tmp_path) as patch:
            patch.setattr(SystemClock, "advance", advance)
            return run(Options(apis=("offblocks",), target="live", examples=1, **options))

    return judge_live


def verdicts(results: dict[str, Any]) -> dict[str, str]:
    return {rule["id"]: rule["verdict"] for rule in results["rules"]}


# ------------------------------------------------------------------------------------------------------ a good server


@pytest.fixture(scope="module")
def live(
    environment: Environment,
    move_clock: Advance,
    settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """The results of a run against the sandbox."""
    with environment(settings, tmp_path_factory.mktemp("live")) as patch:
        patch.setattr(SystemClock, "advance", move_clock)
        return run(Options(apis=("offblocks",), target="live", examples=1, seed="1", rule=RULES))


def test_a_sandbox_elsewhere_gets_the_verdicts_of_one_here_but_for_what_is_skipped(live: dict[str, Any]) -> None:
    here = verdicts(run(Options(apis=("offblocks",), target="sandbox", examples=1, seed="1", rule=RULES)))
    there = verdicts(live)
    different = {rule["id"]: rule for rule in live["rules"] if rule["verdict"] not in {here[rule["id"]], "skipped"}}
    assert {name: (rule["verdict"], rule["reason"]) for name, rule in different.items()} == {}
    assert live["verdict"] == "conforms"
    assert list(there.values()).count("pass") > list(there.values()).count("skipped")


NEEDS = {
    "This needs time to pass, about an hour; give --allow-wait to wait for it.",
    "This needs credentials that may be replaced, as only the reference sandbox gives them.",
    "This needs an address for webhooks; set CONFORMANCE_OFFBLOCKS_WEBHOOK_URL.",
}


def test_what_is_skipped_says_what_it_needs(live: dict[str, Any]) -> None:
    assert {rule["reason"] for rule in live["rules"] if rule["verdict"] == "skipped"} == NEEDS


def test_the_results_name_the_server_and_hold_no_secret(live: dict[str, Any], settings: Settings) -> None:
    assert live["subject"] == settings[f"{PREFIX}BASE_URL"]
    shown = json.dumps(live)
    names = ("API_SECRET", "API_KEY", "SECOND_API_SECRET", "SECOND_API_KEY")
    assert not [name for name in names if settings[PREFIX + name] in shown]


def test_without_a_second_identity_its_tests_say_what_to_set(
    judge: Callable[..., dict[str, Any]], settings: Settings
) -> None:
    alone = {name: value for name, value in settings.items() if "SECOND" not in name}
    results = judge(alone, rule=("offblocks.isolation.*-apart", "offblocks.isolation.*-unseen"))
    assert set(verdicts(results).values()) == {"skipped"}
    assert {rule["reason"].partition(";")[2][:42] for rule in results["rules"]} == {
        " set CONFORMANCE_OFFBLOCKS_SECOND_API_KEY,"
    }
    assert results["verdict"] == "inconclusive"


def test_the_seed_is_another_each_time(judge: Callable[..., dict[str, Any]], settings: Settings) -> None:
    one, other = (judge(settings, rule=("offblocks.customer.listed",)) for _ in range(2))
    assert one["seed"] != other["seed"]
    assert verdicts(one) == verdicts(other) == {"offblocks.customer.listed": "pass"}


class Busy(BoundedTransport):
    """Sends what it is given, but answers every third request itself: that it was asked too often."""

    asked = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        Busy.asked += 1
        if Busy.asked % 3:
            return super().handle_request(request)
        return httpx.Response(429, headers={"Retry-After": "30"}, json={"detail": "slow down"})


BUSY = timedelta(seconds=30)


def pass_no_time(_clock: SystemClock, _duration: timedelta) -> None:
    """What is waited passes at once, and no clock is moved."""


def test_a_server_that_is_busy_is_asked_again_and_not_judged_for_it(
    judge: Callable[..., dict[str, Any]],
    settings: Settings,
    live: dict[str, Any],
    move_clock: Advance,
    sandbox_elsewhere: Control,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sandbox_elsewhere.ask("POST", "/reset")  # its clock, which other tests have moved, is the machine's again

    def advance(clock: SystemClock, duration: timedelta) -> None:
        if duration != BUSY:  # in which the sandbox's time stays, as that of what is being asked
            move_clock(clock, duration)

    monkeypatch.setattr("conformance.targets.live.BoundedTransport", Busy)
    results = judge(settings, advance, seed="1", rule=("offblocks.customer.*", "offblocks.authentication.*"))
    usual = verdicts(live)
    assert Busy.asked > 300
    different = {rule["id"]: rule for rule in results["rules"] if rule["verdict"] != usual[rule["id"]]}
    assert {name: (rule["verdict"], rule["reason"]) for name, rule in different.items()} == {}
    refused = [exchange for exchange in results["exchanges"] if exchange["response"]["status"] == 429]
    assert {exchange["operation"] for exchange in refused} <= {"createToken"}, "where secrets are guessed"
    (remark,) = [each for each in results["remarks"] if "asked too often" in each]
    assert "--rate N" in remark


class AlwaysBusy(BoundedTransport):
    """Lets be read, and never be written."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" or request.url.path.endswith("/token"):
            return super().handle_request(request)
        return httpx.Response(429, headers={"Retry-After": "20"})


def test_a_server_that_stays_busy_blocks_what_it_was_asked(
    judge: Callable[..., dict[str, Any]], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conformance.targets.live.BoundedTransport", AlwaysBusy)
    results = judge(settings, pass_no_time, rule=("offblocks.customer.created-with-201", "offblocks.flow.*"))
    assert set(verdicts(results).values()) == {"blocked"}
    assert all("was answered 429 with Retry-After: '20'" in rule["reason"] for rule in results["rules"])
    assert all("--rate" in rule["reason"] for rule in results["rules"])


def test_what_was_recorded_live_replays_with_the_same_verdicts(
    judge: Callable[..., dict[str, Any]], settings: Settings, tmp_path: Path
) -> None:
    alone = {name: value for name, value in settings.items() if "SECOND" not in name}
    tests = (
        "offblocks/flow/a_verified_customer_becomes_active",
        "offblocks/isolation/a_list_shows_no_customers_of_others",
        "offblocks/authentication/a_registered_key_signs",
        "offblocks/properties/right_and_wrong_requests.putWebhook",
    )
    live = judge(alone, tests=tests, record=True, cassettes=tmp_path)
    replayed = run(Options(apis=("offblocks",), cassettes=tmp_path, tests=tests))
    assert "blocked" not in verdicts(replayed).values()
    assert verdicts(replayed) == verdicts(live)


def test_a_member_that_changed_between_two_recordings_is_told(
    judge: Callable[..., dict[str, Any]], settings: Settings, sandbox_elsewhere: Control, tmp_path: Path
) -> None:
    tests = ("offblocks/customer/a_customer_is_read_as_it_was_created",)
    judge(settings, tests=tests, record=True, cassettes=tmp_path / "before")
    sandbox_elsewhere.ask("PUT", "/faults", ["LeavesOutWhenItChanged"])
    try:
        judge(settings, tests=tests, record=True, record_failing=True, cassettes=tmp_path / "after")
    finally:
        sandbox_elsewhere.ask("PUT", "/faults", [])
    told = CliRunner().invoke(app, ["drift", str(tmp_path / "before"), str(tmp_path / "after")])
    assert "updatedAt" in told.output
    assert "getCustomer" in told.output
    replayed = verdicts(run(Options(apis=("offblocks",), cassettes=tmp_path / "after", tests=tests)))
    assert replayed["offblocks.response.shows-printed-members"] == "warn"


# ----------------------------------------------------------------------------------------------- what a run may do


def test_a_smoke_test_sends_a_dozen_requests_with_ids_that_a_person_recognises(
    judge: Callable[..., dict[str, Any]], settings: Settings
) -> None:
    results = judge(settings, smoke=True, max_requests=15)
    found = verdicts(results)
    assert found["offblocks.flow.verified-becomes-active"] == "pass"
    assert "skipped" not in found.values(), "15 requests are enough"
    (customer,) = results["left_behind"]["offblocks"]
    assert customer.startswith("customer ")
    assert any(MARK in remark for remark in results["remarks"])
    created = [each for each in results["exchanges"] if each["operation"] == "createCustomer"]
    assert json.loads(created[-1]["request"]["body"])["externalId"].startswith(MARK)


def test_a_run_ends_after_as_many_requests_as_it_may_send(
    judge: Callable[..., dict[str, Any]], settings: Settings
) -> None:
    results = judge(settings, max_requests=6, rule=("offblocks.flow.*",))
    reasons = {rule["reason"] for rule in results["rules"] if rule["verdict"] == "skipped"}
    assert reasons == {"This needs more requests; --max-requests 6 ended the run."}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"CHAIN": "eip155:1"}, "eip155:1 in CONFORMANCE_OFFBLOCKS_CHAIN is no test network"),
        ({"BASE_URL": "https://api.offblocks.xyz"}, "api.offblocks.xyz is where OffBlocks serves real customers"),
    ],
)
def test_what_may_be_production_is_asked_about(
    judge: Callable[..., dict[str, Any]], settings: Settings, changed: Settings, said: str
) -> None:
    with pytest.raises(UsageError, match=f"{said}.*--allow-production"):
        judge({**settings, **{PREFIX + name: value for name, value in changed.items()}})


def test_another_chain_is_gone_on_with_if_it_is_allowed(
    judge: Callable[..., dict[str, Any]], settings: Settings
) -> None:
    results = judge({**settings, f"{PREFIX}CHAIN": "eip155:1"}, smoke=True, allow_production=True)
    assert results["verdict"] == "conforms"


def test_events_come_to_an_address_that_is_set_and_what_cannot_be_removed_is_told(
    judge: Callable[..., dict[str, Any]], settings: Settings, move_clock: Advance, free_port: int
) -> None:
    def advance(clock: SystemClock, duration: timedelta) -> None:
        WAIT(clock, min(duration, A_WHILE))
        move_clock(clock, duration)

    url = f"http://127.0.0.1:{free_port}/hooks"
    tests = ("offblocks/webhook/a_webhook_is_registered", "offblocks/webhook/a_change_of_a_customer_is_sent")
    found = verdicts(results := judge({**settings, f"{PREFIX}WEBHOOK_URL": url}, advance, tests=tests))
    assert {found[f"offblocks.webhook.{name}"] for name in ("registered", "sent-on-change")} == {"pass"}
    assert [made for made in results["left_behind"]["offblocks"] if made.startswith("webhook ")]


# ------------------------------------------------------------------------------------------------- servers of no use


def reason_of_all(results: dict[str, Any]) -> str:
    """The one reason for which everything is blocked."""
    assert results["verdict"] == "inconclusive"
    assert Conclusion(results["verdict"]).exit_code == 3
    judged = [rule for rule in results["rules"] if rule["party"] == "provider"]
    assert {rule["verdict"] for rule in judged} == {"blocked"}
    (reason,) = {rule["reason"] for rule in judged}
    assert not results["exchanges"]
    return str(reason)


TOKEN = "Asked for a token at {url}: POST /offblocks/v1/auth/token was answered 401 "
SIGNED = "GET {url}/v1/customers, with a token and a signature, was answered 401: "
SOME = ("offblocks.customer.*", "offblocks.isolation.*")


@pytest.mark.parametrize(("fault", "verdict"), [(["ListsEverybodysCustomers"], "skipped"), ([], "pass")])
def test_two_identities_that_list_the_same_are_not_asked_to_be_kept_apart(
    judge: Callable[..., dict[str, Any]],
    settings: Settings,
    sandbox_elsewhere: Control,
    fault: list[str],
    verdict: str,
) -> None:
    rules = ("offblocks.isolation.*-apart", "offblocks.isolation.*-unseen")
    judge(settings, rule=("offblocks.customer.listed",))
    sandbox_elsewhere.ask("PUT", "/faults", fault)
    try:
        results = judge(settings, rule=rules)
    finally:
        sandbox_elsewhere.ask("PUT", "/faults", [])
    found = {name: seen for name, seen in verdicts(results).items() if name != "offblocks.isolation.events-apart"}
    assert set(found.values()) == {verdict}
    lacked = "This needs a second identity of another organization; both that are set list the same customers."
    assert all(rule["reason"] == lacked for rule in results["rules"] if rule["id"] in found) == (verdict == "skipped")


@pytest.mark.parametrize(
    ("name", "value", "identity", "message"),
    [
        ("API_SECRET", "not the secret", "first", TOKEN),
        ("API_KEY", str(Ids("key").uuid()), "first", TOKEN),
        ("SIGNING_KEY", OTHER_KEY, "first", SIGNED),
        ("SIGNING_KEY_ID", "nobody's key", "first", SIGNED),
        ("COMPONENTS", "accept", "first", SIGNED),
        ("SECOND_API_SECRET", "not the secret", "second", TOKEN),
        ("SECOND_SIGNING_KEY", OTHER_KEY, "second", SIGNED),
    ],
)
def test_refused_credentials_are_told_at_the_first_step(
    judge: Callable[..., dict[str, Any]], settings: Settings, name: str, value: str, identity: str, message: str
) -> None:
    results = judge({**settings, PREFIX + name: value}, rule=SOME)
    url = settings[f"{PREFIX}BASE_URL"]
    assert reason_of_all(results).startswith(f"The {identity} identity has no access. {message.format(url=url)}")
    shown = json.dumps(results)
    assert not [each for each in ("API_SECRET", "SECOND_API_SECRET") if settings[PREFIX + each] in shown]
    assert not name.endswith(("API_SECRET", "SIGNING_KEY")) or value not in shown


def test_a_server_that_answers_html_is_told(
    judge: Callable[..., dict[str, Any]], settings: Settings, answering: Answering
) -> None:
    asked = list[str]()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.command)
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(b"<html>Welcome</html>")

    with answering(answer) as url:
        reason = reason_of_all(judge({**settings, f"{PREFIX}BASE_URL": url}))
    assert asked == ["POST"]
    assert reason == (
        f"The first identity has no access. Asked for a token at {url}: POST /v1/auth/token was answered 200. HTTP: a "
        "page for people answers there, of a web site, a login or a proxy, and not the API. Look at the base URL: its "
        "host, its port and its path."
    )


def test_a_server_that_hangs_is_told(
    judge: Callable[..., dict[str, Any]], settings: Settings, answering: Answering
) -> None:
    over = threading.Event()
    hung = list[bool]()

    def answer(_handler: BaseHTTPRequestHandler) -> None:
        hung.append(over.wait(5))

    with answering(answer) as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr("conformance.parts.client._TIMEOUT", httpx.Timeout(0.2))
        reason = reason_of_all(judge({**settings, f"{PREFIX}BASE_URL": url}, rule=SOME))
        assert hung == [], "it was told while the server still hung"
        over.set()
    said = "HTTP: the server took the request and says nothing (timed out)"
    assert reason.endswith(f"Asked for a token at {url}: POST /v1/auth/token got no answer: {said}")


def test_a_dead_port_is_told(judge: Callable[..., dict[str, Any]], settings: Settings, answering: Answering) -> None:
    with answering(lambda _handler: None) as url:
        pass
    reason = reason_of_all(judge(settings, base_urls={"offblocks": url}, rule=SOME))
    assert reason.startswith(f"The first identity has no access. Asked for a token at {url}: POST /v1/auth/token got ")
    assert "refused" in reason


@pytest.mark.parametrize("name", ["BASE_URL", "API_SECRET", "SIGNING_KEY"])
def test_a_missing_setting_ends_the_run_before_it_begins(
    judge: Callable[..., dict[str, Any]], settings: Settings, name: str
) -> None:
    without = {key: value for key, value in settings.items() if key != PREFIX + name}
    with pytest.raises(SettingsError, match=PREFIX + name):
        judge(without)


# --------------------------------------------------------------------------------------------------------- the target


def test_a_long_wait_must_be_allowed() -> None:
    with pytest.raises(NeedError, match=r"^a wait of 60 minutes; give --allow-wait to allow it$"):
        PatientClock(allow_wait=False).advance(timedelta(hours=1))


@pytest.mark.parametrize(("allow_wait", "seconds"), [(True, 3600), (True, 1), (False, 30), (False, 1)])
def test_a_wait_that_is_short_or_allowed_is_waited(
    monkeypatch: pytest.MonkeyPatch, allow_wait: bool, seconds: int
) -> None:
    waited: list[timedelta] = []
    monkeypatch.setattr(SystemClock, "advance", lambda _clock, duration: waited.append(duration))
    PatientClock(allow_wait=allow_wait).advance(timedelta(seconds=seconds))
    assert sum(waited, timedelta()) == timedelta(seconds=seconds)


@pytest.mark.parametrize("tells", [True, False])
def test_a_long_wait_is_counted_down_by_one_of_those_who_wait(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tells: bool
) -> None:
    monkeypatch.setattr(SystemClock, "advance", lambda _clock, _duration: None)
    PatientClock(allow_wait=True, tells=tells).advance(timedelta(minutes=11))
    said = [f"Waiting for time to pass, {minutes} min are left." for minutes in (11, 6, 1)]
    assert capfd.readouterr().err.splitlines() == (said if tells else [])


def test_a_subject_has_what_the_settings_say(environment: Environment, settings: Settings, tmp_path: Path) -> None:
    with environment({**settings, f"{PREFIX}CHAIN": "eip155:1"}, tmp_path):
        target = LiveTarget([api], {"offblocks": Specification.load(api.specification)}, {}, allow_wait=False)
    subject, again, other = (target.subject(api, "offblocks/a/b", Conditions(seed)) for seed in ("1", "1", "2"))
    drawing = [target.subject(api, "offblocks/a/b", Conditions(seed, drawing_seed="0")) for seed in ("1", "2")]
    target.close()
    assert subject.base_url == target.description == settings[f"{PREFIX}BASE_URL"]
    assert set(subject.credentials) == {"first", "second"}
    assert subject.settings["chain"] == "eip155:1"
    assert subject.hooks is None
    assert not subject.disposable
    assert subject.ids.uuid() == Ids("1", "offblocks/a/b").uuid()
    assert len({each.ids.uuid() for each in (subject, again, other)}) == 3  # what the first run of a test made stays
    assert len({each.requests.child("seed").uuid() for each in drawing}) == 1
    assert len({each.ids.child("seed").uuid() for each in drawing}) == 2


def test_processes_that_share_the_tests_share_the_rate(
    environment: Environment, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(SystemClock, "advance", lambda _clock, duration: waits.append(duration.total_seconds()))
    answers = httpx.MockTransport(lambda _request: httpx.Response(200))
    monkeypatch.setattr("conformance.targets.live.BoundedTransport", lambda *_given, **_more: answers)
    with environment(settings, tmp_path):
        specifications = {"offblocks": Specification.load(api.specification)}
        target = LiveTarget([api], specifications, {}, allow_wait=False, rate=8, processes=4)
    sender = target.subject(api, "offblocks/a/b", Conditions("1")).sender
    for _ in range(3):
        sender.handle_request(httpx.Request("GET", settings[f"{PREFIX}BASE_URL"]))
    target.close()
    assert waits == pytest.approx([0.5, 1.0, 1.5], abs=0.2)  # two a second, since nothing passes meanwhile


def test_secure_servers_are_verified_by_the_certificates_given(environment: Environment, tmp_path: Path) -> None:
    made_up = {f"{PREFIX}{name.upper()}": value for name, value in made_up_credentials(Ids("live")).items()}
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificate")
    settings = {**made_up, f"{PREFIX}BASE_URL": "https://127.0.0.1:9", "CONFORMANCE_CA_FILE": str(wrong)}
    with environment(settings, tmp_path), pytest.raises(SettingsError, match="CONFORMANCE_CA_FILE is "):
        run(Options(apis=("offblocks",), target="live", examples=1))
