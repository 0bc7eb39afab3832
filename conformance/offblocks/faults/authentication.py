"""Tokens that are taken or given wrongly, and signing keys that are."""

import base64
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from conformance.clock import pause
from conformance.exchange import Request, Response
from conformance.offblocks.sandbox import Call, OffBlocks, Reason, Refused, Tenant
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import json_response
from conformance.sandbox.service import Operation
from conformance.standards import message_signatures

_ONE_IN = 50
_SECONDS_NOW_AND_THEN = 2
_LEAST_LEFT = 600
"""Seconds to the end of a token that is given again."""


_OF_ACCESS = {Reason.CREDENTIALS, Reason.TOKEN}
_OF_BODIES = {Reason.BODY, Reason.ACCOUNT_ID, Reason.IDEMPOTENCY_KEY, Reason.CUSTOMER_ID}


class RefusesAccessWith403(Variation, OffBlocks):
    """Refuses wrong credentials and tokens with 403."""

    permits = "401 is listed for them, and no sentence says that such a refusal has no other status."

    def refusal_status(self, reason: Reason) -> int:
        return 403 if reason in _OF_ACCESS else super().refusal_status(reason)


class RefusesAccessWith400(Variation, OffBlocks):
    """Refuses wrong credentials and tokens with 400."""

    permits = "401 is listed for them, and no sentence says that such a refusal has no other status."

    def refusal_status(self, reason: Reason) -> int:
        return 400 if reason in _OF_ACCESS else super().refusal_status(reason)


class RefusesBodiesWith401(Variation, OffBlocks):
    """Refuses wrong bodies, ids and idempotency keys with 401."""

    permits = "400 is listed for them, and no sentence says that such a refusal has no other status."

    def refusal_status(self, reason: Reason) -> int:
        return 401 if reason in _OF_BODIES else super().refusal_status(reason)


class SaysNoEndOfTokens(Fault, OffBlocks):
    """Answers with a token alone, which is no JSON Web Token that says when it ends."""

    breaks = ("offblocks.response.shows-printed-members", "offblocks.response.matches-inferred-schema")

    async def create_token(self, call: Call) -> Response:
        token = str((await super().create_token(call)).members()["token"])
        plain = self.token_alone(token)
        return json_response(200, {"token": plain})

    def token_alone(self, token: str) -> str:
        """A text that stands for a token."""
        known: dict[str, str] = self.__dict__.setdefault("tokens_alone", {})
        return known.setdefault(token, f"{len(known):04}{self.signature_of_token(token)}")

    def bearer_token(self, request: Request) -> str:
        """The token that the text in the Authorization header stands for."""
        sent = super().bearer_token(request)
        known: dict[str, str] = self.__dict__.get("tokens_alone", {})
        return next((token for token, plain in known.items() if plain == sent), sent)


class AnswersTokensWith201(Fault, OffBlocks):
    """Answers a request for a token with 201."""

    breaks = ("offblocks.authentication.token-issued",)

    async def create_token(self, call: Call) -> Response:
        return replace(await super().create_token(call), status=201)


class IssuesTokensForADay(Fault, OffBlocks):
    """Issues tokens that hold for a day."""

    breaks = ("offblocks.authentication.token-lives-an-hour",)

    def token_lifetime(self) -> timedelta:
        return timedelta(days=1)


class IssuesTokensForHalfAnHour(Fault, OffBlocks):
    """Issues tokens that hold for half an hour."""

    breaks = ("offblocks.authentication.token-lives-an-hour",)

    def token_lifetime(self) -> timedelta:
        return timedelta(minutes=30)


class GivesTheTokenThatHolds(Variation, OffBlocks):
    """Gives the token that a client was given before, with its own end, as long as that is ten minutes away."""

    permits = "A token lives an hour, and no sentence says that a client is given a new one each time that it asks."

    @cached_property
    def _given(self) -> dict[str, tuple[str, int]]:
        return {}

    async def create_token(self, call: Call) -> Response:
        token, end = self._given.get(call.tenant.id, ("", 0))
        if end - self.now().timestamp() > _LEAST_LEFT and self.token_is_ours(token):
            return json_response(HTTPStatus.OK, {"token": token, "expiresAt": end, "tokenType": self.token_type()})
        answer = await super().create_token(call)
        given = json.loads(answer.body)
        self._given[call.tenant.id] = given["token"], given["expiresAt"]
        return answer


class AcceptsAnySecret(Fault, OffBlocks):
    """Issues tokens for an API key whatever the secret."""

    breaks = ("offblocks.authentication.wrong-secret-refused",)

    def secret_is_right(self, tenant: Tenant, api_secret: str) -> bool:
        return True


class AcceptsMissingToken(Fault, OffBlocks):
    """Takes a request without a token for the first tenant's."""

    breaks = ("offblocks.authentication.missing-token-refused", "offblocks.authentication.refusal-has-no-effect")
    category = "F207"

    def authenticate(self, request: Request) -> Tenant:
        return self.tenants["first"] if request.header("authorization") is None else super().authenticate(request)


