"""HTTP message signatures of RFC 9421, where draft-ietf-httpbis-message-signatures-19 says the same.

The library http-message-signatures gives the values of components and the algorithms. Here are the signature base,
a time from outside, deterministic signing, a memory against replay, and errors that say what to do.
"""

import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

import http_sf
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPSignatureComponentResolver,
    SigningKey,
    VerificationKey,
    algorithms,
)
from http_sf.compat import Item

from conformance.standards.der import is_der
from conformance.standards.signature_parameters import check_parameters, check_query_name, check_times, covered_whole
from conformance.standards.signature_refusals import Reason, ReplayStore, SignatureRejected
from conformance.standards.signature_verification import verifies
from conformance.standards.signing_keys import (
    KeyRejected,
    key_from_seed,
    kind_of,
    load_private_key,
    load_public_key,
    private_pem,
    public_pem,
)

__all__ = [
    "ALGORITHMS",
    "ECDSA_P256_SHA256",
    "ECDSA_P384_SHA384",
    "KeyRejected",
    "PrivateKey",
    "PublicKey",
    "Reason",
    "ReplayStore",
    "SignatureInput",
    "SignatureRejected",
    "algorithms_of",
    "component_value",
    "covered_whole",
    "declared_signatures",
    "key_from_seed",
    "load_private_key",
    "load_public_key",
    "present",
    "private_pem",
    "public_pem",
    "sign",
    "signature_base",
    "verify",
]

PrivateKey = SigningKey
PublicKey = VerificationKey

ECDSA_P384_SHA384 = "ecdsa-p384-sha384"
ECDSA_P256_SHA256 = "ecdsa-p256-sha256"

_ALGORITHMS = {
    algorithm.algorithm_id: algorithm
    for algorithm in (
        algorithms.ECDSA_P384_SHA384,
        algorithms.ECDSA_P256_SHA256,
        algorithms.ED25519,
        algorithms.RSA_PSS_SHA512,
        algorithms.RSA_V1_5_SHA256,
        algorithms.HMAC_SHA256,
    )
}
ALGORITHMS = tuple(_ALGORITHMS)
"""The names of the algorithms that can sign and verify (RFC 9421, section 6.2.2)."""

