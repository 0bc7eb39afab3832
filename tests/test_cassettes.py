"""A cassette is the whole journal of a test, written whole or not at all, in a form that vcr reads and plays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from vcr import VCR
from vcr.serialize import deserialize
from vcr.serializers import yamlserializer

from conformance.exchange import Delivery, Exchange, Request, Response
from conformance.files import data_path
from conformance.recording.cassettes import (
    Cassette,
    CassetteMissingError,
    CassetteUnreadableError,
    rebased,
    without_port,
)
from conformance.recording.persister import Persister

BASE = "https://toy.test/w/1"
START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def exchange(number: int, *, path: str = "/v1/things", body: bytes = b'{"n":1}', key: str = "k") -> Exchange:
    return Exchange(
        id=f"toy/topic/test#{number}",
        operation="createThing",
        identity="first",
        at=START + timedelta(minutes=number),
        seconds=0.25,
        request=Request((("Idempotency-Key", key), ("Content-Type", "application/json")), body, "POST", BASE + path),
        response=Response((("content-type", "application/json"),), b'{"id":%d}' % number, 201),
        breaks=frozenset({"toy.client.something"}) if number == 2 else frozenset(),
    )


def cassette(*exchanges: Exchange) -> Cassette:
    return Cassette(
        api="toy",
        test="toy/topic/test",
        origin="reference sandbox",
        recorded=START,
        specification="sha256:" + "0" * 64,
        suite="0.1.0",
        seed="0",
        base_url=BASE,
        settings={"chain": "eip155:300"},
        webhook_url="http://127.0.0.1:1/hook",
        short_waits={"a customer to be active": 6.0},
        exchanges=exchanges,
        deliveries=[Delivery(1, "first", START, Request((), b'{"event":1}', "POST", "/hook"), 200)],
    )


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    written = cassette(exchange(1), exchange(2, path="/v1/things?a=b&c="), exchange(3, body="ünï".encode()))
    written.save(tmp_path / "topic" / "test.yaml")
    read = Cassette.load(tmp_path / "topic" / "test.yaml")
    assert read.exchanges == written.exchanges
    assert list(read.deliveries) == list(written.deliveries)
    assert (read.settings, read.seed, read.recorded) == (written.settings, written.seed, written.recorded)


def test_bytes_that_are_no_text_are_kept(tmp_path: Path) -> None:
    written = cassette(exchange(1, body=b"\xff\x00{"))
    written.save(tmp_path / "test.yaml")
    assert Cassette.load(tmp_path / "test.yaml").exchanges == written.exchanges


def test_vcr_reads_it_too(tmp_path: Path) -> None:
    cassette(exchange(1)).save(tmp_path / "test.yaml")
    requests, responses = deserialize((tmp_path / "test.yaml").read_text(), yamlserializer)
    assert (requests[0].method, requests[0].uri) == ("POST", "/v1/things")
    assert responses[0]["body"]["string"] == b'{"id":1}'


@pytest.mark.parametrize(
    "name",
    [
        "offblocks/challenge_expiry/a_challenge_is_accepted_within_the_hour.yaml",
        "planbok/gate/a_customer_without_a_pin_gets_no_wallet.yaml",
    ],
)
def test_vcr_alone_plays_it(name: str) -> None:
    path = data_path(f"cassettes/{name}")
    player = VCR(record_mode="none", match_on=("method", "path", "query", "body"))
    recorded = Cassette.load(path)
    assert len(recorded.exchanges) > 1
    with player.use_cassette(str(path)) as played, httpx.Client() as client:
        for each in recorded.exchanges:
            url = each.request.url.replace(recorded.base_url, "https://elsewhere.example")
            answer = client.request(each.request.method, url, content=each.request.body)
            assert (answer.status_code, answer.content) == (each.response.status, each.response.body)
    assert played.all_played


def test_vcr_is_given_absolute_urls_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "test.yaml"
    written = cassette(exchange(1), exchange(2))
    written.save(path)
    before = path.read_bytes()
    player = VCR(record_mode="new_episodes")
    player.register_persister(Persister(path))
    with player.use_cassette("another.yaml"), httpx.Client() as client:
        for each in written.exchanges:
            assert client.post(each.request.url).json() == each.response.json()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_vcr_is_told_that_there_is_no_cassette(tmp_path: Path) -> None:
    player = VCR(record_mode="none")
    player.register_persister(Persister(tmp_path / "test.yaml"))
    with player.use_cassette("test.yaml") as found:
        assert not found.responses


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "test.yaml"
    cassette(exchange(1)).save(path)
    before = path.read_bytes()

    def full(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        cassette(exchange(1), exchange(2)).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_cassette_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CassetteMissingError, match=r"test\.yaml"):
        Cassette.load(tmp_path / "test.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: "interactions: [", "is not YAML"),
        (lambda text: text.replace("conformance-cassette/1", "other/9"), "is wrong at format"),
        (lambda text: text.replace("code: 201", "code: twohundred"), "is wrong at interactions/0/response/status/code"),
        (lambda text: text.replace("breaks: []", "brakes: []"), "is wrong at interactions/0"),
        (lambda text: text.replace("recorded:", "recorded_at:"), "is wrong at the top"),
        (
            lambda text: text + "further: 2026-01-15\n",
            "is wrong at further: 2026-01-15 is a date; put it into quotation",
        ),
        (lambda text: text + "further:\n- 1: 2\n", "is wrong at further/0: the key 1 is no text"),
        (
            lambda text: text + "further: &it [*it]\n",
            "is not YAML: an alias stands in what it names",
        ),
        (lambda text: text + "further: " + "[" * 900 + "]" * 900, "is not YAML: it is nested too deep"),
        (lambda text: text + "further: " + "[" * 100_000 + "]" * 100_000, "is not YAML: it is nested too deep"),
        (lambda text: text.replace("recorded: '2026-01", "recorded: '2026-99"), "is wrong: month must be in 1..12"),
    ],
)
def test_what_is_no_cassette_is_named(tmp_path: Path, change: object, message: str) -> None:
    path = tmp_path / "test.yaml"
    cassette(exchange(1)).save(path)
    assert callable(change)
    path.write_text(change(path.read_text()))
    with pytest.raises(CassetteUnreadableError, match=message):
        Cassette.load(path)


def test_the_port_that_a_server_happened_to_get_is_not_kept() -> None:
    assert without_port("http://127.0.0.1:54321/w/1/toy") == "http://127.0.0.1/w/1/toy"


def test_a_server_is_moved_wherever_an_exchange_names_it() -> None:
    page = "http://127.0.0.1:54321/w/1/page"
    found = Exchange(
        "toy/topic/test#1",
        None,
        "first",
        START,
        0,
        Request((("Referer", page),), page.encode(), "POST", f"{page}?a=1"),
        Response((("Location", page),), f'{{"page":"{page}"}}'.encode(), 303),
    )
    moved = rebased(found, "http://127.0.0.1:54321/w/1/toy", "http://127.0.0.1/w/1/toy")
    assert moved.request.url == "http://127.0.0.1/w/1/page?a=1"
    for message in (moved.request, moved.response):
        assert "54321" not in f"{message.headers}{message.body!r}"
    assert rebased(found, "https://api.example/toy", "https://api.example/toy") == found


def test_the_file_is_for_people(tmp_path: Path) -> None:
    cassette(exchange(1)).save(tmp_path / "test.yaml")
    document = yaml.safe_load((tmp_path / "test.yaml").read_text())
    assert document["origin"] == "reference sandbox"
    assert document["interactions"][0]["request"]["body"] == '{"n":1}'