class AcceptsMalformedToken(Fault, OffBlocks):
    """Takes a request with something that is no token for the first tenant's."""

    breaks = ("offblocks.authentication.malformed-token-refused", "offblocks.authentication.refusal-has-no-effect")

    def authenticate(self, request: Request) -> Tenant:
        return self.tenants["first"] if "." not in self.bearer_token(request) else super().authenticate(request)


class AcceptsForeignToken(Fault, OffBlocks):
    """Does not look at the signature of a token."""

    breaks = ("offblocks.authentication.foreign-token-refused",)

    def token_is_ours(self, token: str) -> bool:
        return True


class AcceptsUnsignedToken(Fault, OffBlocks):
    """Takes a token that is not signed for what it claims."""

    breaks = ("offblocks.authentication.foreign-token-refused",)

    def authenticate(self, request: Request) -> Tenant:
        _, claims, signature = [*self.bearer_token(request).split("."), "", "", ""][:3]
        if claims and not signature:
            return self.tenant_of(json.loads(base64.urlsafe_b64decode(claims + "==")))
        return super().authenticate(request)


class AcceptsExpiredToken(Fault, OffBlocks):
    """Takes tokens whose time is over."""

    breaks = ("offblocks.authentication.expired-token-refused",)

    def token_has_expired(self, claims: Mapping[str, Any]) -> bool:
        return False


class CreatesBeforeItRefuses(Fault, OffBlocks):
    """Answers 401, but has created the customer."""

    breaks = ("offblocks.authentication.refusal-has-no-effect", "offblocks.signature.refusal-has-no-effect")
    category = "F104"

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        response = await super().perform(operation, request, parameters)
        if operation.id == "createCustomer" and response.status == HTTPStatus.UNAUTHORIZED:
            with suppress(Refused):
                await self.create_customer(Call(operation.id, request, self.tenants["first"], parameters))
        return response


class KeepsTheFirstKey(Fault, OffBlocks):
    """Gives a new key an id, and goes on with the one before."""

    breaks = ("offblocks.authentication.registered-key-signs", "offblocks.signature.right-one-accepted")
    category = "F205"

    def keys_after_registration(
        self, tenant: Tenant, key_id: str, key: ec.EllipticCurvePublicKey
    ) -> dict[str, ec.EllipticCurvePublicKey]:
        return tenant.signing_keys


class KeepsRemovedKeys(Fault, OffBlocks):
    """Says that a key is removed, and goes on taking it."""

    breaks = ("offblocks.authentication.removed-key-refused",)
    category = "F103"

    async def delete_signing_key(self, call: Call) -> Response:
        return Response(status=204)


class RefusesUnsignedKeyRegistration(Variation, OffBlocks):
    """Registers and removes keys only by signed requests."""

    permits = "Request Signatures asks for a signature on every authenticated request; its block for keys lists none."

    def signature_is_required(self, operation: str) -> bool:
        return operation != "createToken"


class IgnoresTokens(Fault, OffBlocks):
    """Goes by the key of the signature, and looks at no token."""

    breaks = (
        "offblocks.authentication.missing-token-refused",
        "offblocks.authentication.malformed-token-refused",
        "offblocks.authentication.foreign-token-refused",
        "offblocks.authentication.expired-token-refused",
        "offblocks.authentication.refusal-has-no-effect",
        "offblocks.signature.other-clients-key-refused",
    )
    category = "F207"

    def authenticate(self, request: Request) -> Tenant:
        signed = request.header("signature-input") or ""
        holders = [each for each in self.tenants.values() if any(key_id in signed for key_id in each.signing_keys)]
        return holders[0] if holders else super().authenticate(request)


class SaysWhenTokensExpireInMilliseconds(Fault, OffBlocks):
    """Says in milliseconds when a token expires."""

    breaks = ("offblocks.response.matches-schema",)

    async def create_token(self, call: Call) -> Response:
        members = (await super().create_token(call)).members()
        return json_response(200, {**members, "expiresAt": members["expiresAt"] * 1000})


class TakesTwoSecondsNowAndThen(Variation, OffBlocks):
    """Takes two seconds for one answer in fifty."""

    permits = "No document says how soon an answer comes."

    async def answer(self, request: Request, path: str) -> Response:
        drawn = self.__dict__.setdefault("pauses", self.ids.child("pauses")).below(_ONE_IN)
        await pause(0 if drawn else _SECONDS_NOW_AND_THEN)
        return await super().answer(request, path)


class ComparesTheStartOfSecrets(Fault, OffBlocks):
    """Compares sixteen characters of a secret and no more."""

    breaks = ("offblocks.authentication.wrong-secret-refused",)

    def secret_is_right(self, tenant: Tenant, api_secret: str) -> bool:
        return super().secret_is_right(tenant, api_secret[:16] + tenant.api_secret[16:])


