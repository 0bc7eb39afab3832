"""Vectors: language-neutral cases of signing, verifying and reading, and what our own modules say of each.

The cases stand in ``specs/<api>/vectors/*.json``, in the form of ``specs/schemas/vectors.json``. What they claim rests
on a rule or a source, never on what our modules do: those are judged by them like any other implementation.
"""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from coincurve.utils import GROUP_ORDER_INT

from conformance import ConformanceError
from conformance.catalogue import Basis, Catalogue, Document
from conformance.diagnosis.challenge import diagnose_signature
from conformance.diagnosis.texts import summary
from conformance.files import data_path, read_json
from conformance.planbok import webhooks
from conformance.planbok.chains import CHAINS
from conformance.standards import (
    account_ids,
    addresses,
    digest_fields,
    message_signatures,
    personal_message,
    sign_in_message,
    wallet_signatures,
)

_SCHEMA = "specs/schemas/vectors.json"
_HOUR = timedelta(hours=1)
_FRESH = timedelta(minutes=5)


class VectorsUnreadableError(ConformanceError, ValueError):
    """A file of vectors cannot be read; the message says which, where and why."""


class Produce(StrEnum):
    """Whether a sender may send what a case holds."""

    VALID = "valid"
    INVALID = "invalid"
    UNSPECIFIED = "unspecified"


class Accept(StrEnum):
    """Whether a receiver has to accept what a case holds."""

    MUST = "must"
    MUST_NOT = "must-not"
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True)
class Vector:
    """One case.

    Args:
        id: Its id, which no other case has; see `identify`.
        api: The API that it is about.
        topic: What it is a case of, the name of its file.
        about: What the cases of its file are about, in sentences.
        title: What is special about it, in a few words.
        input: What is accepted or refused, in the form that the schema gives its topic.
        now: The clock of whoever judges (UTC), None where time does not matter.
        task: What a producer is given, None if the case asks none to make something.
        produce: Whether a sender may send it.
        accept: Whether a receiver has to accept it.
        reason: What it is about, a code of its topic.
        rule: The id of a rule, None where none fits.
        basis: What the claim rests on.
        document: Where that is said.
        section: Where in the document.
    """

    id: str
    api: str
    topic: str
    about: str
    title: str
    input: Mapping[str, Any]
    now: datetime | None
    task: Mapping[str, Any] | None
    produce: Produce
    accept: Accept
    reason: str
    rule: str | None
    basis: Basis
    document: Document
    section: str

    @property
    def source(self) -> str:
        """Where the claim is made, for people."""
        return f"{self.document.title}, {self.section}, {self.document.url}"

    def to_json(self) -> dict[str, Any]:
        """What it says, as ``conformance vectors --search WORD --json`` prints it."""
        said = {name: getattr(self, name) for name in ("id", "api", "topic", "title", "produce", "accept", "reason")}
        return {**said, "rule": self.rule, "basis": self.basis, "source": self.source}


