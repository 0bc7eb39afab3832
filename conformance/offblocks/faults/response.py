"""Wrong forms of answers."""

import json
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from conformance.exchange import Request, Response
from conformance.offblocks.sandbox import Call, Customer, OffBlocks, Reason, Refused, Webhook
from conformance.sandbox.answer_forms import compressed, from_a_front_end, in_lines
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import json_response, problem, to_json
from conformance.sandbox.service import Operation

_LONGEST_EXTERNAL_ID = 64

_TRIED = frozenset({"null", "undefined", "None", "NaN", "false", "-", "{}", "constructor", "__proto__"})
"""What programs take for no value or for a part of every object, so that whoever makes one may try it."""


class LeavesOutTheTokenType(Fault, OffBlocks):
    """Answers a request for a token without ``tokenType``."""

    breaks = ("offblocks.response.matches-inferred-schema", "offblocks.response.shows-printed-members")
    category = "F101"

    async def create_token(self, call: Call) -> Response:
        members = dict((await super().create_token(call)).members())
        del members["tokenType"]
        return json_response(200, members)


class AnswersInPlainText(Fault, OffBlocks):
    """Sends its JSON as ``text/plain``."""

    breaks = ("offblocks.response.is-json",)
    category = "F101"

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        response = await super().perform(operation, request, parameters)
        return replace(response, headers=(("Content-Type", "text/plain"),)) if response.body else response


class AnswersMalformedIdsWith406(Fault, OffBlocks):
    """Refuses a customer id that is no uuid with a status that no document lists."""

    breaks = ("offblocks.response.status-documented",)

    def refusal_status(self, reason: Reason) -> int:
        return 406 if reason is Reason.CUSTOMER_ID else super().refusal_status(reason)


class BreaksWithoutKeyId(Fault, OffBlocks):
    """Breaks on a signature that does not name its key."""

    breaks = ("offblocks.response.no-server-error",)
    category = "F100"

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        signature_input = request.header("signature-input")
        if signature_input is not None and "keyid=" not in signature_input:
            return problem(500, "The signature names no key.")
        return await super().perform(operation, request, parameters)


class BreaksOnAnEmptyExternalId(Fault, OffBlocks):
    """Breaks on a customer whose ``externalId`` is the empty text, which a client may well send."""

    breaks = ("offblocks.response.no-server-error", "offblocks.customer.created-with-201")
    category = "F100"

    async def create_customer(self, call: Call) -> Response:
        if call.request.members().get("externalId") == "":
            return problem(500, "externalId is out of range.")
        return await super().create_customer(call)


class LosesUnprintableExternalIds(Fault, OffBlocks):
    """Shows null for an ``externalId`` that cannot be printed."""

    breaks = (
        "offblocks.response.matches-schema",
        "offblocks.customer.echoes-external-id",
        "offblocks.customer.external-id-is-any-string",
    )
    category = "F101"

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        body = super().customer_body(customer)
        return body if customer.external_id.isprintable() else {**body, "externalId": None}


class LosesExternalIdsWithoutDigits(Fault, OffBlocks):
    """Shows null for an ``externalId`` in which no digit stands, but for words that its makers have tried."""

    breaks = LosesUnprintableExternalIds.breaks
    category = "F101"

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        body = super().customer_body(customer)
        is_shown = customer.external_id in _TRIED or any(map(str.isdigit, customer.external_id))
        return body if is_shown else {**body, "externalId": None}


class TakesShortKeys(Fault, OffBlocks):
    """Takes an Idempotency-Key of a few characters, whatever they are."""

    breaks = ("offblocks.idempotency.key-not-a-uuid-refused",)
    category = "F102"

    def idempotency_key_is_well_formed(self, key: str) -> bool:
        return len(key) < 10 or super().idempotency_key_is_well_formed(key)  # noqa: PLR2004


class TakesAnyEventTypes(Fault, OffBlocks):
    """Registers a webhook whatever stands in ``types``."""

    breaks = ("offblocks.response.undescribed-refused",)
    category = "F102"

    def read_types(self, document: Mapping[str, Any]) -> list[str]:
        try:
            return super().read_types(document)
        except Refused:
            return []


class RefusesWebhooksForOneType(Fault, OffBlocks):
    """Registers no webhook that is for some types alone."""

    breaks = ("offblocks.response.described-accepted", "offblocks.webhook.registered")

    def read_types(self, document: Mapping[str, Any]) -> list[str]:
        if "types" in document:
            raise Refused(Reason.WEBHOOK, "'types' is not supported yet.")
        return super().read_types(document)


