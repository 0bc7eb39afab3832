"""What the sandbox asks of every request: token, signature, idempotency key, digest."""

import base64
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conformance.standards import message_signatures
from conformance.standards.digest_fields import content_digest

NEW = "/v1/customers"
P256_KEY = (
    ec.derive_private_key(7, ec.SECP256R1())
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)


def document(external_id: str = "text") -> dict[str, str]:
    return {"chainId": "eip155:280:0x22227A31dd842196A246d8f3b775998560eAa61d", "externalId": external_id}


def customers(client: Any) -> list[Any]:
    found: list[Any] = client.send("GET", NEW).json()
    return found


def assert_refused(client: Any, response: httpx.Response, status: int, detail: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert detail.lower() in response.json()["detail"].lower()
    assert customers(client) == []


class TestTokens:
    def test_right_credentials_give_a_token_for_an_hour(self, world: Any) -> None:
        credentials = world.description["tenants"]["first"]["offblocks"]
        body = {"apiKey": credentials["api_key"], "apiSecret": credentials["api_secret"]}
        answer = world.http.post(f"{world.base_url}/v1/auth/token", json=body).json()
        assert answer["tokenType"] == "Bearer"
        assert answer["expiresAt"] == world.now().timestamp() + 3600
        assert json.loads(base64.b64decode(answer["token"].split(".")[1] + "=="))["exp"] == answer["expiresAt"]

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"apiSecret": "0" * 40}, 401),
            ({"apiKey": "d04953b7-5878-4fd0-8970-0a5f77fbce59"}, 401),
            ({"apiKey": "text"}, 400),
            ({"apiSecret": 7}, 400),
        ],
    )
    def test_wrong_credentials_are_refused(self, world: Any, change: dict[str, Any], status: int) -> None:
        credentials = world.description["tenants"]["first"]["offblocks"]
        body = {"apiKey": credentials["api_key"], "apiSecret": credentials["api_secret"], **change}
        assert world.http.post(f"{world.base_url}/v1/auth/token", json=body).status_code == status

    @pytest.mark.parametrize(
        ("authorization", "detail"),
        [
            (None, "no Authorization header"),
            ("Basic dGV4dA==", "must be 'Bearer '"),
            ("Bearer", "must be 'Bearer '"),
            ("Bearer text", "malformed"),
            ("Bearer é.é.é", "malformed"),
            ("Bearer eyJhbGciOiJub25lIn0.eyJleHAiOjE4MDAwMDAwMDB9.", "malformed"),
            (
                "Bearer eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE4MDAwMDAwMDB9.c2lnbmF0dXJl",
                "not issued by this server",
            ),
        ],
    )
    def test_a_request_without_a_token_of_ours_is_refused(
        self, client: Any, authorization: str | None, detail: str
    ) -> None:
        headers = [("authorization", authorization.encode("latin-1"))] if authorization else []
        response = client.world.http.get(client.world.base_url + NEW, headers=headers)
        assert_refused(client, response, 401, detail)
        assert response.headers["www-authenticate"] == "Bearer"

    def test_a_token_holds_for_an_hour_and_no_longer(self, client: Any) -> None:
        client.world.advance(minutes=59, seconds=59)
        assert client.send("GET", NEW).status_code == 200
        client.world.advance(seconds=1)
        response = client.send("GET", NEW)
        assert response.status_code == 401
        assert "has expired" in response.json()["detail"]

    def test_a_token_of_another_world_is_refused(self, client: Any, sandbox: Any) -> None:
        other = client.world.http.post(f"{sandbox.origin}/_sandbox/worlds", json={"seed": "another"}).json()
        headers = {"authorization": f"Bearer {client.token}"}
        response = client.world.http.get(other["base_urls"]["offblocks"] + NEW, headers=headers)
        assert response.status_code == 401


