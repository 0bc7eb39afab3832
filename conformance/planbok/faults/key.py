"""What can be wrong, or otherwise than the sandbox has it, with API keys."""

from collections.abc import Mapping
from contextlib import suppress

from conformance.clock import pause
from conformance.exchange import Request, Response
from conformance.planbok.messages import KEY_HEADER
from conformance.planbok.sandbox import Call, Customer, Planbok, Reason, Refused, Status, Tenant
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import BodyRejected
from conformance.sandbox.service import TENANTS, Operation

_ENOUGH = 20
_ONE_IN = 50
_SECONDS_NOW_AND_THEN = 2


class TakesRequestsWithoutAKey(Fault, Planbok):
    """Takes a request without a key for the first organization's."""

    breaks = ("planbok.key.missing-refused", "planbok.key.missing-status")
    category = "F207"

    def authenticate(self, request: Request) -> Tenant:
        return self.tenants["first"] if request.header(KEY_HEADER) is None else super().authenticate(request)


class ReadsWithoutAKey(Fault, Planbok):
    """Asks for a key where something is changed, and not where something is read."""

    breaks = ("planbok.key.missing-refused", "planbok.key.missing-status")
    category = "F207"

    def authenticate(self, request: Request) -> Tenant:
        if request.method == "GET" and request.header(KEY_HEADER) is None:
            return self.tenants["first"]
        return super().authenticate(request)


class AcceptsUnknownKeys(Fault, Planbok):
    """Takes a key that nobody was issued for the first organization's."""

    breaks = ("planbok.key.wrong-refused", "planbok.key.wrong-is-401")

    def tenant_with(self, key: str) -> Tenant | None:
        return super().tenant_with(key) or self.tenants["first"]


class ComparesTheStartOfKeys(Fault, Planbok):
    """Compares the first characters of a key and no more."""

    breaks = ("planbok.key.wrong-refused", "planbok.key.wrong-is-401")

    def tenant_with(self, key: str) -> Tenant | None:
        alike = (tenant for tenant in self.tenants.values() if tenant.api_key[:_ENOUGH] == key[:_ENOUGH])
        return super().tenant_with(key) or next(alike, None)


class AnswersMissingKeyWith400(Fault, Planbok):
    """Refuses a request without a key with 400."""

    breaks = ("planbok.key.missing-status",)

    def refusal_status(self, reason: Reason) -> int:
        return 400 if reason is Reason.MISSING_KEY else super().refusal_status(reason)


class AnswersUnknownKeysWith403(Fault, Planbok):
    """Refuses a key that nobody was issued with 403."""

    breaks = ("planbok.key.wrong-is-401",)

    def refusal_status(self, reason: Reason) -> int:
        return 403 if reason is Reason.UNKNOWN_KEY else super().refusal_status(reason)


class LetsReadOnlyKeysWrite(Fault, Planbok):
    """Takes a read-only key for one with full access."""

    breaks = ("planbok.key.read-only-refused",)
    category = "F206"

    def check_permission(self, call: Call) -> None:
        """Nothing is checked."""


class CreatesBeforeItLooksAtTheKey(Fault, Planbok):
    """Refuses the key, but has created the customer."""

    breaks = ("planbok.key.missing-refused", "planbok.key.wrong-refused", "planbok.key.read-only-refused")
    category = "F104"

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        response = await super().perform(operation, request, parameters)
        if operation.id == "createCustomer" and response.status in {401, 403}:
            with suppress(Refused, BodyRejected):
                self.create_customer(Call(operation.id, request, self.tenants["first"], parameters))
        return response


class AnswersMissingKeyWith401(Variation, Planbok):
    """Refuses a request without a key with 401."""

    permits = "RFC 9110 has 401 for missing credentials, where the beta has 403."

    def refusal_status(self, reason: Reason) -> int:
        return 401 if reason is Reason.MISSING_KEY else super().refusal_status(reason)


class AnswersReadOnlyKeysWith401(Variation, Planbok):
    """Refuses a POST with a read-only key with 401."""

    permits = "No document says which status refuses a read-only key."

    def refusal_status(self, reason: Reason) -> int:
        return 401 if reason is Reason.READ_ONLY_KEY else super().refusal_status(reason)