_ECDSA_HASHES = {ECDSA_P384_SHA384: SHA384(), ECDSA_P256_SHA256: SHA256()}
_SIGNATURE_SIZES = {ECDSA_P384_SHA384: 96, ECDSA_P256_SHA256: 64, "ed25519": 64, "hmac-sha256": 32}
_PARAMETER_TYPES = {"created": int, "expires": int, "keyid": str, "alg": str, "nonce": str, "tag": str}
_COMPONENT_NAME = re.compile(r"@?[a-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True)
class SignatureInput:
    """What one signature covers and says of itself: a member of Signature-Input (RFC 9421, section 4.1).

    Args:
        label: The name that ties the member to its signature.
        components: The covered components in order, as serialised but without the quotes around the name, such as
            ``@method`` or ``@query-param;name="a"``.
        created: When it was made, in seconds since 1970 (UTC).
        expires: When it stops to hold, in seconds since 1970 (UTC).
        key_id: The id of the key.
        algorithm: The name of the algorithm.
        nonce: A value used once.
        tag: The application that the signature is for.
        text: The member's value without the label, as the line ``@signature-params`` has it (section 2.3).
    """

    label: str
    components: tuple[str, ...]
    created: int | None
    expires: int | None
    key_id: str | None
    algorithm: str | None
    nonce: str | None
    tag: str | None
    text: str


def declared_signatures(headers: Sequence[tuple[str, str]]) -> list[tuple[SignatureInput, bytes]]:
    """What the fields Signature-Input and Signature say (RFC 9421, section 4), in the order of Signature-Input.

    Args:
        headers: Names and values of all header fields.

    Raises:
        SignatureRejected: With reason ``missing``, ``malformed`` or ``label-mismatch``.
    """
    return list(_declared(tuple(headers)))


@lru_cache(maxsize=256)
def _declared(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[SignatureInput, bytes], ...]:
    """What `declared_signatures` gives; a request is verified, looked at rule by rule, and again at its test's end."""
    inputs = _dictionary("Signature-Input", headers)
    signatures = _dictionary("Signature", headers)
    if inputs.keys() != signatures.keys():
        raise SignatureRejected(
            Reason.LABEL_MISMATCH,
            f"Signature-Input has the labels {', '.join(inputs)} and Signature has {', '.join(signatures)}; "
            "give both fields the same labels.",
        )
    return tuple((_signature_input(label, inputs[label]), _signature(label, signatures[label])) for label in inputs)


def present(components: Sequence[str], method: str, url: str, headers: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Those of `components` that the message has.

    Derived components stay, but for ``@query`` when the URL has no query; fields stay if the message has them.

    Args:
        components: Component identifiers as in `SignatureInput`.
        method: The method of the request.
        url: The absolute URL of the request.
        headers: Names and values of all header fields.

    Raises:
        SignatureRejected: With reason ``malformed`` if an identifier or the request cannot be read.
    """
    resolver = _resolver(method, url, headers)
    names = ((component, _item(component).value) for component in components)
    return tuple(
        component
        for component, name in names
        if name in resolver.headers
        or (str(name).startswith("@") and (name != "@query" or resolver.url_parts.query is not None))
    )


def signature_base(method: str, url: str, headers: Sequence[tuple[str, str]], signature_input: SignatureInput) -> str:
    """The text that is signed (RFC 9421, section 2.5).

    Args:
        method: The method of the request.
        url: The absolute URL of the request.
        headers: Names and values of all header fields.
        signature_input: What is covered.

    Raises:
        SignatureRejected: With reason ``component-absent``, ``component-repeated`` or ``malformed``.
    """
    return _base(_resolver(method, url, headers), signature_input.components, signature_input.text)


def component_value(method: str, url: str, headers: Sequence[tuple[str, str]], component: str) -> str:
    """The value of one covered component (RFC 9421, sections 2.1 and 2.2).

    Args:
        method: The method of the request.
        url: The absolute URL of the request.
        headers: Names and values of all header fields.
        component: The component's identifier, as in `SignatureInput`.

    Raises:
        SignatureRejected: With reason ``component-absent`` or ``malformed``.
    """
    return _value(_resolver(method, url, headers), component)


def sign(
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    *,
    key: PrivateKey,
    key_id: str,
    components: Sequence[str],
    created: datetime | None,
    algorithm: str = ECDSA_P384_SHA384,
    label: str = "sig",
    expires: datetime | None = None,
    nonce: str | None = None,
    tag: str | None = None,
    declare_algorithm: bool = True,
    deterministic: bool = True,
) -> list[tuple[str, str]]:
    """Sign a request (RFC 9421, section 3.1); ECDSA as r and s of fixed size (section 3.3).

    Args:
        method: The method of the request.
        url: The absolute URL of the request.
        headers: Names and values of the header fields that are sent.
        key: The private key, or the shared secret for ``hmac-sha256``.
        key_id: The id under which the verifier knows the key.
        components: What to cover, in this order, as in `SignatureInput`.
        created: When the signature is made (aware), or ``None`` not to say it.
        algorithm: One of `ALGORITHMS`.
        label: The label in both fields.
        expires: When the signature stops to hold (aware), or ``None`` not to say it.
        nonce: A value used once, or ``None``.
        tag: The application that the signature is for, or ``None``.
        declare_algorithm: Whether to say the algorithm in the parameter ``alg``.
        deterministic: Whether ECDSA signs the same request always alike (RFC 6979); a server that refuses a signature
            which it saw before would refuse the repetition.

    Returns:
        The header fields Signature-Input and Signature.

    Raises:
        SignatureRejected: If a component is absent, repeated or malformed, or the fields cannot hold the label, the
            key id, the nonce or the tag.
        KeyRejected: If `key` cannot sign with `algorithm`.
    """
    if algorithm not in algorithms_of(key):
        raise KeyRejected(
            f"{kind_of(key)} cannot sign with {algorithm}; it can with {_enumeration(algorithms_of(key))}."
        )
    parameters = {
        "created": created and int(created.timestamp()),
        "expires": expires and int(expires.timestamp()),
        "keyid": key_id,
        "alg": algorithm if declare_algorithm else None,
        "nonce": nonce,
        "tag": tag,
    }
    check_parameters(label, parameters)
    items = [(str(item.value), dict(item.params)) for item in map(_item, components)]
    member: Any = (items, {name: value for name, value in parameters.items() if value is not None})
    text = http_sf.ser([member])
    base = _base(_resolver(method, url, headers), components, text).encode()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = _SIGNATURE_SIZES[algorithm] // 2
        scheme = ec.ECDSA(_ECDSA_HASHES[algorithm], deterministic_signing=deterministic)
        r, s = decode_dss_signature(key.sign(base, scheme))
        signature = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    else:
        signature = _ALGORITHMS[algorithm](private_key=key).sign(base)
    return [("Signature-Input", f"{label}={text}"), ("Signature", http_sf.ser({label: signature}))]


def verify(
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    *,
    key_for: Callable[[str], PublicKey | None],
    key_without_id: PublicKey | None = None,
    now: datetime,
    algorithms: Sequence[str] = (ECDSA_P384_SHA384,),
    required: Sequence[str] = (),
    max_age: timedelta | None = None,
    max_ahead: timedelta | None = None,
    seen: ReplayStore | None = None,
    labels: Collection[str] | None = None,
) -> SignatureInput:
    """Verify signatures of a request (RFC 9421, section 3.2).

    The algorithm follows from the key; a declared ``alg`` must be the same.

    Args:
        method: The method of the request.
        url: The absolute URL of the request.
        headers: Names and values of all header fields.
        key_for: Gives the public key of a key id, or ``None`` if there is none.
        key_without_id: The public key of a signature that names none; ``None`` if it must name one.
        now: The time at which to judge (aware).
        algorithms: The names of the algorithms that are allowed.
        required: Components that each signature must cover, as in `SignatureInput`.
        max_age: How long ago ``created`` may be; ``None`` for any time.
        max_ahead: How far ahead of `now` ``created`` may be; ``None`` for any time.
        seen: Where signatures that were accepted are remembered, so that none is accepted twice.
        labels: Which signatures are verified, one of them at least; ``None`` for all.

    Returns:
        What the first of them covers and says of itself.

    Raises:
        SignatureRejected: If a signature is not to be trusted.
    """
    declared = [each for each in declared_signatures(headers) if labels is None or each[0].label in labels]
    resolver = _resolver(method, url, headers)
    for signature_input, signature in declared:
        _require_coverage(signature_input, required)
        times = signature_input.created, signature_input.expires
        check_times(signature_input.label, times, now.timestamp(), max_age, max_ahead)
        named = key_without_id if signature_input.key_id is None else key_for(signature_input.key_id)
        key, algorithm = _key_and_algorithm(signature_input, named, algorithms)
        _require_form(signature_input.label, signature, algorithm)
        base = _base(resolver, signature_input.components, signature_input.text).encode()
        if not verifies(_ALGORITHMS[algorithm], key, signature, base):
            raise SignatureRejected(
                Reason.MISMATCH,
                f"The signature {signature_input.label} does not verify with the key {signature_input.key_id!r}. "
                "Something that it covers was changed after signing, the signature base was built otherwise, or "
                "another key signed: compare your signature base with the one of signature_base() line by line, "
                "and your public key with the one that is registered.",
            )
    if seen is not None:
        for signature_input, signature in declared:
            _require_first_use(signature_input, signature, now.timestamp(), max_age, seen)
    return declared[0][0]


def algorithms_of(key: PrivateKey | PublicKey) -> tuple[str, ...]:
    """The names of the algorithms that `key` can be used with; bytes are a shared secret."""
    match key:
        case bytes():
            return ("hmac-sha256",)
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            by_curve = {"secp384r1": (ECDSA_P384_SHA384,), "secp256r1": (ECDSA_P256_SHA256,)}
            return by_curve.get(key.curve.name, ())
        case ed25519.Ed25519PrivateKey() | ed25519.Ed25519PublicKey():
            return ("ed25519",)
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            return ("rsa-pss-sha512", "rsa-v1_5-sha256")


@dataclass(frozen=True)
class _Fields:
    lines: Sequence[tuple[str, str]]

    def items(self) -> Sequence[tuple[str, str]]:
        return self.lines


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    headers: _Fields


def _resolver(method: str, url: str, headers: Sequence[tuple[str, str]]) -> HTTPSignatureComponentResolver:
    return _resolver_of(method, url, tuple(headers))


@lru_cache(maxsize=16)  # several ask for that of one message, one shortly after the other
def _resolver_of(method: str, url: str, headers: tuple[tuple[str, str], ...]) -> HTTPSignatureComponentResolver:
    try:
        return HTTPSignatureComponentResolver(  # type: ignore[no-untyped-call]
            _Request(method, url, _Fields(headers))
        )
    except HTTPMessageSignaturesException as error:
        raise SignatureRejected(Reason.MALFORMED, f"The request {method} {url} cannot be signed: {error}.") from error


def _dictionary(name: str, headers: Sequence[tuple[str, str]]) -> dict[str, tuple[Any, dict[str, object]]]:
    def refuse_repetition(key: str, context: str) -> None:
        if context == "dictionary":
            raise SignatureRejected(Reason.MALFORMED, f"{name} has the label {key} twice; use each label once.")

    value = ", ".join(line for field, line in headers if field.lower() == name.lower())
    try:
        parsed = http_sf.parse(value.encode("ascii"), tltype="dictionary", on_duplicate_key=refuse_repetition)
    except SignatureRejected:
        raise
    except ValueError as error:
        raise SignatureRejected(
            Reason.MALFORMED, f"{name} is not a dictionary of structured fields (RFC 8941): {error}."
        ) from error
    if not parsed:
        raise SignatureRejected(
            Reason.MISSING,
            f"There is no {name} header. Sign the request: both Signature-Input and Signature are needed.",
        )
    return cast("dict[str, tuple[Any, dict[str, object]]]", parsed)


def _signature_input(label: str, member: tuple[Any, dict[str, object]]) -> SignatureInput:
    items, parameters = member
    if not isinstance(items, list):
        raise SignatureRejected(
            Reason.MALFORMED,
            f'Signature-Input has no list of components under {label}; expected a form such as {label}=("@method").',
        )
    for name, kind in _PARAMETER_TYPES.items():
        if name in parameters and type(parameters[name]) is not kind:
            expected = "an integer" if kind is int else "a string in quotes"
            raise SignatureRejected(
                Reason.MALFORMED, f"The parameter {name} of {label} is {parameters[name]!r}, expected {expected}."
            )
    components = tuple(_identifier(label, item) for item in items)
    values: Any = parameters
    return SignatureInput(
        label,
        components,
        created=values.get("created"),
        expires=values.get("expires"),
        key_id=values.get("keyid"),
        algorithm=values.get("alg"),
        nonce=values.get("nonce"),
        tag=values.get("tag"),
        text=http_sf.ser(cast("Any", [member])),
    )


def _identifier(label: str, item: tuple[object, dict[str, Any]]) -> str:
    name, parameters = item
    if not isinstance(name, str) or not _COMPONENT_NAME.fullmatch(name):
        raise SignatureRejected(
            Reason.MALFORMED,
            f"{label} covers {name!r}, which is no component; expected a name in quotes and lower case.",
        )
    return name + http_sf.ser((name, parameters))[len(name) + 2 :] if parameters else name


def _signature(label: str, member: tuple[Any, dict[str, object]]) -> bytes:
    signature = member[0]
    if not isinstance(signature, bytes):
        raise SignatureRejected(
            Reason.MALFORMED, f"Signature has no bytes under {label}; expected {label}=:base64: with the colons."
        )
    return signature


@lru_cache(maxsize=1024)
def _item(component: str) -> Item:
    name, separator, parameters = component.partition(";")
    item = Item()
    try:
        item.parse(f'"{name}"{separator}{parameters}'.encode("ascii"))
    except ValueError as error:
        raise SignatureRejected(Reason.MALFORMED, f"The component {component!r} cannot be read: {error}.") from error
    if not _COMPONENT_NAME.fullmatch(name):
        raise SignatureRejected(
            Reason.MALFORMED, f"The component {component!r} is none; expected a name in lower case, without quotes."
        )
    return item


def _identity(component: str) -> tuple[object, frozenset[tuple[str, object]]]:
    item = _item(component)
    return item.value, frozenset(item.params.items())


def _base(resolver: HTTPSignatureComponentResolver, components: Sequence[str], text: str) -> str:
    lines: dict[object, str] = {}
    for component in components:
        if _identity(component) in lines:
            raise SignatureRejected(
                Reason.COMPONENT_REPEATED, f"The signature covers {component} twice; cover each component once."
            )
        lines[_identity(component)] = f"{_item(component)}: {_value(resolver, component)}"
    return "\n".join([*lines.values(), f'"@signature-params": {text}'])


def _value(resolver: HTTPSignatureComponentResolver, component: str) -> str:
    item = _item(component)
    name = str(item.value)
    if name == "@query-param":
        check_query_name(component, item.params.get("name"))
    if not name.startswith("@") and name not in resolver.headers:
        raise SignatureRejected(
            Reason.COMPONENT_ABSENT,
            f"The signature covers {name}, which the message does not have; send that header or do not cover it.",
        )
    try:
        value = resolver.resolve(item)
    except (HTTPMessageSignaturesException, TypeError, ValueError) as error:
        reason = Reason.COMPONENT_ABSENT if name == "@query-param" else Reason.MALFORMED
        raise SignatureRejected(reason, f"The component {component} has no value in this request: {error}.") from error
    if not value.isascii() or "\n" in value or "\r" in value:
        raise SignatureRejected(
            Reason.MALFORMED, f"The value of {component} cannot be signed: it has line breaks or is not ASCII."
        )
    return cast("str", value)


def _require_coverage(signature_input: SignatureInput, required: Sequence[str]) -> None:
    covered = {_identity(component) for component in signature_input.components}
    missing = [component for component in required if _identity(component) not in covered]
    if missing:
        raise SignatureRejected(
            Reason.COMPONENT_MISSING,
            f"The signature {signature_input.label} covers {_enumeration(signature_input.components)}; "
            f"it must cover {_enumeration(missing)} too.",
        )


def _key_and_algorithm(
    signature_input: SignatureInput, key: PublicKey | None, allowed: Sequence[str]
) -> tuple[PublicKey, str]:
    declared, key_id = signature_input.algorithm, signature_input.key_id
    if declared is not None and declared not in allowed:
        raise SignatureRejected(
            Reason.WRONG_ALGORITHM,
            f"The signature {signature_input.label} declares the algorithm {declared}, "
            f"expected {_enumeration(allowed)}.",
        )
    if key is None:
        raise SignatureRejected(
            Reason.UNKNOWN_KEY,
            f"The signature {signature_input.label} has no parameter keyid; name the key that signed."
            if key_id is None
            else f"No key is registered under the id {key_id!r}; register it, or use the id you were given.",
        )
    fitting = [name for name in algorithms_of(key) if name in allowed]
    if not fitting or declared not in (None, *fitting):
        raise SignatureRejected(
            Reason.WRONG_ALGORITHM,
            f"The key {key_id!r} is for {_enumeration(algorithms_of(key))}; "
            f"the signature {signature_input.label} declares {declared or 'no algorithm'} "
            f"and must be made with {_enumeration(allowed)}.",
        )
    return key, declared or fitting[0]


def _require_form(label: str, signature: bytes, algorithm: str) -> None:
    size = _SIGNATURE_SIZES.get(algorithm, len(signature))
    if len(signature) == size:
        return
    message = f"The signature {label} has {len(signature)} bytes, expected {size} for {algorithm}"
    if algorithm in _ECDSA_HASHES:
        message += f": r and s of {size // 2} bytes each"
        if is_der(signature):
            message += "; it looks like DER, so make your library write the form IEEE P1363"
    raise SignatureRejected(Reason.WRONG_FORM, message + ".")


def _require_first_use(
    signature_input: SignatureInput, signature: bytes, now: float, max_age: timedelta | None, seen: ReplayStore
) -> None:
    ends = [math.inf if signature_input.expires is None else signature_input.expires]
    if max_age is not None and signature_input.created is not None:
        ends.append(signature_input.created + max_age.total_seconds())
    if signature_input.nonce is not None:
        token = b"nonce " + signature_input.nonce.encode()
    else:
        # Whoever sees an ECDSA signature can make a second one with the same r, so r marks it.
        token = b"signature " + signature[: len(signature) // 2]
    if seen.seen_before(str(signature_input.key_id), token, now=now, until=min(ends)):
        raise SignatureRejected(
            Reason.REPLAYED,
            f"The signature {signature_input.label} was accepted before; "
            "sign each request anew, with another created or a nonce.",
        )


def _enumeration(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
