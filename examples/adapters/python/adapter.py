"""An adapter in Python: what eth-account and http-message-signatures say of the vectors.

    pip install -r requirements.txt
    conformance vectors check --adapter 'python adapter.py'

The library siwe is not here: every version of it on PyPI wants an eth-account below 0.14.
"""

import base64
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
    algorithms,
)

Part = dict[str, Any]


class Refused(Exception):  # noqa: N818  (a judgement, named as such)
    """What is left to the caller of the library refuses the case."""


# What the libraries raise of what they refuse. Anything else is a mistake of this program and is to end it: taken for
# a refusal, it would pass for right wherever a case must not be accepted. An IndexError is how eth-account refuses a
# signature of no bytes.
REFUSALS = (
    Refused,
    HTTPMessageSignaturesException,
    ValueError,
    IndexError,
    BadSignature,
    ValidationError,
)


# --------------------------------------------------------------------------------------------------- wallet signatures


def accept_wallet_signature(given: Part, _now: str | None) -> None:
    """Recover the signer with eth-account, from base64 of hex text as the documents want it."""
    text = base64.b64decode(given["signature"], validate=True).decode("ascii")
    message = encode_defunct(primitive=base64.b64decode(given["message_base64"]))
    signer = Account.recover_message(message, signature=text)
    if signer.lower() != given["address"].lower():
        raise Refused(f"signed by {signer}")


def produce_wallet_signature(task: Part) -> Part:
    """Sign with eth-account."""
    message = encode_defunct(primitive=base64.b64decode(task["message_base64"]))
    signed = Account.sign_message(message, private_key=task["private_key_hex"])
    return {"signature": base64.b64encode(signed.signature.to_0x_hex().encode()).decode()}


# -------------------------------------------------------------------------------------------------- request signatures


@dataclass(frozen=True)
class Fields:
    """Header fields in order, a name perhaps more than once."""

    lines: list[tuple[str, str]]

    def items(self) -> list[tuple[str, str]]:
        """Names and values."""
        return self.lines


@dataclass(frozen=True)
class Request:
    """What http-message-signatures wants to know of a request."""

    method: str
    url: str
    headers: Fields


class Verifier(HTTPMessageVerifier):
    """The library's verifier without its clock, which is the machine's and cannot be set to that of a vector."""

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Leave the times alone."""


def request(given: Part, *more: tuple[str, str | None]) -> Request:
    """The request of a case."""
    fields = [(name, value) for name, value in given["headers"]]
    fields += [(name, value) for name, value in more if value is not None]
    return Request(given["method"], given["url"], Fields(fields))


def accept_request(given: Part, _now: str | None) -> None:
    """Verify with http-message-signatures."""
    keys = {key_id: pem.encode() for key_id, pem in given["public_keys"].items()}
    verifier = Verifier(
        signature_algorithm=algorithms.ECDSA_P384_SHA384,
        key_resolver=MappingKeyResolver(private_keys={}, public_keys=keys),
    )
    signed = request(given, ("Signature-Input", given["signature_input"]), ("Signature", given["signature"]))
    verifier.verify(signed, max_age=None)


def produce_request(task: Part) -> Part:
    """Sign with http-message-signatures."""
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ECDSA_P384_SHA384)
    prepared = signer.prepare(
        request(task),
        key_id=task["key_id"],
        created=datetime.fromtimestamp(task["created"], UTC),
        covered_component_ids=task["components"],
        use_existing_digest="content-digest" in task["components"],
    )
    secret = base64.urlsafe_b64decode(task["private_key_jwk"]["d"])
    key = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP384R1())
    signature = algorithms.ECDSA_P384_SHA384(private_key=key).sign(prepared.signature_base)  # type: ignore[no-untyped-call]
    return {
        "signature_input": f"{prepared.label}={prepared.signature_params}",
        "signature": f"{prepared.label}=:{base64.b64encode(signature).decode()}:",
    }


# ------------------------------------------------------------------------------------------------------------- digests


def accept_digest(given: Part, _now: str | None) -> None:
    """Check the digest with http-message-signatures; that a body needs one is the caller's rule."""
    body, value = base64.b64decode(given["body_base64"]), given["content_digest"]
    if value is not None:
        ContentDigest.verify(value, body)
    elif body:
        raise Refused("no digest")


def produce_digest(task: Part) -> Part:
    """Make the digest with http-message-signatures."""
    return {"content_digest": ContentDigest.create(base64.b64decode(task["body_base64"]))}


# ------------------------------------------------------------------------------------------------------------ protocol

ACCEPTS: dict[str, Callable[[Part, str | None], None]] = {
    "wallet-signatures": accept_wallet_signature,
    "request-signatures": accept_request,
    "digests": accept_digest,
}
PRODUCES: dict[str, Callable[[Part], Part]] = {
    "wallet-signatures": produce_wallet_signature,
    "request-signatures": produce_request,
    "digests": produce_digest,
}


def answer(question: Mapping[str, Any]) -> Part:
    """The answer to one line."""
    topic = question["topic"]
    said: Part = {"id": question["id"], "supported": topic in ACCEPTS}
    if topic in ACCEPTS and "accept" in question["sides"]:
        try:
            ACCEPTS[topic](question["input"], question.get("now"))
            said["accepted"] = True
        except REFUSALS as error:
            said |= {"accepted": False, "reason": f"{type(error).__name__}: {error}"}
    if topic in PRODUCES and "produce" in question["sides"]:
        try:
            said["produced"] = PRODUCES[topic](question["task"])
        except REFUSALS as error:
            said |= {"produced": {}, "reason": f"{type(error).__name__}: {error}"}
    return said


def main() -> None:
    """Answer every line."""
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


main()
