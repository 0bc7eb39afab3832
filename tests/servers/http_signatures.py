"""Verifies HTTP message signatures (ecdsa-p384-sha384) and content digests, by the RFCs, with no library of theirs."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

ALGORITHM = "ecdsa-p384-sha384"
MEMBER = re.compile(
    r"\s*([a-z*][a-z0-9_.*-]*)=\s*"
    r"(\([^)]*\)(?:\s*;\s*[a-z*][a-z0-9_.*-]*(?:=(?:\"(?:[^\"\\]|\\.)*\"|[^\",;\s]+))?)*)\s*(?:,|$)"
)
SIGNATURE = re.compile(r"\s*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):\s*(?:,|$)")
COMPONENT = re.compile(r'"([^"]+)"((?:;[a-z]+(?:="[^"]*")?)*)')
PARAMETER = re.compile(r';\s*([a-z][a-z0-9_.*-]*)=("(?:[^"\\]|\\.)*"|-?\d+|:[^:]*:)')


class SignatureError(Exception):
    """Says why a signature or digest does not hold."""


@dataclass(frozen=True)
class Request:
    """What of a request a signature can cover."""

    method: str
    scheme: str
    authority: str
    target: str
    headers: Mapping[str, list[str]]  # by name in lower case

    def field(self, name: str) -> str:
        """Gives the field's lines as one."""
        if name not in self.headers:
            raise SignatureError(f"the field {name} is covered, but not there")
        return ", ".join(line.strip() for line in self.headers[name])


def members(pattern: re.Pattern[str], text: str) -> dict[str, str]:
    """Splits a dictionary of labels; anything left over makes it malformed."""
    found: dict[str, str] = {}
    place = 0
    while place < len(text):
        match = pattern.match(text, place)
        if match is None or match.end() == place:
            raise SignatureError("a signature field is malformed")
        found[match[1]] = match[2]
        place = match.end()
    return found


def component_value(request: Request, name: str, parameters: str) -> str:
    path, question, query = request.target.partition("?")
    match name:
        case "@query-param":
            wanted = re.fullmatch(r';name="([^"]*)"', parameters)
            values = [value for key, value in parse_qsl(query, keep_blank_values=True) if wanted and key == wanted[1]]
            if len(values) != 1:
                raise SignatureError("@query-param names no single parameter")
            return quote(values[0], safe="")
        case _ if parameters:
            raise SignatureError(f"parameters of the component {name} are not supported")
        case "@method":
            return request.method
        case "@authority":
            default = {"http": ":80", "https": ":443"}[request.scheme]
            return request.authority.lower().removesuffix(default)
        case "@scheme":
            return request.scheme
        case "@target-uri":
            return f"{request.scheme}://{request.authority}{request.target}"
        case "@request-target":
            return request.target
        case "@path":
            return path or "/"
        case "@query":
            return "?" + query if question else "?"
        case _ if name.startswith("@"):
            raise SignatureError(f"the component {name} is not known")
        case _:
            return request.field(name)


def covered(text: str) -> list[tuple[str, str]]:
    inner = text[1 : text.index(")")]
    found = COMPONENT.findall(inner)
    if " ".join(f'"{name}"{parameters}' for name, parameters in found) != " ".join(inner.split()):
        raise SignatureError("the list of covered components is malformed")
    if len(set(found)) != len(found):
        raise SignatureError("a component is covered twice")
    return [(name, parameters) for name, parameters in found]


def verify(
    request: Request,
    keys: Mapping[str, ec.EllipticCurvePublicKey],
    now: float,
    *,
    oldest: float,
    ahead: float,
    required: list[set[str]],
    unknown_key_holds: bool = False,
) -> None:
    """Raises SignatureError unless every signature holds; of each set in `required`, one component must be covered."""
    inputs = members(MEMBER, request.field("signature-input"))
    signatures = members(SIGNATURE, request.field("signature"))
    if inputs.keys() != signatures.keys() or not inputs:
        raise SignatureError("Signature and Signature-Input name different signatures")
    for label, text in inputs.items():
        components = covered(text)
        tail = text[text.index(")") + 1 :]
        parameters = dict(PARAMETER.findall(tail))
        if re.sub(PARAMETER, "", tail).strip():
            raise SignatureError("a parameter of the signature is malformed")
        names = {name for name, _ in components}
        for choice in required:
            if not names & choice:
                raise SignatureError(f"the signature has to cover {' or '.join(sorted(choice))}")
        check_times(parameters, now, oldest=oldest, ahead=ahead)
        if parameters.get("alg", f'"{ALGORITHM}"') != f'"{ALGORITHM}"':
            raise SignatureError("the algorithm is not supported")
        key = keys.get(parameters.get("keyid", "").strip('"'))
        if key is None:
            if unknown_key_holds:
                continue
            raise SignatureError("the key is not known")
        lines = [f'"{name}"{extra}: {component_value(request, name, extra)}' for name, extra in components]
        base = "\n".join([*lines, f'"@signature-params": {text.strip()}'])
        check_bytes(key, signatures[label], base)


def check_times(parameters: Mapping[str, str], now: float, *, oldest: float, ahead: float) -> None:
    created, expires = parameters.get("created"), parameters.get("expires")
    if created is None or not re.fullmatch(r"\d+", created):
        raise SignatureError("the signature has to say when it was created")
    if int(created) > now + ahead or int(created) < now - oldest:
        raise SignatureError("the signature was not created just now")
    if expires is not None and int(expires) < now:
        raise SignatureError("the signature has expired")


def check_bytes(key: ec.EllipticCurvePublicKey, encoded: str, base: str) -> None:
    try:
        raw = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise SignatureError("the signature is not base64") from error
    if len(raw) != 96:
        raise SignatureError("the signature has to be 96 bytes, r and s")
    pair = utils.encode_dss_signature(int.from_bytes(raw[:48], "big"), int.from_bytes(raw[48:], "big"))
    try:
        key.verify(pair, base.encode("latin-1"), ec.ECDSA(hashes.SHA384()))
    except InvalidSignature as error:
        raise SignatureError("the signature does not verify") from error


def verify_digest(field: str, body: bytes) -> None:
    """Raises SignatureError unless a digest of SHA-256 or SHA-512 is there and each one is the body's."""
    known = 0
    for member in field.split(","):
        match = re.fullmatch(r"\s*([a-z0-9-]+)=:([A-Za-z0-9+/=]+):\s*", member)
        if match is None:
            raise SignatureError("Content-Digest is malformed")
        if match[1] in {"sha-256", "sha-512"}:
            known += 1
            digest = hashlib.new(match[1].replace("-", ""), body).digest()
            if base64.b64encode(digest).decode() != match[2]:
                raise SignatureError("Content-Digest is not the digest of the body")
    if not known:
        raise SignatureError("Content-Digest names no algorithm that is supported")
