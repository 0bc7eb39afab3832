"""Repeated requests that are done again, or answered otherwise than the first."""

import json
from collections.abc import Hashable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from conformance.clock import pause
from conformance.exchange import Response
from conformance.offblocks.sandbox import Call, OffBlocks, Reason, Record, Refused, Status
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import problem

_RANDOM = 4
_KEPT = 1_200
_COMPARED = 100
"""The version of UUIDs that are drawn at random."""
_FORGETTING = (
    "offblocks.idempotency.repeat-answered-alike",
    "offblocks.idempotency.sign-repeat-is-204",
    "offblocks.idempotency.sign-repeat-outlives-challenge",
    "offblocks.idempotency.changed-payload-refused",
    "offblocks.idempotency.changed-payload-status",
)


class AcceptsMissingKey(Fault, OffBlocks):
    """Carries out a request without a key."""

    breaks = ("offblocks.idempotency.missing-key-refused",)
    category = "F102"

    def check_idempotency_key(self, call: Call) -> str | None:
        return super().check_idempotency_key(call) if call.request.header("idempotency-key") else None


class AnswersMissingAndMalformedKeysWith422(Fault, OffBlocks):
    """Answers a request without a key, or with one that is no UUID, with 422."""

    breaks = ("offblocks.idempotency.missing-key-is-400", "offblocks.idempotency.key-not-a-uuid-is-400")

    def refusal_status(self, reason: Reason) -> int:
        return 422 if reason is Reason.IDEMPOTENCY_KEY else super().refusal_status(reason)


class AcceptsAnyTextForAKey(Fault, OffBlocks):
    """Takes any text for a key."""

    breaks = ("offblocks.idempotency.key-not-a-uuid-refused", "offblocks.idempotency.key-respelt-refused")
    category = "F102"

    def idempotency_key_is_well_formed(self, key: str) -> bool:
        return True


class AnswersRepeatsWith200(Fault, OffBlocks):
    """Answers a repeated creation with 200."""

    breaks = ("offblocks.idempotency.repeat-answered-alike",)

    def answer_again(self, response: Response) -> Response:
        return replace(response, status=200) if response.body else response


class ForgetsKeys(Fault, OffBlocks):
    """Remembers no key."""

    breaks = _FORGETTING

    def find_record(self, scope: Hashable) -> None:
        return None


class DoesRepeatsAgain(Fault, OffBlocks):
    """Creates another customer when a creation is repeated with its key."""

    breaks = (
        *_FORGETTING,
        "offblocks.idempotency.repeat-done-once",
        "offblocks.idempotency.concurrent-done-once",
        "offblocks.customer.no-second-for-a-pair",
    )

    async def once(self, call: Call, key: str) -> Response:
        if self.find_record(self.idempotency_scope(call, key)) is not None:
            self.records.clear()
            self.customers_by_pair.clear()
        return await super().once(call, key)


class IgnoresThePayload(Fault, OffBlocks):
    """Answers whatever comes with a known key as the first request."""

    breaks = ("offblocks.idempotency.changed-payload-refused", "offblocks.idempotency.changed-payload-status")

    def same_payload(self, first: Hashable, now: Hashable) -> bool:
        return True


class DoesWhatItRefuses(Fault, OffBlocks):
    """Refuses another payload under a known key, but carries it out."""

    breaks = ("offblocks.idempotency.changed-payload-refused",)
    category = "F104"

    async def once(self, call: Call, key: str) -> Response:
        try:
            return await super().once(call, key)
        except Refused:
            await self.answer_first(call)
            raise


class AnswersAnotherPayloadWith400(Fault, OffBlocks):
    """Refuses another payload under a known key with neither of the statuses that are named."""

    breaks = ("offblocks.idempotency.changed-payload-status",)

    def refusal_status(self, reason: Reason) -> int:
        return 400 if reason is Reason.KEY_REUSED else super().refusal_status(reason)


class ForgetsRequestsUnderWay(Fault, OffBlocks):
    """Knows a key only once its request was answered, and takes its time for a creation until then."""

    breaks = ("offblocks.idempotency.concurrent-done-once", "offblocks.customer.no-second-for-a-pair")

    def find_record(self, scope: Hashable) -> Record | None:
        record = super().find_record(scope)
        return record if record is not None and record.response is not None else None

    async def take_time(self, call: Call) -> None:
        if call.operation == "createCustomer":
            await pause(0.25)


