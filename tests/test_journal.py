"""The journal of a test: what its clients send is judged before it leaves, and kept with its answer."""

import gzip
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier

import httpx
import pytest

from conformance.clock import EPOCH_OF_WORLDS, FrozenClock
from conformance.exchange import Delivery, Exchange, Request, Response
from conformance.findings import Finding, judged
from conformance.offblocks import api
from conformance.recording.journal import BREAKS, EXCHANGE, Journal, JournalTransport
from conformance.recording.redaction import Redactor
from conformance.scenario import StepFailedError, SuiteError
from conformance.specification import Specification
from conformance.standards.digest_fields import content_digest

BASE_URL = "https://api.example/mount"
SPECIFICATION = Specification.load(api.specification)
KNOWN = "offblocks.client.sends-token"
OTHER = "offblocks.client.sends-json"


class Judge:
    """Finds that a request breaks the rules that its header says, and remembers what it was shown."""

    explains = True

    def __init__(self, *excused: str) -> None:
        self.excused = frozenset(excused)
        self.asked: list[tuple[Request, datetime]] = []
        self.observed: list[Exchange] = []

    def request(
        self,
        request: Request,
        operation: str | None,
        parameters: Mapping[str, str],
        at: datetime,
        machine_at: datetime | None = None,
    ) -> list[Finding]:
        self.asked.append((request, at))
        broken = (request.header("X-Broken") or "").split()
        return [
            judged(rule, held=rule not in broken, where="request", expected="", got="", exchange=None)
            for rule in (KNOWN, OTHER)
        ]

    def observe(self, exchange: Exchange) -> None:
        self.observed.append(exchange)

    def conclude(self, exchanges: Sequence[Exchange], deliveries: Sequence[Delivery]) -> list[Finding]:
        return []


def answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(
        200,
        headers=[("Content-Type", "application/json"), ("X-Twice", "1"), ("X-Twice", "2")],
        content=b'{"token":"t0p","echo":"' + request.url.path.encode() + b'"}',
    )


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def journal(clock: FrozenClock) -> Journal:
    return Journal("offblocks/topic/a_test", clock, BASE_URL, SPECIFICATION, Redactor(api.secrets))


@pytest.fixture
def judge() -> Judge:
    return Judge()


def client(
    journal: Journal,
    judge: Judge,
    send: Callable[[httpx.Request], httpx.Response] = answer,
    identity: str = "first",
) -> httpx.Client:
    return httpx.Client(transport=JournalTransport(httpx.MockTransport(send), journal, identity, judge))


def test_an_exchange_is_kept_as_it_was(journal: Journal, judge: Judge, clock: FrozenClock) -> None:
    clock.advance(timedelta(minutes=5))
    response = client(journal, judge).post(
        f"{BASE_URL}/v1/customers?page=2", content=b'{"a":1}', headers=[("X-Sent", "a"), ("X-Sent", "b")]
    )
    (exchange,) = journal.exchanges
    assert response.extensions[EXCHANGE] is exchange
    assert (exchange.id, exchange.operation, exchange.identity) == (
        "offblocks/topic/a_test#1",
        "createCustomer",
        "first",
    )
    assert exchange.at == EPOCH_OF_WORLDS + timedelta(minutes=5)
    assert 0 <= exchange.seconds < 5
    assert exchange.breaks == frozenset()
    assert (exchange.request.method, exchange.request.url) == ("POST", f"{BASE_URL}/v1/customers?page=2")
    assert exchange.request.body == b'{"a":1}'
    assert exchange.request.header("X-Sent") == "a, b"
    assert exchange.response.status == 200
    assert exchange.response.header("X-Twice") == "1, 2"
    assert exchange.response.members()["echo"] == "/mount/v1/customers"
    assert response.json()["echo"] == "/mount/v1/customers"


