"""What is wrong only under circumstances: late in the day, among others, after a look, in another spelling."""

import json
import re
from collections.abc import Hashable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from conformance.exchange import Request, Response
from conformance.offblocks.sandbox import Call, Challenge, Customer, OffBlocks, Reason, Record, Refused, Tenant
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import json_response, problem
from conformance.standards.account_ids import AccountId

_EXPIRY = ("offblocks.challenge.expires-after-one-hour", "offblocks.challenge.renewed-after-the-hour")
_HALF_A_LIFE = 2**31
_HALF_A_PAIR = re.compile(rb"\\u[dD][89abAB]")
_WRITTEN = re.compile(rb'"externalId"\s*:\s*"((?:[^"\\]|\\.)*)"')


def _of_the_day(instant: datetime) -> timedelta:
    return timedelta(hours=instant.hour, minutes=instant.minute, seconds=instant.second)


class ComparesTimesOfDay(Fault, OffBlocks):
    """Tells the age of a challenge from times of day alone, so that midnight makes it young."""

    breaks = _EXPIRY

    def challenge_has_expired(self, challenge: Challenge) -> bool:
        return _of_the_day(self.now()) - _of_the_day(challenge.issued_at) > self.challenge_lifetime()


class ComparesDaysOfTheMonth(Fault, OffBlocks):
    """Takes a challenge of a later day of the month for expired only, so that the first of a month makes it young."""

    breaks = _EXPIRY

    def challenge_has_expired(self, challenge: Challenge) -> bool:
        now = self.now()
        if (now.month, now.year) != (challenge.issued_at.month, challenge.issued_at.year):
            return False
        return super().challenge_has_expired(challenge)


class CountsSecondsIn31Bits(Fault, OffBlocks):
    """Keeps times as signed numbers of 32 bits, so that in 2038 every challenge has been issued long ago."""

    breaks = ("offblocks.challenge.accepted-within-the-hour",)

    def challenge_has_expired(self, challenge: Challenge) -> bool:
        wrapped = int(self.now().timestamp()) >= _HALF_A_LIFE
        return wrapped or super().challenge_has_expired(challenge)


class ShowsTheChallengeFirstFetched(Fault, OffBlocks):
    """Serves a challenge from a cache once it was fetched."""

    breaks = ("offblocks.challenge.renewed-after-failed-signature", "offblocks.challenge.renewed-after-the-hour")

    def challenge_body(self, challenge: Challenge) -> dict[str, Any]:
        cache: dict[int, str] = self.__dict__.setdefault("fetched", {})
        owner = next(
            (each for each in self.customers.values() if any(challenge is one for one in each.challenges)), None
        )
        return {"challenge": cache.setdefault(id(owner), challenge.encoded)}


class ReadingProlongsTheHour(Fault, OffBlocks):
    """Counts the hour of a challenge anew whenever its customer is read."""

    breaks = ("offblocks.challenge.expires-after-one-hour",)

    def challenge_has_expired(self, challenge: Challenge) -> bool:
        read: dict[bytes, datetime] = self.__dict__.setdefault("read_at", {})
        return self.now() - read.get(challenge.message, challenge.issued_at) > self.challenge_lifetime()

    async def get_customer(self, call: Call) -> Response:
        customer = self.find_customer(call)
        self.__dict__.setdefault("read_at", {})[customer.challenges[-1].message] = self.now()
        return await super().get_customer(call)


class ListsTenCustomers(Fault, OffBlocks):
    """Lists ten customers at most, and does not say so."""

    breaks = ("offblocks.customer.listed",)

    async def list_customers(self, call: Call) -> Response:
        found = [each for each in self.customers.values() if each.tenant is call.tenant]
        return json_response(200, [self.customer_body(each) for each in found[:10]])


class SharesTheFailedSignature(Fault, OffBlocks):
    """Takes the failure of any customer's signature for one of the customer who signed last."""

    breaks = ("offblocks.signing.hex-text-accepted",)

    def check_challenge(self, customer: Customer, sent: str) -> None:
        latest: dict[str, Customer] = self.__dict__.setdefault("signing", {})
        former = latest.get("customer")
        latest["customer"] = customer
        if former is not None and former is not customer and self.awaits_signature(customer):
            self.issue_challenge(customer)
        super().check_challenge(customer, sent)


