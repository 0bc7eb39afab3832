"""Idempotency keys: which requests carry one, and what a retry is answered."""

from collections.abc import Hashable
from datetime import timedelta
from http import HTTPStatus

from conformance.exchange import Response
from conformance.offblocks.sandbox.base import Decisions, is_uuid
from conformance.offblocks.sandbox.state import Call, Reason, Record, Refused


class IdempotencyDecisions(Decisions):
    """What an idempotency key has to be, and what is done once with it."""

    def idempotency_key_is_required(self, operation: str) -> bool:
        """Whether the operation needs an Idempotency-Key.

        All of POST, PUT, PATCH and DELETE do (Idempotency), but the blocks of the ``/auth`` operations list none
        (Authentication).
        """
        return operation in {"createCustomer", "signChallenge", "verifyCustomer", "rejectCustomer", "putWebhook"}

    def idempotency_key_is_well_formed(self, key: str) -> bool:
        """Whether a key has the form of a uuid (Idempotency), of any version."""
        return is_uuid(key)

    def check_idempotency_key(self, call: Call) -> str | None:
        """The key of a request that needs one, None for another; without a good one 400 (Idempotency)."""
        if not self.idempotency_key_is_required(call.operation):
            return None
        key = call.request.header("idempotency-key")
        if key is None:
            raise Refused(
                Reason.IDEMPOTENCY_KEY,
                "There is no Idempotency-Key. Send a uuid, a new one for each new payload and the same for a retry.",
            )
        if not self.idempotency_key_is_well_formed(key):
            raise Refused(Reason.IDEMPOTENCY_KEY, "The Idempotency-Key must be a uuid: 8-4-4-4-12 hex digits.")
        return key

    async def once(self, call: Call, key: str) -> Response:
        """Carry out the operation, unless the key says that this was done before (Idempotency)."""
        scope, payload = self.idempotency_scope(call, key), self.payload(call)
        record = self.find_record(scope)
        if record is not None:
            if not self.same_payload(record.payload, payload):
                raise Refused(
                    Reason.KEY_REUSED,
                    "This Idempotency-Key came with another payload before. Use a new key for a new payload.",
                )
            if record.response is None:
                return await self.answer_while_in_use(record)
            return self.answer_again(record.response)
        record = self.records[scope] = Record(payload, self.now())
        try:
            record.response = await self.answer_first(call)
        finally:
            if record.response is None or not self.remembers(record.response):
                self.records.pop(scope, None)
        return record.response

    async def answer_first(self, call: Call) -> Response:
        """The answer of an operation that is carried out now, be it a refusal."""
        try:
            return await self.handler(call.operation)(call)
        except Refused as refusal:
            return self.refusal(refusal)

    def idempotency_scope(self, call: Call, key: str) -> Hashable:
        """Within what a key must be unique. Silent: the tenant. Letter case does not tell uuids apart (RFC 9562)."""
        return call.tenant.name, key.lower()

    def idempotency_lifetime(self) -> timedelta:
        """How long a key is remembered from its first use: 1 hour (Idempotency)."""
        return timedelta(hours=1)

    def find_record(self, scope: Hashable) -> Record | None:
        """What is remembered of a key, if its time is not over (Idempotency)."""
        record = self.records.get(scope)
        if record is None or self.now() - record.used_at >= self.idempotency_lifetime():
            return None
        return record

    def payload(self, call: Call) -> Hashable:
        """What must be the same in a retry. Silent: method, path, query and the bytes of the body."""
        return call.request.method, call.request.path, call.request.query, call.request.body

    def same_payload(self, first: Hashable, now: Hashable) -> bool:
        """Whether a request is a retry of the first with its key (Idempotency)."""
        return first == now

    async def answer_while_in_use(self, record: Record) -> Response:
        """The answer to a retry while the first request is under way: 409 (Idempotency)."""
        raise Refused(
            Reason.KEY_IN_USE,
            "A request with this Idempotency-Key is being carried out. Repeat this one later with the same key.",
        )

    def answer_again(self, response: Response) -> Response:
        """The answer to a retry: identical to the first (Idempotency)."""
        return response

    def remembers(self, response: Response) -> bool:
        """Whether an answer is given to retries too. Silent on errors: all that are the client's doing."""
        return response.status < HTTPStatus.INTERNAL_SERVER_ERROR
