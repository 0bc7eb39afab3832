"""Events: how they are signed, what is refused and why, and that each is received once."""

import base64
import hashlib
import hmac
import json
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.clock import EPOCH_OF_WORLDS, FrozenClock
from conformance.exchange import Delivery, Request
from conformance.planbok.webhooks import (
    ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Event,
    Inbox,
    Reason,
    WebhookRejected,
    sign,
    signed_anew,
    signed_over,
    verify,
)
from conformance.standards.ecmascript_json import written_again

SECRET, OTHER = "whsec-6f1ed002ab55", "another-9014ebf09515"
NOW = EPOCH_OF_WORLDS
SENT = "1768478400"
KEY = "04c5851c-4386-4bd9-9f89-08312f8aee3a"
WALLET = {
    "id": "6999f8aea74a2b1bd8855b91",
    "blockchain": "ETH",
    "address": "0x22227A31dd842196A246d8f3b775998560eAa61d",
}
PAYLOAD: dict[str, Any] = {
    "event": "wallet.created",
    "timestamp": "2026-01-15T12:00:00.000Z",
    "idempotencyKey": KEY,
    "data": {**WALLET, "challengeId": "c", "customerId": "u"},
}
BODY = json.dumps(PAYLOAD, separators=(",", ":")).encode()
SPACED = json.dumps(PAYLOAD).encode()

Take = Callable[..., Event | None]


def body_of(**changes: Any) -> bytes:
    """The payload with `changes`; `...` for a member that is left out."""
    members = {name: value for name, value in {**PAYLOAD, **changes}.items() if value is not ...}
    return json.dumps(members, separators=(",", ":")).encode()


def mac(message: bytes, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), message, hashlib.sha256).digest()


def fields(signed: bytes, timestamp: str = SENT, *, encode: Callable[[bytes], str] = bytes.hex) -> dict[str, str]:
    return {SIGNATURE_HEADER: f"sha256={encode(mac(signed))}", TIMESTAMP_HEADER: timestamp}


def b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


RAW = fields(f"{SENT}.".encode() + BODY)


def refused(headers: Any, body: bytes = BODY, *, now: datetime = NOW) -> tuple[Reason, str]:
    with pytest.raises(WebhookRejected) as caught:
        verify(headers, body, SECRET, now=now)
    assert SECRET not in str(caught.value)
    return caught.value.reason, str(caught.value)


# ---------------------------------------------------------------------------------------------- signing and verifying


def test_the_signature_is_what_the_receiver_of_the_beta_computes() -> None:
    assert sign(BODY, SECRET, NOW + timedelta(milliseconds=999)) == RAW


def test_a_signed_event_is_read() -> None:
    event = verify(sign(BODY, SECRET, NOW), BODY, SECRET, now=NOW)
    assert (event.id, event.kind, event.timestamp, event.data) == (KEY, "wallet.created", NOW, PAYLOAD["data"])
    assert [(wallet.place, wallet.customer) for wallet in event.wallets] == [(("ETH", WALLET["address"]), "u")]


def test_the_wallets_of_a_whole_challenge_are_read() -> None:
    body = body_of(data={"wallets": [WALLET, {**WALLET, "blockchain": "BASE"}]})
    event = verify(sign(body, SECRET, NOW), body, SECRET, now=NOW)
    assert [wallet.blockchain for wallet in event.wallets] == ["ETH", "BASE"]


@pytest.mark.parametrize(
    "headers",
    [
        RAW,
        {name.lower(): value for name, value in RAW.items()},
        {name.upper(): value for name, value in RAW.items()},
        list(RAW.items()),
        iter([("Host", "a"), ("Accept", "b"), ("accept", "c"), *RAW.items()]),
        {**RAW, SIGNATURE_HEADER: f"sha256={mac(f'{SENT}.'.encode() + BODY).hex().upper()}"},
    ],
    ids=["as named", "lower case", "upper case", "lines", "an iterator", "hex in upper case"],
)
def test_headers_come_in_the_forms_that_frameworks_give(headers: Any) -> None:
    assert verify(headers, BODY, SECRET, now=NOW).id == KEY


