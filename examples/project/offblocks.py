"""A client of OffBlocks in plain Python: httpx, cryptography and eth-account, and nothing of the suite.

pip install httpx cryptography eth-account
conformance sandbox --judge                                    # in one terminal
python examples/project/offblocks.py http://127.0.0.1:8080     # in another one
"""

import base64
import hashlib
import json
import sys
import time
import uuid
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from eth_account import Account
from eth_account.messages import encode_defunct

CHAIN = "eip155:300"
DOMAIN = "api.sandbox.offblocks.xyz"


class OffBlocks:
    """Signs and sends requests.

    Args:
        base_url: Where the API is, without ``/v1``.
        own: The client's credentials.
    """

    def __init__(self, base_url: str, own: dict[str, str]) -> None:
        self.http, self.base_url, self.own = httpx.Client(), base_url, own
        key = load_pem_private_key(own["signing_key"].encode(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self.key = key
        answer = self.http.post(
            f"{base_url}/v1/auth/token", json={"apiKey": own["api_key"], "apiSecret": own["api_secret"]}
        )
        self.token = answer.raise_for_status().json()["token"]

    def call(self, method: str, path: str, document: object = None) -> Any:
        """The answer to a signed request, parsed; a refusal is printed and raised."""
        url = httpx.URL(f"{self.base_url}{path}")
        headers = {"authorization": f"Bearer {self.token}"}
        body = b"" if document is None else json.dumps(document).encode()
        if method != "GET":
            headers["idempotency-key"] = str(uuid.uuid4())
        if body:
            headers["content-type"] = "application/json"
            headers["content-digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        headers |= self.signature({"@method": method, "@path": url.path, **headers})
        answer = self.http.request(method, url, headers=headers, content=body or None)
        if answer.is_error:
            print(method, path, answer.status_code, answer.text, file=sys.stderr)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def signature(self, covered: dict[str, str]) -> dict[str, str]:
        """The two header fields of a signature by RFC 9421 over components with these values."""
        names = " ".join(f'"{name}"' for name in covered)
        said = f'({names});created={int(time.time())};keyid="{self.own["signing_key_id"]}";alg="ecdsa-p384-sha384"'
        base = "\n".join([*(f'"{name}": {value}' for name, value in covered.items()), f'"@signature-params": {said}'])
        r, s = utils.decode_dss_signature(self.key.sign(base.encode(), ec.ECDSA(SHA384())))
        raw = base64.b64encode(r.to_bytes(48, "big") + s.to_bytes(48, "big")).decode()
        return {"signature-input": f"sig={said}", "signature": f"sig=:{raw}:"}


def sign_in(wallet: Any, challenge: str) -> str:
    """The wallet's signature of a challenge, if it asks for a sign-in of this wallet in the name of the API."""
    message = base64.b64decode(challenge).decode()
    first, address = message.split("\n")[:2]
    if first != f"{DOMAIN} wants you to sign in with your Ethereum account:" or address != wallet.address:
        raise SystemExit(f"Nobody should sign this: {message!r}")
    hex_text = wallet.sign_message(encode_defunct(text=message)).signature.to_0x_hex()
    return base64.b64encode(hex_text.encode()).decode()


def main(origin: str) -> None:
    """Bring a customer from creation to the list of customers."""
    world = httpx.get(f"{origin}/_sandbox").json()
    api = OffBlocks(world["base_urls"]["offblocks"], world["tenants"]["first"]["offblocks"])
    wallet = Account.create()
    account = f"{CHAIN}:{wallet.address}"
    customer = api.call("POST", "/v1/customers", {"chainId": account, "externalId": str(uuid.uuid4())})
    challenge = customer["challenge"]
    signed = {"ownerId": account, "challenge": challenge, "signature": sign_in(wallet, challenge)}
    api.call("POST", f"/v1/customers/{customer['id']}/challenge/sign", signed)
    print("status:", api.call("GET", f"/v1/customers/{customer['id']}")["status"])
    print("customers:", len(api.call("GET", "/v1/customers")))


if __name__ == "__main__":
    main(sys.argv[1])
