"""What receives webhooks: an address for each test, answers as told, and deliveries in order."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.api import named
from conformance.clock import EPOCH_OF_WORLDS, FrozenClock, stopwatch
from conformance.scenario import StepFailedError
from conformance.targets.live import LiveTarget
from conformance.targets.receiver import Mailbox, Receiver

TEST = "offblocks/webhook/a_change_is_sent"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(transport=httpx.HTTPTransport(verify=False), trust_env=False) as http:
        yield http


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def mailbox(receiver: Receiver, clock: FrozenClock) -> Mailbox:
    return receiver.mailbox(TEST, clock)


def test_a_delivery_is_kept_as_it_came(mailbox: Mailbox, http: httpx.Client, clock: FrozenClock) -> None:
    clock.advance(timedelta(minutes=5))
    answer = http.post(mailbox.url, content=b'{"eventId":"1"}', headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.content) == (200, b"")
    (delivery,) = mailbox.received()
    assert delivery.at == EPOCH_OF_WORLDS + timedelta(minutes=5)
    assert (delivery.request.method, delivery.request.url) == ("POST", f"/{TEST}")
    assert delivery.request.members() == {"eventId": "1"}
    assert delivery.request.header("content-type") == "application/json"
    assert delivery.answered == 200


def test_the_next_deliveries_are_answered_as_told_and_those_after_them_with_200(
    mailbox: Mailbox, http: httpx.Client
) -> None:
    mailbox.answer_with(500, 503)
    assert [http.post(mailbox.url, content=str(number)).status_code for number in range(4)] == [500, 503, 200, 200]
    deliveries = mailbox.received()
    assert [delivery.answered for delivery in deliveries] == [500, 503, 200, 200]
    assert [delivery.request.body for delivery in deliveries] == [b"0", b"1", b"2", b"3"]


def test_every_test_has_an_address_of_its_own(receiver: Receiver, http: httpx.Client, clock: FrozenClock) -> None:
    one, other = receiver.mailbox("offblocks/webhook/one", clock), receiver.mailbox("offblocks/webhook/Ünï [2]", clock)
    assert one.url != other.url
    assert one.url.isascii()
    assert other.url.isascii()
    http.post(other.url)
    assert (len(one.received()), len(other.received())) == (0, 1)


def test_a_redirect_leads_to_where_nothing_is_delivered(mailbox: Mailbox, http: httpx.Client) -> None:
    mailbox.answer_with(302)
    answer = http.post(mailbox.url, follow_redirects=True)
    assert [each.status_code for each in (*answer.history, answer)] == [302, 200]
    assert [delivery.answered for delivery in mailbox.received()] == [302]


def test_an_address_that_nobody_has_is_not_found(mailbox: Mailbox, http: httpx.Client) -> None:
    assert http.post(f"{mailbox.url}/below").status_code == 404
    assert http.post(httpx.URL(mailbox.url).copy_with(path="/")).status_code == 404
    assert http.get(mailbox.url).status_code == 501
    assert mailbox.received() == ()


def test_a_body_in_chunks_is_put_together(mailbox: Mailbox, http: httpx.Client) -> None:
    assert http.post(mailbox.url, content=iter([b'{"event', b'Id":"1"}'])).status_code == 200
    (delivery,) = mailbox.received()
    assert delivery.request.members() == {"eventId": "1"}


@pytest.mark.parametrize(
    "headers",
    ["Content-Length: five", "Content-Length: -1", "Content-Length: 9", "Transfer-Encoding: chunked\r\n\r\nxyz"],
)
def test_a_body_that_does_not_end_where_it_says_is_refused(
    mailbox: Mailbox, headers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = httpx.URL(mailbox.url)
    with socket.create_connection((url.host, url.port or 0)) as connection:
        connection.sendall(f"POST {url.path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\nhello".encode())
        connection.shutdown(socket.SHUT_WR)
        assert b" 400 " in connection.recv(100)
    assert mailbox.received() == ()
    assert capsys.readouterr().err == ""


def test_deliveries_at_once_are_each_kept_once(mailbox: Mailbox, http: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: http.post(mailbox.url, content=str(number)), range(24)))
    assert sorted(int(delivery.request.body) for delivery in mailbox.received()) == list(range(24))


def test_waiting_ends_when_enough_came(mailbox: Mailbox, http: httpx.Client) -> None:
    started = stopwatch()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(mailbox.received, at_least=2, seconds=10)
        http.post(mailbox.url)
        http.post(mailbox.url)
        assert len(waiting.result()) == 2
    assert stopwatch() - started < 5


def test_waiting_ends_when_the_time_is_up(mailbox: Mailbox, http: httpx.Client) -> None:
    http.post(mailbox.url)
    started = stopwatch()
    assert len(mailbox.received(at_least=2, seconds=0.05)) == 1
    assert 0.05 <= stopwatch() - started < 2


def test_nothing_listens_once_it_is_closed(http: httpx.Client, clock: FrozenClock) -> None:
    receiver = Receiver()
    url = receiver.mailbox(TEST, clock).url
    receiver.close()
    with pytest.raises(httpx.ConnectError):
        http.post(url)


def test_an_address_that_is_given_belongs_to_the_latest_test(receiver: Receiver, http: httpx.Client) -> None:
    first, second = (receiver.mailbox(test, FrozenClock(), "/hook") for test in ("one", "two"))
    assert first.url == second.url
    http.post(second.url)
    assert (len(first.received()), len(second.received())) == (0, 1)


def test_a_port_that_is_taken_is_an_error(receiver: Receiver) -> None:
    port = httpx.URL(receiver.mailbox(TEST, FrozenClock()).url).port
    with pytest.raises(OSError, match="in use"):
        Receiver(port or 0)


def test_a_live_run_says_that_the_port_of_the_webhook_is_taken(
    receiver: Receiver, environment: Callable[..., Any], tmp_path: Path
) -> None:
    url = receiver.mailbox(TEST, FrozenClock()).url
    settings = {"BASE_URL": "http://127.0.0.1:9", "API_KEY": "key", "WEBHOOK_URL": url, "WEBHOOK_SECRET": "secret"}
    with environment({f"CONFORMANCE_PLANBOK_{name}": value for name, value in settings.items()}, tmp_path):
        target = LiveTarget([named("planbok")], {}, {}, allow_wait=False)
        with pytest.raises(
            StepFailedError, match=f"Webhooks cannot be received at {url}: .*in use. Is the port taken?"
        ):
            target.open(named("planbok"))
        target.close()


def test_a_further_address_is_of_the_same_test(mailbox: Mailbox, http: httpx.Client) -> None:
    assert http.post(mailbox.beside("moved")).status_code == 200
    assert [delivery.request.url.partition("?")[2] for delivery in mailbox.received()] == ["moved"]


def test_a_request_that_is_no_delivery_is_not_kept(mailbox: Mailbox, http: httpx.Client) -> None:
    assert http.post(f"{mailbox.url}?again=1").status_code == 404
    assert http.put(mailbox.url).status_code == 501
    mailbox.answer_with(307)
    answer = http.post(mailbox.url, follow_redirects=True)
    assert [each.status_code for each in (*answer.history, answer)] == [307, 404]
    assert [delivery.answered for delivery in mailbox.received()] == [307]


def answered(receiver: Receiver, sent: bytes) -> bytes:
    """The start of the answer to bytes that are sent over a connection of their own."""
    with socket.create_connection(("127.0.0.1", port_of(receiver)), timeout=5) as connection:
        connection.sendall(sent)
        return connection.recv(100)


def port_of(receiver: Receiver) -> int:
    return httpx.URL(receiver.mailbox("a/port", FrozenClock()).url).port or 0


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"Content-Length: 99999999999999\r\n\r\n" + b"x" * 1_100_000, 413),
        (b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 17, 413),
        (b"Content-Length: 10000000000000000000000\r\n\r\n", 400),
        (b"Content-Length: -1\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffffff\r\n", 400),
        (b"X: " + b"x" * 1_000_000, 431),
        (b"X: x\r\n" * 200_000, 431),
    ],
)
def test_what_is_too_long_or_no_request_is_refused_and_not_kept(
    receiver: Receiver, mailbox: Mailbox, fields: bytes, status: int
) -> None:
    line = f"POST /{TEST} HTTP/1.1\r\nHost: a\r\n".encode()
    assert answered(receiver, line + fields).startswith(f"HTTP/1.1 {status} ".encode())
    assert mailbox.received() == ()


def test_more_than_anybody_sends_is_not_kept(mailbox: Mailbox, http: httpx.Client) -> None:
    body = b"x" * 1_000_000
    statuses = [http.post(mailbox.url, content=body).status_code for _ in range(18)]
    assert statuses == [200] * 16 + [503] * 2
    assert len(mailbox.received()) == 16


def test_a_sender_that_says_nothing_is_not_waited_for(
    receiver: Receiver, mailbox: Mailbox, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conformance.targets.receiver._SECONDS", 0.3)
    line = f"POST /{TEST} HTTP/1.1\r\nHost: a\r\n".encode()
    for begun in (b"", b"POST", line + b"Content-Length: 9\r\n\r\n{"):
        with socket.create_connection(("127.0.0.1", port_of(receiver)), timeout=5) as connection:
            connection.sendall(begun)
            with suppress(ConnectionResetError):
                assert connection.recv(100) == b""
    assert http.post(mailbox.url, content=b"{}").status_code == 200
    assert len(mailbox.received()) == 1
