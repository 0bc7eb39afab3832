"""Wrong clients, each named by its sin: what a request may do wrong on purpose, and the client rules that it breaks."""

import base64
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from conformance.offblocks.client import RequestSigner
from conformance.standards.digest_fields import content_digest
from conformance.standards.message_signatures import (
    ECDSA_P384_SHA384,
    PrivateKey,
    declared_signatures,
    public_pem,
    signature_base,
)

Send = Callable[[RequestSigner, httpx.Request], httpx.Request | None]

OTHER_BODY = b'{"chainId":"eip155:300:0x22227A31dd842196A246d8f3b775998560eAa61d","externalId":"altered"}'
_P384_BYTES = 48


@dataclass(frozen=True)
class Deviation:
    """One way to send a request wrongly.

    Args:
        name: Its sin.
        breaks: The ids of the client rules that it breaks.
        send: Prepares the request with the right signer; gives another request if that is to be sent instead.
    """

    name: str
    breaks: frozenset[str]
    send: Send


def rules(*names: str) -> frozenset[str]:
    """The ids of client rules from the last part of each."""
    return frozenset(f"offblocks.client.{name}" for name in names)


def deviation(*broken: str) -> Callable[[Send], Deviation]:
    """Make a deviation of a function that sends a request wrongly; `broken` are the last parts of the rules' ids."""
    return lambda send: Deviation(send.__name__, rules(*broken), send)


class DeviantSigner(httpx.Auth):
    """Prepares requests as a deviation says.

    Args:
        signer: The right signer.
        deviation: What to do wrong.
    """

    requires_request_body = True

    def __init__(self, signer: RequestSigner, deviation: Deviation) -> None:
        self._signer = signer
        self._deviation = deviation

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Prepare `request`."""
        yield self._deviation.send(self._signer, request) or request


def _with(request: httpx.Request, *, body: bytes | None = None, url: str | None = None) -> httpx.Request:
    """The request with another body or URL and the same headers."""
    framing = {"content-length", "transfer-encoding"}
    headers = [(name, value) for name, value in request.headers.multi_items() if name.lower() not in framing]
    return httpx.Request(
        request.method,
        url or request.url,
        headers=headers,
        content=request.content if body is None else body,
        extensions=request.extensions,
    )


# ------------------------------------------------------------------------------------------------ request signatures


@deviation("signs-requests")
def unsigned(signer: RequestSigner, request: httpx.Request) -> None:
    """Sends no signature."""
    signer.digest(request)


@deviation("signature-verifies")
def signs_another_body(signer: RequestSigner, request: httpx.Request) -> httpx.Request:
    """Signs, then sends another body with the digest of that one."""
    signer.digest(request)
    signer.sign(request)
    request.headers["Content-Digest"] = content_digest(OTHER_BODY)
    return _with(request, body=OTHER_BODY)


@deviation("signature-verifies")
def signs_another_method(signer: RequestSigner, request: httpx.Request) -> None:
    """Signs a PUT and sends what it has."""
    signer.digest(request)
    method, request.method = request.method, "PUT"
    signer.sign(request)
    request.method = method


def signs_another_path(path: str) -> Deviation:
    """Signs another path than the one it sends to."""

    def send(signer: RequestSigner, request: httpx.Request) -> None:
        signer.digest(request)
        url, request.url = request.url, request.url.copy_with(path=path)
        signer.sign(request)
        request.url = url

    return Deviation("signs_another_path", rules("signature-verifies"), send)


@deviation("signature-verifies")
def signs_another_query(signer: RequestSigner, request: httpx.Request) -> None:
    """Signs one query and sends another."""
    signer.digest(request)
    url, request.url = request.url, request.url.copy_with(query=b"page=1")
    signer.sign(request)
    request.url = url


def changes_field(name: str, value: str) -> Deviation:
    """Signs, then changes a header field that the signature covers."""

    def send(signer: RequestSigner, request: httpx.Request) -> None:
        signer.digest(request)
        signer.sign(request)
        request.headers[name] = value

    return Deviation("changes_field", rules("signature-verifies"), send)


def precedes_field(name: str, value: str) -> Deviation:
    """Signs, then puts another line of a header field that the signature covers before the one that it covers."""

    def send(signer: RequestSigner, request: httpx.Request) -> None:
        signer.digest(request)
        signer.sign(request)
        request.headers = httpx.Headers([(name, value), *request.headers.multi_items()])

    return Deviation("precedes_field", rules("signature-verifies"), send)


def signs_as_forwarded(
    field: str, value: str, *, method: str | None = None, path: str | None = None, host: str | None = None
) -> Deviation:
    """Signs for another method, path or host than it sends to, and names that in a field that proxies add.

    Args:
        field: The field that proxies add.
        value: Its value.
        method: The method that is signed, if another.
        path: The path that is signed, if another.
        host: The host that is signed, if another.
    """

    def send(signer: RequestSigner, request: httpx.Request) -> None:
        signer.digest(request)
        right = request.method, request.url
        request.method = method or request.method
        request.url = request.url.copy_with(
            **({"path": path} if path else {}), **({"host": host, "port": None} if host else {})
        )
        signer.sign(request, components=(*signer.components, "@authority") if host else None)
        request.method, request.url = right
        request.headers[field] = value

    return Deviation("signs_as_forwarded", rules("signature-verifies"), send)


def adds_the_digest_of_another_body(*, before: bool) -> Deviation:
    """Signs, then sends another body, whose digest stands in a line before or behind the one that was signed."""

    def send(signer: RequestSigner, request: httpx.Request) -> httpx.Request:
        signer.digest(request)
        signer.sign(request)
        line, lines = ("Content-Digest", content_digest(OTHER_BODY)), request.headers.multi_items()
        request.headers = httpx.Headers([line, *lines] if before else [*lines, line])
        return _with(request, body=OTHER_BODY)

    return Deviation("adds_the_digest_of_another_body", rules("signature-verifies", "digests-sent-bytes"), send)


def signed_as(change: Callable[[bytes], bytes], broken: str = "signature-verifies") -> Deviation:
    """Signs, then sends what `change` makes of the signature, which breaks the client rule of that name."""

    def send(signer: RequestSigner, request: httpx.Request) -> None:
        signer.digest(request)
        signer.sign(request)
        label, right = labelled_signature(request)
        request.headers["Signature"] = f"{label}=:{base64.b64encode(change(right)).decode()}:"

    return Deviation("signed_as", rules(broken), send)


def signed_by(key: ec.EllipticCurvePrivateKey, *, key_id: str | None = None) -> Deviation:
    """Signs with another key, under the registered key's id or another one."""

    def send(signer: RequestSigner, request: httpx.Request) -> None:
        other = signer.with_key(key, key_id or signer.key_id)
        other.digest(request)
        other.sign(request)

    return Deviation("signed_by", rules("signature-verifies"), send)


