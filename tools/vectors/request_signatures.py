"""HTTP message signatures of requests."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tools.vectors.case import Case, Topic, encoded
from tools.vectors.digests import BODY, RIGHT, SPOILT

ABOUT = (
    "A client signs a request (RFC 9421, where draft 19 says the same) with ECDSA P-384 and SHA-384, the only "
    "algorithm that the provider takes; the provider verifies it with the registered keys. Whether Content-Digest "
    "fits the body is not judged here. Every private key is the SHA-384 of a text such as 'test vectors: first', "
    "reduced to the order of the curve: made up, never to sign anything else."
)
NOW = "2026-01-15T12:00:00Z"
CREATED = 1768478400
HOST = "https://api.sandbox.offblocks.xyz"
CURVE = ec.SECP384R1()
SIZE = 48


def private_key(name: str, curve: ec.EllipticCurve = CURVE) -> ec.EllipticCurvePrivateKey:
    """The made-up key of a name."""
    number = int.from_bytes(hashlib.sha384(f"test vectors: {name}".encode()).digest(), "big")
    return ec.derive_private_key(1 + number % (curve.group_order - 1), curve)


FIRST, SECOND = private_key("first"), private_key("second")
PEMS = {
    key_id: key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for key_id, key in (("first", FIRST), ("second", SECOND))
}
SPKI = FIRST.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """A private key as RFC 7517 writes it."""
    numbers = key.private_numbers()
    point = numbers.public_numbers
    values = {"x": point.x, "y": point.y, "d": numbers.private_value}
    encoded_values = {
        name: base64.urlsafe_b64encode(value.to_bytes(SIZE, "big")).decode() for name, value in values.items()
    }
    return {"kty": "EC", "crv": "P-384", **encoded_values}


def ecdsa(base: bytes, key: ec.EllipticCurvePrivateKey = FIRST, algorithm: HashAlgorithm | None = None) -> bytes:
    """The numbers r and s at their fixed size, deterministic (RFC 6979)."""
    der = key.sign(base, ec.ECDSA(algorithm or SHA384(), deterministic_signing=True))
    size = key.curve.key_size // 8
    return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(der))


def der(base: bytes) -> bytes:
    """The form of the signature that most libraries give first."""
    return FIRST.sign(base, ec.ECDSA(SHA384(), deterministic_signing=True))


@dataclass(frozen=True)
class Signing:
    """A request and how it is signed.

    Args:
        method: The method.
        url: The absolute URL.
        headers: The header fields.
        body: The body.
        components: The covered components as declared, without the quotes around the name.
        parameters: The parameters as declared.
        label: The label.
        values: Values of components in the base that are not the right ones.
        base_components: The components of the base, if not those declared.
        signer: Makes the signature of the base.
    """

    method: str = "GET"
    url: str = f"{HOST}/v1/customers?page=2&limit=10"
    headers: tuple[tuple[str, str], ...] = (("Accept", "application/json"),)
    body: bytes = b""
    components: tuple[str, ...] = ("@method", "@path", "@query")
    parameters: str = f';created={CREATED};keyid="first";alg="ecdsa-p384-sha384"'
    label: str = "sig"
    values: dict[str, str] = field(default_factory=dict)
    base_components: tuple[str, ...] | None = None
    signer: Callable[[bytes], bytes] = ecdsa

    @property
    def declared(self) -> str:
        """The member of Signature-Input without its label."""
        return f"({' '.join(map(identifier, self.components))}){self.parameters}"

    @property
    def base(self) -> bytes:
        """The signature base."""
        covered = self.components if self.base_components is None else self.base_components
        lines = [f"{identifier(name)}: {self.values.get(name, value_of(self, name))}" for name in covered]
        return "\n".join([*lines, f'"@signature-params": {self.declared}']).encode()

    @property
    def made(self) -> bytes:
        """The signature."""
        return self.signer(self.base)

    def fields(self) -> tuple[str, str]:
        """Signature-Input and Signature."""
        return f"{self.label}={self.declared}", f"{self.label}=:{encoded(self.made)}:"

    def content(self, **changed: Any) -> dict[str, Any]:
        """The input of a case, with members changed after signing."""
        signature_input, signature = self.fields()
        return {
            "method": self.method,
            "url": self.url,
            "headers": [list(header) for header in self.headers],
            "body_base64": encoded(self.body),
            "signature_input": signature_input,
            "signature": signature,
            "public_keys": PEMS,
            **changed,
        }


def identifier(component: str) -> str:
    """A component as the base and Signature-Input write it."""
    name, separator, parameters = component.partition(";")
    return f'"{name}"{separator}{parameters}'


def value_of(signing: Signing, component: str) -> str:
    """The value of a component (RFC 9421, section 2)."""
    parts = urlsplit(signing.url)
    path, query = parts.path or "/", f"?{parts.query}"
    derived = {
        "@method": signing.method,
        "@authority": parts.netloc.lower().removesuffix(":443"),
        "@scheme": parts.scheme,
        "@path": path,
        "@query": query,
        "@target-uri": signing.url,
        "@request-target": path + (query if parts.query else ""),
    }
    lines = [value.strip() for name, value in signing.headers if name.lower() == component]
    return derived.get(component, ", ".join(lines))


GET = Signing()
POST = Signing(
    "POST",
    f"{HOST}/v1/customers",
    (
        ("Content-Type", "application/json"),
        ("Content-Digest", RIGHT),
        ("Idempotency-Key", "0a6dfd3a-0f6e-4a5c-9d6b-0f3e6f0c5a11"),
    ),
    BODY,
    ("@method", "@path", "content-digest", "content-type", "idempotency-key"),
)
PLAIN = Signing(url=f"{HOST}/v1/customers", components=("@method", "@path"))
VERIFIES, ORDER = "client.signature-verifies", "signature.any-order-and-label"
FIELDS, KEYS, QUERY = "signature.binds-covered-fields", "signature.wrong-key-refused", "signature.binds-query"
ALGORITHM = "signature.other-algorithm-refused"


def right(title: str, signing: Signing, reason: str = "right", rule: str = VERIFIES, *, asked: bool = True) -> Case:
    """A request that is signed rightly, which a producer may be asked for too."""
    task = {
        "method": signing.method,
        "url": signing.url,
        "headers": [list(header) for header in signing.headers],
        "body_base64": encoded(signing.body),
        "private_key_jwk": jwk(FIRST),
        "key_id": "first",
        "algorithm": "ecdsa-p384-sha384",
        "components": list(signing.components),
        "created": CREATED,
    }
    return Case(title, signing.content(), "valid", "must", reason, rule, now=NOW, task=task if asked else None)


def wrong(title: str, content: dict[str, Any], reason: str, rule: str = VERIFIES) -> Case:
    """A request whose signature must not be accepted."""
    return Case(title, content, "invalid", "must-not", reason, rule, now=NOW)


def unlawful(title: str, content: dict[str, Any], reason: str, section: str) -> Case:
    """What the standard forbids and no rule is about."""
    source = ("rfc9421", section)
    return Case(title, content, "invalid", "must-not", reason, basis="standard", source=source, now=NOW)


def open_(
    title: str,
    content: dict[str, Any],
    reason: str,
    section: str,
    produce: str = "unspecified",
    rule: str | None = None,
) -> Case:
    """What the documents and the standard leave to the receiver."""
    claim = {} if rule else {"basis": "standard", "source": ("rfc9421", section)}
    return Case(title, content, produce, "unspecified", reason, rule, now=NOW, **claim)  # type: ignore[arg-type]


def with_parameters(parameters: str, signing: Signing = GET) -> Signing:
    """The same request with other parameters."""
    return replace(signing, parameters=parameters)


def declaring(algorithm: str, signer: Callable[[bytes], bytes] = ecdsa) -> dict[str, Any]:
    """A signature that declares this algorithm."""
    parameters = f';created={CREATED};keyid="first";alg="{algorithm}"'
    return replace(GET, parameters=parameters, signer=signer).content()


def secret(key: bytes) -> Callable[[bytes], bytes]:
    """Signs by HMAC-SHA256 with `key` as the secret."""
    return lambda base: hmac.new(key, base, hashlib.sha256).digest()


def two(first: Signing, second: Signing, *, swapped: bool = False) -> dict[str, Any]:
    """One request with the signatures of both, each under its label or under the other's."""
    inputs = [f"{each.label}={each.declared}" for each in (first, second)]
    made = [second.made, first.made] if swapped else [first.made, second.made]
    signatures = [f"{each.label}=:{encoded(one)}:" for each, one in zip((first, second), made, strict=True)]
    return first.content(signature_input=", ".join(inputs), signature=", ".join(signatures))