def identify(topic: str, title: str, content: Mapping[str, Any], now: str | None) -> str:
    """The id of a case: its topic, its title, and the start of the hash of what is judged.

    The same id is always the same input, so a list of known departures cannot come to mean another case.

    Args:
        topic: The topic of its file.
        title: What is special about it.
        content: Its input.
        now: Its time as written, None if it has none.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    judged = json.dumps([content, now], sort_keys=True, separators=(",", ":"))
    return f"{topic}/{slug}-{hashlib.sha256(judged.encode()).hexdigest()[:8]}"


# ------------------------------------------------------------------------------------------------------------ reading


def files(api: str | None = None) -> list[Path]:
    """The files of vectors, of one API or of all, in alphabetical order."""
    return sorted(data_path("specs").glob(f"{api or '*'}/vectors/*.json"))


def load(api: str | None = None) -> list[Vector]:
    """The vectors of an API, or of all.

    Raises:
        VectorsUnreadableError: If a file is no JSON, does not fit the schema or cites an unknown source.
    """
    return [vector for path in files(api) for vector in read(path)]


def read(path: Path) -> list[Vector]:
    """The vectors in a file.

    Args:
        path: A file in a folder ``<api>/vectors``, beside which ``<api>/rules.yaml`` and its sources stand.

    Raises:
        VectorsUnreadableError: If it is no JSON, does not fit the schema or cites an unknown source.
    """
    try:
        raw = read_json(path)
        sources = Catalogue.load(path.parents[1] / "rules.yaml").documents
    except (OSError, ValueError) as error:
        raise VectorsUnreadableError(f"The vectors {path} cannot be read: {error}") from error
    for fault in _validator("").iter_errors(raw):
        place = "/".join(str(part) for part in fault.instance_path) or "the top"
        raise VectorsUnreadableError(f"The vectors {path} are wrong at {place}: {fault.message}")
    return [_vector(raw, case, sources, path) for case in raw["cases"]]


def _vector(file: Mapping[str, Any], case: Mapping[str, Any], sources: Mapping[str, Document], path: Path) -> Vector:
    cites = case["source"]
    if cites["source"] not in sources:
        raise VectorsUnreadableError(
            f"In {path} the case {case['id']} cites {cites['source']!r}, which is not among the sources of the rules."
        )
    return Vector(
        id=case["id"],
        api=file["api"],
        topic=file["topic"],
        about=file["about"],
        title=case["title"],
        input=case["input"],
        now=datetime.fromisoformat(case["now"]) if "now" in case else None,
        task=case.get("task"),
        produce=Produce(case["produce"]),
        accept=Accept(case["accept"]),
        reason=case["reason"],
        rule=case["rule"],
        basis=Basis(case["basis"]),
        document=sources[cites["source"]],
        section=cites["section"],
    )


@cache
def _validator(place: str) -> jsonschema_rs.Validator:
    """The validator of the schema, or of what stands in it at a JSON pointer."""
    schema = json.loads(data_path(_SCHEMA).read_bytes())
    return jsonschema_rs.validator_for({"$ref": f"#{place}", "$defs": schema["$defs"]} if place else schema)


def counts(vectors: Iterable[Vector]) -> list[dict[str, Any]]:
    """How many cases each file has, in all and by `produce` and `accept`, as JSON has it."""
    grouped: dict[tuple[str, str], list[Vector]] = {}
    for vector in vectors:
        grouped.setdefault((vector.api, vector.topic), []).append(vector)
    return [
        {
            "file": f"specs/{api}/vectors/{topic}.json",
            "api": api,
            "topic": topic,
            "about": cases[0].about,
            "cases": len(cases),
            "produce": _count(Produce, (vector.produce for vector in cases)),
            "accept": _count(Accept, (vector.accept for vector in cases)),
        }
        for (api, topic), cases in grouped.items()
    ]


def _count(kinds: type[StrEnum], values: Iterable[StrEnum]) -> dict[str, int]:
    found = Counter(values)
    return {kind.value: found[kind] for kind in kinds}


# ------------------------------------------------------------------------------------------------------------ judging


class Refused(ValueError):  # noqa: N818 - a judgement of the input, named as such
    """What a case holds is not accepted, or not to be sent, though it can be read; the message says why."""


REJECTIONS = (
    Refused,
    account_ids.AccountIdRejected,
    addresses.AddressRejected,
    digest_fields.DigestRejected,
    message_signatures.SignatureRejected,
    personal_message.SignatureUnrecoverable,
    sign_in_message.MessageRejected,
    wallet_signatures.EncodingRejected,
    webhooks.WebhookRejected,
)
"""What our modules raise of what they do not accept."""


def why_refused(vector: Vector) -> str | None:
    """Why our modules, as the receiver, refuse what a case holds; None if they accept it."""
    return _why_not(_ACCEPTING[vector.topic], vector)


def why_not_to_send(vector: Vector) -> str | None:
    """Why our modules, as a sender, would not send what a case holds; None if they would."""
    return _why_not(_SENDING.get(vector.topic, _ACCEPTING[vector.topic]), vector)


def why_wrong_product(vector: Vector, product: Mapping[str, Any]) -> str | None:
    """Why what a producer made of the task of a case is not right, None if it is.

    Args:
        vector: A case with a task.
        product: The members that it made.
    """
    expected = PRODUCTS[vector.topic]
    if set(product) != set(expected):
        return f"It made {', '.join(product) or 'nothing'}, expected {', '.join(expected)}."
    made = replace(vector, input={**vector.input, **product})
    for error in _validator(f"/$defs/{vector.topic}/properties/input").iter_errors(made.input):
        return f"{'/'.join(str(part) for part in error.instance_path)}: {error.message}"
    if vector.topic in _DETERMINED and _product(made) != _product(vector):
        return f"It made {_product(made)!r}, expected {_product(vector)!r}."
    return why_not_to_send(made)


PRODUCTS = {
    "wallet-signatures": ("signature",),
    "sign-in-messages": ("message",),
    "account-ids": ("account_id",),
    "request-signatures": ("signature_input", "signature"),
    "digests": ("content_digest",),
    "webhooks": ("headers",),
    "addresses": ("address",),
}
"""The members of `input` that a producer makes, by topic."""

_DETERMINED = {"sign-in-messages", "account-ids", "webhooks", "addresses"}
"""The topics where a task has one right product."""


def _product(vector: Vector) -> object:
    """What a producer makes, as far as it has to be the same."""
    made = vector.input[PRODUCTS[vector.topic][0]]
    if vector.topic == "webhooks":
        return {name.lower(): value for name, value in made if name.lower().startswith("x-webhook-")}
    return made.lower() if vector.task and vector.task.get("form") == "evm" else made


def _why_not(judge: Callable[[Vector], None], vector: Vector) -> str | None:
    try:
        judge(vector)
    except REJECTIONS as error:
        return str(error)
    return None


def _accept_wallet_signature(vector: Vector) -> None:
    message = base64.b64decode(vector.input["message_base64"])
    signature, _ = wallet_signatures.decode(vector.input["signature"])
    _require_signer(vector, message, personal_message.recover(message, wallet_signatures.normalised(signature)))


def _send_wallet_signature(vector: Vector) -> None:
    message = base64.b64decode(vector.input["message_base64"])
    signature, encoding = wallet_signatures.decode(vector.input["signature"])
    if encoding is not wallet_signatures.Encoding.BASE64_OF_HEX_TEXT:
        raise Refused(f"The signature is {encoding}, expected base64 of the 0x hex text.")
    if int.from_bytes(signature[32:64], "big") > GROUP_ORDER_INT // 2:
        raise Refused("The signature has a high s; send the one with the low s (EIP-2).")
    _require_signer(vector, message, personal_message.recover(message, signature))


def _require_signer(vector: Vector, message: bytes, signer: str) -> None:
    address = vector.input["address"]
    if signer.lower() != address.lower():
        raise Refused(summary(diagnose_signature(vector.input["signature"], message, address)))


def _accept_sign_in_message(vector: Vector) -> None:
    sign_in_message.parse(vector.input["message"])


def _accept_in_time(vector: Vector) -> None:
    age = _now(vector) - sign_in_message.parse(vector.input["message"]).issued_at_time
    if age > _HOUR:
        raise Refused(f"The message was issued {age} before, expected one hour at most.")


def _accept_account_id(vector: Vector) -> None:
    account_ids.AccountId.parse(vector.input["account_id"])


def _send_account_id(vector: Vector) -> None:
    account = account_ids.AccountId.parse(vector.input["account_id"])
    if account.chain.namespace == "eip155" and account_ids.checksum_state(account.address) != "checksummed":
        raise Refused(
            f"The address {account.address} does not bear its checksum: "
            f"expected {account_ids.checksum_address(account.address)}."
        )


def _accept_request(vector: Vector) -> None:
    _verify_request(vector, required=(), tolerance=None)


def _send_request(vector: Vector) -> None:
    _verify_request(vector, required=vector.task["components"] if vector.task else (), tolerance=_FRESH)


def _verify_request(vector: Vector, *, required: tuple[str, ...], tolerance: timedelta | None) -> None:
    sent = vector.input
    keys = {key_id: message_signatures.load_public_key(pem) for key_id, pem in sent["public_keys"].items()}
    headers = [(name, value) for name, value in sent["headers"]]
    headers += [
        (name, sent[member])
        for name, member in (("Signature-Input", "signature_input"), ("Signature", "signature"))
        if sent[member] is not None
    ]
    message_signatures.verify(
        sent["method"],
        sent["url"],
        headers,
        key_for=keys.get,
        now=_now(vector),
        required=required,
        max_age=tolerance,
        max_ahead=tolerance,
    )


def _accept_digest(vector: Vector) -> None:
    body, value = base64.b64decode(vector.input["body_base64"]), vector.input["content_digest"]
    if body or value is not None:
        digest_fields.check_content_digest(body, value)


def _accept_webhook(vector: Vector) -> None:
    headers = [(name, value) for name, value in vector.input["headers"]]
    body = base64.b64decode(vector.input["body_base64"])
    webhooks.verify(headers, body, vector.input["secret"], now=_now(vector))


def _accept_address(vector: Vector) -> None:
    chain = CHAINS[vector.input["blockchain"]]
    addresses.check_address(vector.input["address"], chain.family, testnet=chain.testnet)


def _now(vector: Vector) -> datetime:
    if vector.now is None:
        raise VectorsUnreadableError(f"The case {vector.id} has no time to judge it at.")
    return vector.now


_ACCEPTING: dict[str, Callable[[Vector], None]] = {
    "wallet-signatures": _accept_wallet_signature,
    "sign-in-messages": _accept_sign_in_message,
    "expiry": _accept_in_time,
    "account-ids": _accept_account_id,
    "request-signatures": _accept_request,
    "digests": _accept_digest,
    "webhooks": _accept_webhook,
    "addresses": _accept_address,
}
_SENDING: dict[str, Callable[[Vector], None]] = {
    "wallet-signatures": _send_wallet_signature,
    "account-ids": _send_account_id,
    "request-signatures": _send_request,
}
