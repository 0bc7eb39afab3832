"""No server is asked faster than it may be, and one that is busy is left alone for a while."""

from collections.abc import Sequence
from datetime import timedelta

import httpx
import pytest

from conformance.bounds.transport import REPEATABLE
from conformance.clock import FrozenClock
from conformance.recording.patience import GUESSES, BusyError, NotTakenError, patiently
from conformance.scenario import NeedError
from conformance.targets.manners import PoliteTransport

URL = "http://127.0.0.1/v1/customers"


class Watch(FrozenClock):
    """A clock that stands still and keeps what was waited, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def advance(self, duration: timedelta) -> None:
        super().advance(duration)
        if duration:
            self.waits.append(round(duration.total_seconds(), 3))


def answering(*statuses: int, **headers: str) -> httpx.MockTransport:
    """Answers with these statuses in turn, and with the last of them for ever."""
    left = list(statuses)
    return httpx.MockTransport(
        lambda _request: httpx.Response(left.pop(0) if len(left) > 1 else left[0], headers=headers)
    )


def waited(transport: httpx.BaseTransport, watch: Watch) -> tuple[int, Sequence[float]]:
    """The status that came in the end, and what was waited before."""
    told: list[str] = []
    polite = PoliteTransport(transport, watch, {}, told.append)
    answer = patiently(lambda: polite.handle_request(httpx.Request("POST", URL)))
    assert bool(told) == bool(watch.waits)
    return answer.status_code, watch.waits


def test_pauses_grow() -> None:
    assert waited(answering(429, 429, 429, 201), Watch()) == (201, [1, 2, 4])


def test_what_the_server_asks_for_is_waited() -> None:
    assert waited(answering(429, 429, 201, **{"Retry-After": "7"}), Watch()) == (201, [7, 7])
    date = "Thu, 15 Jan 2026 12:00:30 GMT"
    assert waited(answering(503, 201, **{"Retry-After": date}), Watch()) == (201, [30])


@pytest.mark.parametrize("wish", ["soon", "", "-5", "Thu, 15 Jan 1970 12:00:30 GMT"])
def test_a_wish_that_is_none_gives_the_usual_pauses(wish: str) -> None:
    assert waited(answering(429, 429, 200, **{"Retry-After": wish}), Watch()) == (
        200,
        [1, 2],
    )


def test_trouble_without_a_wish_is_an_answer() -> None:
    assert waited(answering(503, 201), Watch()) == (503, [])


def test_patience_ends_after_two_minutes() -> None:
    watch = Watch()
    with pytest.raises(BusyError, match=r"^was answered 429 for as long as it was asked again$"):
        waited(answering(429), watch)
    assert 60 < sum(watch.waits) <= 120


def test_what_is_asked_for_again_and_again_is_not_waited_for_longer_than_two_minutes_in_all() -> None:
    watch = Watch()
    with pytest.raises(BusyError, match="with Retry-After: '50'"):
        waited(answering(429, **{"Retry-After": "50"}), watch)
    assert watch.waits == [50, 50]


@pytest.mark.parametrize("wish", ["3600", "9" * 400])
def test_what_takes_longer_is_not_waited_for(wish: str) -> None:
    watch = Watch()
    with pytest.raises(BusyError, match="with Retry-After"):
        waited(answering(429, **{"Retry-After": wish}), watch)
    assert watch.waits == []


def test_who_guesses_a_secret_is_given_the_answer() -> None:
    watch = Watch()
    polite = PoliteTransport(answering(429), watch, {}, lambda _text: None)
    answer = patiently(lambda: polite.handle_request(httpx.Request("POST", URL, extensions={GUESSES: True})))
    assert (answer.status_code, watch.waits) == (429, [])


@pytest.mark.parametrize(("method", "seconds"), [("GET", 0.9), ("POST", 1.9)])
def test_no_more_requests_are_sent_than_a_rate_allows(method: str, seconds: float) -> None:
    watch = Watch()
    began = watch.now()
    polite = PoliteTransport(answering(200), watch, {"read": 20, "write": 10}, lambda _text: None)
    watch.advance(timedelta(seconds=1))
    for _ in range(38 if method == "GET" else 29):
        polite.handle_request(httpx.Request(method, URL))
    assert (watch.now() - began).total_seconds() == pytest.approx(1 + seconds, abs=0.06)
    assert max(watch.waits[1:]) <= 0.1


# ------------------------------------------------------------------------------------------------ what is sent at most


def test_no_more_requests_are_sent_than_may_be() -> None:
    polite = PoliteTransport(answering(200), Watch(), {}, lambda _text: None, most=2)
    for _ in range(2):
        polite.handle_request(httpx.Request("GET", URL))
    with pytest.raises(NeedError, match=r"^more requests; --max-requests 2 ended the run$"):
        polite.handle_request(httpx.Request("GET", URL))


# ------------------------------------------------------------------------------------------- connections that are lost


def dropping(*errors: httpx.TransportError | None) -> httpx.MockTransport:
    """Answers 200 where no error stands, in turn, and then for ever."""
    left = list(errors)

    def answer(_request: httpx.Request) -> httpx.Response:
        if left and (error := left.pop(0)):
            raise error
        return httpx.Response(200)

    return httpx.MockTransport(answer)


def sent_after_an_answer(request: httpx.Request, *errors: httpx.TransportError) -> tuple[int, list[float], list[str]]:
    """The status of a request before which one was answered, what was waited and what was told."""
    watch, told = Watch(), list[str]()
    polite = PoliteTransport(dropping(None, *errors), watch, {}, told.append)
    polite.handle_request(httpx.Request("GET", URL))
    return patiently(lambda: polite.handle_request(request)).status_code, watch.waits, told


LOST = (httpx.ReadError("reset"), httpx.RemoteProtocolError("no response"), httpx.ConnectError("reset"))


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "request_",
    [
        httpx.Request("GET", URL),
        httpx.Request("POST", URL, headers={"Idempotency-Key": "one"}),
        httpx.Request("POST", URL, extensions={REPEATABLE: True}),
    ],
    ids=["GET", "a key", "repeatable"],
)
def test_what_may_be_sent_twice_is_sent_again(request_: httpx.Request, error: httpx.TransportError) -> None:
    status, waits, told = sent_after_an_answer(request_, error)
    assert (status, waits) == (200, [1])
    assert told == ["A connection ended at times before an answer came; what may be sent twice was then sent again."]


@pytest.mark.parametrize("error", LOST[:2], ids=lambda error: type(error).__name__)
def test_what_may_not_be_sent_twice_is_lost(error: httpx.TransportError) -> None:
    with pytest.raises(type(error)):
        sent_after_an_answer(httpx.Request("POST", URL), error)


def test_what_no_connection_came_about_for_was_not_read() -> None:
    assert sent_after_an_answer(httpx.Request("POST", URL), httpx.ConnectError("reset"))[0] == 200


def test_a_server_that_is_gone_is_not_waited_for_long() -> None:
    watch = Watch()
    polite = PoliteTransport(dropping(None, *[httpx.ReadError("reset")] * 9), watch, {}, lambda _text: None)
    polite.handle_request(httpx.Request("GET", URL))
    with pytest.raises(NotTakenError, match=r"^got no answer \(reset\) for as long as it was asked again$"):
        patiently(lambda: polite.handle_request(httpx.Request("GET", URL)))
    assert watch.waits == [1, 2, 4]


def test_a_server_that_never_answered_is_asked_once() -> None:
    polite = PoliteTransport(dropping(httpx.ReadError("reset")), Watch(), {}, lambda _text: None)
    with pytest.raises(httpx.ReadError):
        patiently(lambda: polite.handle_request(httpx.Request("GET", URL)))


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("Thu, 15 Jan 2026 12:00:30 GMT", "The server's clock is 30 s ahead of this machine's"),
        ("Thu, 15 Jan 2026 11:59:30 GMT", "The server's clock is 30 s behind this machine's"),
        ("Thu, 15 Jan 2026 12:00:02 GMT", ""),
        ("yesterday", ""),
    ],
)
def test_a_clock_that_is_wrong_is_told_at_the_first_answer(date: str, told: str) -> None:
    found: list[str] = []
    polite = PoliteTransport(answering(200, Date=date), Watch(), {}, found.append)
    for _ in range(2):
        polite.handle_request(httpx.Request("GET", URL))
    assert len(found) == bool(told)
    assert all(each.startswith(told) for each in found)
