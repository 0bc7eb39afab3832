"""Mistakes in the signature of a request: a signer of its own that does one thing, or two, otherwise than it should."""

import base64
import gzip
import hashlib
import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from conformance.diagnosis.form import Diagnosis
from conformance.diagnosis.request import Rules, diagnose_request
from conformance.diagnosis.ways import KnownKey
from conformance.exchange import Request
from conformance.ids import Ids
from tools.mistakes.form import NONE, Case

Lines = list[tuple[str, str]]
Headers = list[tuple[str, str]]
Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

DOCUMENT = {"chainId": "eip155:300:0x22227A31dd842196A246d8f3b775998560eAa61d", "externalId": "Zürich 7"}
BODY = json.dumps(DOCUMENT, ensure_ascii=False, separators=(",", ":")).encode()
PRETTY = json.dumps(DOCUMENT, ensure_ascii=False, indent=2).encode()
URL = "https://api.sandbox.example.com:8443/w/7/offblocks/v1/customers?page=2&name=a%20b&name=c"
COVERED = ("@method", "@path", "@query", "@authority", "content-type", "content-digest", "idempotency-key")
RULES = Rules(hosts=("api.example.com",), base_paths=("/offblocks",), templates=("/v1/customers/{customerId}",))


@dataclass(frozen=True)
class Signer:
    """How a request is made and signed; each field is one place in which something can go wrong.

    Args:
        method: The method that is sent.
        url: The URL that it is sent to.
        body: The body that is sent.
        covered: What is covered.
        digest: Makes Content-Digest of a body.
        hashed: What is hashed for it.
        key: Makes the private key that signs; None for the one that should.
        lines: Alters the lines of the base before they are joined.
        params: Alters the value of the last line.
        base: Alters the joined base.
        hash: The hash of the signing function.
        prepared: What is done to the base before it is signed.
        raw: Makes the bytes of the signature of r, s and the size of each.
        field: Makes the value of Signature of its bytes.
        listed: Alters the value of Signature-Input, after it was signed.
        sent: Alters the headers on their way.
        parameters: The parameters.
        extra: Further headers.
    """

    method: str = "POST"
    url: str = URL
    body: bytes = BODY
    covered: Sequence[str] = COVERED
    digest: Callable[[bytes], str] = lambda body: f"sha-256=:{_coded(hashlib.sha256(body).digest())}:"
    hashed: bytes | None = None
    key: Callable[[Ids], Private] | None = None
    lines: Callable[[Lines], Lines] = lambda lines: lines
    params: Callable[[str], str] = lambda text: text
    base: Callable[[str], str] = lambda text: text
    hash: hashes.HashAlgorithm | None = None
    prepared: Callable[[bytes], bytes] = lambda text: text
    raw: Callable[[int, int, int], bytes] = lambda r, s, size: r.to_bytes(size, "big") + s.to_bytes(size, "big")
    field: Callable[[bytes], str] = lambda content: f"sig1=:{_coded(content)}:"
    listed: Callable[[str], str] = lambda text: f"sig1={text}"
    sent: Callable[[Headers], Headers] = lambda headers: headers
    parameters: Sequence[tuple[str, str]] = (
        ("created", "1767225600"),
        ("keyid", '"registered"'),
        ("alg", '"ecdsa-p384-sha384"'),
    )
    extra: Sequence[tuple[str, str]] = ()

    def request(self, ids: Ids, *, want: Callable[[bytes], bool] = lambda _: True) -> Request:
        """A request with the mistakes.

        Args:
            ids: What keys and values are drawn from.
            want: Whether the bytes of a signature will do; another nonce is drawn until they do.
        """
        parts = urlsplit(self.url)
        headers: Headers = [("Host", parts.netloc), ("Content-Type", "application/json")]
        if self.body:
            headers.append(("Content-Digest", self.digest(self.body if self.hashed is None else self.hashed)))
        headers += [("Idempotency-Key", str(ids.uuid())), *self.extra]
        values = {name.lower(): ", ".join(v for n, v in headers if n.lower() == name.lower()) for name, _ in headers}
        derived = {
            "@method": self.method,
            "@path": parts.path,
            "@query": f"?{parts.query}",
            "@authority": parts.netloc.lower(),
            "@scheme": parts.scheme,
            "@target-uri": self.url,
            "@request-target": f"{parts.path}?{parts.query}" if parts.query else parts.path,
        }
        lines = [(name, derived.get(name, values.get(name, ""))) for name in self.covered]
        key = private_key(ids) if self.key is None else self.key(ids)
        while True:
            given = "".join(f";{name}={value}" for name, value in self.parameters)
            given = given.replace("«nonce»", ids.alphanumeric(12))
            params = f"({' '.join(f'{chr(34)}{name}{chr(34)}' for name in self.covered)}){given}"
            text = [f'"{name}": {value}' for name, value in self.lines(lines)]
            base = self.base("\n".join([*text, f'"@signature-params": {self.params(params)}']))
            content = self._signature(key, base.encode())
            if want(content):
                break
        headers += [("Signature-Input", self.listed(params)), ("Signature", self.field(content))]
        return Request(method=self.method, url=self.url, headers=tuple(self.sent(headers)), body=self.body)

    def _signature(self, key: Private, base: bytes) -> bytes:
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(self.prepared(base))
        size = (key.key_size + 7) // 8
        own = {48: hashes.SHA384(), 32: hashes.SHA256()}[size]
        r, s = decode_dss_signature(key.sign(self.prepared(base), ec.ECDSA(self.hash or own)))
        return self.raw(r, s, size)