class DigestsTheBodyWrittenAnew(Fault, OffBlocks):
    """Compares a digest with that of the body as it would have written it."""

    breaks = ("offblocks.customer.created-with-201",)

    def check_content_digest(self, body: bytes, value: str | None) -> None:
        try:
            written = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode()
        except ValueError:
            written = body
        super().check_content_digest(written, value)


class ReadsMembersUpToAnEscape(Fault, OffBlocks):
    """Reads a text in a body as it is written, and so with its escapes."""

    breaks = ("offblocks.customer.created-with-201",)

    def check_digest(self, call: Call) -> None:
        super().check_digest(call)
        if rb"\u" in call.request.body:
            self.__dict__["escaped"] = True

    def read_member(self, document: Any, name: str) -> str:
        text = super().read_member(document, name)
        if self.__dict__.pop("escaped", False):
            return json.dumps(text)[1:-1].replace("/", "\\u002F").replace(":", "\\u003A")
        return text


class ForgetsTheOlderToken(Fault, OffBlocks):
    """Lets the request that comes with a second token count for another client's, and shows it no customer."""

    breaks = ("offblocks.customer.readable", "offblocks.challenge.fetched-with-200")

    def find_customer(self, call: Call) -> Customer:
        customer = super().find_customer(call)
        token = call.request.header("Authorization")
        made: dict[str, str | None] = self.__dict__.setdefault("made_with", {})
        if made.setdefault(customer.id, token) != token:
            raise Refused(Reason.UNKNOWN_CUSTOMER, "There is no such customer.")
        return customer


class RenewsEverybodysChallenge(Fault, OffBlocks):
    """Gives every customer who still has to sign a new challenge when one signature fails."""

    breaks = ("offblocks.isolation.others-untouched", "offblocks.challenge.stays-until-signed")

    def gives_new_challenge_after(self, reason: Reason) -> bool:
        renews = super().gives_new_challenge_after(reason)
        if renews:
            for customer in self.customers.values():
                if self.awaits_signature(customer):
                    self.issue_challenge(customer)
        return renews


class RenamesWhoIsRefused(Fault, OffBlocks):
    """Writes the external id of a refused creation to the customer of the same wallet."""

    breaks = ("offblocks.response.refusal-changes-nothing", "offblocks.customer.readable")

    def check_idempotency_key(self, call: Call) -> str | None:
        try:
            return super().check_idempotency_key(call)
        except Refused:
            document = self.read_document(call.request)
            for customer in self.customers.values():
                if customer.chain_id == document.get("chainId"):
                    customer.external_id = str(document.get("externalId"))
            raise


class ListingForgetsExternalIds(Fault, OffBlocks):
    """Cuts the external ids of customers to eight characters once they were listed."""

    breaks = (
        "offblocks.response.reading-changes-nothing",
        "offblocks.customer.readable",
        "offblocks.customer.listed",
    )

    async def list_customers(self, call: Call) -> Response:
        answer = await super().list_customers(call)
        for customer in self.customers.values():
            customer.external_id = customer.external_id[:8]
        return answer


class ComparesTheContentTypeToTheLetter(Fault, OffBlocks):
    """Reads a body as JSON only if its type is written in small letters and without a parameter."""

    breaks = ("offblocks.authentication.token-issued",)

    def content_type_is_accepted(self, content_type: str | None) -> bool:
        return content_type in {None, "application/json"}


class TakesOneMediaRangeAlone(Fault, OffBlocks):
    """Answers 406 unless a request takes any type, or JSON alone."""

    breaks = ("offblocks.authentication.token-issued",)

    async def answer(self, request: Request, path: str) -> Response:
        if request.header("Accept") in {None, "*/*", "application/json"}:
            return await super().answer(request, path)
        return problem(406, "No other type than application/json can be accepted.")


class ReadsNoChunks(Fault, OffBlocks):
    """Reads as many bytes of a body as Content-Length says, and none without it."""

    breaks = ("offblocks.authentication.token-issued",)

    async def answer(self, request: Request, path: str) -> Response:
        unread = request.header("Content-Length") is None
        return await super().answer(replace(request, body=b"") if unread else request, path)


