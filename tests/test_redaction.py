"""Secrets become placeholders of their shape, the same one the same and another one another."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode

from conformance.exchange import Exchange, Request, Response
from conformance.recording.redaction import Redactor

SECRETS = ("apiKey", "apiSecret", "token", "pin")
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl"
KEY = "d04953b7-5878-4fd0-8970-0a5f77fbce59"
SECRET = "64ec977db2e585887c80ed62fe9997994aed8093"


def exchange(asked: object, answered: object, authorization: str | None = None) -> Exchange:
    headers = (("Authorization", authorization), ("Cookie", "a=b")) if authorization else ()
    return Exchange(
        id="toy#1",
        operation=None,
        identity="first",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        seconds=0.1,
        request=Request(headers, json.dumps(asked).encode(), "POST", f"https://toy.test/v1?key={KEY}"),
        response=Response((), json.dumps(answered).encode(), 200),
    )


def test_secrets_keep_their_shape() -> None:
    redacted = Redactor(SECRETS).exchange(exchange({"apiKey": KEY, "apiSecret": SECRET}, {"token": JWT, "n": 1}))
    assert redacted.request.json() == {
        "apiKey": "00000000-0000-4000-8000-000000000001",
        "apiSecret": "0000000000000000000000000000000000000002",
    }
    assert redacted.response.json() == {"token": "redacted.token.3", "n": 1}
    assert KEY not in redacted.request.url


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    redactor = Redactor(SECRETS)
    redactor.exchange(exchange({"apiSecret": SECRET}, {"token": JWT}))
    again = redactor.exchange(exchange({"note": f"my secret is {SECRET}"}, {"echo": JWT}, f"Bearer {JWT}"))
    assert SECRET not in again.request.body.decode()
    assert JWT not in again.response.body.decode()
    assert again.request.header("Authorization") == "Bearer redacted.token.2"
    assert again.request.header("Cookie") is None
    assert redactor.text(f"got {JWT}") == "got redacted.token.2"


def test_different_secrets_stay_different() -> None:
    redactor = Redactor(SECRETS)
    first = redactor.exchange(exchange({"pin": "123456"}, {}))
    second = redactor.exchange(exchange({"pin": "654321"}, {}))
    again = redactor.exchange(exchange({"pin": "123456"}, {}))
    assert first.request.body == again.request.body != second.request.body


def test_hiding_what_is_hidden_changes_nothing() -> None:
    once = Redactor(SECRETS).exchange(exchange({"apiKey": KEY, "pin": "123456"}, {"token": JWT}))
    redactor = Redactor(SECRETS)
    twice = redactor.exchange(once)
    assert twice == once
    assert redactor.exchange(twice) == once


def test_what_is_no_json_or_nested_too_deep_is_left_alone() -> None:
    redactor = Redactor(SECRETS)
    for body in (b"\xff\xfe", b'"token"', b'{"token": ' + b"[" * 100_000):
        request = Request((), body, "POST", "https://toy.test")
        assert redactor.request(request).body == body


def test_a_secret_is_hidden_however_json_writes_it_and_whatever_stands_beside_it() -> None:
    redactor = Redactor(SECRETS)
    for body, shown in (
        (b'{"token":"abc\\/def+gh==","x":1}', b'{"token":"redacted-token-1","x":1}'),
        (b'{"note":"abc/def+gh=="}', b'{"note":"redacted-token-1"}'),
        (b'{"apiSecret":"a\\"b\\u00fc"}', b'{"apiSecret":"redacted-apiSecret-2"}'),
        ('{"apiSecret":"a\\"bü"}'.encode(), b'{"apiSecret":"redacted-apiSecret-2"}'),
        (b'{"pin":"no utf-8","x":"\xff"}', b'{"pin":"redacted-pin-3","x":"\xff"}'),
    ):
        assert redactor.response(Response((), body, 200)).body == shown


def test_credentials_are_hidden_where_nothing_says_that_they_are_secret() -> None:
    redactor = Redactor(())
    redactor.know({"first": {"api_key": KEY, "api_secret": SECRET, "signing_key_id": "key-1", "webhook_secret": ""}})
    redacted = redactor.exchange(exchange({"text": f"({SECRET})", "id": "key-1"}, {"echo": f"<{KEY}>"}))
    assert redacted.request.members()["id"] == "key-1"
    assert SECRET not in str(redacted)
    assert KEY not in str(redacted)


def test_secrets_are_found_at_any_depth() -> None:
    redacted = Redactor(SECRETS).exchange(exchange({"list": [{"deep": {"token": JWT}}]}, None))
    assert JWT not in redacted.request.body.decode()


def entered(**fields: str) -> Request:
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    return Request(headers, urlencode(fields).encode(), "POST", "https://toy.test/page")


def test_what_is_entered_into_a_form_is_hidden_there_and_nowhere_else() -> None:
    redactor = Redactor(SECRETS)
    first = redactor.request(entered(csrf="a b", pin="000001"))
    other = redactor.request(entered(csrf="a b", pin="000002"))
    again = redactor.request(entered(csrf="a b", pin="000001"))
    assert parse_qs(first.body.decode()) == {"csrf": ["a b"], "pin": ["«pin-1»"]}
    assert parse_qs(other.body.decode()) == {"csrf": ["a b"], "pin": ["«pin-2»"]}
    assert again == first
    assert Redactor(SECRETS).request(first) == first
    assert redactor.text("0000010") == "0000010"


def test_headers_that_hold_secrets_are_hidden() -> None:
    request = Request((("X-Toy-Key", SECRET),), b"", "GET", "https://toy.test")
    assert Redactor((), ("X-Toy-Key",)).request(request).header("x-toy-key") == f"{1:040x}"


def test_a_secret_of_a_letter_is_hidden_where_it_stands_alone() -> None:
    redactor = Redactor(SECRETS)
    redactor.know({"first": {"api_key": "x"}})
    redactor.hide("api_key", "x")
    told = redactor.text('{"apiKey":"x"} was answered 4xx')
    assert told.endswith(" was answered 4xx")
    assert '"x"' not in told