class AnswersReadOnlyKeysWith405(Variation, Planbok):
    """Refuses a POST with a read-only key with 405."""

    permits = "No document says which status refuses a read-only key."

    def refusal_status(self, reason: Reason) -> int:
        return 405 if reason is Reason.READ_ONLY_KEY else super().refusal_status(reason)


class PausesNowAndThen(Variation, Planbok):
    """Takes two seconds for one answer in fifty."""

    permits = "No document says how soon an answer comes."

    async def answer(self, request: Request, path: str) -> Response:
        drawn = self.__dict__.setdefault("pauses", self.ids.child("pauses")).below(_ONE_IN)
        await pause(0 if drawn else _SECONDS_NOW_AND_THEN)
        return await super().answer(request, path)


class ComparesKeysWithoutCase(Fault, Planbok):
    """Compares keys in lower case."""

    breaks = ("planbok.key.wrong-refused", "planbok.key.wrong-is-401")

    def tenant_with(self, key: str) -> Tenant | None:
        return super().tenant_with(key.lower())


class LetsReadOnlyKeysStartTasks(Fault, Planbok):
    """Takes a read-only key where PIN and recovery are set, and guards customers and wallets alone."""

    breaks = ("planbok.key.read-only-refused",)

    def check_permission(self, call: Call) -> None:
        if call.operation in {"createCustomer", "createWallets"}:
            super().check_permission(call)


class AnswersHeadWithoutAKey(Fault, Planbok):
    """Asks for no key where HEAD is asked."""

    breaks = ("planbok.key.missing-refused",)

    def authenticate(self, request: Request) -> Tenant:
        is_free = request.method == "HEAD" and request.header(KEY_HEADER) is None
        return self.tenants[TENANTS[0]] if is_free else super().authenticate(request)


class AnswersSlashesWithoutAKey(Fault, Planbok):
    """Takes a path that ends with a slash for the one without, and asks for no key there."""

    breaks = ("planbok.key.missing-refused",)

    async def answer(self, request: Request, path: str) -> Response:
        return await super().answer(request, path.rstrip("/"))

    def authenticate(self, request: Request) -> Tenant:
        is_free = request.path.endswith("/") and request.header(KEY_HEADER) is None
        return self.tenants[TENANTS[0]] if is_free else super().authenticate(request)


class TakesAnEmptyKey(Fault, Planbok):
    """Takes a key of no character for the first organization's."""

    breaks = ("planbok.key.missing-refused",)

    def tenant_with(self, key: str) -> Tenant | None:
        return super().tenant_with(key) if key else self.tenants[TENANTS[0]]


class ComparesTheBeginningOfKeys(Fault, Planbok):
    """Compares as many characters of a key as its own has, and passes over what stands behind them."""

    breaks = ("planbok.key.wrong-refused",)

    def tenant_with(self, key: str) -> Tenant | None:
        begun = (own for holder in self.tenants.values() for own in (holder.api_key, holder.read_only_key))
        return super().tenant_with(next((own for own in begun if key.startswith(own)), key))


class ResetsPinsForStrangers(Fault, Planbok):
    """Issues a challenge that replaces a PIN whatever organization asks for it."""

    breaks = ("planbok.challenge.none-for-others",)

    def customer_for(self, call: Call) -> Customer:
        found = self.customer_called(call.parameters["id"]) if call.operation == "resetPin" else None
        return found or super().customer_for(call)


class MakesWalletsForStrangers(Fault, Planbok):
    """Issues a challenge for wallets of a customer who has some whatever organization asks for it."""

    breaks = ("planbok.challenge.none-for-others",)

    def customer_for(self, call: Call) -> Customer:
        found = self.customer_called(call.parameters["id"]) if call.operation == "createWallets" else None
        return found if found is not None and found.wallets else super().customer_for(call)


class TellsStrangersOfCompletedChallenges(Fault, Planbok):
    """Answers with a challenge that was completed whatever organization reads it."""

    breaks = ("planbok.challenge.under-its-customer-only",)

    def customer_of_challenge(self, call: Call) -> Customer:
        found = self.customer_called(call.parameters["id"])
        is_over = found is not None and any(
            each.id == call.parameters["challengeId"] and each.status is Status.VERIFIED for each in found.challenges
        )
        return found if found is not None and is_over else super().customer_of_challenge(call)