@pytest.mark.parametrize("body", [BODY.decode(), {"event": "x"}, None])
def test_a_body_that_was_decoded_before_is_named(body: Any) -> None:
    expected = f"The body is {type(body).__name__}; give the bytes as they came"
    judges: list[Callable[[], object]] = [
        lambda: verify(RAW, body, SECRET, now=NOW),
        lambda: signed_over(RAW, body, SECRET),
    ]
    for judge in judges:
        with pytest.raises(TypeError, match=expected):
            judge()


@pytest.mark.parametrize("value", [[None], 7, None])
def test_a_header_that_is_no_text_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match=f"The header {SIGNATURE_HEADER.lower()} is {type(value).__name__}; give"):
        verify({**RAW, SIGNATURE_HEADER: value}, BODY, SECRET, now=NOW)


@given(
    st.binary(max_size=60),
    st.text(min_size=1, max_size=20),
    st.integers(0, 10**11).map(lambda second: datetime.fromtimestamp(second, UTC)),
)
def test_whatever_is_signed_verifies(body: bytes, secret: str, at: datetime) -> None:
    headers = sign(body, secret, at)
    assert signed_over(headers, body, secret) == "raw-body"
    with pytest.raises(WebhookRejected) as caught:
        verify(headers, body, secret, now=at)
    assert caught.value.reason is Reason.NO_EVENT


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_every_byte_of_the_body_is_bound(position: int, difference: int) -> None:
    altered = bytearray(BODY)
    altered[position] ^= difference
    assert refused(RAW, bytes(altered))[0] is Reason.MISMATCH
    assert signed_over(RAW, bytes(altered), SECRET) is None


@given(st.integers(0, 63), st.sampled_from("0123456789abcdef"))
def test_every_digit_of_the_signature_counts(position: int, digit: str) -> None:
    digits = RAW[SIGNATURE_HEADER].removeprefix("sha256=")
    altered = digits[:position] + digit + digits[position + 1 :]
    headers = {**RAW, SIGNATURE_HEADER: f"sha256={altered}"}
    if altered == digits:
        assert verify(headers, BODY, SECRET, now=NOW).id == KEY
    else:
        assert refused(headers)[0] is Reason.MISMATCH


def test_the_timestamp_is_bound_and_another_secret_does_not_verify() -> None:
    assert refused({**RAW, TIMESTAMP_HEADER: "1768478401"})[0] is Reason.MISMATCH
    assert refused(sign(BODY, OTHER, NOW))[0] is Reason.MISMATCH


@pytest.mark.parametrize("sign_or_verify", [lambda: sign(BODY, "", NOW), lambda: verify(RAW, BODY, "", now=NOW)])
def test_without_a_secret_nothing_is_signed_and_nothing_believed(sign_or_verify: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="The webhook secret is empty") as caught:
        sign_or_verify()
    assert not isinstance(caught.value, WebhookRejected)


# -------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("name", [SIGNATURE_HEADER, TIMESTAMP_HEADER])
def test_a_missing_header_is_named(name: str) -> None:
    headers = {key: value for key, value in RAW.items() if key != name}
    reason, message = refused(headers)
    assert reason is Reason.HEADER_MISSING
    assert message.startswith(f"There is no header {name}")


@pytest.mark.parametrize(
    ("signature", "told"),
    [
        ("", f"{SIGNATURE_HEADER} is no signature, whatever its 0 characters are"),
        (RAW[SIGNATURE_HEADER][7:], f"{SIGNATURE_HEADER} is the signature alone, without sha256= before it"),
        ("SHA256=00", f"{SIGNATURE_HEADER} is no signature, whatever its 9 characters are"),
        (f"sha1={RAW[SIGNATURE_HEADER][7:]}", f"{SIGNATURE_HEADER} begins with sha1= instead of sha256=; put"),
        (f" {RAW[SIGNATURE_HEADER]}", f"{SIGNATURE_HEADER} has white space in it"),
    ],
)
def test_the_prefix_is_expected(signature: str, told: str) -> None:
    reason, message = refused({**RAW, SIGNATURE_HEADER: signature})
    assert reason is Reason.WRONG_PREFIX
    assert message.startswith(told)


