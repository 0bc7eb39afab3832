"""What an observer remembers of exchanges, which checks, model and the judge of a client read alike."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conformance.clock import EPOCH_OF_WORLDS
from conformance.exchange import Exchange, Request, Response
from conformance.ids import Ids
from conformance.offblocks import api
from conformance.offblocks.checks.history import History
from conformance.offblocks.observer import HOUR, MARGIN, Observer, Span, Use, pair_of, payload_of
from conformance.specification import Specification
from conformance.standards.message_signatures import key_from_seed

SPECIFICATION = Specification.load(api.specification)
WALLET = "eip155:300:0x43158f45b5EbD7b1179130130DF00393928C2691"
BODY = {"chainId": WALLET, "externalId": "user-1"}


def exchange(
    method: str,
    path: str,
    answer: Mapping[str, Any],
    status: int = 200,
    *,
    sent: Mapping[str, Any] | None = None,
    key: str | None = None,
    after: timedelta = timedelta(),
) -> Exchange:
    match = SPECIFICATION.match(method, path)
    assert match is not None
    return Exchange(
        id=match.operation.id,
        operation=match.operation.id,
        identity="first",
        at=EPOCH_OF_WORLDS + after,
        seconds=1.0,
        request=Request(
            (("Idempotency-Key", key),) if key else (),
            json.dumps(sent).encode() if sent else b"",
            method,
            f"https://sandbox.example{path}",
        ),
        response=Response((), json.dumps(answer).encode(), status),
        parameters=match.parameters,
    )


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def creation(challenge: str = "one", key: str = "a", after: timedelta = timedelta(), status: int = 201) -> Exchange:
    answer = {**BODY, "id": "alice", "challenge": challenge}
    return exchange("POST", "/v1/customers", answer, status, sent=BODY, key=key, after=after)


def fetch(challenge: str, after: timedelta, status: int = 200) -> Exchange:
    return exchange("GET", "/v1/customers/alice/challenge", {"challenge": challenge}, status, after=after)


def signature(key: str, after: timedelta, status: int = 204) -> Exchange:
    return exchange(
        "POST", "/v1/customers/alice/challenge/sign", {}, status, sent={"challenge": "one"}, key=key, after=after
    )


def observer(*exchanges: Exchange, key_life: timedelta | None = None) -> Observer:
    made = Observer(key_life)
    for each in exchanges:
        made.see(each)
    return made


# ---------------------------------------------------------------------------------------------------------- customers


def test_a_customer_has_the_first_creation_that_succeeded() -> None:
    refused = creation(status=400)
    assert observer(refused).creation("alice") is None
    made = observer(refused, creation(after=minutes(1)), creation(key="b", after=minutes(2))).creation("alice")
    assert made is not None
    assert (made.identity, made.asked, made.shown["id"]) == ("first", BODY, "alice")
    assert made.span == Span(EPOCH_OF_WORLDS + minutes(1), EPOCH_OF_WORLDS + minutes(1) + timedelta(seconds=1))


def test_the_wallet_is_the_one_that_was_asked_for_last_even_if_the_answer_is_a_refusal() -> None:
    other = replace(
        creation(status=409), request=Request((), b'{"chainId": "eip155:300:0x2"}', "POST", "/v1/customers")
    )
    assert observer(creation(), other).customers["alice"].wallet == "eip155:300:0x2"


def test_a_pair_is_of_the_customer_that_was_created_first_in_whatever_letter_case() -> None:
    second = exchange(
        "POST", "/v1/customers", {"id": "bob"}, 201, sent={"chainId": WALLET.lower(), "externalId": "user-1"}, key="b"
    )
    seen = observer(creation(), second)
    assert seen.pairs == {pair_of(second): "alice"}
    seen.forget("alice")
    assert seen.pairs == {pair_of(second): "bob"}
    assert seen.creation("alice") is None


# --------------------------------------------------------------------------------------------------------- challenges


def test_a_challenge_is_the_current_one_until_another_is_shown() -> None:
    alice = observer(creation(), fetch("one", minutes(5)), fetch("two", minutes(9))).customers["alice"]
    assert alice.current is not None
    assert (alice.current.text, alice.seen_at, alice.settled) == ("two", EPOCH_OF_WORLDS + minutes(9), True)
    assert [(text, issue.first, issue.fetched) for text, issue in alice.issues.items()] == [
        ("one", True, True),
        ("two", False, False),
    ]


def test_a_creation_that_shows_the_current_challenge_again_does_not_make_it_seen_later() -> None:
    alice = observer(creation(), creation(key="b", after=minutes(5))).customers["alice"]
    assert alice.seen_at == EPOCH_OF_WORLDS


def test_a_repeated_creation_shows_a_challenge_but_not_the_current_one() -> None:
    seen = observer(creation(), fetch("two", minutes(5)))
    repetition = creation("three", after=minutes(6))
    seen.see(repetition)
    alice = seen.customers["alice"]
    assert alice.current is not None
    assert (alice.current.text, alice.seen_at) == ("two", EPOCH_OF_WORLDS + minutes(5))
    assert "three" in alice.issues, "a client may have been given it and may sign it"
    seen.see_answer(repetition)
    assert alice.current is not None
    assert alice.current.text == "three", "whoever does not say that the key was repeated is shown it"


def test_a_challenge_of_a_customer_whose_creation_was_not_seen_was_issued_but_is_not_the_current_one() -> None:
    alice = observer(fetch("one", minutes(5))).customers["alice"]
    assert alice.issues["one"].seen == EPOCH_OF_WORLDS + minutes(5)
    assert alice.current is None
    assert alice.creation is None


def test_nothing_is_a_challenge_in_an_answer_that_is_no_success() -> None:
    assert not observer(fetch("one", minutes(5), status=404)).customers


@pytest.mark.parametrize(
    ("settled", "last", "next_one", "earliest"),
    [
        (
            True,
            5,
            65,
            60,
        ),  # its predecessor's hour was over between the two looks, and nothing else can have replaced it
        (False, 5, 65, 5),  # something happened after the look at its predecessor
        (True, 5, 30, 5),  # the hour of its predecessor is not over yet
        (True, 61, 65, 61),  # its predecessor was seen after its hour
    ],
)
def test_a_new_challenge_was_issued_after_the_one_before_it(
    settled: bool, last: int, next_one: int, earliest: int
) -> None:
    seen = observer(creation(), fetch("one", minutes(last)))
    if not settled:
        seen.unsettle("alice")
    seen.see(fetch("two", minutes(next_one)))
    span = seen.customers["alice"].issues["two"].span
    assert span.earliest == EPOCH_OF_WORLDS + minutes(earliest)
    assert span.latest == EPOCH_OF_WORLDS + minutes(next_one) + timedelta(seconds=1)


def test_a_challenge_stays_unsettled_until_it_is_fetched() -> None:
    seen = observer(creation())
    seen.unsettle("alice")
    seen.unsettle("nobody")
    assert not seen.customers["alice"].settled
    seen.see(fetch("one", minutes(5)))
    assert seen.customers["alice"].settled


def test_a_sign_request_does_not_unsettle_by_itself_but_the_checks_take_any_for_one_that_may() -> None:
    signed = signature("b", minutes(5), status=401)
    assert observer(creation(), signed).customers["alice"].settled
    history = History.before([])
    history.learn(creation())
    history.learn(signed)
    assert not history.observer.customers["alice"].settled


# --------------------------------------------------------------------------------------------------- idempotency keys


def first_use(seen: Observer, key: str = "a") -> datetime:
    return seen.uses["first", key].span.earliest


@pytest.mark.parametrize(
    ("life", "later", "is_first_again"),
    [
        (None, timedelta(days=9), False),
        (HOUR, HOUR + timedelta(seconds=0.9), False),  # the answer to the first use took a second
        (HOUR, HOUR + timedelta(seconds=1), True),
        (HOUR + MARGIN, HOUR + timedelta(seconds=2.9), False),
        (HOUR + MARGIN, HOUR + timedelta(seconds=3), True),
    ],
)
def test_a_use_of_a_key_is_the_first_again_when_the_life_of_the_one_before_is_over(
    life: timedelta | None, later: timedelta, is_first_again: bool
) -> None:
    seen = observer(creation(), creation(after=later), key_life=life)
    assert first_use(seen) == EPOCH_OF_WORLDS + (later if is_first_again else timedelta())


def test_a_key_is_used_before_by_the_same_identity_only() -> None:
    seen = observer(creation())
    use = seen.use_before(creation(after=minutes(1)))
    assert use == Use.by(creation())
    assert use.exchange == "createCustomer"
    assert use.payload == payload_of(creation().request)
    assert seen.use_before(creation(key="b")) is None
    assert seen.use_before(replace(creation(), identity="second")) is None
    assert seen.use_before(fetch("one", minutes(1))) is None, "it has no key"


def test_a_request_that_is_under_way_has_used_its_key() -> None:
    seen = Observer(HOUR)
    seen.see_use("first", Use(creation().request, Span(EPOCH_OF_WORLDS, EPOCH_OF_WORLDS)))
    use = seen.use_before(creation())
    assert use is not None
    assert (use.response.status, use.exchange) == (0, "")
    assert [seen.counts(use, EPOCH_OF_WORLDS + each) for each in (HOUR - timedelta(seconds=1), HOUR)] == [True, False]


def test_the_use_of_a_key_outlives_its_customer() -> None:
    seen = observer(creation())
    seen.forget("alice")
    assert seen.use_before(creation()) is not None


@pytest.mark.parametrize(("status", "is_answered"), [(0, False), (503, False), (201, True), (409, True), (429, True)])
def test_a_request_is_unanswered_until_an_answer_other_than_a_5xx_came(status: int, is_answered: bool) -> None:
    sent = ("first", payload_of(creation().request))
    assert observer(creation(status=status)).unanswered == ({} if is_answered else {sent: "a"})
    assert not observer(creation(status=status), creation(status=409)).unanswered


# ---------------------------------------------------------------------------------------------------- tokens and keys


def test_a_token_is_remembered_with_its_expiry() -> None:
    expiry = int((EPOCH_OF_WORLDS + HOUR).timestamp())
    issue = exchange("POST", "/v1/auth/token", {"token": "t", "expiresAt": expiry})
    assert observer(issue).tokens == {"t": EPOCH_OF_WORLDS + HOUR}
    assert not observer(replace(issue, response=replace(issue.response, status=401))).tokens


def registration(key_id: str, public_key: str, status: int = 200) -> Exchange:
    return exchange("PUT", "/v1/auth/signing", {"keyId": key_id}, status, sent={"publicKey": public_key})


def test_a_signing_key_takes_the_place_of_its_predecessor_of_the_same_identity() -> None:
    key = key_from_seed(Ids("key").draw(64)).public_key()
    text = base64.b64encode(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).decode()
    seen = Observer(signing_keys={"first": {"old": key}, "second": {"theirs": key}})
    for useless in (registration("new", "no key"), registration("new", text, status=400)):
        seen.see(useless)
        assert list(seen.signing_keys["first"]) == ["old"]
    seen.see(registration("new", text))
    assert list(seen.signing_keys["first"]) == ["new"]
    assert seen.signing_keys["first"]["new"] == key
    seen.see(exchange("DELETE", "/v1/auth/signing", {}, 204))
    assert {name: list(keys) for name, keys in seen.signing_keys.items()} == {"first": [], "second": ["theirs"]}
