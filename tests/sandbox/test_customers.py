"""Customers from their creation to their last state, as the sandbox keeps them."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conformance.standards import personal_message, sign_in_message
from conformance.standards.wallet_signatures import Encoding

NEW = "/v1/customers"


class TestCreation:
    def test_a_customer_starts_with_its_challenge(self, client: Any, wallet: Any) -> None:
        customer = client.create(wallet, "Zoë 🦊")
        assert customer["externalId"] == "Zoë 🦊"
        assert customer["chainId"] == wallet.account
        assert customer["status"] == "initiating"
        assert customer["createdAt"] == customer["updatedAt"] == "2026-01-15T12:00:00.000000Z"
        shown = {name: value for name, value in customer.items() if name != "challenge"}
        assert client.send("GET", f"{NEW}/{customer['id']}").json() == shown
        assert client.send("GET", NEW).json() == [shown]

    def test_the_challenge_is_a_sign_in_message_for_the_wallet(self, client: Any, wallet: Any) -> None:
        client.world.advance(seconds=0.5)
        message = sign_in_message.parse(base64.b64decode(client.create(wallet)["challenge"], validate=True).decode())
        assert (message.domain, message.uri) == ("api.sandbox.offblocks.xyz", "https://api.sandbox.offblocks.xyz")
        assert (message.address, message.chain_id, message.version) == (wallet.address, 280, "1")
        assert message.issued_at == "2026-01-15T12:00:00Z"
        assert len(message.nonce) == 16

    def test_a_lower_case_account_is_kept_as_it_is_and_asked_with_its_checksum(self, client: Any, wallet: Any) -> None:
        response = client.send("POST", NEW, {"chainId": wallet.account.lower(), "externalId": "text"})
        assert response.json()["chainId"] == wallet.account.lower()
        assert wallet.address.encode() in base64.b64decode(response.json()["challenge"])

    @pytest.mark.parametrize("same", [str, str.lower])
    def test_a_second_customer_of_the_same_pair_is_refused(self, client: Any, wallet: Any, same: Any) -> None:
        client.create(wallet)
        response = client.send("POST", NEW, {"chainId": same(wallet.account), "externalId": "text"})
        assert response.status_code == 409
        assert len(client.send("GET", NEW).json()) == 1

    def test_the_account_or_the_external_id_alone_may_come_again(
        self, client: Any, wallet: Any, other_wallet: Any
    ) -> None:
        ids = {client.create(wallet)["id"], client.create(wallet, "other")["id"], client.create(other_wallet)["id"]}
        assert len(ids) == 3

    @pytest.mark.parametrize(
        ("change", "detail"),
        [
            ({"chainId": None}, "'chainId' must be a string, and is null"),
            ({"externalId": 7}, "'externalId' must be a string, and is a number"),
            ({"externalId": "a\0b"}, "NUL"),
            ({"externalId": "\ud800"}, "surrogate"),
            ({"chainId": "text"}, "not a CAIP-10 account id"),
            ({"chainId": "eip155:280:0x22227a31Dd842196A246d8f3b775998560eAa61d"}, "EIP-55 checksum"),
            ({"chainId": "starknet:SN_MAIN:0x02dd1b492765c064eac4039e3841aa5f"}, "namespace eip155"),
        ],
    )
    def test_wrong_members_are_refused(self, client: Any, wallet: Any, change: dict[str, Any], detail: str) -> None:
        response = client.send("POST", NEW, {"chainId": wallet.account, "externalId": "text", **change})
        assert response.status_code == 400
        assert detail in response.json()["detail"]

    @pytest.mark.parametrize("left_out", ["chainId", "externalId"])
    def test_missing_members_are_refused(self, client: Any, wallet: Any, left_out: str) -> None:
        document = {"chainId": wallet.account, "externalId": "text"}
        del document[left_out]
        response = client.send("POST", NEW, document)
        assert response.status_code == 400
        assert f"lacks '{left_out}'" in response.json()["detail"]

    @pytest.mark.parametrize(
        "content",
        [
            b"{",
            b"[]",
            b"\xff",
            b'{"a": NaN}',
            b"[" * 100_000,
            b'{"chainId": "a", "chainId": "b", "externalId": "c"}',
            b"1" * 5_000,
        ],
    )
    def test_a_body_that_is_no_json_object_is_refused(self, client: Any, content: bytes) -> None:
        assert client.send("POST", NEW, content=content).status_code == 400

    def test_another_media_type_is_refused(self, client: Any, wallet: Any) -> None:
        document = {"chainId": wallet.account, "externalId": "text"}
        response = client.send("POST", NEW, document, headers={"content-type": "text/plain"})
        assert response.status_code == 400

    def test_twenty_creations_at_once_with_one_key_leave_one_customer(self, client: Any, wallet: Any) -> None:
        headers = {"idempotency-key": client.new_key()}
        body = {"chainId": wallet.account, "externalId": "text"}
        with ThreadPoolExecutor(4) as pool:
            responses = list(pool.map(lambda _: client.send("POST", NEW, body, headers=headers), range(20)))
        assert {response.status_code for response in responses} == {201}
        assert len({response.content for response in responses}) == 1
        assert len(client.send("GET", NEW).json()) == 1


class TestChallenge:
    def test_it_stays_the_same_until_it_is_signed(self, client: Any, wallet: Any) -> None:
        customer = client.create(wallet)
        client.world.advance(minutes=30)
        assert client.challenge(customer) == customer["challenge"]
        assert client.sign(customer, wallet).status_code == 204
        assert client.challenge(customer) == customer["challenge"]

    def test_a_failed_signature_brings_a_new_one(self, client: Any, wallet: Any, other_wallet: Any) -> None:
        customer = client.create(wallet)
        wrong = client.sign(customer, wallet, signature=other_wallet.sign(customer["challenge"]))
        assert wrong.status_code == 400
        assert other_wallet.address in wrong.json()["detail"]
        renewed = {**customer, "challenge": client.challenge(customer)}
        assert renewed["challenge"] != customer["challenge"]
        superseded = client.sign(customer, wallet)
        assert (superseded.status_code, "superseded" in superseded.text) == (400, True)
        assert client.sign(renewed, wallet).status_code == 204

    def test_other_refusals_leave_it(self, client: Any, wallet: Any, other_wallet: Any) -> None:
        customer = client.create(wallet)
        assert client.sign(customer, wallet, ownerId=other_wallet.account).status_code == 400
        assert client.sign(customer, wallet, signature="text").status_code == 400
        assert client.sign(customer, wallet, challenge="text").status_code == 400
        assert client.challenge(customer) == customer["challenge"]

    def test_it_can_be_signed_for_an_hour_from_its_issue(self, client: Any, wallet: Any) -> None:
        customer = client.create(wallet)
        client.world.advance(minutes=59, seconds=58)
        assert client.sign(customer, wallet).status_code == 204

    def test_after_its_hour_there_is_a_new_one_with_an_hour_of_its_own(self, client: Any, wallet: Any) -> None:
        customer = client.create(wallet)
        client.world.advance(minutes=60, seconds=2)
        client.log_in()
        late = client.sign(customer, wallet)
        assert (late.status_code, "held for 1:00:00" in late.text) == (400, True)
        renewed = {**customer, "challenge": client.challenge(customer)}
        assert b"Issued At: 2026-01-15T13:00:02Z" in base64.b64decode(renewed["challenge"])
        client.world.advance(minutes=59, seconds=58)
        client.log_in()
        assert client.sign(customer, wallet).status_code == 400
        assert client.sign(renewed, wallet).status_code == 204

    @pytest.mark.parametrize(
        ("customer_id", "status"), [("123e4567-e89b-12d3-a456-426614174000", 404), ("text", 400), ("%00", 400)]
    )
    def test_there_is_none_without_a_customer(self, client: Any, customer_id: str, status: int) -> None:
        assert client.send("GET", f"{NEW}/{customer_id}/challenge").status_code == status
        assert client.send("PATCH", f"/v1/simulator/customers/{customer_id}/verify").status_code == status


class TestSigning:
    @pytest.mark.parametrize("encoding", [Encoding.BASE64_OF_HEX_TEXT, Encoding.BASE64_OF_BYTES])
    def test_the_wallets_signature_is_accepted_in_both_encodings(
        self, client: Any, wallet: Any, encoding: Encoding
    ) -> None:
        customer = client.create(wallet)
        response = client.sign(customer, wallet, signature=wallet.sign(customer["challenge"], encoding))
        assert (response.status_code, response.content) == (204, b"")

    def test_the_owner_may_be_written_in_lower_case(self, client: Any, wallet: Any) -> None:
        assert client.sign(client.create(wallet), wallet, ownerId=wallet.account.lower()).status_code == 204

    def test_a_signature_of_anything_else_is_refused(self, client: Any, wallet: Any) -> None:
        customer = client.create(wallet)
        text = base64.b64encode(customer["challenge"].encode()).decode()
        response = client.sign(customer, wallet, signature=wallet.sign(text))
        assert response.status_code == 400
        assert client.status(customer) == "initiating"

    @pytest.mark.parametrize("change", [slice(0, 63), slice(1, 65), slice(0, 0)])
    def test_a_shortened_signature_is_refused(self, client: Any, wallet: Any, change: slice) -> None:
        customer = client.create(wallet)
        signature = personal_message.sign(base64.b64decode(customer["challenge"]), wallet.key)[change]
        for encoded in (base64.b64encode(signature), base64.b64encode(b"0x" + signature.hex().encode())):
            assert client.sign(customer, wallet, signature=encoded.decode()).status_code == 400
        assert client.status(customer) == "initiating"

    def test_an_altered_or_foreign_challenge_is_refused(self, client: Any, wallet: Any, other_wallet: Any) -> None:
        customer, other = client.create(wallet), client.create(other_wallet)
        altered = base64.b64encode(base64.b64decode(customer["challenge"]) + b" ").decode()
        for challenge in (altered, other["challenge"], customer["challenge"] + "\n", ""):
            response = client.sign(customer, wallet, challenge=challenge, signature=wallet.sign(challenge))
            assert response.status_code == 400
        assert client.status(customer) == "initiating"
        response = client.sign(customer, wallet, challenge=other["challenge"])
        assert f"is the challenge of customer {other['id']}" in response.json()["detail"]

    def test_the_decoded_challenge_is_told_from_an_altered_one(self, client: Any, wallet: Any) -> None:
        customer = client.create(wallet)
        response = client.sign(customer, wallet, challenge=base64.b64decode(customer["challenge"]).decode())
        assert "send it back as it was issued" in response.json()["detail"]

    def test_who_owns_the_wallet_is_not_taken_from_the_request(
        self, client: Any, wallet: Any, other_wallet: Any
    ) -> None:
        customer = client.create(wallet)
        signature = other_wallet.sign(customer["challenge"])
        response = client.sign(customer, wallet, ownerId=other_wallet.account, signature=signature)
        assert response.status_code == 400
        assert client.status(customer) == "initiating"

    def test_a_second_signature_is_refused_and_a_repeat_is_not(self, client: Any, wallet: Any) -> None:
        customer, key = client.create(wallet), client.new_key()
        client.world.advance(minutes=30)
        assert client.sign(customer, wallet, key=key).status_code == 204
        assert client.sign(customer, wallet).status_code == 409
        client.world.advance(minutes=31)
        client.log_in()
        assert client.sign(customer, wallet, key=key).status_code == 204

    def test_of_many_signatures_at_once_one_is_accepted(self, client: Any, wallet: Any) -> None:
        customer = client.create(wallet)
        with ThreadPoolExecutor(4) as pool:
            statuses = list(pool.map(lambda _: client.sign(customer, wallet).status_code, range(8)))
        assert sorted(statuses) == [204] + 7 * [409]


class TestStates:
    def test_the_flow_ends_active(self, client: Any, wallet: Any) -> None:
        customer = client.create(wallet)
        assert client.sign(customer, wallet).status_code == 204
        assert client.status(customer) == "verifying"
        client.world.advance(seconds=5)
        response = client.send("PATCH", f"/v1/simulator/customers/{customer['id']}/verify")
        assert (response.status_code, response.content) == (202, b"")
        shown = client.send("GET", f"{NEW}/{customer['id']}").json()
        assert (shown["status"], shown["updatedAt"]) == ("active", "2026-01-15T12:00:05.000000Z")

    @pytest.mark.parametrize("step", ["verify", "reject"])
    def test_an_unsigned_customer_stays_initiating(self, client: Any, wallet: Any, step: str) -> None:
        customer = client.create(wallet)
        assert client.send("PATCH", f"/v1/simulator/customers/{customer['id']}/{step}").status_code == 409
        assert client.status(customer) == "initiating"

    def test_rejection_is_final(self, client: Any, wallet: Any) -> None:
        customer = client.create(wallet)
        client.sign(customer, wallet)
        assert client.send("PATCH", f"/v1/simulator/customers/{customer['id']}/reject").status_code == 202
        assert client.send("PATCH", f"/v1/simulator/customers/{customer['id']}/verify").status_code == 409
        assert client.sign(customer, wallet).status_code == 409
        again = client.send("POST", NEW, {"chainId": wallet.account, "externalId": "text"})
        assert again.status_code == 409
        assert client.status(customer) == "rejected"


def test_another_tenant_sees_nothing_of_a_customer(client: Any, wallet: Any) -> None:
    customer = client.create(wallet)
    other = client.world.client("second")
    assert other.send("GET", NEW).json() == []
    assert other.send("GET", f"{NEW}/{customer['id']}").status_code == 404
    assert other.send("GET", f"{NEW}/{customer['id']}/challenge").status_code == 404
    assert other.send("PATCH", f"/v1/simulator/customers/{customer['id']}/verify").status_code == 404
    refused = other.sign(customer, wallet)
    assert refused.status_code == 404
    assert wallet.address not in json.dumps(refused.json())
    assert other.create(wallet)["id"] != customer["id"]