@pytest.mark.parametrize(
    ("digits", "told"),
    [
        ("", "is no signature, whatever its 7 characters are"),
        ("00", "The signature has 2 hexadecimal digits, so that it was cut off"),
        ("g" * 64, "written in base64"),
        ("0" * 63, "The signature has 63 hexadecimal digits"),
        ("0" * 65, "The signature has 65 hexadecimal digits"),
        ("\u0660" * 64, "is no signature, whatever its 71 characters are"),
        ("00" * 31 + " 0", f"{SIGNATURE_HEADER} has white space in it"),
        ("\udcff" * 64, "is no signature, whatever its 71 characters are"),
    ],
)
def test_a_signature_has_64_hex_digits(digits: str, told: str) -> None:
    reason, message = refused({**RAW, SIGNATURE_HEADER: f"sha256={digits}"})
    assert reason is Reason.NOT_HEX
    assert told in message


def test_two_signatures_are_none() -> None:
    assert refused([*RAW.items(), *RAW.items()])[0] is Reason.NOT_HEX


@pytest.mark.parametrize(
    "timestamp", ["", "now", "-1", "+1", "1e9", "17684784.0", " 1768478400", "\u0661", "9" * 21, "2026-01-15"]
)
def test_a_timestamp_counts_seconds(timestamp: str) -> None:
    reason, message = refused({**RAW, TIMESTAMP_HEADER: timestamp})
    assert reason is Reason.TIMESTAMP_NO_NUMBER
    assert TIMESTAMP_HEADER in message
    assert "seconds since 1970-01-01" in message or "white space" in message


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(-301, Reason.TOO_NEW), (-300, None), (0, None), (300, None), (301, Reason.TOO_OLD), (10**6, Reason.TOO_OLD)],
)
def test_an_event_is_from_just_now(seconds: int, reason: Reason | None) -> None:
    now = NOW + timedelta(seconds=seconds)
    if reason is None:
        assert verify(RAW, BODY, SECRET, now=now).id == KEY
    else:
        where = "before" if seconds > 0 else "after"
        found, message = refused(RAW, now=now)
        assert found is reason
        assert f"{TIMESTAMP_HEADER} is {abs(seconds)} s {where} this receiver's time, and 300 s are allowed" in message


def test_a_receiver_may_be_stricter() -> None:
    with pytest.raises(WebhookRejected, match="60 s are allowed"):
        verify(RAW, BODY, SECRET, now=NOW + timedelta(seconds=61), tolerance=timedelta(seconds=60))


@pytest.mark.parametrize("timestamp", ["0", "9" * 20])
def test_any_age_is_told(timestamp: str) -> None:
    assert refused({**RAW, TIMESTAMP_HEADER: timestamp})[0] in {Reason.TOO_OLD, Reason.TOO_NEW}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"5",
        b"[" * 100_000,
        body_of(event=...),
        body_of(event=5),
        body_of(data=...),
        body_of(data=None),
        body_of(data=[WALLET]),
    ],
    ids=lambda body: body[:20],
)
def test_what_is_signed_but_no_event_is_refused(body: bytes) -> None:
    reason, message = refused(sign(body, SECRET, NOW), body)
    assert (reason, "is no event" in message) == (Reason.NO_EVENT, True)


ANY_TEXT = st.text(max_size=70) | st.sampled_from([*RAW.values(), "sha256=" + "0" * 64, f"{SENT}000"])


@given(
    st.lists(st.tuples(st.sampled_from([*RAW, ID_HEADER, "Host"]), ANY_TEXT), max_size=4),
    st.binary(max_size=80) | st.sampled_from([BODY, SPACED]),
)
def test_any_webhook_is_verified_or_refused(headers: list[tuple[str, str]], body: bytes) -> None:
    reading = signed_over(headers, body, SECRET)
    try:
        verify(headers, body, SECRET, now=NOW)
    except WebhookRejected as rejected:
        believed = rejected.reason is Reason.NO_EVENT
    else:
        believed = True
    assert reading == "raw-body" or not believed


# --------------------------------------------------------------------------------------------------------- diagnosis


