"""What changed between two sets of recordings is told as that, and what varies by nature is not."""

import base64
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.commands.comparison import rules_of
from conformance.drift.form import Change, Impact, NotComparableError
from conformance.drift.formats import forms, is_word, lines
from conformance.drift.journals import read_folder
from conformance.drift.traffic import KINDS, compare
from conformance.exchange import Exchange
from conformance.files import data_path
from conformance.options import Options
from conformance.recording.cassettes import Cassette
from conformance.recording.skipped import note_skipped
from conformance.run import run
from conformance.sandbox.server import start

SHIPPED = data_path("cassettes")


def changes(before: dict[str, Cassette], after: dict[str, Cassette]) -> list[Change]:
    return list(compare(before, after, ("before", "after"), rules_of).changes)


@pytest.fixture(scope="module")
def shipped() -> dict[str, Cassette]:
    return read_folder(SHIPPED)


# -------------------------------------------------------------------------------------------- one thing in every answer


Edit = Callable[[Any], Any]


def everywhere(edit: Edit, cassettes: dict[str, Cassette], operation: str = "") -> dict[str, Cassette]:
    """The cassettes with each JSON body of success changed, as if the server had changed."""

    def edited(exchange: Exchange) -> Exchange:
        response = exchange.response
        if (operation and exchange.operation != operation) or not response.succeeded or not response.members():
            return exchange
        body = json.dumps(edit(json.loads(response.body))).encode()
        return replace(exchange, response=replace(response, body=body))

    return {
        test: replace(cassette, exchanges=tuple(edited(exchange) for exchange in cassette.exchanges))
        for test, cassette in cassettes.items()
    }