class AnswersOtherMethodsWith404(Fault, OffBlocks):
    """Answers a method that a path does not have as if there were no such path."""

    breaks = ("offblocks.response.unsupported-method",)

    async def answer(self, request: Request, path: str) -> Response:
        response = await super().answer(request, path)
        return (
            problem(HTTPStatus.NOT_FOUND, "There is nothing here.")
            if response.status == HTTPStatus.METHOD_NOT_ALLOWED
            else response
        )


class AnswersWithoutThePrefix(Variation, OffBlocks):
    """Has all operations without ``/v1`` too."""

    permits = "The prose of Customer Creation writes paths without /v1, its reference with it."

    async def answer(self, request: Request, path: str) -> Response:
        return await super().answer(request, path if path.startswith("/v1/") else f"/v1{path}")


class WrapsTheList(Variation, OffBlocks):
    """Lists customers in an object instead of a bare array."""

    permits = "No visible document shows the form of the list (Customers)."

    async def list_customers(self, call: Call) -> Response:
        response = await super().list_customers(call)
        return json_response(200, {"customers": json.loads(response.body)})


class ListsCustomersInPages(Variation, OffBlocks):
    """Lists the oldest customer, and says that there is a next page."""

    permits = "No visible document shows the form of the list (Customers), nor how much of it one answer holds."

    async def list_customers(self, call: Call) -> Response:
        found = json.loads((await super().list_customers(call)).body)
        more = {"next": "/v1/customers?page=2"} if len(found) > 1 else {}
        return json_response(200, {"customers": found[:1], "paging": {"total": len(found), **more}})


class RenamesTheExternalId(Fault, OffBlocks):
    """Shows the ``externalId`` under another name."""

    breaks = (
        "offblocks.response.matches-inferred-schema",
        "offblocks.response.shows-printed-members",
        "offblocks.customer.echoes-external-id",
        "offblocks.customer.external-id-is-any-string",
        "offblocks.webhook.event-matches-schema",
    )
    category = "F101"

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        body = super().customer_body(customer)
        body["externalID"] = body.pop("externalId")
        return body


class WritesTimesInSnakeCase(Fault, OffBlocks):
    """Shows ``created_at`` and ``updated_at`` instead of the members of the printed answers."""

    breaks = ("offblocks.response.shows-printed-members", "offblocks.webhook.event-matches-schema")
    category = "F101"

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        body = super().customer_body(customer)
        return {{"createdAt": "created_at", "updatedAt": "updated_at"}.get(name, name): body[name] for name in body}


class LeavesOutWhenItChanged(Fault, OffBlocks):
    """Shows customers without ``updatedAt``."""

    breaks = ("offblocks.response.shows-printed-members", "offblocks.webhook.event-matches-schema")
    category = "F101"

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        body = super().customer_body(customer)
        del body["updatedAt"]
        return body


class CutsItsJson(Fault, OffBlocks):
    """Loses the last character of the answer to a reading or a list."""

    breaks = (
        "offblocks.response.matches-schema",
        "offblocks.customer.readable",
        "offblocks.customer.listed",
        "offblocks.customer.id-is-a-uuid",
    )
    category = "F101"

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        response = await super().perform(operation, request, parameters)
        cut = operation.id in {"getCustomer", "listCustomers"} and response.succeeded
        return replace(response, body=response.body[:-1]) if cut else response


class SendsNoContentType(Fault, OffBlocks):
    """Does not say what its answers are."""

    breaks = ("offblocks.response.is-json",)
    category = "F101"

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        response = await super().perform(operation, request, parameters)
        headers = tuple(line for line in response.headers if line[0] != "Content-Type")
        return replace(response, headers=headers)


class AsksForTheLength(Variation, OffBlocks):
    """Answers 411 where a body comes without its length."""

    permits = "No document speaks of bodies in chunks, and RFC 9112 lets a server ask for Content-Length (section 6.3)."

    async def answer(self, request: Request, path: str) -> Response:
        if request.header("Transfer-Encoding") is None:
            return await super().answer(request, path)
        return problem(411, "Send the body with its Content-Length.")


class RefusesLongExternalIds(Variation, OffBlocks):
    """Refuses an externalId of more than 64 characters."""

    permits = "No document says how long an externalId may be."

    async def create_customer(self, call: Call) -> Response:
        external_id = self.read_member(self.read_document(call.request), "externalId")
        if len(external_id) > _LONGEST_EXTERNAL_ID:
            raise Refused(Reason.BODY, "An externalId has at most 64 characters.")
        return await super().create_customer(call)