def _sign_otherwise(
    signer: RequestSigner,
    request: httpx.Request,
    *,
    key: PrivateKey | None = None,
    components: Sequence[str] | None = None,
    algorithm: str = ECDSA_P384_SHA384,
    label: str | None = None,
    shift: timedelta = timedelta(),
) -> None:
    signer.digest(request)
    signer.sign(request, key=key, components=components, algorithm=algorithm, label=label, shift=shift)


def signed_with_p256(key: ec.EllipticCurvePrivateKey) -> Deviation:
    """Signs with ECDSA P-256 and SHA-256."""

    def send(signer: RequestSigner, request: httpx.Request) -> None:
        _sign_otherwise(signer, request, key=key, algorithm="ecdsa-p256-sha256")

    return Deviation("signed_with_p256", rules("uses-required-algorithm"), send)


@deviation("uses-required-algorithm")
def signed_with_public_key_as_secret(signer: RequestSigner, request: httpx.Request) -> None:
    """Signs with HMAC and the registered public key as the shared secret."""
    _sign_otherwise(signer, request, key=public_pem(signer.key).encode(), algorithm="hmac-sha256")


def _signed_by_hand(
    signer: RequestSigner,
    request: httpx.Request,
    alter: Callable[[str, str], tuple[str, str]],
    algorithm: hashes.HashAlgorithm | None = None,
) -> None:
    """Sign what `alter` makes of the base and of the value of Signature-Input, with SHA-384 or another hash."""
    signer.digest(request)
    signer.sign(request)
    headers = request.headers.multi_items()
    ((declared, _),) = declared_signatures(headers)
    seen = signer.form.seen_url(str(request.url))
    base, value = alter(signature_base(request.method, seen, headers, declared), declared.text)
    scheme = ec.ECDSA(algorithm or hashes.SHA384(), deterministic_signing=signer.deterministic)
    parts = decode_dss_signature(signer.key.sign(base.encode(), scheme))
    raw = b"".join(part.to_bytes(_P384_BYTES, "big") for part in parts)
    request.headers["Signature-Input"] = f"{signer.label}={value}"
    request.headers["Signature"] = f"{signer.label}=:{base64.b64encode(raw).decode()}:"


@deviation("signature-verifies")
def signed_with_sha512(signer: RequestSigner, request: httpx.Request) -> None:
    """Signs with ECDSA P-384 and SHA-512."""
    _signed_by_hand(signer, request, lambda base, value: (base, value), hashes.SHA512())


