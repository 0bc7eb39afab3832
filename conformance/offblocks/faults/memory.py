"""What servers remember too long, too short or under too little of a name: caches, sessions, stores with a limit."""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from conformance.exchange import Response
from conformance.offblocks.sandbox import Call, OffBlocks, Reason, Refused, Tenant
from conformance.sandbox.faults import Fault
from conformance.sandbox.messages import json_response

_TOKENS = 5
_KEYS = 16
_RENEWED_BEFORE = 600

SigningKeys = dict[str, ec.EllipticCurvePublicKey]


class RemembersVerifiedClaims(Fault, OffBlocks):
    """Remembers which claims it has verified, and takes these with any signature afterwards."""

    breaks = ("offblocks.authentication.foreign-token-refused",)

    @cached_property
    def _verified(self) -> set[str]:
        return set()

    def token_is_ours(self, token: str) -> bool:
        signed = token.rpartition(".")[0]
        if super().token_is_ours(token):
            self._verified.add(signed)
        return signed in self._verified


class RemembersVerifiedSignatures(Fault, OffBlocks):
    """Remembers which signatures of requests it has verified, and takes these for any request afterwards."""

    breaks = ("offblocks.signature.binds-path", "offblocks.authentication.removed-key-refused")

    @cached_property
    def _right(self) -> set[tuple[str, str | None]]:
        return set()

    def check_request_signature(self, call: Call) -> None:
        signature = call.tenant.name, call.request.header("signature")
        if signature not in self._right:
            super().check_request_signature(call)
            self._right.add(signature)


class RemembersLogins(Fault, OffBlocks):
    """Asks a client that was given a token for its key alone, a minute long."""

    breaks = ("offblocks.authentication.wrong-secret-refused",)

    @cached_property
    def _given(self) -> dict[str, datetime]:
        return {}

    def secret_is_right(self, tenant: Tenant, api_secret: str) -> bool:
        now = self.now()
        if super().secret_is_right(tenant, api_secret):
            self._given[tenant.id] = now
        return tenant.id in self._given and (now - self._given[tenant.id]).total_seconds() < 60  # noqa: PLR2004


class KeepsFiveTokens(Fault, OffBlocks):
    """Takes the five tokens that a client was given last, and none before them."""

    breaks = ("offblocks.authentication.token-lives-an-hour",)

    @cached_property
    def _given(self) -> dict[str, list[str]]:
        return {}

    def new_token(self, tenant: Tenant, expires_at: int) -> str:
        token = super().new_token(tenant, expires_at)
        self._given[tenant.id] = [*self._given.get(tenant.id, []), token][-_TOKENS:]
        return token

    def token_is_ours(self, token: str) -> bool:
        return super().token_is_ours(token) and any(token in given for given in self._given.values())


class GivesOlderTokensAsNew(Fault, OffBlocks):
    """Gives the token that a client has, as long as that is good, with the end that a new one would have."""

    breaks = ("offblocks.authentication.token-lives-an-hour", "offblocks.signature.right-one-accepted")

    @cached_property
    def _given(self) -> dict[str, tuple[str, int]]:
        return {}

    def new_token(self, tenant: Tenant, expires_at: int) -> str:
        token, end = self._given.get(tenant.id, ("", 0))
        if end - self.now().timestamp() < _RENEWED_BEFORE:
            token, end = super().new_token(tenant, expires_at), expires_at
            self._given[tenant.id] = token, end
        return token


class BringsReplacedKeysBack(Fault, OffBlocks):
    """Takes the signing key again that was replaced by the one that is removed."""

    breaks = ("offblocks.authentication.removed-key-refused",)

    @cached_property
    def _replaced(self) -> dict[str, list[SigningKeys]]:
        return {}

    def keys_after_registration(self, tenant: Tenant, key_id: str, key: ec.EllipticCurvePublicKey) -> SigningKeys:
        self._replaced.setdefault(tenant.id, []).append(tenant.signing_keys)
        return super().keys_after_registration(tenant, key_id, key)

    async def delete_signing_key(self, call: Call) -> Response:
        answer = await super().delete_signing_key(call)
        if replaced := self._replaced.get(call.tenant.id):
            call.tenant.signing_keys = replaced.pop()
        return answer


class DropsTheKeyForOneItRefuses(Fault, OffBlocks):
    """Removes the signing key before it looks at the next one, which it refuses."""

    breaks = ("offblocks.signature.right-one-accepted",)

    async def put_signing_key(self, call: Call) -> Response:
        call.tenant.signing_keys = {}
        return await super().put_signing_key(call)


class NamesKeysByTheirClient(Fault, OffBlocks):
    """Gives every signing key of a client the same id."""

    breaks = ("offblocks.authentication.key-ids-differ",)

    @cached_property
    def _named(self) -> dict[str, str]:
        return {}

    async def put_signing_key(self, call: Call) -> Response:
        self._named["now"] = call.tenant.id
        return await super().put_signing_key(call)

    def new_signing_key_id(self) -> str:
        return self._named["now"]