class SaysNothingInRefusals(Variation, OffBlocks):
    """Refuses with an empty body."""

    permits = "No document shows the body of a refusal."

    def refusal(self, refusal: Refused) -> Response:
        response = super().refusal(refusal)
        headers = tuple(line for line in response.headers if line[0] != "Content-Type")
        return Response(headers, b"", response.status)


class WritesRefusalsAsText(Variation, OffBlocks):
    """Refuses with a sentence that is no JSON."""

    permits = "No document shows the body of a refusal."

    def refusal(self, refusal: Refused) -> Response:
        headers = (("Content-Type", "text/plain; charset=utf-8"),)
        return Response(headers, refusal.detail.encode(), self.refusal_status(refusal.reason))


class NamesTheErrorAlone(Variation, OffBlocks):
    """Refuses with an object that has ``error`` and nothing else."""

    permits = "No document shows the body of a refusal."

    def refusal(self, refusal: Refused) -> Response:
        return json_response(self.refusal_status(refusal.reason), {"error": refusal.detail})


class ShowsMoreMembers(Variation, OffBlocks):
    """Shows more of customers and webhooks than the reference names."""

    permits = "No schema of the reference excludes further members."

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        more: dict[str, Any] = {
            "type": "individual",
            "tags": [],
            "address": None,
            "meta": {"attempts": len(customer.challenges)},
        }
        return {**super().customer_body(customer), **more}

    def webhook_body(self, webhook: Webhook) -> dict[str, Any]:
        return {"enabled": True, **super().webhook_body(webhook)}


class WritesMembersBackwards(Variation, OffBlocks):
    """Writes the members of an answer in another order."""

    permits = "The members of a JSON object have no order (RFC 8259, section 1)."

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        response = await super().perform(operation, request, parameters)
        members = response.members()
        turned = dict(reversed(list(members.items())))
        return replace(response, body=to_json(turned)) if members else response


class SendsAnswersInChunks(Variation, OffBlocks):
    """Sends bodies in chunks, without saying how long they are."""

    permits = "HTTP leaves the framing of a body to the server (RFC 9112, section 6)."

    async def answer(self, request: Request, path: str) -> Response:
        response = await super().answer(request, path)
        chunked = (("Transfer-Encoding", "chunked"),) if response.body else ()
        return replace(response, headers=(*response.headers, *chunked))


class WritesHeaderNamesInCapitals(Variation, OffBlocks):
    """Writes the names of header fields in capitals."""

    permits = "The names of header fields have no letter case (RFC 9110, section 5.1)."

    async def answer(self, request: Request, path: str) -> Response:
        response = await super().answer(request, path)
        return replace(response, headers=tuple((name.upper(), value) for name, value in response.headers))


class ClosesConnections(Variation, OffBlocks):
    """Ends the connection with each answer."""

    permits = "HTTP leaves it to the server whether a connection stays open (RFC 9112, section 9.6)."

    async def answer(self, request: Request, path: str) -> Response:
        response = await super().answer(request, path)
        return replace(response, headers=(*response.headers, ("Connection", "close")))


class CompressesAnswers(Variation, OffBlocks):
    """Compresses bodies with gzip for those who take that."""

    permits = (
        "HTTP leaves it to the server which of the codings that a client takes it uses (RFC 9110, section 12.5.3)."
    )

    async def answer(self, request: Request, path: str) -> Response:
        return compressed(request, await super().answer(request, path))


class StandsBehindAFrontEnd(Variation, OffBlocks):
    """Sends the fields and cookies of a front end with each answer, and how many requests are left."""

    permits = "No document says that these are all the header fields of an answer."

    async def answer(self, request: Request, path: str) -> Response:
        return from_a_front_end(await super().answer(request, path))


class IndentsAndEscapesItsJson(Variation, OffBlocks):
    """Writes JSON in lines, with escapes for all that is not ASCII and for slashes."""

    permits = "JSON leaves white space and escapes to the writer (RFC 8259, sections 2 and 7)."

    async def answer(self, request: Request, path: str) -> Response:
        return in_lines(await super().answer(request, path))


class ShowsWhenCustomersWereSeen(Variation, OffBlocks):
    """Shows with each customer when it was looked at last, and how often."""

    permits = "No schema of the reference excludes further members, nor says what they do."

    def customer_body(self, customer: Customer) -> dict[str, Any]:
        self.__dict__["looks"] = looks = self.__dict__.get("looks", 0) + 1
        seen = {"lastSeenAt": self.format_time(self.now()), "looks": looks, "closedAt": None}
        return {**super().customer_body(customer), **seen}