@deviation("signature-verifies")
def covers_a_component_twice(signer: RequestSigner, request: httpx.Request) -> None:
    """Names a component twice, and signs its line twice."""

    def twice(base: str, value: str) -> tuple[str, str]:
        line, _, _ = base.partition("\n")
        name = line.partition(": ")[0]
        again = value.replace(name, f"{name} {name}", 1)
        return f"{line}\n{base.replace(value, again)}", again

    _signed_by_hand(signer, request, twice)


@deviation()
def covers_an_absent_query(signer: RequestSigner, request: httpx.Request) -> None:
    """Covers the query though there is none, as a lone question mark."""

    def more(base: str, value: str) -> tuple[str, str]:
        again = value.replace("(", '("@query" ', 1)
        return '"@query": ?\n' + base.replace(value, again), again

    _signed_by_hand(signer, request, more)


def labelled_signature(request: httpx.Request) -> tuple[str, bytes]:
    """The label of a request's one signature, whichever it is written with, and its bytes."""
    label, _, text = request.headers["Signature"].removesuffix(":").partition("=:")
    return label, base64.b64decode(text)


@deviation("signs-requests")
def signed_under_another_label(signer: RequestSigner, request: httpx.Request) -> None:
    """Has the signature under another label than what it covers."""
    signer.digest(request)
    signer.sign(request)
    _, raw = labelled_signature(request)
    request.headers["Signature"] = f"other=:{base64.b64encode(raw).decode()}:"


@deviation("uses-required-algorithm")
def signed_in_der(signer: RequestSigner, request: httpx.Request) -> None:
    """Sends the ECDSA signature in DER."""
    signer.digest(request)
    signer.sign(request)
    label, raw = labelled_signature(request)
    der = encode_dss_signature(int.from_bytes(raw[:_P384_BYTES], "big"), int.from_bytes(raw[_P384_BYTES:], "big"))
    request.headers["Signature"] = f"{label}=:{base64.b64encode(der).decode()}:"


@deviation("covers-target", "covers-body")
def covers_nothing(signer: RequestSigner, request: httpx.Request) -> None:
    """Signs without covering anything."""
    _sign_otherwise(signer, request, components=())


@deviation("signature-is-fresh")
def signed_an_hour_ago(signer: RequestSigner, request: httpx.Request) -> None:
    """Says that it signed an hour ago."""
    _sign_otherwise(signer, request, shift=-timedelta(hours=1))


@deviation("signature-is-fresh")
def signed_an_hour_ahead(signer: RequestSigner, request: httpx.Request) -> None:
    """Says that it signs in an hour."""
    _sign_otherwise(signer, request, shift=timedelta(hours=1))


@deviation()
def covers_in_another_order(signer: RequestSigner, request: httpx.Request) -> None:
    """Signs rightly, the components in reverse order."""
    _sign_otherwise(signer, request, components=tuple(reversed(signer.components)))


def labelled(label: str) -> Deviation:
    """Signs rightly, under another label than usual."""
    return Deviation("labelled", rules(), lambda signer, request: _sign_otherwise(signer, request, label=label))


@deviation()
def turns_its_parameters_round(signer: RequestSigner, request: httpx.Request) -> None:
    """Signs rightly, the parameters of the signature in reverse order."""

    def turned(base: str, value: str) -> tuple[str, str]:
        components, _, parameters = value.partition(")")
        again = f"{components});{';'.join(reversed(parameters.removeprefix(';').split(';')))}"
        return base.replace(value, again), again

    _signed_by_hand(signer, request, turned)


@deviation()
def writes_its_input_with_blanks(signer: RequestSigner, request: httpx.Request) -> None:
    """Signs rightly, and writes what it covers with blanks where a structured field may have them (RFC 8941, 4.2)."""
    signer.digest(request)
    signer.sign(request)
    components, _, parameters = request.headers["Signature-Input"].partition(")")
    spaced = components.replace("(", "( ").replace('" "', '"  "')
    request.headers["Signature-Input"] = f"{spaced} ){parameters.replace(';', '; ')}"


def says(name: str, written: str) -> Deviation:
    """Signs rightly, and says one thing more of the signature.

    Args:
        name: The parameter (RFC 9421, section 2.3).
        written: Its value as it stands in Signature-Input.
    """

    def alter(base: str, value: str) -> tuple[str, str]:
        said = f"{re.sub(f';{name}=[^;]*', '', value)};{name}={written}"
        return base.replace(value, said), said

    return Deviation("says", rules(), lambda signer, request: _signed_by_hand(signer, request, alter))


@deviation("signature-verifies")
def signed_past_its_end(signer: RequestSigner, request: httpx.Request) -> None:
    """Says that it signed two minutes ago, and that the signature held for one."""
    now = int(signer.clock.now().timestamp())

    def ended(base: str, value: str) -> tuple[str, str]:
        said = re.sub(";(created|expires)=[0-9]+", "", value) + f";created={now - 120};expires={now - 60}"
        return base.replace(value, said), said

    _signed_by_hand(signer, request, ended)