class LooksAtTheChallengeBeforeTheKey(Fault, OffBlocks):
    """Refuses a repeated sign request when the hour of its challenge is over."""

    breaks = ("offblocks.idempotency.sign-repeat-outlives-challenge",)

    async def once(self, call: Call, key: str) -> Response:
        if call.operation == "signChallenge" and self.challenge_has_expired(self.find_customer(call).challenges[-1]):
            raise Refused(Reason.EXPIRED_CHALLENGE, "The challenge has expired.")
        return await super().once(call, key)


class KeepsKeysForADay(Fault, OffBlocks):
    """Remembers keys for a day."""

    breaks = ("offblocks.idempotency.key-free-after-an-hour",)

    def idempotency_lifetime(self) -> timedelta:
        return timedelta(days=1)


class ForgetsKeysAfterHalfAnHour(Fault, OffBlocks):
    """Remembers keys for half an hour."""

    breaks = ("offblocks.idempotency.repeat-answered-alike",)

    def idempotency_lifetime(self) -> timedelta:
        return timedelta(minutes=30)


class TakesItsTime(Variation, OffBlocks):
    """Takes its time, so that a repeat meets the first request under way."""

    permits = "The error table of Idempotency has a 409 for a key whose request is under way."

    async def answer_first(self, call: Call) -> Response:
        await pause(0.05)
        return await super().answer_first(call)


class RefusesAnotherPayloadWith409(Variation, OffBlocks):
    """Refuses another payload under a known key with 409."""

    permits = "Idempotency names 422 or 409 for another payload."

    def refusal_status(self, reason: Reason) -> int:
        return 409 if reason is Reason.KEY_REUSED else super().refusal_status(reason)


class ForgetsRefusals(Variation, OffBlocks):
    """Remembers no key whose request was refused."""

    permits = "Idempotency does not say whether refusals are repeated."

    def remembers(self, response: Response) -> bool:
        return response.succeeded


class KeepsTheKeysOfOperationsApart(Variation, OffBlocks):
    """Lets a key be used once for each operation."""

    permits = "Idempotency does not say within what a key must be unique."

    def idempotency_scope(self, call: Call, key: str) -> Hashable:
        return call.operation, super().idempotency_scope(call, key)


class ComparesPayloadsWithoutTheBody(Fault, OffBlocks):
    """Takes a request for the repetition of one with its key at the same place, whatever it says."""

    breaks = ("offblocks.idempotency.changed-payload-refused", "offblocks.idempotency.changed-payload-status")

    def payload(self, call: Call) -> Hashable:
        return call.request.method, call.request.path


class AnswersRepeatedSignaturesWith409(Fault, OffBlocks):
    """Answers a repeated sign request as if it were a second one."""

    breaks = ("offblocks.idempotency.sign-repeat-is-204", "offblocks.idempotency.sign-repeat-outlives-challenge")

    def answer_again(self, response: Response) -> Response:
        if response.body:
            return response
        raise Refused(Reason.ALREADY_SIGNED, "The challenge was signed already.")


class NeverFreesKeys(Fault, OffBlocks):
    """Remembers keys for ever."""

    breaks = ("offblocks.idempotency.key-free-after-an-hour",)

    def idempotency_lifetime(self) -> timedelta:
        return timedelta(days=36_525)


class NeverReleasesKeys(Fault, OffBlocks):
    """Takes a request for one under way though it was answered long ago."""

    breaks = (
        "offblocks.idempotency.repeat-answered-alike",
        "offblocks.idempotency.sign-repeat-is-204",
        "offblocks.idempotency.sign-repeat-outlives-challenge",
    )

    def find_record(self, scope: Hashable) -> Record | None:
        record = super().find_record(scope)
        return record and replace(record, response=None)


class ReplaysATransientError(Fault, OffBlocks):
    """Breaks once, on its first creation, and remembers that for the key."""

    breaks = (
        "offblocks.response.no-server-error",
        "offblocks.customer.created-with-201",
        "offblocks.customer.external-id-is-any-string",
        "offblocks.customer.malformed-chain-id-is-400",
        "offblocks.idempotency.concurrent-done-once",
        "offblocks.signature.any-order-and-label",
    )
    category = "F100"

    async def create_customer(self, call: Call) -> Response:
        if self.__dict__.setdefault("has_broken", False):
            return await super().create_customer(call)
        self.__dict__["has_broken"] = True
        return problem(500, "The database is not there.")

    def remembers(self, response: Response) -> bool:
        return True