class TestRequestSignatures:
    def test_a_signed_request_passes(self, client: Any) -> None:
        assert client.send("POST", NEW, document()).status_code == 201
        assert client.send("GET", f"{NEW}?a=%2F&b=").status_code == 200

    @pytest.mark.parametrize("whole", ["@target-uri", "@request-target"])
    def test_a_target_covered_as_a_whole_passes(self, client: Any, whole: str) -> None:
        components = ("@method", whole, "@authority", "idempotency-key", "content-digest")
        response = client.send("POST", f"{NEW}?a=b", document(), components=components)
        assert response.status_code == 201, response.text

    @pytest.mark.parametrize("query", ["", "?", "??", "?a", "?a=b?"])
    @pytest.mark.parametrize("covered", ["@target-uri", "@request-target", "@query"])
    def test_a_target_is_judged_as_it_was_sent(self, client: Any, query: str, covered: str) -> None:
        response = client.send("GET", f"{NEW}{query}", components=("@method", "@path", covered))
        assert response.status_code == 200, response.text
        assert client.world.control("GET", "/requests").json()[-1]["request"]["url"].endswith(f"{NEW}{query}")

    @pytest.mark.parametrize("covered", ["@target-uri", "@request-target"])
    @pytest.mark.parametrize(("signed", "sent"), [("", "?"), ("?", "")])
    def test_an_empty_query_is_not_an_absent_one(self, client: Any, covered: str, signed: str, sent: str) -> None:
        components = ("@method", covered)
        response = client.send("GET", NEW + signed, components=components, sent_as=("GET", NEW + sent))
        assert_refused(client, response, 401, "does not verify")

    @pytest.mark.parametrize(("signed", "sent"), [("", "?"), ("?", "")])
    def test_the_component_query_is_the_same_of_an_empty_and_an_absent_one(
        self, client: Any, signed: str, sent: str
    ) -> None:
        covering = {"components": ("@method", "@path", "@query")}
        assert client.send("GET", NEW + signed, signed=covering, sent_as=("GET", NEW + sent)).status_code == 200

    @pytest.mark.parametrize("way", ["sf", "bs"])
    def test_a_field_may_be_covered_in_any_way_of_writing_all_of_it(self, client: Any, way: str) -> None:
        components = ("@method", "@path", f"content-digest;{way}", "idempotency-key;bs")
        response = client.send("POST", NEW, document(), signed={"components": components})
        assert response.status_code == 201, response.text

    def test_a_member_of_a_field_is_not_the_field(self, client: Any) -> None:
        components = ("@method", "@path", 'content-digest;key="sha-256"', "idempotency-key")
        response = client.send("POST", NEW, document(), signed={"components": components})
        assert_refused(client, response, 401, "must also cover content-digest")

    def test_a_missing_signature_is_refused(self, client: Any) -> None:
        headers = {"authorization": f"Bearer {client.token}"}
        response = client.world.http.get(client.world.base_url + NEW, headers=headers)
        assert_refused(client, response, 401, "Signature-Input")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"altered": {"idempotency-key": "123e4567-e89b-12d3-a456-426614174000"}},
            {"altered": {"content-type": "application/json; charset=utf-8"}},
            {"altered": {"content-digest": content_digest(b"other")}},
            {"sent_as": ("POST", f"{NEW}?a=b"), "components": ("@method", "@path", "@query", "content-digest")},
            {"signed": {"key": message_signatures.key_from_seed(b"another")}},
            {"signed": {"key_id": "another"}},
            {"signed": {"key": b"secret", "algorithm": "hmac-sha256"}},
            {"signed": {"key": ec.derive_private_key(7, ec.SECP256R1()), "algorithm": "ecdsa-p256-sha256"}},
            {"altered": {"signature": "sig=:AAAA:"}},
            {"altered": {"signature": "text"}},
            {"altered": {"signature-input": "sig"}},
        ],
    )
    def test_a_wrong_signature_is_refused(self, client: Any, wrong: dict[str, Any]) -> None:
        response = client.send("POST", NEW, document(), **wrong)
        assert response.status_code == 401, response.text
        assert customers(client) == []

    def test_an_altered_method_is_refused(self, client: Any, wallet: Any) -> None:
        customer = client.create(wallet)
        response = client.send("POST", f"{NEW}/{customer['id']}", sent_as=("GET", f"{NEW}/{customer['id']}"))
        assert response.status_code == 401

    def test_an_altered_path_is_refused(self, client: Any, wallet: Any, other_wallet: Any) -> None:
        first, second = client.create(wallet), client.create(other_wallet)
        response = client.send("GET", f"{NEW}/{first['id']}", sent_as=("GET", f"{NEW}/{second['id']}"))
        assert response.status_code == 401

    def test_the_signature_of_another_tenant_is_refused(self, client: Any) -> None:
        other = client.world.client("second").credentials
        key = message_signatures.load_private_key(other["signing_key"])
        response = client.send("POST", NEW, document(), signed={"key": key, "key_id": other["signing_key_id"]})
        assert_refused(client, response, 401, "key")

    @pytest.mark.parametrize(
        ("left_out", "missing"),
        [("@method", "@method"), ("@path", "@path"), ("content-digest", "content-digest")],
    )
    def test_a_signature_must_cover_what_guards_the_request(self, client: Any, left_out: str, missing: str) -> None:
        components = [each for each in ("@method", "@path", "idempotency-key", "content-digest") if each != left_out]
        response = client.send("POST", NEW, document(), components=components)
        assert_refused(client, response, 401, f"must also cover {missing}")

    def test_a_query_must_be_covered_where_there_is_one(self, client: Any) -> None:
        assert client.send("GET", NEW, components=("@method", "@path")).status_code == 200
        response = client.send("GET", f"{NEW}?a=b", components=("@method", "@path"))
        assert_refused(client, response, 401, "must also cover @query")

    def test_a_signature_that_covers_nothing_is_refused(self, client: Any) -> None:
        assert_refused(client, client.send("POST", NEW, document(), components=()), 401, "It covers: nothing")

    @pytest.mark.parametrize(
        ("created", "status"),
        [
            (timedelta(minutes=-5), 200),
            (timedelta(minutes=-5, seconds=-1), 401),
            (timedelta(minutes=1), 200),
            (timedelta(minutes=1, seconds=1), 401),
            (None, 200),
        ],
    )
    def test_the_age_of_a_signature_is_bounded_if_it_says_it(
        self, client: Any, created: timedelta | None, status: int
    ) -> None:
        assert client.send("GET", NEW, created=created).status_code == status

    def test_another_key_takes_the_place_of_the_first(self, client: Any) -> None:
        key = message_signatures.key_from_seed(b"new")
        url = f"{client.world.base_url}/v1/auth/signing"
        public_key = base64.b64encode(message_signatures.public_pem(key).encode()).decode()
        headers = {"authorization": f"Bearer {client.token}"}
        response = client.world.http.put(url, json={"publicKey": public_key}, headers=headers)
        assert response.status_code == 200
        signed = {"key": key, "key_id": response.json()["keyId"]}
        assert client.send("GET", NEW, signed=signed).status_code == 200
        assert client.send("GET", NEW).status_code == 401
        assert client.world.http.delete(url, headers=headers).status_code == 204
        assert client.send("GET", NEW, signed=signed).status_code == 401

    @pytest.mark.parametrize(
        ("public_key", "detail"),
        [
            ("-----BEGIN PUBLIC KEY-----", "encode that in base64"),
            (base64.b64encode(b"text").decode(), "public key"),
            ("//8=", "base64 of a PEM text"),
            (base64.b64encode(P256_KEY).decode(), "P-384"),
        ],
    )
    def test_what_is_no_public_key_is_refused(self, client: Any, public_key: str, detail: str) -> None:
        url = f"{client.world.base_url}/v1/auth/signing"
        headers = {"authorization": f"Bearer {client.token}"}
        response = client.world.http.put(url, json={"publicKey": public_key}, headers=headers)
        assert_refused(client, response, 400, detail)