def test_what_is_kept_for_others_has_no_secret(journal: Journal, judge: Judge) -> None:
    client(journal, judge).get(f"{BASE_URL}/v1/customers", headers={"Authorization": "Bearer s3cret"})
    ((kept,), (shown,)) = journal.exchanges, journal.redacted
    assert kept.request.header("Authorization") == "Bearer s3cret"
    assert kept.response.members()["token"] == "t0p"
    assert "s3cret" not in str(shown)
    assert "t0p" not in str(shown)
    assert (shown.id, shown.response.status) == (kept.id, kept.response.status)


def answered(token: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _request: httpx.Response(200, json={"token": token})


def test_placeholders_are_numbered_by_the_order_of_exchanges(judge: Judge) -> None:
    def journal_of(*, shown_early: bool) -> Journal:
        journal = Journal("offblocks/topic/a_test", FrozenClock(), BASE_URL, SPECIFICATION, Redactor(api.secrets))
        for token in ("t0p", "t0ken", "t0p"):
            client(journal, judge, answered(token)).get(f"{BASE_URL}/v1/customers")
            if shown_early:
                assert len(journal.redacted) == len(journal.exchanges)
        return journal

    late = journal_of(shown_early=False)
    assert late.hide("first t0ken, then t0p") == "first redacted-token-2, then redacted-token-1"
    assert [each.response.members()["token"] for each in late.redacted] == [
        "redacted-token-1",
        "redacted-token-2",
        "redacted-token-1",
    ]
    assert late.redacted == journal_of(shown_early=True).redacted


def test_nothing_is_redacted_before_somebody_asks(
    journal: Journal, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    redact = Redactor.exchange

    def exchange(redactor: Redactor, exchange: Exchange) -> Exchange:
        asked.append(exchange.id[-2:])
        return redact(redactor, exchange)

    monkeypatch.setattr(Redactor, "exchange", exchange)
    for _ in range(2):
        client(journal, judge).get(f"{BASE_URL}/v1/customers")
    assert not asked
    assert "t0p" not in str(journal.redacted)
    assert "t0p" not in journal.hide("t0p")
    assert asked == ["#1", "#2"]


def delivery(number: int, after: int = 0) -> Delivery:
    return Delivery(after, "first", EPOCH_OF_WORLDS, Request((), b"%d" % number, "POST", "/hook"), 200)


def test_a_webhook_is_kept_once_after_the_exchanges_that_had_ended(journal: Journal, judge: Judge) -> None:
    came = [delivery(1), delivery(1)]
    journal.receive(came)
    client(journal, judge).get(f"{BASE_URL}/v1/customers")
    journal.receive([*came, delivery(2)])
    journal.receive([*came, delivery(2)])
    assert [(each.after, each.request.body) for each in journal.deliveries] == [(0, b"1"), (0, b"1"), (1, b"2")]


def test_another_journal_is_appended_under_new_numbers(journal: Journal, judge: Judge, clock: FrozenClock) -> None:
    other = Journal(journal.test, clock, BASE_URL, SPECIFICATION, Redactor(()))
    for each in (journal, other, other):
        client(each, judge).get(f"{BASE_URL}/v1/customers", headers={"X-Broken": ""})
    journal.receive([delivery(1)])
    other.receive([delivery(2)])
    ids = journal.append(other)
    assert ids == {f"{journal.test}#1": f"{journal.test}#2", f"{journal.test}#2": f"{journal.test}#3"}
    assert [each.id for each in journal.exchanges] == [f"{journal.test}#{number}" for number in (1, 2, 3)]
    assert [(each.after, each.request.body) for each in journal.deliveries] == [(1, b"1"), (3, b"2")]
    assert "t0p" not in str(journal.redacted)
    journal.receive([delivery(1), delivery(3)])
    assert [(each.after, each.request.body) for each in journal.deliveries][2:] == [(3, b"3")]


def test_what_was_recorded_is_taken_over_as_it_is_but_for_the_operation(journal: Journal) -> None:
    request = Request((), b"", "GET", f"{BASE_URL}/v1/customers/1")
    recorded = [Exchange("a#1", "gone", "first", EPOCH_OF_WORLDS, 0, request, Response((), b'{"token":"t0p"}', 200))]
    journal.take_over(recorded, [delivery(1, after=1)])
    assert journal.exchanges == [replace(recorded[0], operation="getCustomer", parameters={"customerId": "1"})]
    assert list(journal.redacted) == journal.exchanges
    journal.receive([delivery(1, after=1)])
    assert journal.deliveries == [delivery(1, after=1)]


def test_the_judge_sees_a_request_before_and_its_exchange_after(journal: Journal, judge: Judge) -> None:
    def send(request: httpx.Request) -> httpx.Response:
        assert len(judge.asked) == 1
        assert not judge.observed
        return answer(request)

    client(journal, judge, send).get(f"{BASE_URL}/v1/customers")
    ((request, at),) = judge.asked
    assert (request, at) == (journal.exchanges[0].request, EPOCH_OF_WORLDS)
    assert judge.observed == journal.exchanges


def test_a_request_that_breaks_what_it_says_is_sent(journal: Journal, judge: Judge) -> None:
    client(journal, judge).get(
        f"{BASE_URL}/v1/customers", headers={"X-Broken": KNOWN}, extensions={BREAKS: frozenset({KNOWN})}
    )
    assert [exchange.breaks for exchange in journal.exchanges] == [{KNOWN}]


@pytest.mark.parametrize(
    ("broken", "said", "message"),
    [
        (KNOWN, frozenset(), f"/v1/customers breaks {KNOWN} without saying so."),
        ("", frozenset({KNOWN}), f"/v1/customers does not break {KNOWN} as it says."),
        (
            OTHER,
            frozenset({KNOWN}),
            f"/v1/customers breaks {OTHER} without saying so and does not break {KNOWN} as it says.",
        ),
        (f"{KNOWN} {OTHER}", frozenset(), f"/v1/customers breaks {OTHER}, {KNOWN} without saying so."),
    ],
)
def test_a_request_that_breaks_something_else_is_the_suites_fault_and_never_leaves(
    journal: Journal, judge: Judge, broken: str, said: frozenset[str], message: str
) -> None:
    def send(_request: httpx.Request) -> httpx.Response:
        raise AssertionError

    with pytest.raises(SuiteError) as caught:
        client(journal, judge, send).get(
            f"{BASE_URL}/v1/customers", headers={"X-Broken": broken}, extensions={BREAKS: said}
        )
    assert str(caught.value) == f"The suite's own request to {message}"
    assert not journal.exchanges


def test_what_the_settings_excuse_is_neither_compared_nor_kept(journal: Journal) -> None:
    sender = client(journal, Judge(KNOWN))
    for broken, said in ((KNOWN, frozenset[str]()), ("", frozenset({KNOWN})), (f"{KNOWN} {OTHER}", frozenset({OTHER}))):
        sender.get(f"{BASE_URL}/v1/customers", headers={"X-Broken": broken}, extensions={BREAKS: said})
    assert [exchange.breaks for exchange in journal.exchanges] == [set(), set(), {OTHER}]
    with pytest.raises(SuiteError):
        sender.get(f"{BASE_URL}/v1/customers", headers={"X-Broken": OTHER})


@pytest.mark.parametrize(
    ("trouble", "detail"),
    [
        (httpx.ConnectError("refused"), "refused"),
        (httpx.ReadTimeout(""), "ReadTimeout"),
        (httpx.RemoteProtocolError("hung up"), "hung up"),
    ],
)
def test_a_request_without_an_answer_blocks(journal: Journal, judge: Judge, trouble: Exception, detail: str) -> None:
    def send(_request: httpx.Request) -> httpx.Response:
        raise trouble

    with pytest.raises(StepFailedError) as caught:
        client(journal, judge, send).get(f"{BASE_URL}/v1/customers")
    assert str(caught.value) == f"GET /v1/customers got no answer from {BASE_URL}: {detail}"
    assert not journal.exchanges
    assert not judge.observed


def test_an_answer_that_cannot_be_decoded_blocks(journal: Journal, judge: Judge) -> None:
    def send(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip"))

    with pytest.raises(StepFailedError, match=r"GET /v1/customers got no answer from .*header check"):
        client(journal, judge, send).get(f"{BASE_URL}/v1/customers")


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "gzip, deflate", "identity", ""])
def test_what_is_kept_of_a_coded_answer_describes_the_decoded_body(journal: Journal, judge: Judge, coding: str) -> None:
    body = b'{"token":"t0p"}'
    coded = body
    coders: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
    for each in coding.lower().split(", "):
        coded = coders.get(each, bytes)(coded)

    def send(_request: httpx.Request) -> httpx.Response:
        described = {"Content-Encoding": coding, "Content-Digest": content_digest(coded), "ETag": '"1"'}
        return httpx.Response(200, headers=described, stream=httpx.ByteStream(coded))

    assert client(journal, judge, send).get(f"{BASE_URL}/v1/customers").json() == {"token": "t0p"}
    kept = journal.exchanges[0].response
    assert (kept.headers, kept.body) == ((("etag", '"1"'),), body)
    _, replay, again = replayed(journal.redacted[0].response, judge)
    assert again.json() == {"token": "redacted-token-1"}
    assert replay.exchanges[0].response == journal.redacted[0].response


@pytest.mark.parametrize(("coding", "named"), [("br", "br"), ("gzip, x-own", "x-own"), ("zstd", "zstd")])
def test_an_answer_in_a_coding_that_stays_in_the_body_blocks(
    journal: Journal, judge: Judge, monkeypatch: pytest.MonkeyPatch, coding: str, named: str
) -> None:
    monkeypatch.setattr("conformance.recording.content_codings._known", lambda: {"gzip", "deflate", "identity"})

    def send(_request: httpx.Request) -> httpx.Response:
        answer = httpx.Response(200, content=b"decoded by nobody, with a secret")
        answer.headers["Content-Encoding"] = coding
        return answer

    with pytest.raises(StepFailedError) as caught:
        client(journal, judge, send).get(f"{BASE_URL}/v1/customers", headers={"Accept-Encoding": "identity"})
    assert str(caught.value) == (
        f"GET /v1/customers got an answer in the content coding {named} from {BASE_URL}, "
        "which cannot be decoded here; the request accepts identity"
    )
    assert not journal.exchanges


def test_an_answer_without_a_body_may_name_any_coding(journal: Journal, judge: Judge) -> None:
    def send(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(204, headers={"Content-Encoding": "x-own"})

    assert client(journal, judge, send).get(f"{BASE_URL}/v1/customers").status_code == 204


def test_a_path_that_the_specification_lacks_has_no_operation(journal: Journal, judge: Judge) -> None:
    for url in (f"{BASE_URL}/v1/nothing", f"{BASE_URL}/customers", "https://elsewhere.example/v1/customers"):
        client(journal, judge).get(url)
    assert [exchange.operation for exchange in journal.exchanges] == [None, None, None]
    assert journal.relative("https://elsewhere.example/v1/customers") == "https://elsewhere.example/v1/customers"


def test_two_identities_share_one_numbering_and_not_one_judge(journal: Journal, judge: Judge) -> None:
    other_judge = Judge()
    client(journal, judge).get(f"{BASE_URL}/v1/customers")
    client(journal, other_judge, identity="second").get(f"{BASE_URL}/v1/customers")
    assert [(exchange.id[-2:], exchange.identity) for exchange in journal.exchanges] == [
        ("#1", "first"),
        ("#2", "second"),
    ]
    assert (len(judge.asked), len(other_judge.asked)) == (1, 1)


def test_requests_at_once_are_each_kept_once(journal: Journal, judge: Judge) -> None:
    together = Barrier(4)

    def send(request: httpx.Request) -> httpx.Response:
        together.wait(5)
        return answer(request)

    sender = client(journal, judge, send)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: sender.get(f"{BASE_URL}/v1/customers/{number}"), range(4)))
    assert [exchange.id for exchange in journal.exchanges] == [
        f"offblocks/topic/a_test#{number}" for number in (1, 2, 3, 4)
    ]
    assert {exchange.request.url[-1] for exchange in journal.exchanges} == {"0", "1", "2", "3"}
    assert [exchange.id for exchange in journal.redacted] == [exchange.id for exchange in journal.exchanges]