MISTAKES = [
    (
        fields(f"{SENT}.".encode() + BODY),
        SPACED,
        Reason.MISMATCH,
        "The signature is of the body parsed and written again as JavaScript's JSON.stringify writes JSON",
    ),
    (fields(BODY), BODY, Reason.MISMATCH, "The signature is of the body without timestamp and full stop"),
    (fields(f"{SENT}.".encode() + BODY, encode=b64), BODY, Reason.NOT_HEX, "The signature is written in base64"),
    (fields(f"{SENT}000.".encode() + BODY), BODY, Reason.MISMATCH, "The signature is of the timestamp in milliseconds"),
]
FORMS = pytest.mark.parametrize(
    ("headers", "body", "reason", "phrase"), MISTAKES, ids=["reserialized", "body alone", "base64", "milliseconds"]
)


@FORMS
def test_a_known_mistake_is_named(headers: dict[str, str], body: bytes, reason: Reason, phrase: str) -> None:
    found, message = refused(headers, body)
    assert found is reason
    assert phrase in message


@FORMS
def test_a_mistake_is_named_only_where_the_secret_is_right(
    headers: dict[str, str], body: bytes, reason: Reason, phrase: str
) -> None:
    with pytest.raises(WebhookRejected) as caught:
        verify(headers, body, OTHER, now=NOW)
    assert caught.value.reason is reason
    assert phrase not in str(caught.value) or reason is Reason.NOT_HEX  # which the form of the signature shows


@pytest.mark.parametrize("offset", [0, 299_000, -299_000])
def test_a_timestamp_in_milliseconds_is_named(offset: int) -> None:
    timestamp = str(int(SENT) * 1000 + offset)
    reason, message = refused(fields(f"{timestamp}.".encode() + BODY, timestamp))
    assert reason is Reason.TOO_NEW
    assert message.startswith(f"{TIMESTAMP_HEADER} counts milliseconds; send seconds")


def test_large_bodies_are_not_examined_further() -> None:
    body = b'{"a": "' + b"x" * 70_000 + b'"}'
    compact = body.replace(b" ", b"")
    assert "written again" not in refused(fields(f"{SENT}.".encode() + compact), body)[1]
    assert signed_over(sign(body, SECRET, NOW), body, SECRET) == "raw-body"


# ---------------------------------------------------------------------------------------------------- signed bytes


def test_the_reading_of_the_signed_bytes_is_told() -> None:
    assert signed_over(RAW, BODY, SECRET) == "raw-body"
    assert signed_over(sign(SPACED, SECRET, NOW), SPACED, SECRET) == "raw-body"
    assert signed_over(RAW, SPACED, SECRET) == "reserialized-body"
    assert signed_over(sign(SPACED, SECRET, NOW), BODY, SECRET) is None


def test_neither_age_nor_the_form_of_the_timestamp_matter_to_the_reading() -> None:
    for timestamp in ("0", f"{SENT}000", "2026-01-15T12:00:00Z"):
        assert signed_over(fields(f"{timestamp}.".encode() + BODY, timestamp), BODY, SECRET) == "raw-body"


@pytest.mark.parametrize(
    "headers",
    [{}, {TIMESTAMP_HEADER: SENT}, {SIGNATURE_HEADER: RAW[SIGNATURE_HEADER]}, *(each[0] for each in MISTAKES[1:])],
)
def test_other_forms_are_neither_reading(headers: dict[str, str]) -> None:
    assert signed_over(headers, BODY, SECRET) is None


WRITTEN_BY_JAVASCRIPT = [
    '{"a": 1.0, "b": [1e2, -0, 0.1, 1E-7, 0.000001, 123456789012345678901234567890, 1e400, -1e-5, 5e-324]}',
    '{"b": 1, "10": 2, "a": 3, "2": 4, "01": 5, "4294967294": 6, "4294967295": 7, "-1": 8, "0": 9, "": 10}',
    '{"a": 1, "b": 2, "a": 3, "__proto__": {"x": 1}, "toString": null}',
    r'["\u00fc\u20AC\ud83d\ude00", "\ud83d", "\ude00\ud83d", "\/\b\f\n\r\t\u0001\u007f\u2028", "\"\\"]',
    ' [ true , false , null , [ ] , { } , "" ] ',
    "9007199254740993",
    '"text"',
    "[1e21, 1e20, 123456789.125, 1.7976931348623157e308, 2.5e-8, 100, 12e1]",
]
NO_JSON = ["", "{", "NaN", "[Infinity]", "{'a': 1}", "[1,]", "01", '"\n"', "\ufeff{}"]
PROGRAM = """
const texts = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const again = (text) => { try { return JSON.stringify(JSON.parse(text)) } catch { return null } };
console.log(JSON.stringify(texts.map(again)));
"""