def covers_nothing_beside(stranger: ec.EllipticCurvePrivateKey) -> Deviation:
    """Signs without covering anything, beside a signature by another key that covers all.

    Args:
        stranger: A key that is not registered.
    """

    def send(signer: RequestSigner, request: httpx.Request) -> None:
        signer.digest(request)
        made = []
        for label, how in (("one", {"components": ()}), ("two", {"key": stranger})):
            signer.sign(request, label=label, **how)
            made.append([request.headers.pop(name) for name in ("Signature-Input", "Signature")])
        for name, values in zip(("Signature-Input", "Signature"), zip(*made, strict=True), strict=True):
            request.headers[name] = ", ".join(values)

    return Deviation("covers_nothing_beside", rules("covers-target", "covers-body", "signature-verifies"), send)


def signs_twice(*, crosswise: bool) -> Deviation:
    """Signs rightly under two labels, whose signatures stand in the order of what they cover, or in the other one."""

    def send(signer: RequestSigner, request: httpx.Request) -> None:
        signer.digest(request)
        made = []
        for label in ("one", "two"):
            signer.sign(request, label=label)
            made.append([request.headers.pop(name) for name in ("Signature-Input", "Signature")])
        inputs, signatures = zip(*made, strict=True)
        request.headers["Signature-Input"] = ", ".join(inputs)
        request.headers["Signature"] = ", ".join(reversed(signatures) if crosswise else signatures)

    return Deviation("signs_twice", rules(), send)


def covers_another_field(name: str, *lines: str) -> Deviation:
    """Signs rightly, and covers one more header field, which comes in so many lines."""

    def send(signer: RequestSigner, request: httpx.Request) -> None:
        request.headers = httpx.Headers([*request.headers.multi_items(), *((name, line) for line in lines)])
        _sign_otherwise(signer, request, components=(*signer.components, name.lower()))

    return Deviation("covers_another_field", rules(), send)


# ------------------------------------------------------------------------------------------------------------- digest


@deviation("digests-sent-bytes", "covers-body")
def undigested(signer: RequestSigner, request: httpx.Request) -> None:
    """Sends no Content-Digest."""
    signer.sign(request)


@deviation("digests-sent-bytes")
def digests_another_body(signer: RequestSigner, request: httpx.Request) -> None:
    """Sends the digest of another body, and signs that."""
    request.headers["Content-Digest"] = content_digest(OTHER_BODY)
    signer.sign(request)


@deviation("digests-sent-bytes")
def changes_body(signer: RequestSigner, request: httpx.Request) -> httpx.Request:
    """Digests and signs, then sends another body."""
    signer.digest(request)
    signer.sign(request)
    return _with(request, body=OTHER_BODY)


@deviation("digest-algorithm")
def digests_with_md5(signer: RequestSigner, request: httpx.Request) -> None:
    """Sends a digest of an algorithm that is out of use."""
    digest = hashes.Hash(hashes.MD5())  # noqa: S303  (wrong on purpose)
    digest.update(request.content)
    request.headers["Content-Digest"] = f"md5=:{base64.b64encode(digest.finalize()).decode()}:"
    signer.sign(request)


@deviation()
def digests_with_sha_512(signer: RequestSigner, request: httpx.Request) -> None:
    """Sends a digest of sha-512."""
    request.headers["Content-Digest"] = content_digest(request.content, "sha-512")
    signer.sign(request)


def digests_otherwise(value: str) -> Deviation:
    """Sends another Content-Digest than the body has, and signs that.

    Args:
        value: The value of the field.
    """
    return Deviation("digests_otherwise", rules("digests-sent-bytes"), _digested_as(value))


def writes_digest_otherwise(value: str) -> Deviation:
    """Sends the right Content-Digest in another form, and signs that.

    Args:
        value: The value of the field.
    """
    return Deviation("writes_digest_otherwise", rules(), _digested_as(value))


def digests_twice(*, lines: int, between: str = ", ") -> Deviation:
    """Sends a digest of an algorithm of its own and that of sha-256, in one line or each in its own (RFC 9110, 5.3)."""

    def send(signer: RequestSigner, request: httpx.Request) -> None:
        digests = [
            f"length=:{base64.b64encode(b'%d' % len(request.content)).decode()}:",
            content_digest(request.content),
        ]
        values = digests if lines > 1 else [between.join(digests)]
        headers = [*request.headers.multi_items(), *(("Content-Digest", value) for value in values)]
        request.headers = httpx.Headers(headers)
        signer.sign(request)

    return Deviation("digests_twice", rules(), send)


def _digested_as(value: str) -> Send:
    def send(signer: RequestSigner, request: httpx.Request) -> None:
        request.headers["Content-Digest"] = value
        signer.sign(request)

    return send
