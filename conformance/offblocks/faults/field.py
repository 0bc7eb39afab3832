"""What is wrong with how the fields, the target and the ids of a request are read, which most requests do not show."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import unquote

from conformance.exchange import Request, Response
from conformance.offblocks.sandbox import Call, OffBlocks, Refused, Status, Tenant
from conformance.sandbox.faults import Fault
from conformance.sandbox.messages import json_response
from conformance.sandbox.service import Operation
from conformance.standards import message_signatures
from conformance.standards.digest_fields import DigestRejected, Reason
from conformance.standards.message_signatures import SignatureRejected

_BASE = ("offblocks.signature.base-by-the-standard", "offblocks.signature.right-one-accepted")
_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
_KNOWN = ("sha-256=", "sha-512=")
_PAGE = 20


# ----------------------------------------------------------------------------------------------------- what was signed


class _ReadsOtherwise(Fault, OffBlocks, abstract=True):
    """Verifies signatures over something else than the request that came."""

    def as_read(self, request: Request) -> Request:
        """The request as it is verified."""
        return request

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        return super().verify_request_signature(tenant, self.as_read(request))


class SplitsFieldsWithinTexts(_ReadsOtherwise):
    """Splits Signature-Input at each comma, be it within a text."""

    breaks = _BASE

    def as_read(self, request: Request) -> Request:
        if re.search(r'="[^"]*,', request.header("Signature-Input") or ""):
            raise SignatureRejected(message_signatures.Reason.MALFORMED, "Signature-Input cannot be read.")
        return request


class LosesEscapesInTexts(_ReadsOtherwise):
    """Writes the texts in Signature-Input anew without their escapes."""

    breaks = _BASE

    def as_read(self, request: Request) -> Request:
        value = (request.header("Signature-Input") or "").replace("\\", "")
        others = [line for line in request.headers if line[0].lower() != "signature-input"]
        return replace(request, headers=(*others, ("Signature-Input", value)))


class DecodesTheQueryBeforeVerifying(_ReadsOtherwise):
    """Verifies the query as it is decoded."""

    breaks = _BASE

    def as_read(self, request: Request) -> Request:
        path, mark, query = request.url.partition("?")
        return replace(request, url=f"{path}{mark}{unquote(query)}")


class SortsTheQueryBeforeVerifying(_ReadsOtherwise):
    """Verifies the query with its parameters in the order of their names."""

    breaks = _BASE

    def as_read(self, request: Request) -> Request:
        path, mark, query = request.url.partition("?")
        return replace(request, url=f"{path}{mark}{'&'.join(sorted(query.split('&')))}")


class WritesEscapesInCapitals(_ReadsOtherwise):
    """Verifies the target with its escapes in capitals."""

    breaks = _BASE

    def as_read(self, request: Request) -> Request:
        return replace(request, url=_ESCAPE.sub(lambda escape: escape[0].upper(), request.url))


class WritesEscapesInSmallLetters(_ReadsOtherwise):
    """Verifies the target with its escapes in small letters."""

    breaks = _BASE

    def as_read(self, request: Request) -> Request:
        return replace(request, url=_ESCAPE.sub(lambda escape: escape[0].lower(), request.url))


class PassesOverTheEndOfSignatures(Fault, OffBlocks):
    """Does not look at the end that a signature gives itself."""

    breaks = ("offblocks.signature.expired-refused",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        try:
            return super().verify_request_signature(tenant, request)
        except SignatureRejected as rejection:
            if rejection.reason is not message_signatures.Reason.EXPIRED:
                raise
            return message_signatures.declared_signatures(request.headers)[0][0].components


class CountsWhatAnySignatureCovers(Fault, OffBlocks):
    """Verifies the first signature alone, and takes what another one covers for covered."""

    breaks = ("offblocks.signature.covering-nothing-refused",)

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        (first, _), *others = message_signatures.declared_signatures(request.headers)
        message_signatures.verify(
            request.method,
            request.url,
            request.headers,
            key_for=lambda key_id: self.signing_key_for(tenant, key_id),
            now=self.now(),
            algorithms=self.accepted_algorithms(),
            max_age=self.signature_max_age(),
            max_ahead=self.signature_max_ahead(),
            labels={first.label},
        )
        return (*first.components, *(component for other, _ in others for component in other.components))


# -------------------------------------------------------------------------------------------------------------- digest


class LooksAtTheFirstDigestAlone(Fault, OffBlocks):
    """Passes over a list of digests whose first one is of an algorithm that it does not know."""

    breaks = ("offblocks.digest.mismatch-refused",)

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        if not (value and ", " in value and not value.startswith(_KNOWN)):
            super().check_content_digest(body, value)


class TakesAnUnknownDigestForRight(Fault, OffBlocks):
    """Takes a body for whole as soon as one of its digests is not known to be wrong."""

    breaks = ("offblocks.digest.mismatch-refused",)

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        digests = value.split(", ") if value else []
        if len(digests) == 1 or all(each.startswith(_KNOWN) for each in digests):
            super().check_content_digest(body, value)


class DigestsBodiesWithoutTheirEnds(Fault, OffBlocks):
    """Digests a body without the blanks and line feeds around it."""

    breaks = ("offblocks.digest.mismatch-refused", "offblocks.customer.created-with-201")

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        super().check_content_digest(body.strip(), value)


class WantsABlankBetweenDigests(Fault, OffBlocks):
    """Refuses two digests with a comma and no blank between them."""

    breaks = ("offblocks.response.same-value-accepted",)

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        if value and re.search(r":,\S", value):
            raise DigestRejected(Reason.MALFORMED, "Content-Digest cannot be read.")
        super().check_content_digest(body, value)


class WantsAKnownDigestFirst(Fault, OffBlocks):
    """Reads the first of several digests alone, and refuses one of an algorithm that it does not know."""

    breaks = ("offblocks.response.same-value-accepted",)

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        super().check_content_digest(body, value.partition(",")[0] if value else value)


class DigestsBodiesOfABareMediaTypeAlone(Fault, OffBlocks):
    """Compares no digest where the media type has a parameter."""

    breaks = ("offblocks.digest.mismatch-refused",)

    def check_digest(self, call: Call) -> None:
        if ";" not in (call.request.header("Content-Type") or ""):
            super().check_digest(call)


class SignsWhatIsRefused(Fault, OffBlocks):
    """Carries out a signing before it refuses it for its signature."""

    breaks = ("offblocks.signature.refusal-has-no-effect",)

    def check_request_signature(self, call: Call) -> None:
        try:
            super().check_request_signature(call)
        except Refused:
            if call.operation == "signChallenge":
                self.change_status(self.find_customer(call), Status.SCREENING)
            raise


class SignsForWhoeverAsks(Fault, OffBlocks):
    """Carries out a signing before it looks for a token, and refuses it then."""

    breaks = ("offblocks.authentication.refusal-has-no-effect",)

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        customer = self.customers.get(parameters.get("customerId", ""))
        if operation.id == "signChallenge" and customer is not None and request.header("Authorization") is None:
            self.change_status(customer, Status.SCREENING)
        return await super().perform(operation, request, parameters)


# ------------------------------------------------------------------------------------------------- who it is, and whom


class LetsExpiredTokensRegisterKeys(Fault, OffBlocks):
    """Does not look at the end of a token with which a signing key is registered or removed."""

    breaks = ("offblocks.authentication.expired-token-refused",)

    def identify(self, operation: str, request: Request) -> Tenant:
        try:
            return super().identify(operation, request)
        except Refused:
            token = self.bearer_token(request) if operation in {"putSigningKey", "deleteSigningKey"} else ""
            if not self.token_is_ours(token):
                raise
            return self.tenant_of(self.claims_of(token))


class LetsForgedTokensRemoveKeys(Fault, OffBlocks):
    """Does not look at who signed a token with which a signing key is removed."""

    breaks = ("offblocks.authentication.foreign-token-refused", "offblocks.authentication.expired-token-refused")

    def authenticate(self, request: Request) -> Tenant:
        if request.method != "DELETE":
            return super().authenticate(request)
        return self.tenant_of(self.claims_of(self.bearer_token(request)))


class TakesTheSecretOfAnyClient(Fault, OffBlocks):
    """Takes any client's secret with any client's key."""

    breaks = ("offblocks.authentication.wrong-secret-refused",)

    def secret_is_right(self, tenant: Tenant, api_secret: str) -> bool:
        return api_secret in {each.api_secret for each in self.tenants.values()}


class KnowsRandomUuidsAlone(Fault, OffBlocks):
    """Takes no text for a customer's id that is not a UUID of version 4."""

    breaks = ("offblocks.challenge.unknown-customer-is-404",)

    def customer_id_is_well_formed(self, customer_id: str) -> bool:
        return super().customer_id_is_well_formed(customer_id) and customer_id[14] == "4"