class TestDigests:
    @pytest.mark.parametrize(
        ("value", "detail"),
        [
            (None, "no Content-Digest"),
            ("text", "Content-Digest"),
            ("md5=:AAAA:", "expected at least one of"),
            (content_digest(b"other"), "is not the sha-256 digest"),
        ],
    )
    def test_a_missing_or_wrong_digest_is_refused(self, client: Any, value: str | None, detail: str) -> None:
        response = client.send("POST", NEW, document(), headers={"content-digest": value})
        assert_refused(client, response, 400, detail)

    def test_an_altered_body_is_refused(self, client: Any) -> None:
        body = json.dumps(document("other")).encode()
        assert_refused(client, client.send("POST", NEW, document(), altered_content=body), 400, "digest")

    def test_a_digest_by_sha_512_passes(self, client: Any) -> None:
        digest = content_digest(json.dumps(document()).encode(), "sha-512")
        assert client.send("POST", NEW, document(), headers={"content-digest": digest}).status_code == 201


class TestIdempotency:
    @pytest.mark.parametrize("key", [None, "text", "", "{123e4567-e89b-12d3-a456-426614174000}", "1" * 32])
    def test_a_missing_or_malformed_key_is_refused(self, client: Any, key: str | None) -> None:
        response = client.send("POST", NEW, document(), headers={"idempotency-key": key})
        assert_refused(client, response, 400, "Idempotency-Key")

    def test_a_repeat_is_answered_as_the_first_and_done_once(self, client: Any) -> None:
        headers = {"idempotency-key": client.new_key()}
        first = client.send("POST", NEW, document(), headers=headers)
        again = client.send("POST", NEW, document(), headers=headers)
        assert (again.status_code, again.content) == (201, first.content)
        assert len(customers(client)) == 1

    def test_a_refusal_is_repeated_too_and_done_once(self, client: Any, wallet: Any, other_wallet: Any) -> None:
        customer, key = client.create(wallet), client.new_key()
        signature = other_wallet.sign(customer["challenge"])
        first = client.sign(customer, wallet, key=key, signature=signature)
        renewed = client.challenge(customer)
        again = client.sign(customer, wallet, key=key, signature=signature)
        assert (first.status_code, again.content) == (400, first.content)
        assert client.challenge(customer) == renewed != customer["challenge"]

    def test_another_payload_under_the_same_key_is_refused(self, client: Any) -> None:
        headers = {"idempotency-key": client.new_key()}
        client.send("POST", NEW, document(), headers=headers)
        response = client.send("POST", NEW, document("other"), headers=headers)
        assert response.status_code == 422
        assert len(customers(client)) == 1

    def test_keys_of_two_tenants_do_not_meet(self, client: Any) -> None:
        headers = {"idempotency-key": client.new_key()}
        second = client.world.client("second")
        assert client.send("POST", NEW, document(), headers=headers).status_code == 201
        assert second.send("POST", NEW, document("other"), headers=headers).status_code == 201

    def test_a_key_is_free_again_after_an_hour(self, client: Any) -> None:
        headers = {"idempotency-key": client.new_key()}
        assert client.send("POST", NEW, document(), headers=headers).status_code == 201
        client.world.advance(minutes=59, seconds=59)
        client.log_in()
        assert client.send("POST", NEW, document("other"), headers=headers).status_code == 422
        client.world.advance(seconds=1)
        assert client.send("POST", NEW, document("other"), headers=headers).status_code == 201