def resigned(change: Callable[[bytes], bytes], signing: Signing = GET) -> dict[str, Any]:
    """The request with its signature changed."""
    return signing.content(signature=f"{signing.label}=:{encoded(change(signing.made))}:")


def redeclared(old: str, new: str, signing: Signing = GET) -> dict[str, Any]:
    """The request with Signature-Input changed after signing."""
    declared = signing.fields()[0]
    if old not in declared:
        raise ValueError(f"{old} is not in {declared}")
    return signing.content(signature_input=declared.replace(old, new, 1))


def reheadered(name: str, value: str) -> dict[str, Any]:
    """The POST with a header changed after signing."""
    return POST.content(headers=[[field, value if field == name else old] for field, old in POST.headers])


def orders(signing: Signing) -> Sequence[tuple[str, tuple[str, ...]]]:
    """The components in two other orders."""
    given = signing.components
    return (("reversed", given[::-1]), ("rotated", (*given[1:], given[0])))


SCHEME_FIRST = ("@scheme", "@authority", "@method", "@path")
HEADER = "x-note"


def noted(*values: str) -> Signing:
    """A request that covers a header with these field lines."""
    return replace(PLAIN, headers=tuple(("X-Note", value) for value in values), components=("@method", "@path", HEADER))


UPPER_HOST = replace(
    PLAIN, url="https://API.Sandbox.OffBlocks.xyz/v1/customers", components=("@method", "@path", "@authority")
)
DEFAULT_PORT = replace(UPPER_HOST, url="https://api.sandbox.offblocks.xyz:443/v1/customers")
OTHER_PORT = replace(UPPER_HOST, url="https://api.sandbox.offblocks.xyz:8443/v1/customers")
ENCODED_PATH = replace(PLAIN, url=f"{HOST}/v1/customers/a%20b%2Fc%C3%BC")
ENCODED_QUERY = replace(GET, url=f"{HOST}/v1/customers?name=a%20b%26c&x=%C3%BC&plus=1+2")
NO_QUERY = replace(GET, url=f"{HOST}/v1/customers")
EMPTY_QUERY = replace(GET, url=f"{HOST}/v1/customers?")
ONE = replace(GET, label="one")
TWO = replace(
    GET, label="two", parameters=f';created={CREATED + 1};keyid="second"', signer=lambda base: ecdsa(base, SECOND)
)
MINUTES = 300
P256 = private_key("third", ec.SECP256R1())