# ---------------------------------------------------------------------------------------------------------------- lists


class ListsTwentyCustomers(Fault, OffBlocks):
    """Lists the latest twenty customers, and says nothing of the others."""

    breaks = ("offblocks.customer.listed",)

    async def list_customers(self, call: Call) -> Response:
        answer = await super().list_customers(call)
        return json_response(200, answer.json()[-_PAGE:])


class ListsCustomersOncePerChallenge(Fault, OffBlocks):
    """Lists a customer as often as it was given a challenge."""

    breaks = ("offblocks.customer.listed-once",)

    async def list_customers(self, call: Call) -> Response:
        found = (await super().list_customers(call)).json()
        return json_response(200, [each for each in found for _ in self.customers[each["id"]].challenges])


class TakesEmptyFieldsForAbsent(Fault, OffBlocks):
    """Refuses a signature that covers a field with an empty value, as if the field were missing."""

    breaks = ("offblocks.signature.base-by-the-standard", "offblocks.signature.right-one-accepted")

    def verify_at(self, instant: datetime, tenant: Tenant, request: Request) -> tuple[str, ...]:
        covered = super().verify_at(instant, tenant, request)
        if any(request.header(name) == "" for name in covered):
            raise SignatureRejected(message_signatures.Reason.COMPONENT_MISSING, "A covered field is missing.")
        return covered