def rewritten_by_node(node: str, texts: Iterable[str]) -> list[str | None]:
    done = subprocess.run(
        [node, "-e", PROGRAM], input=json.dumps(list(texts)), capture_output=True, text=True, check=True, timeout=30
    )
    found: list[str | None] = json.loads(done.stdout)
    return found


def random_documents() -> list[str]:
    values = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("01a9", max_size=3), inner, max_size=4),
    )
    found: list[str] = []

    @settings(max_examples=100)  # one call of Node answers them all
    @given(values, st.booleans())
    def collect(value: Any, escaped: bool) -> None:
        found.append(json.dumps(value, ensure_ascii=escaped))

    collect()
    return found


def test_json_is_written_again_as_node_does(node: str) -> None:
    texts = [*WRITTEN_BY_JAVASCRIPT, *NO_JSON, *random_documents()]
    expected = rewritten_by_node(node, texts)
    assert len(texts) > 100
    for text, written in zip(texts, expected, strict=True):
        assert written_again(text.encode()) == (text if written is None else written).encode()


def test_json_is_written_again_as_is_known_of_javascript() -> None:
    assert written_again(WRITTEN_BY_JAVASCRIPT[0].encode()) == (
        b'{"a":1,"b":[100,0,0.1,1e-7,0.000001,1.2345678901234568e+29,null,-0.00001,5e-324]}'
    )
    assert written_again(b'{"b": "\\u00fc", "10": [], "2": {}}') == '{"2":{},"10":[],"b":"ü"}'.encode()


@pytest.mark.parametrize("body", [*(text.encode() for text in NO_JSON), b"\xff", b"[" * 100_000])
def test_what_is_no_json_stays_as_it_is(body: bytes) -> None:
    assert written_again(body) == body


# -------------------------------------------------------------------------------------------------------- signed anew


def delivery(headers: dict[str, str], body: bytes = BODY) -> Delivery:
    lines = (("Host", "a.test"), *headers.items(), ("X-Webhook-Event", "wallet.created"))
    return Delivery(3, "first", NOW, Request(lines, body, "POST", "/hook"), 200)


@pytest.mark.parametrize(("headers", "body"), [(RAW, BODY), *((each[0], each[1]) for each in MISTAKES)])
def test_a_delivery_is_signed_anew_in_the_way_that_it_was(headers: dict[str, str], body: bytes) -> None:
    before = delivery(headers, body)
    after = signed_anew(before, SECRET, OTHER)
    assert after != before
    assert signed_anew(after, OTHER, SECRET) == before
    assert signed_over(after.request.headers, body, OTHER) == signed_over(headers, body, SECRET)
    assert signed_over(after.request.headers, body, SECRET) is None
    shown = [(name, value) for name, value in after.request.headers if name != SIGNATURE_HEADER]
    assert shown == [(name, value) for name, value in before.request.headers if name != SIGNATURE_HEADER]
    assert replace(after, request=before.request) == before


def test_a_name_in_another_case_is_found_and_kept() -> None:
    lower = {name.lower(): value for name, value in RAW.items()}
    after = signed_anew(delivery(lower), SECRET, OTHER).request
    assert verify(after.headers, after.body, OTHER, now=NOW).id == KEY
    assert SIGNATURE_HEADER.lower() in dict(after.headers)


@pytest.mark.parametrize("headers", [{}, sign(BODY, OTHER, NOW), {**RAW, SIGNATURE_HEADER: "sha256=00"}])
def test_a_delivery_that_the_secret_did_not_sign_stays_as_it_is(headers: dict[str, str]) -> None:
    before = delivery(headers)
    assert signed_anew(before, SECRET, "third") is before


# ------------------------------------------------------------------------------------------------------------- inbox


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def inbox(clock: FrozenClock) -> Inbox:
    return Inbox(SECRET, clock)


