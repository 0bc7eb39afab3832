"""What can be wrong with requests that are repeated with their ``idempotencyKey``."""

from collections.abc import Mapping
from typing import Any, ClassVar

from conformance.clock import pause
from conformance.exchange import Request, Response
from conformance.planbok.sandbox import Call, Challenge, Planbok, Refused
from conformance.sandbox.faults import Fault
from conformance.sandbox.messages import BodyRejected
from conformance.sandbox.service import Operation


class KnowsNoRepetitions(Fault, Planbok):
    """Carries out every request, whatever its ``idempotencyKey``."""

    breaks = ("planbok.idempotency.repeat-done-once", "planbok.idempotency.repeat-answered")

    def once(self, call: Call) -> Response:
        self.answered.clear()
        return super().once(call)


class RemembersThreeKeys(Fault, Planbok):
    """Forgets a key when three others came after it."""

    breaks = ("planbok.idempotency.repeat-done-once", "planbok.idempotency.repeat-answered")

    def once(self, call: Call) -> Response:
        for oldest in [*self.answered][:-3]:
            del self.answered[oldest]
        return super().once(call)


class ForgetsKeysOfWhatEnded(Fault, Planbok):
    """Issues another challenge where the one that a key brought was completed or has expired."""

    breaks = ("planbok.idempotency.repeat-done-once", "planbok.idempotency.repeat-answered")

    def once(self, call: Call) -> Response:
        kept = list(self.answered.items())
        for key, (_, response) in kept:
            challenge = self._challenge_in(response)
            if challenge is not None and (challenge.ended or self.has_expired(challenge)):
                del self.answered[key]
        return super().once(call)

    def _challenge_in(self, response: Response) -> Challenge | None:
        shown = response.members().get("data")
        identifier = shown.get("challengeId") if isinstance(shown, Mapping) else None
        return next((each for each in self.challenges.values() if each.id == identifier), None)


class ForgetsKeysOnRefusals(Fault, Planbok):
    """Forgets every key when a request is refused, as a transaction that is rolled back too far."""

    breaks = ("planbok.idempotency.repeat-done-once", "planbok.idempotency.repeat-answered")

    def once(self, call: Call) -> Response:
        try:
            return super().once(call)
        except (Refused, BodyRejected):
            self.answered.clear()
            raise


class AnnouncesRepeatedRequests(Fault, Planbok):
    """Sends ``customer.created`` again when a creation is repeated."""

    breaks = ("planbok.idempotency.repeat-done-once",)

    def once(self, call: Call) -> Response:
        known = len(self.answered)
        response = super().once(call)
        shown = response.members().get("data")
        if call.operation == "createCustomer" and len(self.answered) == known and isinstance(shown, Mapping):
            customer = self.customer_called(str(shown.get("id")))
            if customer is not None and _has_key(call.request):
                self.announce(customer, "customer.created")
        return response


class RunsRepetitionsAtOnce(Fault, Planbok):
    """Looks for a key before it waits for what it needs, so that two requests at once are both carried out."""

    breaks = ("planbok.idempotency.repeat-done-once",)
    seconds_between: ClassVar = 0.05

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        seen = set(self.answered)
        await pause(self.seconds_between)
        for key in [key for key in self.answered if key not in seen]:
            del self.answered[key]
        return await super().perform(operation, request, parameters)


class RunsRepetitionsWithinMilliseconds(RunsRepetitionsAtOnce):
    """Looks for a key ten milliseconds before it keeps it."""

    seconds_between = 0.01


class AnswersRepetitionsWith200(Fault, Planbok):
    """Answers a repetition with the status 200, whatever the first request was answered with."""

    breaks = ("planbok.idempotency.repeat-answered",)

    def once(self, call: Call) -> Response:
        known = len(self.answered)
        response = super().once(call)
        repeats = _has_key(call.request) and len(self.answered) == known
        return Response(response.headers, response.body, 200) if repeats else response


class AnswersOtherContentAsBefore(Fault, Planbok):
    """Answers whatever comes with a key that was used as it answered the first request."""

    breaks = ("planbok.idempotency.other-content-refused", "planbok.challenge.ids-differ", "planbok.challenge.unique")

    def once(self, call: Call) -> Response:
        key: Any = call.request.members().get("idempotencyKey")
        kept = self.answered.get((call.tenant.name, self.key_remembered(key))) if isinstance(key, str) else None
        return kept[1] if kept else super().once(call)


def _has_key(request: Request) -> bool:
    return "idempotencyKey" in request.members()
