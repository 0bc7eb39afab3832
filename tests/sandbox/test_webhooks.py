"""Events for webhooks: what is sent, to whom, and how often it is tried."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest


class Receiver:
    """A server that notes events and answers with the `statuses` in turn, the last for ever."""

    def __init__(self, statuses: list[int]) -> None:
        self.statuses = statuses
        self.events: list[dict[str, Any]] = []
        self.url = ""

    def take(self, body: bytes) -> int:
        self.events.append(json.loads(body))
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    receiver = Receiver(list(statuses) or [200])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = receiver.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            if status == 307:
                self.send_header("Location", f"{receiver.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def register(client: Any, document: dict[str, Any]) -> dict[str, Any]:
    response = client.send("PUT", "/v1/webhooks", document)
    assert response.status_code == 200, response.text
    registered: dict[str, Any] = response.json()
    return registered


def test_each_change_of_a_customer_is_announced_in_order(client: Any, wallet: Any) -> None:
    with receiving() as receiver:
        webhook = register(client, {"callbackUrl": receiver.url, "types": ["customer.updated"]})
        assert webhook.keys() == {"id", "callbackUrl", "types", "createdAt", "updatedAt"}
        customer = client.create(wallet)
        client.sign(customer, wallet)
        client.send("PATCH", f"/v1/simulator/customers/{customer['id']}/verify")
        client.world.advance(seconds=0)
        shown = {name: value for name, value in customer.items() if name != "challenge"}
        first = receiver.events[0]
        assert first == {**shown, "webhookType": "customer.updated", "eventId": first["eventId"]}
        assert [event["status"] for event in receiver.events] == ["initiating", "screening", "verifying", "active"]
        assert len({event["eventId"] for event in receiver.events}) == 4


def test_a_registered_webhook_wins_over_the_one_of_the_world(client: Any, wallet: Any, other_wallet: Any) -> None:
    with receiving() as registered, receiving() as general:
        assert client.world.control("PUT", "/webhook", {"url": general.url}).json() == {"url": general.url}
        client.create(wallet)
        register(client, {"callbackUrl": registered.url})
        client.create(other_wallet)
        client.world.advance(seconds=0)
        assert (len(general.events), len(registered.events)) == (1, 1)
        assert client.world.control("PUT", "/webhook", {"url": None}).json() == {"url": None}


def test_events_of_one_tenant_do_not_reach_another(client: Any, wallet: Any) -> None:
    with receiving() as receiver:
        register(client.world.client("second"), {"callbackUrl": receiver.url})
        client.create(wallet)
        client.world.advance(seconds=0)
        assert receiver.events == []


def test_a_webhook_is_updated_by_its_id_and_hears_its_types_only(client: Any, wallet: Any) -> None:
    with receiving() as receiver:
        webhook = register(client, {"callbackUrl": receiver.url})
        client.world.advance(seconds=1)
        updated = register(client, {"id": webhook["id"], "callbackUrl": receiver.url, "types": ["card.updated"]})
        assert updated["id"] == webhook["id"]
        assert updated["updatedAt"] > updated["createdAt"] == webhook["createdAt"]
        client.create(wallet)
        client.world.advance(seconds=0)
        assert receiver.events == []


def test_a_failed_delivery_is_tried_three_times_and_again_when_time_passes(client: Any, wallet: Any) -> None:
    with receiving(500, 404, 307, 503, 200) as receiver:
        register(client, {"callbackUrl": receiver.url})
        client.create(wallet)
        client.world.advance(seconds=0)
        assert len(receiver.events) == 3
        client.world.advance(seconds=29)
        assert len(receiver.events) == 3
        client.world.advance(seconds=31)
        assert len(receiver.events) == 4
        client.world.advance(hours=1)
        assert len(receiver.events) == 5
        client.world.advance(hours=1)
        assert len({event["eventId"] for event in receiver.events}) == 1
        assert len(receiver.events) == 5


def test_pauses_grow_and_after_a_day_an_event_is_dropped(client: Any, wallet: Any) -> None:
    with receiving(500) as receiver:
        register(client, {"callbackUrl": receiver.url})
        client.create(wallet)
        counts = []
        for _ in range(40):
            client.world.advance(hours=1)
            counts.append(len(receiver.events))
        assert counts[0] == 4
        assert 8 <= counts[22] <= 13
        assert counts[24] == counts[39]


def test_an_unreachable_receiver_does_not_hold_up_requests(client: Any, wallet: Any) -> None:
    with receiving() as receiver:
        gone = receiver.url
    register(client, {"callbackUrl": gone})
    assert client.create(wallet)["status"] == "initiating"
    client.world.advance(hours=1)


@pytest.mark.parametrize(
    ("document", "detail"),
    [
        ({"callbackUrl": "https://example.com/"}, "not on this machine"),
        ({"callbackUrl": "file:///etc"}, "not an absolute http or https URL"),
        ({"callbackUrl": "http://127.0.0.1:99999"}, "not an absolute http or https URL"),
        ({"callbackUrl": "http://127.0.0.1@example.com/"}, "not on this machine"),
        ({"callbackUrl": 7}, "must be a string"),
        ({}, "lacks 'callbackUrl'"),
        ({"callbackUrl": "http://127.0.0.1", "types": ["text"]}, "array of event types"),
        ({"callbackUrl": "http://127.0.0.1", "types": [[]]}, "array of event types"),
        ({"callbackUrl": "http://127.0.0.1", "types": "customer.updated"}, "array of event types"),
        ({"callbackUrl": "http://127.0.0.1", "id": "text"}, "names no webhook of yours"),
    ],
)
def test_a_wrong_webhook_is_refused(client: Any, document: dict[str, Any], detail: str) -> None:
    response = client.send("PUT", "/v1/webhooks", document)
    assert response.status_code == 400
    assert detail in response.json()["detail"]
