"""Another implementation agrees: Node's own cryptography verifies what we sign and digests what we digest."""

import base64
import json
import subprocess
from datetime import UTC, datetime

import pytest

from conformance.standards.digest_fields import content_digest
from conformance.standards.message_signatures import (
    declared_signatures,
    key_from_seed,
    public_pem,
    sign,
    signature_base,
)

PROGRAM = """
const crypto = require("node:crypto");
const {base, signature, key, body, algorithm} = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const made = Buffer.from(signature, "base64");
const verified = crypto.verify("sha384", Buffer.from(base), {key, dsaEncoding: "ieee-p1363"}, made);
const digest = crypto.createHash(algorithm).update(body).digest("base64");
console.log(JSON.stringify({verified, digest}));
"""
URL = "https://api.sandbox.offblocks.xyz/v1/customers?page=1"
BODY = '{"hello": "wörld"}\n'
KEY = key_from_seed(b"oracle")


def ask(node: str, **question: str) -> dict[str, object]:
    done = subprocess.run(
        [node, "-e", PROGRAM], input=json.dumps(question), capture_output=True, text=True, check=True, timeout=30
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def signed() -> tuple[str, str]:
    """The signature base and the signature in base64."""
    headers = [("Content-Digest", content_digest(BODY.encode())), ("Content-Type", "application/json")]
    components = ("@method", "@path", "@query", "content-digest", "content-type")
    fields = sign(
        "POST", URL, headers, key=KEY, key_id="k", components=components, created=datetime(2026, 1, 15, tzinfo=UTC)
    )
    declared, signature = declared_signatures(fields)[0]
    return signature_base("POST", URL, headers, declared), base64.b64encode(signature).decode()


@pytest.mark.parametrize(("algorithm", "name"), [("sha-256", "sha256"), ("sha-512", "sha512")])
def test_node_verifies_the_signature_and_makes_the_same_digest(node: str, algorithm: str, name: str) -> None:
    base, signature = signed()
    answer = ask(node, base=base, signature=signature, key=public_pem(KEY), body=BODY, algorithm=name)
    assert answer["verified"] is True
    assert content_digest(BODY.encode(), algorithm) == f"{algorithm}=:{answer['digest']}:"


def test_node_refuses_an_altered_base_and_another_key(node: str) -> None:
    base, signature = signed()
    question = {"signature": signature, "body": "", "algorithm": "sha256"}
    altered = ask(node, base=base.replace("POST", "PUT"), key=public_pem(KEY), **question)
    other = ask(node, base=base, key=public_pem(key_from_seed(b"other")), **question)
    assert (altered["verified"], other["verified"]) == (False, False)