class ComparesSecretsWithoutCase(Fault, OffBlocks):
    """Compares secrets in lower case."""

    breaks = ("offblocks.authentication.wrong-secret-refused",)

    def secret_is_right(self, tenant: Tenant, api_secret: str) -> bool:
        return super().secret_is_right(tenant, api_secret.lower())


class ComparesTheStartOfTokenSignatures(Fault, OffBlocks):
    """Compares sixteen characters of a token's signature."""

    breaks = ("offblocks.authentication.foreign-token-refused",)

    def token_is_ours(self, token: str) -> bool:
        signed, _, signature = token.rpartition(".")
        return self.signature_of_token(signed)[:16] == signature[:16]


class ReadsTheSchemeToTheLetter(Fault, OffBlocks):
    """Takes a token only behind the very word ``Bearer``."""

    breaks = ("offblocks.response.same-value-accepted",)

    def bearer_token(self, request: Request) -> str:
        if (request.header("authorization") or "Bearer ").partition(" ")[0] != "Bearer":
            raise Refused(Reason.TOKEN, "The Authorization header must begin with 'Bearer '.")
        return super().bearer_token(request)


class SignsTheClaimsOfTokensAlone(Fault, OffBlocks):
    """Signs what a token claims and not the header before it, so that a token with another header holds too."""

    breaks = ("offblocks.authentication.foreign-token-refused",)

    def signature_of_token(self, signed: str) -> str:
        return super().signature_of_token(signed.partition(".")[2])


class EndsTokensWhenAnotherIsGiven(Fault, OffBlocks):
    """Takes the token that a client was given last, and none before it."""

    breaks = ("offblocks.authentication.token-lives-an-hour",)

    @cached_property
    def _given(self) -> dict[str, str]:
        return {}

    def new_token(self, tenant: Tenant, expires_at: int) -> str:
        self._given[tenant.id] = super().new_token(tenant, expires_at)
        return self._given[tenant.id]

    def authenticate(self, request: Request) -> Tenant:
        tenant = super().authenticate(request)
        if self.bearer_token(request) != self._given.get(tenant.id):
            raise Refused(Reason.TOKEN, "Another token was given since.")
        return tenant


class EndsTokensAMinuteEarly(Fault, OffBlocks):
    """Refuses a token for the last minute before its expiresAt."""

    breaks = ("offblocks.authentication.token-lives-an-hour",)

    def token_has_expired(self, claims: Mapping[str, Any]) -> bool:
        return self.now().timestamp() >= int(claims["exp"]) - 55


class ReadsSecretsAsPatterns(Fault, OffBlocks):
    """Looks the secret up as SQL's LIKE does: a per cent sign stands for any characters, an underscore for one."""

    breaks = ("offblocks.authentication.wrong-secret-refused",)

    def secret_is_right(self, tenant: Tenant, api_secret: str) -> bool:
        pattern = re.escape(api_secret).replace("%", ".*").replace("_", ".")
        return re.fullmatch(pattern, tenant.api_secret) is not None


class ReadsApiKeysToTheLetter(Fault, OffBlocks):
    """Knows no API key in capitals."""

    breaks = ("offblocks.response.same-value-accepted",)

    def tenant_with(self, api_key: str, api_secret: str) -> Tenant:
        if api_key != api_key.lower():
            raise Refused(Reason.CREDENTIALS, "The API key is unknown.")
        return super().tenant_with(api_key, api_secret)


class TellsTheRightSecret(Fault, OffBlocks):
    """Says in the refusal of a wrong secret which one was expected."""

    breaks = ("offblocks.authentication.refusal-tells-no-secret",)

    def tenant_with(self, api_key: str, api_secret: str) -> Tenant:
        try:
            return super().tenant_with(api_key, api_secret)
        except Refused as refusal:
            right = [each.api_secret for each in self.tenants.values() if each.api_key == api_key.lower()]
            raise Refused(refusal.reason, f"Expected {' or '.join(right)}, got {api_secret}.") from None


class TellsTheRightSignature(Fault, OffBlocks):
    """Says in the refusal of a forged token which signature was expected."""

    breaks = ("offblocks.authentication.refusal-tells-no-secret",)

    def token_is_ours(self, token: str) -> bool:
        if not super().token_is_ours(token):
            raise Refused(Reason.TOKEN, f"Expected {self.signature_of_token(token.rpartition('.')[0])}.")
        return True


class KeepsAKeyUntilTheNextIsUsed(Fault, OffBlocks):
    """Takes the signatures of a replaced key until a request comes that the new one signed."""

    breaks = ("offblocks.authentication.removed-key-refused",)

    def keys_after_registration(
        self, tenant: Tenant, key_id: str, key: ec.EllipticCurvePublicKey
    ) -> dict[str, ec.EllipticCurvePublicKey]:
        return {**tenant.signing_keys, key_id: key}

    def signing_key_for(self, tenant: Tenant, key_id: str) -> message_signatures.PublicKey | None:
        if [*tenant.signing_keys][-1:] == [key_id]:
            tenant.signing_keys = {key_id: tenant.signing_keys[key_id]}
        return super().signing_key_for(tenant, key_id)