class RemembersSixteenKeys(Fault, OffBlocks):
    """Forgets an idempotency key after sixteen others."""

    breaks = ("offblocks.idempotency.repeat-answered-alike", "offblocks.idempotency.repeat-done-once")

    async def once(self, call: Call, key: str) -> Response:
        answer = await super().once(call, key)
        while len(self.records) > _KEYS:
            self.records.pop(next(iter(self.records)))
        return answer


class KeepsKeysBySigningKey(Fault, OffBlocks):
    """Forgets the idempotency keys of requests that were signed with the key before."""

    breaks = ("offblocks.idempotency.repeat-answered-alike", "offblocks.idempotency.changed-payload-refused")

    def idempotency_scope(self, call: Call, key: str) -> Hashable:
        return super().idempotency_scope(call, key), *call.tenant.signing_keys


class ReservesPairsItRefuses(Fault, OffBlocks):
    """Takes a wallet and externalId for known whose creation it refused for the address."""

    breaks = ("offblocks.customer.created-with-201",)

    @cached_property
    def _refused(self) -> set[Hashable]:
        return set()

    async def create_customer(self, call: Call) -> Response:
        members = self.read_document(call.request)
        pair = call.tenant.id, str(members.get("chainId")).lower(), str(members.get("externalId"))
        if pair in self._refused:
            raise Refused(Reason.DUPLICATE_CUSTOMER, "There is a customer with this chainId and externalId already.")
        try:
            return await super().create_customer(call)
        except Refused as refusal:
            if refusal.reason is Reason.ACCOUNT_ID:
                self._refused.add(pair)
            raise


class TakesTheIdThatIsSent(Fault, OffBlocks):
    """Gives a new customer the id that comes with its creation, be it that of another one, who is gone then."""

    breaks = ("offblocks.customer.readable",)

    @cached_property
    def _sent(self) -> dict[str, Any]:
        return {}

    async def create_customer(self, call: Call) -> Response:
        members: Mapping[str, Any] = self.read_document(call.request)
        self._sent["id"] = members.get("id")
        return await super().create_customer(call)

    def new_customer_id(self, *pair: Any) -> str:
        return self._sent["id"] if isinstance(self._sent["id"], str) else super().new_customer_id(*pair)


class TagsCustomersByTheirId(Fault, OffBlocks):
    """Answers 304 to who has read a customer before, however it has changed."""

    breaks = ("offblocks.signing.moves-the-status",)

    async def get_customer(self, call: Call) -> Response:
        answer = await super().get_customer(call)
        tag = f'"{call.parameters["customerId"].lower()}"'
        if call.request.header("if-none-match") == tag:
            return Response((("ETag", tag),), b"", HTTPStatus.NOT_MODIFIED)
        return replace(answer, headers=(*answer.headers, ("ETag", tag)))


class ListsRejectedCustomersAsBefore(Fault, OffBlocks):
    """Keeps the list, and takes notice of new and signed customers alone, not of those who are rejected."""

    breaks = ("offblocks.customer.listed",)

    async def list_customers(self, call: Call) -> Response:
        kept = self.__dict__.setdefault("kept", {})
        answer = await super().list_customers(call)
        shown = [kept.get(each["id"], each) if each["status"] == "rejected" else each for each in answer.json()]
        kept.update({each["id"]: each for each in shown})
        return json_response(answer.status, shown)


class EndsTokensAtAWrongSecret(Fault, OffBlocks):
    """Ends the tokens of a client whose API key comes with a wrong secret, whoever sends it."""

    breaks = ("offblocks.authentication.token-lives-an-hour", "offblocks.signature.right-one-accepted")

    @cached_property
    def _given(self) -> dict[str, str]:
        return {}

    def new_token(self, tenant: Tenant, expires_at: int) -> str:
        token = super().new_token(tenant, expires_at)
        self._given[token] = tenant.name
        return token

    def secret_is_right(self, tenant: Tenant, api_secret: str) -> bool:
        is_right = super().secret_is_right(tenant, api_secret)
        if not is_right:
            for token in [token for token, name in self._given.items() if name == tenant.name]:
                self._given[token] = ""
        return is_right

    def token_is_ours(self, token: str) -> bool:
        return super().token_is_ours(token) and self._given.get(token) != ""


class RegistersNoKeyAfterARemoval(Fault, OffBlocks):
    """Takes the removal of a signing key for the end of all of them, and registers no other."""

    breaks = ("offblocks.authentication.registered-key-signs",)

    def keys_after_registration(self, tenant: Tenant, key_id: str, key: ec.EllipticCurvePublicKey) -> SigningKeys:
        if not tenant.signing_keys:
            raise Refused(Reason.SIGNING_KEY, "The signing key was removed for good.")
        return super().keys_after_registration(tenant, key_id, key)
