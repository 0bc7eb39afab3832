"""The sandbox's refusals, and what it says of a client, name the mistake that was made."""

import json
from typing import Any

import pytest

from conformance.standards import personal_message
from conformance.standards.digest_fields import content_digest
from conformance.standards.wallet_signatures import Encoding, encode

NEW = "/v1/customers"
CHALLENGE_FORM = {"chainId": "eip155:280:0x43158f45b5EbD7b1179130130DF00393928C2691", "externalId": "text"}
PRETTY = content_digest(json.dumps(CHALLENGE_FORM, indent=2).encode())


def detail(response: Any) -> str:
    said: str = response.json()["detail"]
    return said


def test_a_refused_signature_says_what_was_signed(client: Any) -> None:
    response = client.send("GET", f"{NEW}?a=b", sent_as=("GET", f"{NEW}?a=%62"))
    assert response.status_code == 401
    assert "does not verify" in detail(response)
    assert "in another encoding: ?a=b instead of ?a=%62" in detail(response)


def test_what_nothing_explains_says_who_looks_further(client: Any) -> None:
    response = client.send("GET", f"{NEW}?a=b", sent_as=("GET", f"{NEW}?c=d"))
    assert "conformance explain request" in detail(response)


def test_a_refused_form_says_how_to_write_it(client: Any) -> None:
    response = client.send("GET", NEW, altered={"signature": "sig=:AAAA:"})
    assert "has 3 bytes" in detail(response)


@pytest.mark.parametrize("explains", [True, False])
def test_a_world_can_be_told_not_to_explain(client: Any, explains: bool, sandbox: Any) -> None:
    asked = {"seed": f"explains {explains}", "clock": "frozen", "explains": explains}
    made = client.world.http.post(f"{sandbox.origin}/_sandbox/worlds", json=asked)
    assert made.status_code == 201, made.text
    other = type(client.world)(client.world.http, sandbox.origin, made.json())
    response = other.client("first").send("GET", f"{NEW}?a=b", sent_as=("GET", f"{NEW}?a=%62"))
    assert response.status_code == 401
    assert ("in another encoding" in detail(response)) is explains


def test_whether_a_world_explains_is_true_or_false(client: Any, sandbox: Any) -> None:
    asked = {"seed": "text", "explains": "no"}
    response = client.world.http.post(f"{sandbox.origin}/_sandbox/worlds", json=asked)
    assert (response.status_code, "'explains' must be" in detail(response)) == (400, True)


def test_a_refused_digest_says_what_was_hashed(client: Any) -> None:
    response = client.send("POST", NEW, CHALLENGE_FORM, headers={"content-digest": PRETTY})
    assert response.status_code == 400
    assert "pretty-printed" in detail(response)


def test_a_wallet_that_signed_an_older_challenge_is_told_so(client: Any, wallet: Any) -> None:
    customer = client.create(wallet)
    older = customer["challenge"]
    client.world.advance(minutes=61)
    client.log_in()
    current = client.challenge(customer)
    assert current != older
    response = client.sign(customer, wallet, challenge=current, signature=wallet.sign(older))
    assert response.status_code == 400
    assert "another challenge, such as an older one" in detail(response)


def test_the_findings_say_the_same(client: Any, wallet: Any) -> None:
    customer = client.create(wallet)
    signed = personal_message.sign(customer["challenge"].encode(), wallet.key)
    client.sign(customer, wallet, signature=encode(signed, Encoding.BASE64_OF_HEX_TEXT))
    client.send("GET", f"{NEW}?a=b", sent_as=("GET", f"{NEW}?a=%62"))
    client.send("POST", NEW, CHALLENGE_FORM, headers={"content-digest": PRETTY})
    results = client.world.control("GET", "/findings").json()
    got = {rule["id"]: [finding["got"] for finding in rule["findings"]] for rule in results["rules"]}
    assert any("base64 text" in each for each in got["offblocks.client.owner-signs-the-message"])
    assert any("in another encoding" in each for each in got["offblocks.client.signature-verifies"])
    assert any("pretty-printed" in each for each in got["offblocks.client.digests-sent-bytes"])