def _coded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def private_key(
    ids: Ids, name: str = "registered", curve: ec.EllipticCurve | None = None
) -> ec.EllipticCurvePrivateKey:
    """A fresh private key."""
    number = int.from_bytes(ids.child(name).draw(48 if curve is None else 31), "big") >> 1
    return ec.derive_private_key(number, curve or ec.SECP384R1())


def p256(ids: Ids) -> ec.EllipticCurvePrivateKey:
    """A fresh private key on P-256."""
    return private_key(ids, "p256", ec.SECP256R1())


def edwards(ids: Ids) -> ed25519.Ed25519PrivateKey:
    """A fresh private key of Ed25519."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(ids.child("edwards").draw(32))


def _case(
    title: str,
    names: Sequence[str],
    signer: Signer,
    report: str = "",
    *,
    keys: Sequence[Callable[[Ids], Private]] = (private_key,),
    want: Callable[[bytes], bool] = lambda _: True,
    altered: Callable[[Request], Request] = lambda request: request,
    rules: Rules = RULES,
) -> Case:
    def diagnosed(ids: Ids) -> Diagnosis:
        request = altered(signer.request(ids, want=want))
        known = [KnownKey(f"key {number}.pem", make(ids).public_key()) for number, make in enumerate(keys)]
        return diagnose_request(request, known, rules=rules)

    return Case(title, tuple(names), diagnosed, report)


def _value(name: str, make: Callable[[str], str]) -> Callable[[Lines], Lines]:
    """Alters the value of one line."""
    return lambda lines: [(each, make(value) if each == name else value) for each, value in lines]


def _header(name: str, make: Callable[[str], str]) -> Callable[[Headers], Headers]:
    """Alters the value of one header on its way."""
    return lambda headers: [(each, make(value) if each == name else value) for each, value in headers]


def _bare(r: int, s: int, _: int) -> bytes:
    """R and s as big integers write themselves, without leading zeros."""
    return b"".join(number.to_bytes((number.bit_length() + 7) // 8, "big") for number in (r, s))


def _raw(r: int, s: int, size: int) -> bytes:
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _der(r: int, s: int, _: int) -> bytes:
    return encode_dss_signature(r, s)


def _other(ids: Ids) -> ec.EllipticCurvePrivateKey:
    return private_key(ids, "other")


def _sha256(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def _sha384(text: bytes) -> bytes:
    return hashlib.sha384(text).digest()


_GH = "https://github.com/"
_P384_BYTES = 96
_NONCE = (("created", "1767225600"), ("nonce", '"«nonce»"'), ("keyid", '"registered"'))
_TARGET = ("@method", "@target-uri", "content-digest")

_FROM_THE_SIGNER: tuple[Case, ...] = (
    # ------------------------------------------------------------------------------------------------ how it is signed
    _case("hashed with SHA-256 instead of SHA-384", ["other-hash"], Signer(hash=hashes.SHA256())),
    _case("hashed with SHA-512", ["other-hash"], Signer(hash=hashes.SHA512())),
    _case("hashed before signing", ["hashed-twice"], Signer(prepared=_sha384), f"{_GH}kjur/jsrsasign/issues/134"),
    _case(
        "hashed with SHA-256 before signing",
        ["hashed-twice"],
        Signer(prepared=_sha256),
        f"{_GH}pyca/cryptography/issues/4387",
    ),
    _case(
        "the hex text of the hash signed",
        ["hex-of-hash-signed"],
        Signer(prepared=lambda text: _sha384(text).hex().encode()),
    ),
    _case(
        "the hash signed, with Ed25519",
        ["hashed-twice"],
        Signer(key=edwards, prepared=_sha256, parameters=_NONCE),
        keys=(edwards,),
    ),
    _case(
        "SHA-384 with a key on P-256",
        ["other-hash"],
        Signer(key=p256, hash=hashes.SHA384(), parameters=_NONCE),
        keys=(p256,),
    ),
    # ------------------------------------------------------------------------------------------------------- its bytes
    _case("in DER", ["signature-in-der"], Signer(raw=_der), f"{_GH}dhensby/node-http-message-signatures/pull/162"),
    _case(
        "in DER, on P-256",
        ["signature-in-der"],
        Signer(raw=_der, key=p256, parameters=_NONCE),
        f"{_GH}dhensby/node-http-message-signatures/issues/165",
        keys=(p256,),
    ),
    _case(
        "r or s without leading zeros",
        ["leading-zeros-left-out"],
        Signer(raw=_bare, parameters=_NONCE),
        f"{_GH}modelcontextprotocol/registry/pull/1457",
        want=lambda content: len(content) < _P384_BYTES,
    ),
    _case(
        "a zero byte for the sign before r and s",
        ["sign-byte-before-number"],
        Signer(raw=lambda r, s, size: b"\0" + r.to_bytes(size, "big") + b"\0" + s.to_bytes(size, "big")),
        f"{_GH}lsh123/xmlsec/issues/941",
    ),
    _case(
        "s before r", ["s-before-r"], Signer(raw=lambda r, s, size: s.to_bytes(size, "big") + r.to_bytes(size, "big"))
    ),
    _case(
        "in base64url",
        ["signature-in-base64url"],
        Signer(field=lambda content: f"sig1=:{base64.urlsafe_b64encode(content).decode()}:", parameters=_NONCE),
        want=lambda content: bool(set(base64.urlsafe_b64encode(content)) & set(b"-_")),
    ),
    _case("in hex", ["signature-in-hex"], Signer(field=lambda content: f"sig1=:{content.hex()}:")),
    _case(
        "in base64 twice",
        ["signature-in-base64-twice"],
        Signer(field=lambda content: f"sig1=:{_coded(_coded(content).encode())}:"),
    ),
    _case("without colons", ["signature-without-colons"], Signer(field=lambda content: f"sig1={_coded(content)}")),
    # ---------------------------------------------------------------------------------------------------------- its key
    _case("with another key, which is given", ["other-key"], Signer(key=_other), keys=(private_key, _other)),
    _case(
        "with a key on P-256, which is given",
        ["other-key"],
        Signer(key=p256, parameters=_NONCE),
        keys=(private_key, p256),
    ),
    _case(
        "alg of another algorithm",
        ["algorithm-does-not-fit-key"],
        Signer(parameters=(("created", "1767225600"), ("keyid", '"registered"'), ("alg", '"ecdsa-p256-sha256"'))),
    ),
    _case(
        "alg by its name in JSON Web Signatures",
        ["algorithm-unknown"],
        Signer(parameters=(("created", "1767225600"), ("keyid", '"registered"'), ("alg", '"ES384"'))),
    ),
    _case(
        "on P-256 where the API wants P-384",
        ["key-of-other-kind"],
        Signer(key=p256, parameters=_NONCE),
        keys=(p256,),
        rules=Rules(algorithms=("ecdsa-p384-sha384",)),
    ),
    # ------------------------------------------------------------------------------------------------------- the fields
    _case(
        "label of Signature unlike that of Signature-Input",
        ["labels-differ"],
        Signer(field=lambda content: f"sig=:{_coded(content)}:"),
    ),
    _case(
        "component names in upper case",
        ["component-names-in-upper-case"],
        Signer(listed=lambda text: f"sig1={text.replace('content-digest', 'Content-Digest')}"),
        f"{_GH}vlang/v/pull/27113",
    ),
    _case(
        "all names in upper case, in the base too",
        ["component-names-in-upper-case"],
        Signer(
            base=lambda text: text.replace("content-", "Content-"),
            listed=lambda text: f"sig1={text.replace('content-', 'Content-')}",
        ),
        f"{_GH}httpwg/http-extensions/issues/1308",
    ),
    _case(
        "component names without quotes",
        ["component-names-without-quotes"],
        Signer(
            covered=("@method", "@path"),
            base=lambda text: text.replace('"@method" "@path"', "@method @path"),
            listed=lambda text: "sig1=" + text.replace('"@method" "@path"', "@method @path"),
        ),
        f"{_GH}visa/trusted-agent-protocol/pull/21",
    ),
    _case(
        "created in milliseconds",
        ["time-in-milliseconds"],
        Signer(parameters=(("created", "1767225600123"), ("keyid", '"registered"'))),
        f"{_GH}interledger/rafiki/issues/3228",
    ),
    _case(
        "created in quotes",
        ["time-in-quotes"],
        Signer(parameters=(("created", '"1767225600"'), ("keyid", '"registered"'))),
    ),
    # --------------------------------------------------------------------------------------------------------- the base
    _case(
        "newline after the base",
        ["newline-after-base"],
        Signer(base=lambda text: f"{text}\n"),
        f"{_GH}manyfold3d/manyfold/pull/2846",
    ),
    _case(
        "newline before the base",
        ["newline-before-base"],
        Signer(base=lambda text: f"\n{text}"),
        f"{_GH}TritonDataCenter/node-http-signature/pull/85",
    ),
    _case(
        "CRLF line ends",
        ["crlf-line-ends"],
        Signer(base=lambda text: text.replace("\n", "\r\n")),
        f"{_GH}arkerone/api-key-auth/issues/2",
    ),
    _case(
        "last line left out",
        ["signature-params-left-out"],
        Signer(base=lambda text: text.rpartition("\n")[0]),
        f"{_GH}visa/trusted-agent-protocol/pull/21",
    ),
    _case(
        "names in the base without quotes",
        ["names-without-quotes"],
        Signer(base=lambda text: "\n".join(line.replace('"', "", 2) for line in text.split("\n"))),
    ),
    _case(
        "header names in the base in upper case",
        ["names-in-upper-case"],
        Signer(
            base=lambda text: (
                text.replace('"content-type":', '"Content-Type":')
                .replace('"content-digest":', '"Content-Digest":')
                .replace('"idempotency-key":', '"Idempotency-Key":')
            )
        ),
        f"{_GH}httpwg/http-extensions/issues/1188",
    ),
    _case("no blank after the colons", ["colon-without-blank"], Signer(base=lambda text: text.replace('": ', '":'))),
    _case("two blanks after the colons", ["other-than-colon"], Signer(base=lambda text: text.replace('": ', '":  '))),
    _case(
        "lines joined with a comma and a blank",
        ["lines-separated-otherwise"],
        Signer(base=lambda text: text.replace("\n", ", ")),
    ),
    _case("lines sorted", ["components-in-other-order"], Signer(lines=sorted)),
    _case(
        "two lines swapped",
        ["components-in-other-order"],
        Signer(lines=lambda lines: [lines[0], lines[2], lines[1], *lines[3:]]),
    ),
    _case(
        "parameters in another order",
        ["parameters-in-other-order"],
        Signer(
            params=lambda text: text.replace(
                ';created=1767225600;keyid="registered"', ';keyid="registered";created=1767225600'
            )
        ),
        f"{_GH}common-fate/httpsig/issues/14",
    ),
    _case(
        "parameters sorted",
        ["parameters-in-other-order"],
        Signer(
            parameters=(("keyid", '"registered"'), ("created", "1767225600"), ("alg", '"ecdsa-p384-sha384"')),
            params=lambda text: (
                text.partition(")")[0] + ');alg="ecdsa-p384-sha384";created=1767225600;keyid="registered"'
            ),
        ),
        f"{_GH}jbowes/httpsig/pull/22",
    ),
    _case(
        "alg not signed",
        ["parameter-left-out"],
        Signer(params=lambda text: text.replace(';alg="ecdsa-p384-sha384"', "")),
    ),
    _case(
        "created made twice, a second apart",
        ["parameter-altered"],
        Signer(params=lambda text: text.replace("1767225600", "1767225601")),
    ),
    _case(
        "Content-Digest listed, and not in the base",
        ["line-left-out"],
        Signer(lines=lambda lines: [line for line in lines if line[0] != "content-digest"]),
        f"{_GH}margo/sandbox/pull/211",
    ),
    _case(
        "the older signing string signed",
        ["old-signing-string"],
        Signer(
            covered=("content-digest", "idempotency-key"),
            base=lambda text: (
                "(request-target): post "
                + URL.partition("8443")[2]
                + "\n"
                + "\n".join(line.replace('"', "", 2) for line in text.split("\n")[:-1])
            ),
        ),
        f"{_GH}fedify-dev/fedify/issues/208",
    ),
    _case("the body alone signed", ["body-signed"], Signer(base=lambda _: BODY.decode())),
    # ------------------------------------------------------------------------------------------------------- the target
    _case(
        "method in lower case",
        ["method-in-lower-case"],
        Signer(lines=_value("@method", str.lower)),
        f"{_GH}aws/aws-sdk-js-v3/issues/3612",
    ),
    _case("another method", ["other-method"], Signer(lines=_value("@method", lambda _: "PUT"))),
    _case("another host", ["other-host"], Signer(lines=_value("@authority", lambda _: "api.example.com"))),
    _case(
        "another scheme",
        ["other-scheme"],
        Signer(covered=_TARGET, lines=_value("@target-uri", lambda url: url.replace("https", "http"))),
        f"{_GH}IQSS/dataverse/pull/11787",
    ),
    _case(
        "the URL at localhost, where it is developed",
        ["other-base-url"],
        Signer(
            covered=_TARGET, lines=_value("@target-uri", lambda url: f"http://localhost:3000/{url.split('/', 3)[3]}")
        ),
    ),
    _case(
        "the base URL of a server on this machine",
        ["other-base-url"],
        Signer(
            url="https://api.example.com/v1/customers",
            covered=_TARGET,
            lines=_value("@target-uri", lambda _: "http://127.0.0.1:8080/v1/customers"),
        ),
    ),
    _case(
        "port left out",
        ["port-left-out"],
        Signer(lines=_value("@authority", lambda host: host.partition(":")[0])),
        f"{_GH}arcships/aimux/pull/129",
    ),
    _case(
        "default port signed",
        ["default-port-signed"],
        Signer(
            url="https://api.example.com/v1/customers",
            covered=("@method", "@path", "@authority"),
            lines=_value("@authority", lambda host: f"{host}:443"),
        ),
        f"{_GH}acquia/http-hmac-go/pull/24",
    ),
    _case(
        "base path left out",
        ["base-path-left-out"],
        Signer(lines=_value("@path", lambda _: "/v1/customers")),
        f"{_GH}0xJacky/nginx-ui/pull/1856",
    ),
    _case(
        "base path added",
        ["base-path-added"],
        Signer(
            url="https://api.example.com/v1/customers",
            covered=("@method", "@path"),
            lines=_value("@path", lambda path: f"/offblocks{path}"),
        ),
        f"{_GH}binarywang/WxJava/pull/3968",
    ),
    _case(
        "trailing slash added",
        ["trailing-slash-added"],
        Signer(lines=_value("@path", lambda path: f"{path}/")),
        f"{_GH}seaweedfs/seaweedfs/issues/7223",
    ),
    _case(
        "query left out of the target",
        ["query-left-out"],
        Signer(covered=_TARGET, lines=_value("@target-uri", lambda url: url.partition("?")[0])),
        f"{_GH}misskey-dev/misskey/pull/17941",
    ),
    _case(
        "query without its question mark",
        ["query-without-question-mark"],
        Signer(lines=_value("@query", lambda query: query[1:])),
        f"{_GH}httpwg/http-extensions/issues/1934",
    ),
    _case(
        "query sorted",
        ["query-sorted"],
        Signer(lines=_value("@query", lambda _: "?name=a%20b&name=c&page=2")),
        f"{_GH}better-auth/better-auth/issues/8858",
    ),
    _case(
        "query with plus for blanks",
        ["query-encoded-otherwise"],
        Signer(lines=_value("@query", lambda query: query.replace("%20", "+"))),
    ),
    _case(
        "query decoded",
        ["query-encoded-otherwise"],
        Signer(lines=_value("@query", lambda query: query.replace("%20", " "))),
    ),
    _case(
        "path decoded",
        ["path-spelled-otherwise"],
        Signer(
            url="https://api.example.com/v1/customers/a%3Ab%20c",
            covered=("@method", "@path"),
            lines=_value("@path", lambda _: "/v1/customers/a:b c"),
        ),
        f"{_GH}apache/cxf/pull/869",
    ),
    _case(
        "query as a part of the path",
        ["query-in-path"],
        Signer(lines=_value("@path", lambda path: f"{path}?page=2&name=a%20b&name=c")),
    ),
    _case(
        "template of the path",
        ["template-as-path"],
        Signer(
            url="https://api.example.com/v1/customers/17",
            covered=("@method", "@path"),
            lines=_value("@path", lambda _: "/v1/customers/{customerId}"),
        ),
    ),
    # --------------------------------------------------------------------------------------------------- header fields
    _case(
        "charset added to Content-Type after signing",
        ["field-altered"],
        Signer(sent=_header("Content-Type", lambda value: f"{value}; charset=utf-8")),
        f"{_GH}bsv-blockchain/ts-sdk/pull/236",
    ),
    _case(
        "Content-Type without its charset",
        ["field-altered"],
        Signer(sent=_header("Content-Type", lambda value: f"{value};charset=UTF-8")),
        f"{_GH}arnemolland/sigv4/pull/18",
    ),
    _case(
        "a list re-spaced on its way",
        ["field-spaced-otherwise"],
        Signer(
            covered=(*COVERED, "accept"),
            extra=[("Accept", "text/html,application/json")],
            sent=_header("Accept", lambda value: value.replace(",", ", ")),
        ),
    ),
    _case(
        "only the first of two lines signed",
        ["only-one-line-of-field"],
        Signer(
            covered=(*COVERED, "accept"),
            extra=[("Accept", "text/html"), ("Accept", "application/json")],
            lines=_value("accept", lambda _: "text/html"),
        ),
    ),
    _case("Idempotency-Key in upper case", ["field-in-other-case"], Signer(lines=_value("idempotency-key", str.upper))),
    # ------------------------------------------------------------------------------------------------------ the digest
    _case(
        "digest of the pretty-printed body",
        ["digest-of-other-bytes"],
        Signer(hashed=PRETTY),
        f"{_GH}octokit/webhooks.js/issues/76",
    ),
    _case(
        "digest of the body and a newline",
        ["digest-of-other-bytes"],
        Signer(hashed=BODY + b"\n"),
        f"{_GH}RevenueCat/purchases-android/pull/839",
    ),
    _case("digest of the digest", ["digest-of-other-bytes"], Signer(hashed=hashlib.sha256(BODY).digest())),
    _case(
        "digest of the body in ISO 8859-1", ["digest-of-other-bytes"], Signer(hashed=BODY.decode().encode("latin-1"))
    ),
    _case(
        "digest of the body with its letters decomposed",
        ["digest-of-other-bytes"],
        Signer(hashed=unicodedata.normalize("NFD", BODY.decode()).encode()),
    ),
    _case("digest of an object that nobody serialised", ["digest-of-other-bytes"], Signer(hashed=b"[object Object]")),
    _case("digest of the members as a form", ["digest-of-other-bytes"], Signer(hashed=urlencode(DOCUMENT).encode())),
    _case(
        "digest of the body before it was compressed",
        ["digest-of-other-bytes"],
        Signer(body=gzip.compress(BODY), hashed=BODY, extra=(("Content-Encoding", "gzip"),)),
    ),
    _case("base in UTF-16", ["base-in-utf-16"], Signer(prepared=lambda base: base.decode().encode("utf-16-le"))),
    _case(
        "byte order mark before the base",
        ["base-with-byte-order-mark"],
        Signer(prepared=lambda base: b"\xef\xbb\xbf" + base),
    ),
    _case(
        "the scheme with a colon, as URL.protocol has it",
        ["scheme-written-otherwise"],
        Signer(
            covered=("@method", "@scheme", "@authority", "@path", "@query", "content-digest", "idempotency-key"),
            lines=_value("@scheme", lambda scheme: f"{scheme}:"),
        ),
    ),
    _case(
        "the origin as the authority, as URL.origin has it",
        ["origin-as-authority"],
        Signer(lines=_value("@authority", lambda authority: f"https://{authority}")),
    ),
    _case(
        "a segment of the path left out",
        ["segment-left-out"],
        Signer(lines=_value("@path", lambda path: path.replace("/v1", ""))),
    ),
    _case("digest of nothing", ["digest-of-other-bytes"], Signer(hashed=b"")),
    _case(
        "digest with other escapes",
        ["digest-of-other-bytes"],
        Signer(hashed=json.dumps(DOCUMENT, separators=(",", ":")).encode()),
        f"{_GH}gabrielkoerich/orch/issues/134",
    ),
    _case(
        "digest in hex", ["digest-in-hex"], Signer(digest=lambda body: f"sha-256=:{hashlib.sha256(body).hexdigest()}:")
    ),
    _case(
        "digest without colons",
        ["digest-without-colons"],
        Signer(digest=lambda body: f"sha-256={_coded(_sha256(body))}"),
        f"{_GH}httpwg/http-extensions/issues/2000",
    ),
    _case(
        "digest of another algorithm",
        ["digest-of-other-algorithm"],
        Signer(digest=lambda body: f"sha-256=:{_coded(hashlib.sha512(body).digest())}:"),
    ),
)


def _older_form(ids: Ids) -> Diagnosis:
    """A request in the form that came before RFC 9421, rightly signed."""
    host, key = "api.example.com", private_key(ids)
    text = f"(request-target): get /v1/customers\nhost: {host}"
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA384())))
    field = f'keyId="one",algorithm="hs2019",headers="(request-target) host",signature="{_coded(_raw(r, s, 48))}"'
    request = Request(method="GET", url=f"https://{host}/v1/customers", headers=(("Host", host), ("Signature", field)))
    return diagnose_request(request, [KnownKey("key.pem", key.public_key())])


def _swapped_labels(ids: Ids) -> Diagnosis:
    """A request with two signatures, each under the label of the other."""
    common, names = Signer(covered=("@method", "@path")), ("Signature-Input", "Signature")
    made = [replace(common, parameters=(("created", str(at)),)).request(ids) for at in (1767225600, 1767225601)]
    inputs, contents = ([str(each.header(name)).removeprefix("sig1=") for each in made] for name in names)
    headers = tuple(line for line in made[0].headers if line[0] not in names)
    fields = (
        ("Signature-Input", f"a={inputs[0]}, b={inputs[1]}"),
        ("Signature", f"a={contents[1]}, b={contents[0]}"),
    )
    request = Request(method="POST", url=URL, headers=(*headers, *fields), body=BODY)
    return diagnose_request(request, [KnownKey("key.pem", private_key(ids).public_key())])


SINGLE: tuple[Case, ...] = (
    *_FROM_THE_SIGNER,
    Case("the form that came before RFC 9421", ("old-form",), _older_form, f"{_GH}cs3org/OCM-API/pull/209"),
    Case("two signatures, each under the label of the other", ("signature-of-other-label",) * 2, _swapped_labels),
)
"""One mistake each; where two signatures are swapped, each has it."""

DOUBLE: tuple[Case, ...] = (
    _case(
        "SHA-256, and the method in lower case",
        ["other-hash", "method-in-lower-case"],
        Signer(hash=hashes.SHA256(), lines=_value("@method", str.lower)),
    ),
    _case(
        "in DER, with a newline after the base",
        ["signature-in-der", "newline-after-base"],
        Signer(raw=_der, base=lambda text: f"{text}\n"),
    ),
    _case(
        "hashed twice, base path left out",
        ["hashed-twice", "base-path-left-out"],
        Signer(prepared=_sha384, lines=_value("@path", lambda _: "/v1/customers")),
    ),
    _case(
        "trailing slash, and the query with plus",
        ["trailing-slash-added", "query-encoded-otherwise"],
        Signer(
            lines=lambda lines: _value("@path", lambda path: f"{path}/")(
                _value("@query", lambda query: query.replace("%20", "+"))(lines)
            )
        ),
    ),
    _case(
        "port left out, last line left out",
        ["port-left-out", "signature-params-left-out"],
        Signer(
            lines=_value("@authority", lambda host: host.partition(":")[0]), base=lambda text: text.rpartition("\n")[0]
        ),
    ),
    _case(
        "another key, and CRLF",
        ["other-key", "crlf-line-ends"],
        Signer(key=_other, base=lambda text: text.replace("\n", "\r\n")),
        keys=(private_key, _other),
    ),
    _case(
        "another host, and names without quotes",
        ["other-host", "names-without-quotes"],
        Signer(
            lines=_value("@authority", lambda _: "api.example.com"),
            base=lambda text: "\n".join(line.replace('"', "", 2) for line in text.split("\n")),
        ),
    ),
    _case(
        "charset added, lines sorted",
        ["field-altered", "components-in-other-order"],
        Signer(lines=sorted, sent=_header("Content-Type", lambda value: f"{value}; charset=utf-8")),
    ),
    _case("SHA-256, in DER", ["signature-in-der", "other-hash"], Signer(raw=_der, hash=hashes.SHA256())),
    _case(
        "uppercase algorithm and no colons in the digest",
        ["digest-algorithm-spelled-otherwise", "digest-without-colons"],
        Signer(digest=lambda body: f"SHA-512={_coded(hashlib.sha512(body).digest())}"),
        f"{_GH}Unisys/NSign/issues/66",
    ),
    _case(
        "digest of the pretty-printed body, and the method in lower case",
        ["digest-of-other-bytes", "method-in-lower-case"],
        Signer(hashed=PRETTY, lines=_value("@method", str.lower)),
    ),
    _case(
        "labels that differ, in DER",
        ["labels-differ", "signature-in-der"],
        Signer(raw=_der, field=lambda content: f"sig=:{_coded(content)}:"),
    ),
    _case(
        "created in milliseconds, with a newline after the base",
        ["time-in-milliseconds", "newline-after-base"],
        Signer(parameters=(("created", "1767225600123"), ("keyid", '"registered"')), base=lambda text: f"{text}\n"),
    ),
    _case(
        "query left out, parameters in another order",
        ["query-left-out", "parameters-in-other-order"],
        Signer(
            covered=_TARGET,
            lines=_value("@target-uri", lambda url: url.partition("?")[0]),
            params=lambda text: text.replace(
                ';created=1767225600;keyid="registered"', ';keyid="registered";created=1767225600'
            ),
        ),
    ),
)
"""Two mistakes at once."""


def _body_altered(request: Request) -> Request:
    return Request(method=request.method, url=request.url, headers=request.headers, body=request.body + b" altered")


UNKNOWN: tuple[Case, ...] = (
    _case(
        "a header altered to what nobody knows",
        NONE,
        Signer(sent=_header("Idempotency-Key", lambda value: value[:-4] + "beef")),
    ),
    _case("a host that nobody knows", NONE, Signer(lines=_value("@authority", lambda _: "intern.example.net"))),
    _case("another path", NONE, Signer(lines=_value("@path", lambda _: "/v1/wallets"))),
    _case("another query", NONE, Signer(lines=_value("@query", lambda _: "?page=3"))),
    _case("a key that is not given", NONE, Signer(key=_other)),
    _case(
        "two keys given, signed with a third",
        NONE,
        Signer(key=lambda ids: private_key(ids, "third")),
        keys=(private_key, _other),
    ),
    _case("another created", NONE, Signer(params=lambda text: text.replace("1767225600", "1767229999"))),
    _case("another key id", NONE, Signer(params=lambda text: text.replace("registered", "another"))),
    _case("a text that nobody knows", NONE, Signer(base=lambda _: "something else")),
    _case(
        "bytes that are no signature",
        NONE,
        Signer(raw=lambda r, s, size: hashlib.shake_256(str(r ^ s).encode()).digest(2 * size)),
    ),
    _case(
        "one bit of the signature flipped",
        NONE,
        Signer(raw=lambda r, s, size: r.to_bytes(size, "big") + (s ^ 1).to_bytes(size, "big")),
    ),
    _case(
        "three mistakes at once",
        NONE,
        Signer(
            hash=hashes.SHA256(),
            lines=lambda lines: _value("@method", str.lower)(_value("@path", lambda _: "/v1/customers")(lines)),
            base=lambda text: f"{text}\n",
        ),
    ),
    _case("the body altered after it was hashed", NONE, Signer(), altered=_body_altered),
    _case("a digest of something else", NONE, Signer(hashed=b"something else")),
    _case("a component put in that is in no header", NONE, Signer(lines=lambda lines: [*lines, ("x-secret", "17")])),
)
"""What no candidate explains."""
