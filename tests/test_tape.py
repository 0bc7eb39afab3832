"""A tape gives the recorded answer to the recorded request alone, once, and tells the time of the recording."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from conformance.exchange import Exchange, Request, Response
from conformance.files import data_path
from conformance.recording.cassettes import Cassette, recording_command
from conformance.recording.redaction import Redactor
from conformance.recording.tape import Tape
from conformance.scenario import StepFailedError

BASE = "https://toy.test/w/1"
START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
UNSIGNED = frozenset({"toy.client.signs"})


def request(path: str = "/v1/things", *, body: bytes = b'{"n":1}', key: str = "k") -> Request:
    return Request((("Idempotency-Key", key), ("Content-Type", "application/json")), body, "POST", BASE + path)


def exchange(
    number: int, sent: Request, *, breaks: frozenset[str] = frozenset(), answer: bytes = b'{"ok":true}'
) -> Exchange:
    return Exchange(
        id=f"toy/topic/test#{number}",
        operation="createThing",
        identity="first",
        at=START + timedelta(minutes=number),
        seconds=0.25,
        request=sent,
        response=Response((("content-type", "application/json"),), answer, 201),
        breaks=breaks,
    )


def tape_of(*exchanges: Exchange, path: Path = Path("test.yaml"), origin: str = "reference sandbox") -> Tape:
    recorded = Cassette(
        api="toy",
        test="toy/topic/test",
        origin=origin,
        recorded=START,
        specification="sha256:" + "0" * 64,
        suite="0.1.0",
        seed="0",
        base_url=BASE,
        exchanges=exchanges,
    )
    return Tape(recorded, path, Redactor(("secret", "token")))


@pytest.fixture
def tape() -> Tape:
    """Three requests: another key in the second, which breaks a rule on purpose, and another path in the third."""
    return tape_of(
        exchange(1, request()), exchange(2, request(key="other"), breaks=UNSIGNED), exchange(3, request("/v1/last"))
    )


def number(answer: Exchange) -> int:
    return int(answer.id.partition("#")[2])


def test_recorded_requests_are_found_in_any_order(tape: Tape) -> None:
    last = tape.answer(request("/v1/last"), frozenset())
    assert (number(last), last.at, last.seconds) == (3, START + timedelta(minutes=3), 0.25)
    assert (last.response.status, last.response.body) == (201, b'{"ok":true}')
    assert number(tape.answer(request(), frozenset())) == 1
    assert tape.unplayed() == ["toy/topic/test#2"]
    assert not tape.unmatched


def test_the_clock_reads_the_time_of_the_next_exchange(tape: Tape) -> None:
    assert tape.now() == START + timedelta(minutes=1)
    tape.answer(request("/v1/last"), frozenset())
    assert tape.now() == START + timedelta(minutes=1)
    tape.answer(request(), frozenset())
    assert tape.now() == START + timedelta(minutes=2)
    tape.advance(timedelta(hours=1))
    assert tape.now() == START + timedelta(minutes=2)
    tape.answer(request(key="other"), UNSIGNED)
    assert tape.now() == START + timedelta(minutes=3)


def test_the_clock_of_a_recording_without_exchanges_reads_its_date() -> None:
    assert tape_of().now() == START


@pytest.mark.parametrize(
    ("sent", "breaks", "message"),
    [
        (request(body=b'{"n":2}'), frozenset(), "the body is"),
        (request(key="new"), frozenset(), "the Idempotency-Key is 'new', recorded was 'k'"),
        (request("/v1/things?page=2"), frozenset(), "the query is 'page=2', recorded was ''"),
        (request("/v1/others"), frozenset(), "the path is '/v1/others', recorded was '/v1/things'"),
        (request(), UNSIGNED, "it breaks toy.client.signs, which the recorded request did not"),
        (
            request(key="other"),
            frozenset(),
            "it does not break toy.client.signs, which the recorded request did on purpose",
        ),
    ],
)
def test_another_request_finds_nothing_and_is_told_what_differs(
    tape: Tape, sent: Request, breaks: frozenset[str], message: str
) -> None:
    with pytest.raises(StepFailedError, match=message) as error:
        tape.answer(sent, breaks)
    assert tape.unmatched == str(error.value)
    assert "conformance record toy --target sandbox" in tape.unmatched
    assert len(tape.unplayed()) == 3


@pytest.mark.parametrize(
    ("folder", "origin", "command"),
    [
        (data_path("cassettes/toy"), "reference sandbox", "conformance record toy --target sandbox"),
        (Path("/our own/toy"), "reference sandbox", "conformance record toy --target sandbox --cassettes '/our own'"),
        (Path("/ours/toy"), "live", "conformance record toy --target live --cassettes /ours"),
    ],
)
def test_what_records_again_reaches_the_same_for_the_same_folder(folder: Path, origin: str, command: str) -> None:
    assert recording_command("toy", folder, origin) == command
    tape = tape_of(exchange(1, request()), path=folder / "topic" / "test.yaml", origin=origin)
    with pytest.raises(StepFailedError) as error:
        tape.answer(request("/v1/other"), frozenset())
    assert str(error.value).endswith(f"To record again: {command}")


def test_an_answer_is_played_once(tape: Tape) -> None:
    tape.answer(request("/v1/last"), frozenset())
    with pytest.raises(StepFailedError, match="There is no recorded answer"):
        tape.answer(request("/v1/last"), frozenset())


def test_the_same_request_gets_its_answers_in_their_order_and_then_none() -> None:
    tape = tape_of(*(exchange(each, request()) for each in (1, 2)))
    assert [number(tape.answer(request(), frozenset())) for _ in range(2)] == [1, 2]
    with pytest.raises(StepFailedError, match="all of its exchanges were played"):
        tape.answer(request(), frozenset())


def test_requests_at_once_get_an_answer_each() -> None:
    alike, others = 12, 12
    tape = tape_of(
        *(exchange(each, request()) for each in range(1, alike + 1)),
        *(exchange(alike + each, request(key=f"k{each}"), breaks=UNSIGNED) for each in range(1, others + 1)),
    )
    sent = [(request(), frozenset[str]())] * alike
    sent += [(request(key=f"k{each}"), UNSIGNED) for each in range(1, others + 1)]
    together = Barrier(len(sent))

    def send(each: tuple[Request, frozenset[str]]) -> Exchange:
        together.wait(5)
        tape.now()
        return tape.answer(*each)

    with ThreadPoolExecutor(len(sent)) as pool:
        answers = list(pool.map(send, sent))
    assert sorted(map(number, answers[:alike])) == list(range(1, alike + 1))
    assert list(map(number, answers[alike:])) == list(range(alike + 1, alike + others + 1))
    assert not tape.unplayed()


def test_secrets_are_compared_and_shown_as_placeholders() -> None:
    tape = tape_of(
        exchange(1, request(body=b'{"secret":"redacted-secret-1"}'), answer=b'{"token":"redacted-token-2"}'),
        exchange(2, request(body=b'{"secret":"redacted-secret-3"}')),
    )
    first = tape.answer(request(body=b'{"secret":"of this client"}'), frozenset())
    second = tape.answer(request(body=b'{"secret":"another one"}'), frozenset())
    assert [number(each) for each in (first, second)] == [1, 2]
    assert first.request.members() == {"secret": "redacted-secret-1"}
    assert second.request.members() == {"secret": "redacted-secret-3"}
    assert tape.redactor.text("of this client, redacted-token-2") == "redacted-secret-1, redacted-token-2"


def test_all_exchanges_are_taken_at_once(tape: Tape) -> None:
    assert [number(each) for each in tape.take_all()] == [1, 2, 3]
    assert not tape.unplayed()
    assert tape.now() == START + timedelta(minutes=3)
    with pytest.raises(StepFailedError, match="all of its exchanges were played"):
        tape.answer(request(), frozenset())