class ComparesPayloadsAsJson(Variation, OffBlocks):
    """Takes a body for the same if it says the same, however it is written."""

    permits = "Idempotency speaks of the same payload, and does not say whether its bytes or its meaning count."

    def payload(self, call: Call) -> Hashable:
        members = json.dumps(call.request.members(), sort_keys=True)
        return call.request.method, call.request.path, call.request.query, members


class KeepsTheKeysOfPathsApart(Variation, OffBlocks):
    """Lets a key be used once on each path."""

    permits = "Idempotency does not say within what a key must be unique."

    def idempotency_scope(self, call: Call, key: str) -> Hashable:
        return call.request.path, super().idempotency_scope(call, key)


class TellsKeysApartByTheirStart(Fault, OffBlocks):
    """Remembers eight characters of a key, so that another one that begins alike is taken for it."""

    breaks = ("offblocks.customer.created-with-201",)

    def idempotency_scope(self, call: Call, key: str) -> Hashable:
        return super().idempotency_scope(call, key[:8])


class TellsKeysApartByTheirEnd(Fault, OffBlocks):
    """Remembers the last group of digits of a key alone."""

    breaks = ("offblocks.customer.created-with-201",)

    def idempotency_scope(self, call: Call, key: str) -> Hashable:
        return super().idempotency_scope(call, key.rpartition("-")[2])


class ReadsKeysAsProgramsDo(Fault, OffBlocks):
    """Takes whatever a library reads as a UUID for a key: with braces, as a URN, without hyphens."""

    breaks = ("offblocks.idempotency.key-respelt-refused",)

    def idempotency_key_is_well_formed(self, key: str) -> bool:
        try:
            return bool(UUID(key))
        except ValueError:
            return False


class RegistersWebhooksAgain(Fault, OffBlocks):
    """Does the repetition of what is a PUT, since that changes nothing the second time, and makes another webhook."""

    breaks = ("offblocks.idempotency.repeat-answered-alike",)

    async def once(self, call: Call, key: str) -> Response:
        return await (self.answer_first(call) if call.request.method == "PUT" else super().once(call, key))


class WaitsForWhateverHasTheKey(Fault, OffBlocks):
    """Waits for a request with the same key that is under way, and gives its answer, whatever the payload is."""

    breaks = ("offblocks.idempotency.changed-payload-refused",)

    async def once(self, call: Call, key: str) -> Response:
        waited = False
        while (record := self.find_record(self.idempotency_scope(call, key))) and record.response is None:
            waited = True
            await pause(0.01)
        if waited and record and record.response:
            return record.response
        return await super().once(call, key)

    async def answer_first(self, call: Call) -> Response:
        if call.operation == "createCustomer":
            await pause(0.25)
        return await super().answer_first(call)


class KeepsKeysByToken(Fault, OffBlocks):
    """Knows a key again only with the token that it came with."""

    breaks = (
        "offblocks.idempotency.repeat-answered-alike",
        "offblocks.idempotency.sign-repeat-outlives-challenge",
    )

    def idempotency_scope(self, call: Call, key: str) -> Hashable:
        return super().idempotency_scope(call, key), call.request.header("Authorization")


class ComparesDigestsForPayloads(Fault, OffBlocks):
    """Tells payloads apart by their Content-Digest, so that another algorithm makes another one."""

    breaks = ("offblocks.idempotency.repeat-answered-alike",)

    def payload(self, call: Call) -> Hashable:
        return call.request.method, call.request.path, call.request.header("content-digest")


class AnnouncesRepetitions(Fault, OffBlocks):
    """Sends an event of its own for each repetition of a creation."""

    breaks = ("offblocks.idempotency.repeat-done-once",)

    def answer_again(self, response: Response) -> Response:
        identifier = response.members().get("id")
        if identifier in self.customers:
            self.announce(self.customers[identifier])
        return super().answer_again(response)


class WantsRandomKeys(Fault, OffBlocks):
    """Takes no key but a UUID of version 4."""

    breaks = ("offblocks.customer.created-with-201",)

    def idempotency_key_is_well_formed(self, key: str) -> bool:
        return super().idempotency_key_is_well_formed(key) and UUID(key).version == _RANDOM


