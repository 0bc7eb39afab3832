"""What recorded traffic shows, whoever recorded it: no false alarm, and what is wrong in it."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from conformance.clock import SystemClock
from conformance.files import data_path
from conformance.ids import Ids
from conformance.offblocks import OffBlocksApi
from conformance.offblocks.client import ApiError, Client, Credentials
from conformance.planbok.client import Client as PlanbokClient
from conformance.planbok.client import Credentials as PlanbokCredentials
from conformance.reporting.support import support_text
from conformance.sandbox.remote import Control, World
from conformance.traffic.capture import plain_url
from conformance.traffic.reading import judge_file

from .conftest import Judge, archive_of, broken, exported, later, log_of, onboard, reason, verdicts

VERIFIES = "offblocks.client.signature-verifies"
OVER_BYTES = "offblocks.client.digests-sent-bytes"


def give(monkeypatch: pytest.MonkeyPatch, world: World, api: str) -> None:
    for name, value in world.credentials(api)["first"].items():
        monkeypatch.setenv(f"CONFORMANCE_{api.upper()}_{name.upper()}", value)


def entries_to(archive: dict[str, Any], end: str) -> list[dict[str, Any]]:
    return [entry for entry in archive["log"]["entries"] if entry["request"]["url"].endswith(end)]


@pytest.mark.parametrize("form", ["log", "archive", "exported"])
def test_right_traffic_of_two_apis_and_two_clients_conforms(
    judge: Judge, log: Any, archive: Any, form: str, world: World
) -> None:
    results = judge({"log": log, "archive": archive, "exported": exported(archive)}[form])
    assert broken(results) == set()
    assert (results["verdict"], results["target"]) == ("conforms", "traffic")
    assert results["base_urls"].items() <= world.base_urls.items()
    assert verdicts(results)["offblocks.customer.created-with-201"] == "pass"
    assert verdicts(results)["planbok.challenge.answered"] == "pass"
    assert {exchange["identity"] for exchange in results["exchanges"]} == {"client 1", "client 2"}
    jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/results.json").read_bytes())).validate(results)


def test_traffic_that_begins_or_ends_anywhere_raises_no_alarm(judge: Judge, archive: Any, world: World) -> None:
    whole = exported(archive)
    entries = whole["log"]["entries"]
    for start in range(1, len(entries)):
        whole["log"]["entries"] = entries[start:]
        assert broken(judge(whole, **world.base_urls)) == set()
    for step in range(2, 6):
        whole["log"]["entries"] = entries[::step]
        assert broken(judge(whole, **world.base_urls)) == set()


def test_without_the_key_no_signature_is_verified_and_with_it_all_are(
    judge: Judge, archive: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = judge(archive)
    assert verdicts(results)[VERIFIES] == "skipped"
    assert "set CONFORMANCE_OFFBLOCKS_SIGNING_KEY and CONFORMANCE_OFFBLOCKS_SIGNING_KEY_ID" in reason(results, VERIFIES)
    give(monkeypatch, world, "offblocks")
    own = {**archive, "log": {**archive["log"], "entries": archive["log"]["entries"][:6]}}
    assert verdicts(judge(own))[VERIFIES] == "pass"
    sent = entries_to(own := deepcopy(own), "/v1/customers")[0]["request"]["headers"]
    next(line for line in sent if line["name"].lower() == "idempotency-key")["value"] += "0"
    assert verdicts(judge(own))[VERIFIES] == "fail"


@pytest.mark.parametrize(
    ("fault", "api", "rule"),
    [
        ("AnswersCreationWith200", "offblocks", "offblocks.customer.created-with-201"),
        ("IssuesTokensForADay", "offblocks", "offblocks.authentication.token-lives-an-hour"),
        ("NamesAnotherAddress", "offblocks", "offblocks.challenge.address"),
        ("GivesIdsWithoutHyphens", "offblocks", "offblocks.customer.id-is-a-uuid"),
    ],
)
def test_a_faulty_server_is_found_and_its_client_is_not_blamed(
    control: Control, judge: Judge, fault: str, api: str, rule: str
) -> None:
    world = World(control, fault, "real")
    world.faults(fault)
    with Client(
        world.base_urls[api], Credentials.from_settings(world.credentials(api)["first"]), clock=SystemClock()
    ) as client:
        with suppress(ApiError):
            client.create_customer("eip155:300:0x22227A31dd842196A246d8f3b775998560eAa61d", "user-1")
        client.customers()
    results = judge(exported(archive_of(world)))
    assert rule in broken(results)
    assert not [found for found in broken(results) if ".client." in found]


def test_a_body_that_was_recorded_as_text_leaves_its_bytes_open(judge: Judge, archive: Any) -> None:
    ours = deepcopy(archive)
    for entry in entries_to(ours, "/v1/customers"):
        entry["request"]["postData"]["text"] += " "
    assert verdicts(judge(ours))[OVER_BYTES] == "fail"
    results = judge(exported(ours))
    assert broken(results) == set()
    rule = next(each for each in results["rules"] if each["id"] == OVER_BYTES)
    assert {finding["verdict"] for finding in rule["findings"]} == {"pass", "skipped"}
    assert any("recorded as text" in finding["reason"] for finding in rule["findings"])


def test_bodies_that_were_not_recorded_raise_no_alarm(judge: Judge, archive: Any, world: World) -> None:
    for kind, number in (("request", 1), ("response", 2), ("both", 1)):
        bare = exported(archive)
        for entry in bare["log"]["entries"][::number]:
            if kind != "response" and "postData" in entry["request"]:
                del entry["request"]["postData"]
            if kind != "request" and entry["response"]["content"]["size"]:
                del entry["response"]["content"]["text"]
        results = judge(bare, **world.base_urls)
        assert broken(results) == set()
        assert any("lacks a body" in remark for remark in results["remarks"])


def test_heads_that_were_not_recorded_raise_no_alarm(judge: Judge, archive: Any) -> None:
    bare = exported(archive)
    for entry in bare["log"]["entries"]:
        entry["request"]["headers"] = entry["response"]["headers"] = []
        del entry["response"]["content"]["mimeType"]
    assert broken(judge(bare)) == set()


def test_an_export_without_credentials_raises_no_alarm(judge: Judge, archive: Any) -> None:
    bare = exported(archive)
    for entry in bare["log"]["entries"]:
        headers = entry["request"]["headers"]
        hidden = {"authorization", "planbok-x-api-key"}
        entry["request"]["headers"] = [line for line in headers if line["name"].lower() not in hidden]
    assert broken(judge(bare)) == set()


@pytest.mark.parametrize("shown", [None, "[REDACTED]", "Bearer ***", "Bearer xxxxxxxx", "<redacted>"])
def test_what_a_signature_covers_and_a_tool_takes_out_raises_no_alarm(
    control: Control, judge: Judge, monkeypatch: pytest.MonkeyPatch, shown: str | None
) -> None:
    world = World(control, "covers its token", "real")
    give(monkeypatch, world, "offblocks")
    own = Credentials.from_settings(world.credentials("offblocks")["first"])
    covered = ("@method", "@target-uri", "authorization", "content-digest", "idempotency-key")
    with Client(world.base_urls["offblocks"], own, clock=SystemClock(), components=covered) as client:
        client.create_customer("eip155:300:0x22227A31dd842196A246d8f3b775998560eAa61d", "user-1")
    whole = exported(archive_of(world))
    assert verdicts(judge(whole))[VERIFIES] == "pass"
    for entry in whole["log"]["entries"]:
        entry["request"]["headers"] = [
            line if line["name"].lower() != "authorization" else {**line, "value": shown}
            for line in entry["request"]["headers"]
            if shown is not None or line["name"].lower() != "authorization"
        ]
    results = judge(whole)
    assert broken(results) == set()
    assert verdicts(results)[VERIFIES] == "skipped"


def test_the_clock_of_the_recorder_may_be_wrong(judge: Judge, archive: Any) -> None:
    for passed in ({"hours": 3}, {"days": -40}, {"seconds": 20}):
        shifted = exported(archive)
        for entry in shifted["log"]["entries"]:
            entry["startedDateTime"] = later(entry["startedDateTime"], **passed)
        assert broken(judge(shifted)) == set()
        for entry in shifted["log"]["entries"]:
            entry["response"]["headers"] = [line for line in entry["response"]["headers"] if line["name"] != "Date"]
        results = judge(shifted)
        assert broken(results) == set()
        assert verdicts(results)["offblocks.authentication.token-lives-an-hour"] in {"pass", "skipped"}


def test_answers_of_caches_and_of_the_proxy_say_nothing_of_the_server(judge: Judge, archive: Any) -> None:
    mixed = exported(archive)
    entries = mixed["log"]["entries"]
    cached, aborted, refused, unmodified = (deepcopy(entries_to(mixed, "/v1/customers")[0]) for _ in range(4))
    cached["_fromCache"] = "disk"
    cached["response"]["status"] = 599
    aborted["response"] = {"status": 0, "headers": [], "content": {}}
    refused["response"]["status"] = 502
    refused["response"]["headers"] = [{"name": "proxy-status", "value": "wallet-conformance; error=connection_refused"}]
    unmodified["response"]["status"] = 304
    results = judge({"log": {**mixed["log"], "entries": [*entries, cached, aborted, refused, unmodified]}})
    assert broken(results) == set()
    assert "Of the requests 2 got no answer." in results["remarks"]
    assert "Of the requests 2 was answered by a cache and not by the server." in results["remarks"]


def test_requests_elsewhere_are_counted_and_left_out(judge: Judge, archive: Any) -> None:
    mixed = exported(archive)
    stranger = deepcopy(mixed["log"]["entries"][0])
    stranger["request"] = {"method": "GET", "url": "https://telemetry.example/a?secret=hunter2"}
    del stranger["startedDateTime"]
    mixed["log"]["entries"] += [stranger, {"request": {"method": "GET", "url": "chrome-extension://a"}}]
    results = judge(mixed)
    assert "2 requests were for something else and left out." in results["remarks"]
    assert "telemetry" not in json.dumps(results)


def test_no_secret_stands_in_the_results_or_the_text_for_support(
    judge: Judge, archive: Any, world: World, log: Any
) -> None:
    spoilt = exported(archive)
    token = next(
        json.loads(entry["response"]["content"]["text"])["token"] for entry in entries_to(spoilt, "/v1/auth/token")
    )
    entries_to(spoilt, "/v1/customers")[0]["request"]["url"] += f"?token={token}"
    entries_to(spoilt, "/v1/customers")[0]["response"]["status"] = 500
    for traffic in (spoilt, log):
        results = judge(traffic, **world.base_urls)
        written = json.dumps(results) + support_text(results)
        own = [world.credentials(api)[who] for api in ("offblocks", "planbok") for who in ("first", "second")]
        names = ("api_key", "api_secret")
        secrets = [token, *(each[name] for each in own for name in names if name in each)]
        assert [secret for secret in secrets if secret in written] == []
    assert verdicts(judge(spoilt, **world.base_urls))["offblocks.client.no-secret-in-url"] == "note"


def test_the_text_for_support_has_sources_exchange_expected_and_got(judge: Judge, archive: Any) -> None:
    spoilt = exported(archive)
    answered = entries_to(spoilt, "/v1/customers")[0]["response"]
    body = json.loads(answered["content"]["text"])
    answered["content"]["text"] = json.dumps({**body, "id": "```7", "status": "initiating"})
    del answered["content"]["size"]
    text = support_text(judge(spoilt))
    for part in (
        "## 1. ",
        "<https://",
        "POST http://",
        "- Expected: `",
        "- Got: ",
        "````http",
        "```7",
    ):
        assert part in text
    assert text.count("````") % 2 == 0
    assert "nothing to report" in support_text(judge(exported(archive)))


def test_requests_that_overlap_leave_open_what_their_order_decides(judge: Judge, archive: Any) -> None:
    tangled = exported(archive)
    for entry in tangled["log"]["entries"]:
        entry["time"] = 5_000
    assert broken(judge(tangled)) == set()


def test_customers_in_parallel_raise_no_alarm(control: Control, judge: Judge) -> None:
    world = World(control, "parallel", "real")
    own = Credentials.from_settings(world.credentials("offblocks")["first"])

    def onboard_some(thread: int) -> None:
        with Client(world.base_urls["offblocks"], own, clock=SystemClock(), ids=Ids(f"thread {thread}")) as client:
            onboard(client, *(f"{thread} {number}" for number in range(3)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(onboard_some, range(4)))
    for traffic in (log_of(world), archive_of(world), exported(archive_of(world))):
        results = judge(traffic)
        assert broken(results) == set()
        assert {exchange["identity"] for exchange in results["exchanges"]} == {"client 1"}


def test_a_server_that_began_anew_is_judged_anew(control: Control, judge: Judge) -> None:
    world = World(control, "reset", "real")
    recorded = []
    for number in range(2):
        own = Credentials.from_settings(world.credentials("offblocks")["first"])
        with Client(world.base_urls["offblocks"], own, clock=SystemClock(), ids=Ids("alike")) as client:
            onboard(client, *(f"{number} {each}" for each in range(2)))
        other = PlanbokCredentials.from_settings(world.credentials("planbok")["first"])
        with PlanbokClient(world.base_urls["planbok"], other) as client_of_planbok:
            made = client_of_planbok.create_customer(f"Anna {number}", f"user {number}")
            client_of_planbok.customer(made.id)
        recorded += exported(archive_of(world))["log"]["entries"]
        world._control.ask("POST", f"{world._route}/reset", {})
    for entry in recorded[len(recorded) // 2 :]:
        entry["startedDateTime"] = later(entry["startedDateTime"], seconds=90)
        for line in entry["response"]["headers"]:
            if line["name"] == "Date":
                line["value"] = format_datetime(
                    parsedate_to_datetime(line["value"]) + timedelta(seconds=90), usegmt=True
                )
        content = entry["response"]["content"]
        content["text"] = re.sub(r"2026-[0-9T:.-]+Z", lambda time: later(time[0], seconds=90), content.get("text", ""))
    ids = [json.loads(each["response"]["content"]["text"])["id"] for each in recorded if is_creation(each)]
    assert len(ids) == 2 * len(set(ids))
    assert broken(judge({"log": {"entries": recorded}})) == set()


def is_creation(entry: Any) -> bool:
    return bool(entry["request"]["method"] == "POST" and entry["request"]["url"].endswith("/v1/customers"))


def test_a_world_whose_clock_was_advanced_raises_no_alarm(control: Control, judge: Judge) -> None:
    for clock in ("real", "frozen"):
        world = World(control, f"advanced {clock}", clock)
        own = Credentials.from_settings(world.credentials("offblocks")["first"])
        with Client(world.base_urls["offblocks"], own, clock=world) as client:
            onboard(client, "a")
            world.advance(timedelta(seconds=4000))
            with pytest.raises(ApiError):
                client.challenge("00000000-0000-4000-8000-000000000000")
            onboard(client, "b")
        assert broken(judge(exported(archive_of(world)))) == set()
        assert broken(judge(log_of(world))) == set()


def test_times_in_whole_seconds_leave_pauses_open(
    judge: Judge, archive: Any, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    throttled = exported(archive)
    read = next(each for each in throttled["log"]["entries"] if "/planbok/v2/customers/" in each["request"]["url"])
    again = deepcopy(read)
    read["response"]["status"] = 429
    throttled["log"]["entries"] = [read, again]
    for entry, time in ((read, "2026-01-15T12:00:00.004Z"), (again, "2026-01-15T12:00:00.014Z")):
        entry["startedDateTime"], entry["time"] = time, 1
    assert verdicts(judge(throttled))["planbok.client.backs-off"] == "fail"
    for entry in (read, again):
        entry["startedDateTime"], entry["time"] = "2026-01-15T12:00:00Z", 0
    assert verdicts(judge(throttled))["planbok.client.backs-off"] == "skipped"


def test_a_key_is_the_clients_own_only_if_it_is_known(
    judge: Judge, archive: Any, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    rule = "planbok.client.sends-key"
    assert "CONFORMANCE_PLANBOK_API_KEY" in reason(judge(archive), rule)
    give(monkeypatch, world, "planbok")
    assert verdicts(judge(archive))[rule] == "pass"
    monkeypatch.setenv("CONFORMANCE_PLANBOK_API_KEY", "another")
    monkeypatch.delenv("CONFORMANCE_PLANBOK_READ_ONLY_KEY", raising=False)
    assert verdicts(judge(archive))[rule] == "skipped"
    refused = deepcopy(archive)
    entries = [each for each in refused["log"]["entries"] if "/planbok/" in each["request"]["url"]]
    for entry in entries:
        entry["response"]["status"] = 401
    assert verdicts(judge(refused))[rule] == "fail"


class Unprepared(OffBlocksApi):
    """An API of which nobody says what foreign traffic leaves open."""

    foreign = None  # type: ignore[assignment]


def test_of_an_api_that_is_not_prepared_for_it_the_form_of_answers_is_judged_alone(
    archive: Any, tmp_path: Path
) -> None:
    spoilt = exported(archive)
    entries_to(spoilt, "/v1/customers")[0]["response"]["content"] = {"text": "{}"}
    entries_to(spoilt, "/v1/customers")[1]["response"]["status"] = 409
    file = tmp_path / "a.har"
    file.write_text(json.dumps(spoilt))
    results = judge_file(file, {}, [Unprepared()])
    assert broken(results) == {"offblocks.response.matches-schema"}
    assert verdicts(results)["offblocks.client.signs-requests"] == "untested"


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://me:secret@a.example/b?c=@", "https://a.example/b?c=@"),
        ("https://a.example/b@c#d", "https://a.example/b@c"),
        ("https://a.example?b@c", "https://a.example?b@c"),
        ("chrome://me@a", "chrome://a"),
        ("about:blank#a", "about:blank"),
    ],
)
def test_what_is_not_sent_of_a_url_is_left_out(url: str, plain: str) -> None:
    assert plain_url(url) == plain