def deep(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Edit:
    """An edit of every object of a body."""

    def edited(value: Any) -> Any:
        if isinstance(value, dict):
            return change({name: edited(each) for name, each in value.items()})
        return [edited(each) for each in value] if isinstance(value, list) else value

    return edited


def renamed(before: str, after: str) -> Edit:
    return deep(lambda members: {after if name == before else name: value for name, value in members.items()})


def without(gone: str) -> Edit:
    return deep(lambda members: {name: value for name, value in members.items() if name != gone})


def with_(name: str, write: Callable[[Any], Any]) -> Edit:
    return deep(lambda members: {key: write(each) if key == name else each for key, each in members.items()})


EDITS = {
    "renamed": (renamed("createdAt", "created"), "member-renamed", "createdAt"),
    "missing": (without("createdAt"), "member-missing", "createdAt"),
    "retyped": (with_("createdAt", lambda _: 1_768_478_400), "member-retyped", "createdAt"),
    "null": (with_("createdAt", lambda _: None), "member-retyped", "createdAt"),
    "another form": (with_("createdAt", lambda text: text.replace("Z", "+00:00")), "member-reformed", "createdAt"),
    "an id in another form": (with_("id", lambda text: text.replace("-", "")), "member-reformed", "id"),
    "new": (deep(lambda members: {**members, "risk": "low"}), "member-new", "risk"),
    "a value in capitals": (with_("status", lambda text: str(text).upper()), "value-changed", "status"),
    "a line of the challenge": (
        with_("challenge", lambda text: relined(text, "Issued At: ", "Issued: ")),
        "member-renamed",
        "challenge",
    ),
    "a line less in the challenge": (
        with_("challenge", lambda text: relined(text, "Version: 1\n", "")),
        "member-missing",
        "challenge",
    ),
}


def relined(text: Any, before: str, after: str) -> Any:
    if not isinstance(text, str) or not lines(text):
        return text
    plain = base64.b64decode(text).decode()
    return base64.b64encode(plain.replace(before, after).encode()).decode()


@pytest.mark.parametrize(("edit", "kind", "member"), EDITS.values(), ids=EDITS)
def test_what_changed_in_every_answer_is_told_as_that(
    edit: Edit, kind: str, member: str, shipped: dict[str, Cassette]
) -> None:
    some = {test: each for test, each in shipped.items() if test.startswith("offblocks/customer/")}
    found = changes(some, everywhere(edit, some))
    told = [change for change in found if change.kind == kind and f"/{member}" in change.place]
    assert told, [change.to_json() for change in found]
    assert {change.impact for change in told} == {KINDS[kind][0]}
    other = [change for change in found if f"/{member}" not in change.place and change.impact is not Impact.HARMLESS]
    assert [change for change in other if change.kind != "identity-changed"] == []


def test_a_renamed_member_names_the_rules_that_are_about_it(shipped: dict[str, Cassette]) -> None:
    some = {test: each for test, each in shipped.items() if test.startswith("offblocks/customer/")}
    found = changes(some, everywhere(renamed("createdAt", "created"), some, "createCustomer"))
    (told,) = [change for change in found if change.kind == "member-renamed"]
    assert told.place == "createCustomer response 2XX /createdAt"
    assert (told.before, told.after) == ("createdAt", "created")
    assert "offblocks.response.matches-schema" in told.rules


def edited(cassette: Cassette, change: Callable[[Exchange], Exchange]) -> dict[str, Cassette]:
    return {cassette.test: replace(cassette, exchanges=tuple(map(change, cassette.exchanges)))}


@pytest.fixture
def one(shipped: dict[str, Cassette]) -> Cassette:
    return shipped["offblocks/customer/a_new_customer_is_created"]


def with_response(**members: Any) -> Callable[[Exchange], Exchange]:
    return lambda exchange: replace(exchange, response=replace(exchange.response, **members))


def test_another_status_encoding_and_header_are_told(one: Cassette) -> None:
    def change(exchange: Exchange) -> Exchange:
        headers = (("content-type", "text/json"), ("x-next", "1"))
        status = 200 if exchange.response.status == 201 else exchange.response.status
        return replace(exchange, response=replace(exchange.response, status=status, headers=headers))

    found = {change.kind for change in changes({one.test: one}, edited(one, change))}
    assert {"status-changed", "content-type-changed", "header-new"} <= found


def test_what_was_refused_and_is_accepted_is_breaking(shipped: dict[str, Cassette]) -> None:
    cassette = next(
        each
        for each in shipped.values()
        if any(400 <= made.response.status < 500 and made.breaks for made in each.exchanges)
    )
    refused = next(made for made in cassette.exchanges if 400 <= made.response.status < 500 and made.breaks)

    def accept(exchange: Exchange) -> Exchange:
        return exchange if exchange is not refused else with_response(status=200)(exchange)

    found = changes({cassette.test: cassette}, edited(cassette, accept))
    (told,) = [change for change in found if change.kind == "accepted-now"]
    assert told.impact is Impact.BREAKING
    assert all(rule in told.place for rule in refused.breaks)
    assert told.tests == (cassette.test,)


def test_a_shorter_life_is_told_with_its_length(shipped: dict[str, Cassette]) -> None:
    some = {test: each for test, each in shipped.items() if test.startswith("offblocks/authentication/")}
    after = everywhere(with_("expiresAt", lambda seconds: seconds - 1800), some, "createToken")
    told = [change for change in changes(some, after) if change.kind == "expires-earlier"]
    assert [(each.before, each.after) for each in told] == [("3600 s after the exchange", "1800 s after the exchange")]
    assert "offblocks.authentication.token-lives-an-hour" in told[0].rules


def test_a_test_that_is_in_one_of_them_alone_is_told(shipped: dict[str, Cassette]) -> None:
    names = list(shipped)[:3]
    before, after = ({name: shipped[name] for name in part} for part in (names[:2], names[1:]))
    assert {(each.kind, each.tests) for each in changes(before, after)} == {
        ("recording-missing", (names[0],)),
        ("recording-new", (names[2],)),
    }


def test_recordings_without_a_common_test_cannot_be_compared(shipped: dict[str, Cassette]) -> None:
    first, second = list(shipped)[:2]
    with pytest.raises(NotComparableError, match="No test was recorded in both"):
        changes({first: shipped[first]}, {second: shipped[second]})


def test_nothing_is_told_of_recordings_and_themselves(shipped: dict[str, Cassette]) -> None:
    assert changes(shipped, shipped) == []


def test_a_webhook_that_does_not_come_is_told(shipped: dict[str, Cassette]) -> None:
    cassette = next(
        each for each in shipped.values() if each.deliveries and not any(x.generated for x in each.exchanges)
    )
    found = changes({cassette.test: cassette}, {cassette.test: replace(cassette, deliveries=())})
    assert {change.kind for change in found} == {"webhook-missing"}


# -------------------------------------------------------------------------------------------------- servers that differ


SHOWING = (
    "offblocks/authentication/wrong_credentials_are_given_no_token",
    "offblocks/challenge/a_challenge_is_fetched_again",
    "offblocks/customer/a_customer_that_does_not_exist_is_not_found",
    "offblocks/digest/a_missing_digest_is_refused",
    "offblocks/flow/a_rejected_customer_stays_rejected",
    "offblocks/idempotency/a_key_that_is_no_uuid_is_refused",
    "offblocks/webhook/a_change_of_a_customer_is_sent",
    "planbok/customer/a_customer_is_created",
    "planbok/key/a_missing_key_is_refused",
    "planbok/list/the_list_holds_what_came_of_every_challenge",
    "planbok/page/the_customer_is_sent_back_to_any_page",
)
"""Tests that show the faults below."""


def record(folder: Path, seed: str = "0", faults: tuple[str, ...] = ()) -> dict[str, Cassette]:
    """Recordings of these tests, of a sandbox with some faults."""
    with start(faults=faults) as running:
        base_urls = {name: running.describe()["base_urls"][name] for name in ("offblocks", "planbok")}
        run(
            Options(
                target="sandbox",
                base_urls=base_urls,
                tests=SHOWING,
                cassettes=folder,
                seed=seed,
                record=True,
                record_failing=True,
            )
        )
    return read_folder(folder)


def test_what_was_skipped_is_no_cassette(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED / "offblocks/digest", tmp_path / "offblocks/digest")
    note_skipped(tmp_path / "offblocks", "offblocks", {"offblocks/digest/waits": "This needs time to pass."})
    assert (tmp_path / "offblocks/recording.yaml").is_file()
    assert {test.split("/")[1] for test in read_folder(tmp_path)} == {"digest"}


TWELVE = {
    "LeavesOutTheTokenType": ("member-missing", "createToken response 2XX /tokenType"),
    "IssuesTokensForADay": ("expires-later", "createToken response 2XX /expiresAt"),
    "WritesTimesAsNumbers": ("member-reformed", "createCustomer response 2XX /createdAt"),
    "RenamesTheExternalId": ("member-renamed", "createCustomer response 2XX /externalId"),
    "ShortensNonces": ("member-reformed", "createCustomer response 2XX /challenge/Nonce"),
    "AcceptsAnyTextForAKey": ("accepted-now", "createCustomer status, asked by"),
    "AnswersUnknownCustomersWith400": ("refusal-changed", "getCustomer status"),
    "SendsEventsWithoutId": ("member-missing", "webhook webhook body /eventId"),
    "AnswersMissingKeyWith400": ("refusal-changed", "listCustomers status, asked by"),
    "LeavesOutTheMessage": ("member-missing", "createCustomer response 2XX /message"),
    "ListsTheFirstWalletOnly": ("entries-changed", "listWallets response 2XX /data"),
    "LosesTheQuery": ("header-changed", "header location"),
}
ANOTHER_TWELVE = {
    "SaysVersion2": ("value-changed", "createCustomer response 2XX /challenge/Version"),
    "NamesAnotherUri": ("member-reformed", "createCustomer response 2XX /challenge/URI"),
    "AnswersFetchesWith202": ("status-changed", "getChallenge status"),
    "CallsRejectedCustomersDeclined": ("value-changed", "/status"),
    "CapitalisesExternalIds": ("member-reformed", "createCustomer response 2XX /externalId"),
    "AcceptsAnySecret": ("accepted-now", "createToken status"),
    "AcceptsMissingDigest": ("accepted-now", "createCustomer status, asked by"),
    "SendsCreationsOnly": ("webhook-missing", "webhook webhook"),
    "ShowsAPinBeforehand": ("value-changed", "createCustomer response 2XX /data/hasPin"),
    "LeavesOutThePage": ("member-missing", "initializeCustomer response 2XX /data/redirectUrl"),
    "ExpiresChallengesAfterTenMinutes": ("expires-earlier", "initializeCustomer response 2XX /data/expiresAt"),
    "WritesTheStatusAsText": ("member-retyped", "createCustomer response 2XX /status"),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cassette]:
    return record(tmp_path_factory.mktemp("plain"), "another seed")


def test_another_seed_is_no_drift(plain: dict[str, Cassette], shipped: dict[str, Cassette]) -> None:
    assert len(plain) == len(SHOWING)
    assert changes({test: shipped[test] for test in plain}, plain) == []


@pytest.mark.parametrize("faults", [TWELVE, ANOTHER_TWELVE], ids=["twelve", "another twelve"])
def test_twelve_faults_are_all_named(
    faults: dict[str, tuple[str, str]], plain: dict[str, Cassette], tmp_path: Path
) -> None:
    found = changes(plain, record(tmp_path, faults=tuple(faults)))
    named = {
        fault: [change for change in found if change.kind == kind and place in change.place]
        for fault, (kind, place) in faults.items()
    }
    assert [fault for fault, told in named.items() if not told] == [], sorted({(c.kind, c.place) for c in found})


# ---------------------------------------------------------------------------------------------------------------- forms


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("04c5851c-4386-5bd9-9f89-08312f8aee3a", "uuid"),
        ("2026-01-15T12:00:00Z", "date-time in UTC"),
        ("2026-01-15T12:00:00.5+00:00", "time with a fraction of a second"),
        ("1768478400", "digits"),
        ("0x43158f45b5EbD7b1179130130DF00393928C2691", "0x and 40 hexadecimal digits"),
        ("507f1f77bcf86cd799439011", "24 hexadecimal digits"),
        ("eip155:280:0x43158f45b5EbD7b1179130130DF00393928C2691", "CAIP account"),
        ("a@example.com", "e-mail address"),
        ("QUJDREVGR0hJSktMTU5PUA==", "base64"),
        ("https://a.example:8080/x/507f1f77bcf86cd799439011?q=1", "URL like https://a.example/x/…?q"),
    ],
)
def test_a_text_has_its_form(text: str, form: str) -> None:
    assert form in forms(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("active", True),
        ("customer.created", True),
        ("PIN_SETUP", True),
        ("JGHydyXBiyXZtNah", False),
        ("k3jd82hs", False),
    ],
)
def test_a_word_is_told_from_a_nonce(text: str, says: bool) -> None:
    assert is_word(text) is says