class Player:
    """Notes what is asked for, and gives one recorded answer."""

    def __init__(self, response: Response) -> None:
        self.asked: list[tuple[Request, frozenset[str]]] = []
        self.response = response
        self.unmatched = ""

    def answer(self, request: Request, breaks: frozenset[str]) -> Exchange:
        self.asked.append((request, breaks))
        shown = replace(request, headers=(("authorization", "Bearer placeholder"),))
        yesterday = EPOCH_OF_WORLDS - timedelta(days=1)
        return Exchange("recorded#7", "anything", "somebody", yesterday, 7.5, shown, self.response)


def replayed(response: Response, judge: Judge, **headers: str) -> tuple[Player, Journal, httpx.Response]:
    """What comes of a request that is answered by a player."""

    def send(_request: httpx.Request) -> httpx.Response:
        raise AssertionError

    player = Player(response)
    journal = Journal("offblocks/topic/a_test", FrozenClock(), BASE_URL, SPECIFICATION, Redactor(api.secrets), player)
    return player, journal, client(journal, judge, send).get(f"{BASE_URL}/v1/customers", headers=headers)


def test_a_replay_sends_nothing_and_takes_answer_and_time_from_the_recording(judge: Judge) -> None:
    recorded = Response((("content-type", "application/json"), ("x-twice", "1"), ("x-twice", "2")), b'{"a":1}', 202)
    player, journal, response = replayed(recorded, judge, **{"X-Broken": KNOWN})
    ((request, breaks),) = player.asked
    assert (request.method, request.url, breaks) == ("GET", f"{BASE_URL}/v1/customers", frozenset({KNOWN}))
    (exchange,) = journal.exchanges
    assert (exchange.at, exchange.seconds) == (EPOCH_OF_WORLDS - timedelta(days=1), 7.5)
    assert (exchange.id, exchange.operation, exchange.identity) == (
        "offblocks/topic/a_test#1",
        "listCustomers",
        "first",
    )
    assert (exchange.request, exchange.breaks) == (request, breaks)
    assert exchange.response == recorded
    assert (response.status_code, response.json(), response.headers.get_list("x-twice")) == (202, {"a": 1}, ["1", "2"])
    assert response.extensions[EXCHANGE] is exchange
    assert judge.observed == [exchange]


def test_a_replay_shows_the_request_as_the_player_hides_it(judge: Judge) -> None:
    _, journal, _ = replayed(Response((), b'{"token":"of the recording"}', 200), judge, Authorization="Bearer s3cret")
    ((exchange,), (shown,)) = journal.exchanges, journal.redacted
    assert exchange.request.header("Authorization") == "Bearer s3cret"
    assert shown == replace(
        exchange, request=replace(exchange.request, headers=(("authorization", "Bearer placeholder"),))
    )


def test_a_body_that_was_recorded_decoded_is_not_decoded_again(judge: Judge) -> None:
    recorded = Response((("content-type", "application/json"), ("content-encoding", "gzip")), b'{"a":1}', 200)
    _, journal, response = replayed(recorded, judge)
    assert response.json() == {"a": 1}
    assert journal.exchanges[0].response == recorded


def test_closing_a_client_leaves_the_shared_transport_open(journal: Journal, judge: Judge) -> None:
    class Inner(httpx.MockTransport):
        is_open = True

        def close(self) -> None:
            self.is_open = False

    inner = Inner(answer)
    with httpx.Client(transport=JournalTransport(inner, journal, "first", judge)) as sender:
        sender.get(f"{BASE_URL}/v1/customers")
    assert inner.is_open