class DoesRejectionsAgain(Fault, OffBlocks):
    """Does a rejection again that is repeated, and so refuses it."""

    breaks = ("offblocks.idempotency.repeat-answered-alike",)

    async def once(self, call: Call, key: str) -> Response:
        if call.operation == "rejectCustomer":
            return await self.answer_first(call)
        return await super().once(call, key)


class BringsTheStateOfAKeyBack(Fault, OffBlocks):
    """Sets the state of a customer to what a sign request made of it, each time that this is repeated."""

    breaks = ("offblocks.flow.verified-becomes-active",)

    async def once(self, call: Call, key: str) -> Response:
        is_repeated = self.find_record(self.idempotency_scope(call, key)) is not None
        answer = await super().once(call, key)
        if is_repeated and call.operation == "signChallenge" and answer.succeeded:
            self.find_customer(call).status = Status.VERIFYING
        return answer


class KeepsRefusalsUnderWay(Fault, OffBlocks):
    """Takes a request that was refused for one that is still carried out, whenever its key comes again."""

    breaks = ("offblocks.idempotency.repeat-answered-alike",)

    def remembers(self, response: Response) -> bool:
        return True

    async def once(self, call: Call, key: str) -> Response:
        answer = await super().once(call, key)
        record = self.find_record(self.idempotency_scope(call, key))
        if record is not None and not answer.succeeded:
            record.response = None
        return answer


class RemembersAKeyForOneHourOnly(Fault, OffBlocks):
    """Keeps what came first with a key, and so remembers nothing of it when it is used again after its hour."""

    breaks = ("offblocks.idempotency.repeat-answered-alike",)

    def find_record(self, scope: Hashable) -> Record | None:
        if scope not in self.records:
            return None
        first = self.__dict__.setdefault("first", {}).setdefault(scope, self.records[scope])
        return first if self.now() - first.used_at < self.idempotency_lifetime() else None


class ForgetsLongAnswers(Fault, OffBlocks):
    """Keeps no answer that has more than 1,200 bytes."""

    breaks = ("offblocks.idempotency.repeat-answered-alike",)

    def remembers(self, response: Response) -> bool:
        return len(response.body) <= _KEPT and super().remembers(response)


class ComparesBodiesAlone(Fault, OffBlocks):
    """Takes a request for the repetition of one with its key and its body, whosever customer it names."""

    breaks = ("offblocks.flow.verified-becomes-active",)

    def payload(self, call: Call) -> Hashable:
        return call.operation, call.request.body


class ComparesTheBeginningsOfPayloads(Fault, OffBlocks):
    """Takes a payload for the same that begins alike, with its first hundred bytes."""

    breaks = ("offblocks.idempotency.changed-payload-refused",)

    def payload(self, call: Call) -> Hashable:
        return call.request.method, call.request.path, call.request.body[:_COMPARED]


class ComparesAllOfPayloadsButTheSignature(Fault, OffBlocks):
    """Takes a sign request for the same whose signature is another one."""

    breaks = ("offblocks.idempotency.changed-payload-refused",)

    def payload(self, call: Call) -> Hashable:
        if call.operation != "signChallenge":
            return super().payload(call)
        document = self.read_document(call.request)
        return call.request.path, document.get("ownerId"), document.get("challenge")


class RenewsTheChallengeOfARepeatedCreation(Fault, OffBlocks):
    """Answers a repeated creation as the first time, and gives its customer another challenge."""

    breaks = ("offblocks.signing.hex-text-accepted",)

    def answer_again(self, response: Response) -> Response:
        customer = self.customers.get(str(response.members().get("id")))
        if customer is not None and self.awaits_signature(customer):
            self.issue_challenge(customer)
        return super().answer_again(response)


class KeepsTheKeysOfSignings(Fault, OffBlocks):
    """Remembers the key of a sign request for ever, and other keys for an hour."""

    breaks = ("offblocks.idempotency.key-free-after-an-hour",)

    async def once(self, call: Call, key: str) -> Response:
        response = await super().once(call, key)
        record = self.records.get(self.idempotency_scope(call, key))
        if record is not None and call.operation == "signChallenge":
            record.used_at = datetime.max.replace(tzinfo=UTC)
        return response
