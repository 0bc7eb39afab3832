"""What a server behind a proxy takes from fields that anybody can send, and other ways to read one request as two."""

import base64
import re
from dataclasses import replace
from urllib.parse import urlsplit

from conformance.exchange import Request
from conformance.offblocks.sandbox import Call, OffBlocks, Reason, Refused, Tenant
from conformance.sandbox.faults import Fault
from conformance.standards import message_signatures

_BYTES = re.compile(":([A-Za-z0-9+/=]*):")
_SIZE = 96


def _without(request: Request, name: str, *, but: int) -> Request:
    """The request with one line alone of a field: the one of that number."""
    lines = [each for each in request.headers if each[0].lower() == name]
    others = [each for each in request.headers if each[0].lower() != name]
    return replace(request, headers=(*others, *([lines[but]] if lines else [])))


class BelievesTheForwardedHost(Fault, OffBlocks):
    """Takes X-Forwarded-Host for the host that a signature must cover."""

    breaks = ("offblocks.signature.binds-authority",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        host = request.header("x-forwarded-host")
        if host is not None:
            headers = tuple((name, host if name.lower() == "host" else value) for name, value in request.headers)
            url = urlsplit(request.url)._replace(netloc=host).geturl()
            request = replace(request, url=url, headers=headers)
        return super().verify_request_signature(tenant, request)


class BelievesTheOverriddenMethod(Fault, OffBlocks):
    """Takes X-HTTP-Method-Override for the method that a signature must cover, and does what the request line says."""

    breaks = ("offblocks.signature.binds-method",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        method = request.header("x-http-method-override") or request.method
        return super().verify_request_signature(tenant, replace(request, method=method))


class BelievesTheOriginalUrl(Fault, OffBlocks):
    """Takes X-Original-URL for the path that a signature must cover, and does what the request line says."""

    breaks = ("offblocks.signature.binds-path",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        path = request.header("x-original-url")
        url = urlsplit(request.url)._replace(path=path).geturl() if path else request.url
        return super().verify_request_signature(tenant, replace(request, url=url))


class DigestsByTheLastLine(Fault, OffBlocks):
    """Verifies the first line of Content-Digest, and compares the body with the last."""

    breaks = ("offblocks.signature.binds-body",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        return super().verify_request_signature(tenant, _without(request, "content-digest", but=0))

    def check_digest(self, call: Call) -> None:
        super().check_digest(replace(call, request=_without(call.request, "content-digest", but=-1)))


class AnswersHeadToAnybody(Fault, OffBlocks):
    """Asks for no token and no signature where the headers alone are asked for."""

    breaks = ("offblocks.authentication.missing-token-refused", "offblocks.signature.missing-refused")

    def authenticate(self, request: Request) -> Tenant:
        return next(iter(self.tenants.values())) if request.method == "HEAD" else super().authenticate(request)

    def check_request_signature(self, call: Call) -> None:
        if call.request.method != "HEAD":
            super().check_request_signature(call)


class CutsLongSignatures(Fault, OffBlocks):
    """Looks at the first 96 bytes of a signature, whatever comes behind them."""

    breaks = ("offblocks.signature.wrong-key-refused",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        def cut(found: re.Match[str]) -> str:
            return f":{base64.b64encode(base64.b64decode(found[1])[:_SIZE]).decode()}:"

        headers = tuple(
            (name, _BYTES.sub(cut, value) if name.lower() == "signature" else value) for name, value in request.headers
        )
        return super().verify_request_signature(tenant, replace(request, headers=headers))


class AcceptsZeros(Fault, OffBlocks):
    """Takes a signature of zeros for one of every key, as Java did (CVE-2022-21449)."""

    breaks = ("offblocks.signature.wrong-key-refused",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        if f":{base64.b64encode(bytes(_SIZE)).decode()}:" in (request.header("signature") or ""):
            return message_signatures.declared_signatures(request.headers)[0][0].components
        return super().verify_request_signature(tenant, request)


class PairsSignaturesByTheirOrder(Fault, OffBlocks):
    """Takes the first signature for that of what is covered first, whatever their labels."""

    breaks = (
        "offblocks.signature.any-order-and-label",
        "offblocks.signature.right-one-accepted",
        "offblocks.signature.base-by-the-standard",
    )

    def check_request_signature(self, call: Call) -> None:
        names = ("signature-input", "signature")
        labels = [re.findall(r"(?:^|, *)([a-z*][a-z0-9_*.-]*)=", call.request.header(name) or "") for name in names]
        if len(labels[0]) > 1 and labels[0] != labels[1]:
            raise Refused(Reason.REQUEST_SIGNATURE, "The signature does not verify.")
        super().check_request_signature(call)
