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

from conformance.clock import SystemClock
from conformance.ids import Ids
from conformance.offblocks import api
from conformance.offblocks.client import made_up_credentials
from conformance.run import Options, run
from conformance.sandbox.remote import Control
from conformance.scenario import NeedError
from conformance.settings import SettingsError
from conformance.specification import Specification
from conformance.standards.message_signatures import key_from_seed, private_pem
from conformance.targets import Conditions
from conformance.targets.live import LiveTarget, PatientClock
from conformance.verdicts import Conclusion

PREFIX = "CONFORMANCE_OFFBLOCKS_"
OTHER_KEY = private_pem(key_from_seed(Ids("other key").draw(64)))

Settings = Mapping[str, str]
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


@pytest.fixture
def judge(environment: Environment, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def judge_live(settings: Settings, **options: Any) -> dict[str, Any]:
        with environment(settings, tmp_path):
            return run(Options(apis=("offblocks",), target="live", examples=1, **options))

    return judge_live


def verdicts(results: dict[str, Any]) -> dict[str, str]:
    return {rule["id"]: rule["verdict"] for rule in results["rules"]}


# ------------------------------------------------------------------------------------------------------ a good server


@pytest.fixture(scope="module")
def live(
    sandbox_elsewhere: Control, environment: Environment, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The results of a run in which short waits pass at once, since the sandbox's clock is moved instead."""

    def advance(_clock: SystemClock, duration: timedelta) -> None:
        sandbox_elsewhere.ask("POST", "/clock", {"advance_seconds": duration.total_seconds()})

    with environment(settings, tmp_path_factory.mktemp("live")) as patch:
        patch.setattr(SystemClock, "advance", advance)
        return run(Options(apis=("offblocks",), target="live", examples=1))


def test_a_sandbox_elsewhere_gets_the_verdicts_of_one_here_but_for_what_is_skipped(live: dict[str, Any]) -> None:
    here = verdicts(run(Options(apis=("offblocks",), target="sandbox", examples=1)))
    there = verdicts(live)
    different = {rule: verdict for rule, verdict in there.items() if verdict != here[rule]}
    assert set(different.values()) <= {"skipped"}
    assert live["verdict"] == "conforms"
    assert list(there.values()).count("pass") > len(different)


NEEDS = {
    "This needs time to pass, about an hour; give --allow-wait to wait for it.",
    "This needs credentials that may be replaced, as only the reference sandbox gives them.",
    "This needs an address that the API can reach.",
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
    results = judge(alone, rule=("offblocks.isolation.*",))
    assert set(verdicts(results).values()) == {"skipped"}
    assert {rule["reason"].partition(";")[2][:42] for rule in results["rules"]} == {
        " set CONFORMANCE_OFFBLOCKS_SECOND_API_KEY,"
    }
    assert results["verdict"] == "inconclusive"


def test_the_seed_is_another_each_time(judge: Callable[..., dict[str, Any]], settings: Settings) -> None:
    one, other = (judge(settings, rule=("offblocks.customer.listed",)) for _ in range(2))
    assert one["seed"] != other["seed"]
    assert verdicts(one) == verdicts(other) == {"offblocks.customer.listed": "pass"}


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
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(b"<html>Welcome</html>")

    with answering(answer) as url:
        reason = reason_of_all(judge({**settings, f"{PREFIX}BASE_URL": url}))
    assert reason == (
        f"The first identity has no access. Asked for a token at {url}: "
        "The answer to POST /v1/auth/token is text/html, not JSON."
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
    assert reason.endswith(f"Asked for a token at {url}: POST /v1/auth/token got no answer: timed out")


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
    waited = []
    monkeypatch.setattr(SystemClock, "advance", lambda _clock, duration: waited.append(duration))
    PatientClock(allow_wait=allow_wait).advance(timedelta(seconds=seconds))
    assert waited == [timedelta(seconds=seconds)]


def test_a_subject_has_what_the_settings_say(environment: Environment, settings: Settings, tmp_path: Path) -> None:
    with environment({**settings, f"{PREFIX}CHAIN": "eip155:1"}, tmp_path):
        target = LiveTarget([api], {"offblocks": Specification.load(api.specification)}, {}, allow_wait=False)
    subject, same, other = (target.subject(api, "offblocks/a/b", Conditions(seed)) for seed in ("1", "1", "2"))
    drawing = [target.subject(api, "offblocks/a/b", Conditions(seed, drawing_seed="0")) for seed in ("1", "2")]
    target.close()
    assert subject.base_url == target.description == settings[f"{PREFIX}BASE_URL"]
    assert set(subject.credentials) == {"first", "second"}
    assert subject.settings["chain"] == "eip155:1"
    assert subject.hooks is None
    assert not subject.disposable
    assert (subject.ids.uuid() == same.ids.uuid(), same.ids.uuid() == other.ids.uuid()) == (True, False)
    assert len({each.requests.child("seed").uuid() for each in drawing}) == 1
    assert len({each.ids.child("seed").uuid() for each in drawing}) == 2


def test_secure_servers_are_verified_by_the_certificates_given(environment: Environment, tmp_path: Path) -> None:
    made_up = {f"{PREFIX}{name.upper()}": value for name, value in made_up_credentials(Ids("live")).items()}
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificate")
    settings = {**made_up, f"{PREFIX}BASE_URL": "https://127.0.0.1:9", "CONFORMANCE_CA_FILE": str(wrong)}
    with environment(settings, tmp_path), pytest.raises(SettingsError, match="CONFORMANCE_CA_FILE is "):
        run(Options(apis=("offblocks",), target="live", examples=1))