class TellsPairsApartByTheirSpelling(Fault, OffBlocks):
    """Compares external ids as they are written in the JSON of a creation."""

    breaks = ("offblocks.customer.no-second-for-a-pair",)

    async def create_customer(self, call: Call) -> Response:
        written = _WRITTEN.search(call.request.body)
        self.__dict__["written"] = written[1] if written else b""
        return await super().create_customer(call)

    def pair(self, tenant: Tenant, account: AccountId, external_id: str) -> Hashable:
        return super().pair(tenant, account, external_id), self.__dict__.get("written")


class TakesNoAnyType(Fault, OffBlocks):
    """Answers 406 where a request takes any type and does not name JSON."""

    breaks = ("offblocks.authentication.token-issued",)

    async def answer(self, request: Request, path: str) -> Response:
        if request.header("Accept") == "*/*":
            return problem(406, "Say that you accept application/json.")
        return await super().answer(request, path)


class WantsAccept(Variation, OffBlocks):
    """Answers 406 where a request does not say what it accepts."""

    permits = "Every printed request has an Accept header, and no sentence says that it may be left out."

    async def answer(self, request: Request, path: str) -> Response:
        if request.header("Accept") is None:
            return problem(406, "Send an Accept header.")
        return await super().answer(request, path)


class ReckonsInLocalTime(Fault, OffBlocks):
    """Reckons the hour of a challenge in the time of London, where clocks go forward in March and back in October."""

    breaks = ("offblocks.challenge.accepted-within-the-hour", "offblocks.challenge.expires-after-one-hour")

    def challenge_has_expired(self, challenge: Challenge) -> bool:
        return _in_london(self.now()) - _in_london(challenge.issued_at) > self.challenge_lifetime()


class ReckonsKeysInLocalTime(Fault, OffBlocks):
    """Reckons the hour of an idempotency key in the time of New York."""

    breaks = ("offblocks.idempotency.repeat-answered-alike", "offblocks.idempotency.key-free-after-an-hour")

    def find_record(self, scope: Hashable) -> Record | None:
        record = self.records.get(scope)
        if record is None or _in_new_york(self.now()) - _in_new_york(record.used_at) >= self.idempotency_lifetime():
            return None
        return record


def _in_london(instant: datetime) -> datetime:
    march, october = (datetime(instant.year, month, 31, 1, tzinfo=UTC) for month in (3, 10))
    first, last = (day - timedelta(days=day.isoweekday() % 7) for day in (march, october))
    return instant + timedelta(hours=1) if first <= instant < last else instant


def _in_new_york(instant: datetime) -> datetime:
    march, november = datetime(instant.year, 3, 14, 7, tzinfo=UTC), datetime(instant.year, 11, 7, 6, tzinfo=UTC)
    first, last = (day - timedelta(days=day.isoweekday() % 7) for day in (march, november))
    return instant + timedelta(hours=1) if first <= instant < last else instant


class RoundsTimesInTheList(Fault, OffBlocks):
    """Lists customers with times to the nearest second, in as many digits as elsewhere."""

    breaks = ("offblocks.customer.created-at-stays",)

    async def list_customers(self, call: Call) -> Response:
        answer = await super().list_customers(call)
        shown = []
        for each in answer.json():
            customer = self.customers[each["id"]]
            nearest = (customer.created_at + timedelta(seconds=0.5)).replace(microsecond=0)
            shown.append({**each, "createdAt": self.format_time(nearest)})
        return json_response(answer.status, shown)


class RefusesEscapedPairs(Fault, OffBlocks):
    """Refuses a character that is written as the two escapes of a surrogate pair."""

    breaks = ("offblocks.customer.created-with-201", "offblocks.customer.external-id-is-any-string")

    def read_document(self, request: Request) -> dict[str, Any]:
        if _HALF_A_PAIR.search(request.body):
            raise Refused(Reason.BODY, "The body holds half of a surrogate pair, which is no character.")
        return super().read_document(request)


class KeepsBackslashesBeforeSlashes(Fault, OffBlocks):
    """Takes the backslash of an escaped slash for one of the text."""

    breaks = (
        "offblocks.customer.external-id-is-any-string",
        "offblocks.customer.echoes-external-id",
        "offblocks.customer.no-second-for-a-pair",
    )

    def read_document(self, request: Request) -> dict[str, Any]:
        return super().read_document(replace(request, body=request.body.replace(rb"\/", rb"\\/")))