CASES = [
    right("GET with a query", GET, rule="signature.right-one-accepted"),
    right("GET without a query", PLAIN, rule="signature.right-one-accepted"),
    right("POST with a body", POST, rule="signature.right-one-accepted"),
    right(
        "PATCH with an empty body",
        replace(
            POST, method="PATCH", body=b"", headers=POST.headers[2:], components=("@method", "@path", "idempotency-key")
        ),
    ),
    *(
        right(f"components of a GET {order}", replace(GET, components=components), "component-order", ORDER)
        for order, components in orders(GET)
    ),
    *(
        right(f"components of a POST {order}", replace(POST, components=components), "component-order", ORDER)
        for order, components in orders(POST)
    ),
    *(
        right(f"label {label}", replace(GET, label=label), "label", ORDER, asked=False)
        for label in ("sig1", "a", "offblocks", "sig-b_2.3", "*sig")
    ),
    right("label of 64 characters", replace(GET, label="a" * 64), "label", ORDER, asked=False),
    right(
        "parameters in another order",
        with_parameters(f';keyid="first";alg="ecdsa-p384-sha384";created={CREATED}'),
        "right",
        ORDER,
        asked=False,
    ),
    right("target URI", replace(GET, components=("@method", "@target-uri"))),
    right("scheme, authority, method and path", replace(PLAIN, components=SCHEME_FIRST)),
    right("request target", replace(GET, components=("@method", "@request-target"))),
    right(
        "one parameter of the query",
        replace(
            GET,
            components=("@method", "@path", "@query", '@query-param;name="page"'),
            values={'@query-param;name="page"': "2"},
        ),
        asked=False,
    ),
    right("query absent: a question mark alone", NO_QUERY, "query-absent", QUERY),
    right("query empty: a question mark alone", EMPTY_QUERY, "query-absent", QUERY),
    right("upper-case host signed in lower case", UPPER_HOST, "host"),
    right("default port left out", DEFAULT_PORT, "port"),
    right("other port kept", OTHER_PORT, "port"),
    right("percent-encoded path kept", ENCODED_PATH, "percent-encoding", "signature.binds-path"),
    right("percent-encoded query kept", ENCODED_QUERY, "percent-encoding", QUERY),
    right("path absent: a slash alone", replace(PLAIN, url=HOST), "percent-encoding", "signature.binds-path"),
    right(
        "path with a slash at its end",
        replace(PLAIN, url=f"{HOST}/v1/customers/"),
        "percent-encoding",
        "signature.binds-path",
    ),
    right("field with blanks around it", noted("  a note \t"), "field-value", FIELDS),
    right("field with several blanks within", noted("a   note"), "field-value", FIELDS),
    right("field on two lines", noted("one", "two"), "field-value", FIELDS),
    right("field with commas and no blanks", noted("one,two,three"), "field-value", FIELDS),
    right("empty field", noted(""), "field-value", FIELDS),
    right("field with quotes and a colon", noted('"a": b'), "field-value", FIELDS),
    # ------------------------------------------------------------------------------------------------- left open
    open_("no components", replace(GET, components=()).content(), "no-components", "7.2.1"),
    open_("method alone", replace(GET, components=("@method",)).content(), "uncovered", "7.2.1"),
    open_(
        "body without Content-Digest covered",
        replace(POST, components=("@method", "@path")).content(),
        "uncovered",
        "7.2.8",
    ),
    open_("created missing", with_parameters(';keyid="first";alg="ecdsa-p384-sha384"').content(), "created", "7.2.2"),
    *(
        open_(
            title,
            with_parameters(f';created={CREATED + offset};keyid="first";alg="ecdsa-p384-sha384"').content(),
            "created",
            "7.2.2",
        )
        for title, offset in (
            ("created 1 s ahead", 1),
            ("created 5 minutes ahead", MINUTES),
            ("created 5 minutes back", -MINUTES),
            ("created an hour ahead", 3600),
            ("created an hour back", -3600),
        )
    ),
    open_(
        "created 0", with_parameters(';created=0;keyid="first";alg="ecdsa-p384-sha384"').content(), "created", "7.2.2"
    ),
    open_("alg not declared", with_parameters(f';created={CREATED};keyid="first"').content(), "algorithm", "2.3"),
    open_(
        "keyid not declared",
        with_parameters(f';created={CREATED};alg="ecdsa-p384-sha384"').content(),
        "unknown-key",
        "2.3",
    ),
    open_("with a nonce", with_parameters(GET.parameters + ';nonce="vectors0"').content(), "right", "7.2.2"),
    open_("with a tag", with_parameters(GET.parameters + ';tag="vectors"').content(), "right", "7.2.7"),
    open_(
        "with expires ahead", with_parameters(GET.parameters + f";expires={CREATED + 300}").content(), "created", "2.3"
    ),
    open_("with expires past", with_parameters(GET.parameters + f";expires={CREATED - 1}").content(), "created", "2.3"),
    open_("two labels, both right", two(ONE, TWO), "two-labels", "4.3"),
    open_(
        "two labels, the first wrong",
        two(replace(ONE, signer=lambda base: ecdsa(base, SECOND)), TWO),
        "two-labels",
        "4.3",
    ),
    open_("two labels, the second wrong", two(ONE, replace(TWO, signer=ecdsa)), "two-labels", "4.3"),
    open_(
        "two labels, the second of an unknown key",
        two(ONE, with_parameters(f';created={CREATED};keyid="nobody"', replace(ONE, label="two"))),
        "two-labels",
        "4.3",
    ),
    open_(
        "signature in DER", replace(GET, signer=der).content(), "der", "3.3.4", "invalid", "signature.der-form-refused"
    ),
    # ------------------------------------------------------------------------------------------------- the base
    wrong("base in the reversed order", replace(GET, base_components=GET.components[::-1]).content(), "base-order"),
    wrong(
        "base in the sorted order",
        replace(POST, base_components=tuple(sorted(POST.components, reverse=True))).content(),
        "base-order",
    ),
    wrong(
        "base without a declared component", replace(GET, base_components=GET.components[:-1]).content(), "base-order"
    ),
    wrong(
        "base with a component that is not declared",
        replace(GET, base_components=(*GET.components, "accept")).content(),
        "base-order",
    ),
    wrong(
        "base with CRLF line ends",
        replace(GET, signer=lambda base: ecdsa(base.replace(b"\n", b"\r\n"))).content(),
        "base-order",
    ),
    wrong(
        "base with a newline at its end", replace(GET, signer=lambda base: ecdsa(base + b"\n")).content(), "base-order"
    ),
    wrong(
        "base without its last line",
        replace(GET, signer=lambda base: ecdsa(base.rpartition(b"\n")[0])).content(),
        "base-order",
    ),
    wrong(
        "base with the label in its last line",
        replace(GET, signer=lambda base: ecdsa(base.replace(b'params": ', b'params": sig='))).content(),
        "base-order",
    ),
    wrong(
        "hash of the base signed",
        replace(GET, signer=lambda base: ecdsa(hashlib.sha384(base).digest())).content(),
        "base-order",
    ),
    unlawful(
        "component repeated",
        replace(GET, components=(*GET.components, "@method")).content(),
        "repeated-component",
        "2.5",
    ),
    unlawful(
        "component repeated with its line once",
        replace(GET, components=(*GET.components, "@path"), base_components=GET.components).content(),
        "repeated-component",
        "2.5",
    ),
    unlawful(
        "field repeated",
        replace(POST, components=(*POST.components, "content-type")).content(),
        "repeated-component",
        "2.5",
    ),
    unlawful(
        "signature parameters covered",
        replace(GET, components=(*GET.components, "@signature-params"), values={"@signature-params": "()"}).content(),
        "repeated-component",
        "2.3",
    ),
    unlawful(
        "field covered that is not sent",
        replace(GET, components=(*GET.components, HEADER)).content(),
        "absent-component",
        "2.5",
    ),
    unlawful(
        "status of a request covered",
        replace(GET, components=(*GET.components, "@status"), values={"@status": "200"}).content(),
        "absent-component",
        "2.2.9",
    ),
    unlawful(
        "derived component that nobody knows",
        replace(GET, components=(*GET.components, "@vector"), values={"@vector": "1"}).content(),
        "absent-component",
        "2.5",
    ),
    unlawful(
        "parameter of the query that is not there",
        replace(
            GET, components=(*GET.components, '@query-param;name="none"'), values={'@query-param;name="none"': ""}
        ).content(),
        "absent-component",
        "2.2.8",
    ),
    # ------------------------------------------------------------------------------------------- keys, algorithms
    wrong(
        "unknown key id",
        with_parameters(GET.parameters.replace("first", "nobody")).content(),
        "unknown-key",
        "signature.unknown-key-id-refused",
    ),
    wrong(
        "key id in upper case",
        with_parameters(GET.parameters.replace("first", "FIRST")).content(),
        "unknown-key",
        "signature.unknown-key-id-refused",
    ),
    wrong(
        "empty key id",
        with_parameters(GET.parameters.replace("first", "")).content(),
        "unknown-key",
        "signature.unknown-key-id-refused",
    ),
    wrong(
        "other registered key signed",
        replace(GET, signer=lambda base: ecdsa(base, SECOND)).content(),
        "other-key",
        KEYS,
    ),
    wrong(
        "key signed that is not registered",
        replace(GET, signer=lambda base: ecdsa(base, private_key("third"))).content(),
        "other-key",
        KEYS,
    ),
    *(
        wrong(f"alg {algorithm} declared", declaring(algorithm), "algorithm", ALGORITHM)
        for algorithm in (
            "ecdsa-p256-sha256",
            "rsa-pss-sha512",
            "rsa-v1_5-sha256",
            "ed25519",
            "hmac-sha256",
            "none",
            "ES384",
            "ECDSA-P384-SHA384",
            "",
        )
    ),
    wrong(
        "hashed by SHA-256",
        replace(GET, signer=lambda base: ecdsa(base, algorithm=SHA256())).content(),
        "algorithm",
        ALGORITHM,
    ),
    wrong(
        "hashed by SHA-512",
        replace(GET, signer=lambda base: ecdsa(base, algorithm=SHA512())).content(),
        "algorithm",
        ALGORITHM,
    ),
    wrong(
        "signed on P-256",
        declaring("ecdsa-p256-sha256", lambda base: ecdsa(base, P256, SHA256())),
        "algorithm",
        ALGORITHM,
    ),
    wrong(
        "HMAC with the public key's PEM as secret",
        declaring("hmac-sha256", secret(PEMS["first"].encode())),
        "key-as-secret",
        ALGORITHM,
    ),
    wrong(
        "HMAC with the public key's PEM without its last newline as secret",
        declaring("hmac-sha256", secret(PEMS["first"].strip().encode())),
        "key-as-secret",
        ALGORITHM,
    ),
    wrong(
        "HMAC with the public key's DER as secret", declaring("hmac-sha256", secret(SPKI)), "key-as-secret", ALGORITHM
    ),
    wrong(
        "HMAC with the public key as secret, alg as for ECDSA",
        declaring("ecdsa-p384-sha384", secret(PEMS["first"].encode())),
        "key-as-secret",
        ALGORITHM,
    ),
    wrong("HMAC with the key id as secret", declaring("hmac-sha256", secret(b"first")), "key-as-secret", ALGORITHM),
    wrong("HMAC with an empty secret", declaring("hmac-sha256", secret(b"")), "key-as-secret", ALGORITHM),
    # --------------------------------------------------------------------------------------------- altered parts
    wrong("method altered", GET.content(method="DELETE"), "altered-request", "signature.binds-method"),
    wrong("path altered", PLAIN.content(url=f"{HOST}/v1/customer"), "altered-request", "signature.binds-path"),
    wrong(
        "slash added to the path", PLAIN.content(url=f"{HOST}/v1/customers/"), "altered-request", "signature.binds-path"
    ),
    wrong(
        "letter case of the path altered",
        PLAIN.content(url=f"{HOST}/v1/Customers"),
        "altered-request",
        "signature.binds-path",
    ),
    wrong("query altered", GET.content(url=f"{HOST}/v1/customers?page=3&limit=10"), "altered-request", QUERY),
    wrong("query taken away", GET.content(url=f"{HOST}/v1/customers"), "altered-request", QUERY),
    wrong("query in another order", GET.content(url=f"{HOST}/v1/customers?limit=10&page=2"), "altered-request", QUERY),
    wrong("host altered", UPPER_HOST.content(url="https://api.offblocks.xyz/v1/customers"), "altered-request"),
    wrong(
        "port added", UPPER_HOST.content(url="https://api.sandbox.offblocks.xyz:8443/v1/customers"), "altered-request"
    ),
    wrong("digest altered", reheadered("Content-Digest", SPOILT), "altered-request", "signature.binds-body"),
    wrong("covered field altered", reheadered("Content-Type", "text/plain"), "altered-request", FIELDS),
    wrong(
        "letter case of a covered field altered",
        reheadered("Content-Type", "Application/JSON"),
        "altered-request",
        FIELDS,
    ),
    wrong(
        "covered field taken away",
        POST.content(headers=[list(header) for header in POST.headers[:2]]),
        "altered-request",
        FIELDS,
    ),
    wrong(
        "covered field doubled",
        POST.content(headers=[list(header) for header in (*POST.headers, POST.headers[0])]),
        "altered-request",
        FIELDS,
    ),
    wrong("created altered", redeclared(f"created={CREATED}", f"created={CREATED + 1}"), "altered-parameter"),
    wrong("key id altered to the other key", redeclared("first", "second"), "altered-parameter"),
    wrong("alg taken away", redeclared(';alg="ecdsa-p384-sha384"', ""), "altered-parameter"),
    wrong("nonce added", redeclared(';keyid="first"', ';keyid="first";nonce="vectors0"'), "altered-parameter"),
    wrong(
        "parameters put in another order",
        redeclared(f';created={CREATED};keyid="first"', f';keyid="first";created={CREATED}'),
        "altered-parameter",
    ),
    wrong("component taken from the list", redeclared(' "@query"', ""), "altered-parameter"),
    wrong("component added to the list", redeclared('"@query"', '"@query" "accept"'), "altered-parameter"),
    wrong("components put in another order", redeclared('"@method" "@path"', '"@path" "@method"'), "altered-parameter"),
    wrong(
        "first bit of the signature altered",
        resigned(lambda made: bytes([made[0] ^ 0x80]) + made[1:]),
        "altered-signature",
    ),
    wrong(
        "last bit of the signature altered",
        resigned(lambda made: made[:-1] + bytes([made[-1] ^ 1])),
        "altered-signature",
    ),
    wrong("r and s exchanged", resigned(lambda made: made[SIZE:] + made[:SIZE]), "altered-signature"),
    wrong("r of zero", resigned(lambda made: bytes(SIZE) + made[SIZE:]), "altered-signature"),
    wrong("s of zero", resigned(lambda made: made[:SIZE] + bytes(SIZE)), "altered-signature"),
    wrong("r and s of zero", resigned(lambda _: bytes(2 * SIZE)), "altered-signature"),
    wrong(
        "s of the group's order",
        resigned(lambda made: made[:SIZE] + CURVE.group_order.to_bytes(SIZE, "big")),
        "altered-signature",
    ),
    wrong(
        "signature of another request",
        PLAIN.content(signature=replace(PLAIN, method="DELETE").fields()[1]),
        "altered-signature",
    ),
    unlawful("signature cut by a byte", resigned(lambda made: made[:-1]), "length", "3.3.4"),
    unlawful("byte appended to the signature", resigned(lambda made: made + b"\0"), "length", "3.3.4"),
    unlawful("byte before the signature", resigned(lambda made: b"\0" + made), "length", "3.3.4"),
    unlawful("signature of no bytes", resigned(lambda _: b""), "length", "3.3.4"),
    # ------------------------------------------------------------------------------------ wrong values in the base
    wrong("query absent: an empty value", replace(NO_QUERY, values={"@query": ""}).content(), "query-absent", QUERY),
    wrong(
        "query without its question mark",
        replace(GET, values={"@query": "page=2&limit=10"}).content(),
        "query-absent",
        QUERY,
    ),
    wrong(
        "upper-case host signed as it is",
        replace(UPPER_HOST, values={"@authority": "API.Sandbox.OffBlocks.xyz"}).content(),
        "host",
    ),
    wrong(
        "default port signed",
        replace(DEFAULT_PORT, values={"@authority": "api.sandbox.offblocks.xyz:443"}).content(),
        "port",
    ),
    wrong(
        "percent-encoded path decoded",
        replace(ENCODED_PATH, values={"@path": "/v1/customers/a b/c"}).content(),
        "percent-encoding",
        "signature.binds-path",
    ),
    wrong(
        "percent-encoded query decoded",
        replace(ENCODED_QUERY, values={"@query": "?name=a b&c&x=u&plus=1 2"}).content(),
        "percent-encoding",
        QUERY,
    ),
    wrong(
        "path signed with its query",
        replace(GET, values={"@path": "/v1/customers?page=2&limit=10"}).content(),
        "percent-encoding",
        "signature.binds-path",
    ),
    wrong(
        "method signed in lower case",
        replace(GET, values={"@method": "get"}).content(),
        "altered-request",
        "signature.binds-method",
    ),
    wrong(
        "field signed with the blanks around it",
        replace(noted("  a note "), values={HEADER: "  a note "}).content(),
        "field-value",
        FIELDS,
    ),
    wrong(
        "field signed with blanks after its commas",
        replace(noted("one,two"), values={HEADER: "one, two"}).content(),
        "field-value",
        FIELDS,
    ),
    wrong(
        "field on two lines signed without the blank",
        replace(noted("one", "two"), values={HEADER: "one,two"}).content(),
        "field-value",
        FIELDS,
    ),
    # ----------------------------------------------------------------------------------------------------- labels
    unlawful(
        "labels that differ",
        GET.content(signature=replace(GET, label="other").fields()[1]),
        "labels-differ",
        "4.1 and 4.2",
    ),
    unlawful(
        "labels that differ in letter case",
        GET.content(signature=GET.fields()[1].replace("sig", "sIG", 1)),
        "labels-differ",
        "4.1 and 4.2",
    ),
    wrong("label of each with the input of the other", two(ONE, TWO, swapped=True), "labels-differ"),
    wrong("neither field", GET.content(signature_input=None, signature=None), "missing", "signature.missing-refused"),
    wrong("Signature-Input alone", GET.content(signature=None), "missing", "signature.missing-refused"),
    wrong("Signature alone", GET.content(signature_input=None), "missing", "signature.missing-refused"),
    wrong("both fields empty", GET.content(signature_input="", signature=""), "missing", "signature.missing-refused"),
    unlawful("signature without colons", GET.content(signature=GET.fields()[1].replace(":", "")), "malformed", "4.2"),
    unlawful("signature in quotes", GET.content(signature=f'sig="{encoded(GET.made)}"'), "malformed", "4.2"),
    unlawful("signature in hex", GET.content(signature=f"sig=:{GET.made.hex()}:"), "malformed", "4.2"),
    unlawful(
        "components without brackets", redeclared("(", "", replace(GET, components=("@method",))), "malformed", "4.1"
    ),
    unlawful("components without quotes", redeclared('"@method"', "@method"), "malformed", "4.1"),
    unlawful(
        "field name in upper case",
        replace(POST, components=("@method", "@path", "Content-Digest"), values={"Content-Digest": RIGHT}).content(),
        "malformed",
        "2.1",
    ),
    unlawful("created in quotes", with_parameters(f';created="{CREATED}";keyid="first"').content(), "malformed", "2.3"),
    unlawful("key id without quotes", with_parameters(f";created={CREATED};keyid=first").content(), "malformed", "2.3"),
]

TOPIC = Topic("offblocks", "request-signatures", ABOUT, CASES)