@pytest.fixture
def take(inbox: Inbox, clock: FrozenClock) -> Take:
    """Signs a body at the clock's time and takes it, with further headers."""

    def sign_and_take(body: bytes, **headers: str) -> Event | None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return inbox.take({**sign(body, SECRET, clock.now()), **named}, body)

    return sign_and_take


def test_an_event_is_given_once_however_often_it_is_sent(take: Take, clock: FrozenClock) -> None:
    first = take(BODY)
    assert first is not None
    assert first.id == KEY
    for _ in range(3):
        clock.advance(timedelta(hours=1))
        assert take(BODY) is None
    assert take(body_of(timestamp="2026-01-15T13:00:00Z")) is None


def test_events_come_in_any_order(take: Take) -> None:
    taken = [take(body_of(idempotencyKey=f"key-{number}")) for number in (3, 1, 2, 1, 3)]
    assert [event and event.id for event in taken] == ["key-3", "key-1", "key-2", None, None]


def test_without_an_id_in_the_body_the_header_has_it(take: Take) -> None:
    def body(second: int, key: Any = ...) -> bytes:
        return body_of(idempotencyKey=key, timestamp=f"2026-01-15T12:00:0{second}Z")

    first = take(body(1), X_Webhook_Id="id-1")
    assert first is not None
    assert first.id == "id-1"
    assert take(body(2, key=""), x_webhook_id="id-1") is None
    assert take(body(3, key=5), X_Webhook_Id="id-2") is not None


def test_an_id_in_the_body_goes_before_the_header_which_is_not_signed(take: Take) -> None:
    assert take(BODY, X_Webhook_Id="id-1") is not None
    assert take(body_of(timestamp=...), X_Webhook_Id="id-2") is None
    assert take(body_of(idempotencyKey="another"), X_Webhook_Id="id-1") is not None


def test_a_repetition_under_another_header_is_still_one(inbox: Inbox) -> None:
    body = body_of(idempotencyKey=...)
    headers = sign(body, SECRET, NOW)
    assert inbox.take({**headers, ID_HEADER: "id-1"}, body) is not None
    assert inbox.take({**headers, ID_HEADER: "id-2"}, body) is None
    assert inbox.take(headers, body) is None


def test_an_event_without_any_id_is_known_by_its_body(take: Take) -> None:
    first = take(body_of(idempotencyKey=...))
    assert first is not None
    assert first.id is None
    assert take(body_of(idempotencyKey=...)) is None
    assert take(body_of(idempotencyKey=..., timestamp="2026-01-15T12:00:01Z")) is not None


def test_what_is_refused_is_not_remembered(inbox: Inbox, take: Take, clock: FrozenClock) -> None:
    with pytest.raises(WebhookRejected):
        inbox.take(sign(BODY, OTHER, NOW), BODY)
    clock.advance(timedelta(seconds=301))
    with pytest.raises(WebhookRejected) as caught:
        inbox.take(RAW, BODY)
    assert caught.value.reason is Reason.TOO_OLD
    assert take(BODY) is not None


def test_an_event_that_could_not_be_stored_is_given_again(inbox: Inbox, take: Take) -> None:
    event = take(BODY)
    assert event is not None
    inbox.forget(event)
    assert take(BODY) == event
    assert take(BODY) is None
    inbox.forget(verify(sign(SPACED, SECRET, NOW), SPACED, SECRET, now=NOW))


def test_memory_is_bounded_and_the_latest_are_remembered(inbox: Inbox, take: Take) -> None:
    bodies = [body_of(idempotencyKey=f"key-{number}", data={}) for number in range(10_001)]
    for body in bodies:
        take(body)
    assert len(inbox._seen) == 20_000
    assert take(bodies[1]) is None
    assert take(bodies[0]) is not None


def test_threads_share_an_inbox(inbox: Inbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: inbox.take(RAW, BODY), range(200)))
    assert sum(event is not None for event in taken) == 1


def test_without_a_clock_real_time_counts() -> None:
    with pytest.raises(WebhookRejected) as caught:
        Inbox(SECRET).take(sign(BODY, SECRET, datetime(2020, 1, 1, tzinfo=UTC)), BODY)
    assert caught.value.reason is Reason.TOO_OLD
