"""What can be wrong, or otherwise than the sandbox has it, with the form of answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from conformance.exchange import Request, Response
from conformance.planbok.sandbox import Call, Customer, Planbok, Reason, Refused
from conformance.sandbox.answer_forms import compressed, from_a_front_end, in_lines
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import json_response, problem, to_json
from conformance.sandbox.service import Operation

_THINGS = {Reason.UNKNOWN_CUSTOMER, Reason.UNKNOWN_CHALLENGE, Reason.UNKNOWN_WALLET}
_INVALID = {Reason.BODY, Reason.QUERY, Reason.INCOMPLETE_SET_UP}


class LeavesOutTheMessage(Fault, Planbok):
    """Answers without ``message``."""

    breaks = ("planbok.response.matches-schema",)
    category = "F101"

    def envelope(self, status: int, message: str, data: Any) -> dict[str, Any]:
        members = super().envelope(status, message, data)
        del members["message"]
        return members


class LeavesOutThePage(Fault, Planbok):
    """Answers a request for wallets without ``redirectUrl``."""

    breaks = ("planbok.response.matches-schema", "planbok.challenge.answered")
    category = "F101"

    def success(self, status: int, message: str, data: Any) -> Response:
        return super().success(status, message, {name: data[name] for name in data if name != "redirectUrl"})


class WritesTheStatusAsText(Fault, Planbok):
    """Writes ``status`` as a text."""

    breaks = ("planbok.response.matches-inferred-schema",)
    category = "F101"

    def envelope(self, status: int, message: str, data: Any) -> dict[str, Any]:
        return {**super().envelope(status, message, data), "status": str(status)}


class CallsThePayloadResult(Fault, Planbok):
    """Has the payload under another name than ``data``."""

    breaks = ("planbok.response.matches-inferred-schema",)
    category = "F101"

    def envelope(self, status: int, message: str, data: Any) -> dict[str, Any]:
        return {"success": True, "status": status, "message": message, "payload": data}


class SendsJsonAsText(Fault, Planbok):
    """Sends its JSON as ``text/plain``."""

    breaks = ("planbok.response.is-json",)
    category = "F101"

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        return replace(await super().perform(operation, request, parameters), headers=(("Content-Type", "text/plain"),))


class CallsRefusalsSuccesses(Fault, Planbok):
    """Says ``success`` in refusals, too."""

    breaks = ("planbok.response.success-agrees",)

    def error_body(self, status: int, detail: str) -> Any:
        return {**super().error_body(status, detail), "success": True}


class CallsSuccessesFailures(Fault, Planbok):
    """Says ``success`` is false where a request was carried out."""

    breaks = ("planbok.response.success-agrees",)

    def envelope(self, status: int, message: str, data: Any) -> dict[str, Any]:
        return {**super().envelope(status, message, data), "success": False}


class BreaksOnWhatIsNoObject(Fault, Planbok):
    """Breaks on a body that is no JSON object."""

    breaks = ("planbok.response.no-server-error",)
    category = "F100"

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        if request.method == "POST" and not request.members():
            return json_response(500, self.error_body(500, "Cannot read properties of undefined."))
        return await super().perform(operation, request, parameters)


class BreaksOnNumbersForTexts(Fault, Planbok):
    """Breaks on a member that should be a text and is a number."""

    breaks = ("planbok.response.no-server-error",)
    category = "F100"

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        if any(isinstance(value, int) for value in request.members().values()):
            return json_response(500, self.error_body(500, "value.trim is not a function."))
        return await super().perform(operation, request, parameters)


class BreaksOnPageNought(Fault, Planbok):
    """Breaks on a page or a limit that is none."""

    breaks = ("planbok.response.no-server-error",)
    category = "F100"

    def refusal_status(self, reason: Reason) -> int:
        return 500 if reason is Reason.QUERY else super().refusal_status(reason)


class RefusesWithoutAWord(Variation, Planbok):
    """Refuses with an empty body."""

    permits = "No vendor page shows the body of a refusal."

    def refusal(self, refusal: Refused) -> Response:
        return Response(status=self.refusal_status(refusal.reason))


class RefusesInPlainText(Variation, Planbok):
    """Refuses with a sentence that is no JSON."""

    permits = "No vendor page shows the body of a refusal."

    def refusal(self, refusal: Refused) -> Response:
        headers = (("Content-Type", "text/plain; charset=utf-8"),)
        return Response(headers, refusal.detail.encode(), self.refusal_status(refusal.reason))


class RefusesWithProblemDetails(Variation, Planbok):
    """Refuses with problem details (RFC 9457), in which no known client looks."""

    permits = "No vendor page shows the body of a refusal."

    def refusal(self, refusal: Refused) -> Response:
        return problem(self.refusal_status(refusal.reason), refusal.detail)


class TakesAnyName(Fault, Planbok):
    """Creates a customer whose ``name`` is no text, and keeps it as one."""

    breaks = ("planbok.response.undescribed-refused",)
    category = "F102"

    def create_customer(self, call: Call) -> Response:
        document = dict(call.request.members())
        if "name" in document and not isinstance(document["name"], str):
            body = to_json({**document, "name": json.dumps(document["name"])})
            call = replace(call, request=replace(call.request, body=body))
        return super().create_customer(call)


class RefusesLargePages(Fault, Planbok):
    """Refuses a page of more than 20 entries."""

    breaks = ("planbok.response.described-accepted",)

    def page_of(self, call: Call, items: Sequence[Any], message: str) -> Response:
        limit = parse_qs(call.request.query).get("limit", ["10"])[0]
        if limit.isdecimal() and int(limit) > 20:  # noqa: PLR2004  (what the docstring says)
            raise Refused(Reason.QUERY, "'limit' must be 20 or less.")
        return super().page_of(call, items, message)


class HidesOtherMethods(Fault, Planbok):
    """Answers a method that a path does not have without saying which methods there are."""

    breaks = ("planbok.response.unsupported-method",)

    async def answer(self, request: Request, path: str) -> Response:
        response = await super().answer(request, path)
        headers = tuple(header for header in response.headers if header[0] != "Allow")
        return replace(response, headers=headers)


class PutsErrorsInAnObject(Variation, Planbok):
    """Says what was wrong in ``errors``."""

    permits = "The beta has message in a refusal, and a client of production looks for message in errors."

    def error_body(self, status: int, detail: str) -> Any:
        return {"success": False, "errors": {"message": detail}}


class ShowsTheStack(Variation, Planbok):
    """Adds ``stack`` to refusals."""

    permits = "The beta lists stack in the body of an error."

    def error_body(self, status: int, detail: str) -> Any:
        return {**super().error_body(status, detail), "stack": "Error: refused\n    at handler"}


class LeavesTheMessageOutOfReadings(Variation, Planbok):
    """Answers a GET without ``message``."""

    permits = "Wallet Sets lists success and status in the answer to a GET, and no message."

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        response = await super().perform(operation, request, parameters)
        if request.method != "GET" or not response.succeeded:
            return response
        members = {name: value for name, value in response.members().items() if name != "message"}
        return json_response(response.status, members)


class AddsMembers(Variation, Planbok):
    """Shows more of everything than any document names."""

    permits = "No document says that these are all the members of an answer."

    def envelope(self, status: int, message: str, data: Any) -> dict[str, Any]:
        return {"requestId": self.event_ids.draw(8).hex(), **super().envelope(status, message, data), "version": 2}

    def customer_json(self, customer: Customer) -> dict[str, Any]:
        return {**super().customer_json(customer), "email": None, "tags": [], "organization": {"name": "Example"}}


class TurnsMembersAround(Variation, Planbok):
    """Writes the members of an answer in another order."""

    permits = "The members of a JSON object have no order, and no document shows one."

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        response = await super().perform(operation, request, parameters)
        return json_response(response.status, _turned(response.members()))


class TellsNothingOfPages(Variation, Planbok):
    """Lists without an object that tells of the pages."""

    permits = "No document shows that object; its name is lost."

    def page_of(self, call: Call, items: Sequence[Any], message: str) -> Response:
        members = dict(super().page_of(call, items, message).members())
        del members["pagination"]
        return json_response(200, members)


class NamesTheCharset(Variation, Planbok):
    """Names UTF-8 in the Content-Type."""

    permits = "The documents are silent on parameters of the media type."

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        response = await super().perform(operation, request, parameters)
        return replace(response, headers=(("Content-Type", "Application/JSON; charset=utf-8"),))


class WritesWholeSeconds(Variation, Planbok):
    """Writes times without a fraction."""

    permits = "No document shows the form of a time."

    def time(self, instant: datetime) -> str:
        return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


class WritesNanoseconds(Variation, Planbok):
    """Writes times with nine digits of a fraction."""

    permits = "No document shows the form of a time."

    def time(self, instant: datetime) -> str:
        return f"{instant:%Y-%m-%dT%H:%M:%S.%f}000Z"


class WritesOffsets(Variation, Planbok):
    """Writes times with an offset."""

    permits = "No document shows the form of a time."

    def time(self, instant: datetime) -> str:
        return super().time(instant).replace("Z", "+00:00")


class AnswersInvalidRequestsWith422(Variation, Planbok):
    """Refuses what cannot be carried out with 422."""

    permits = "No document says which status refuses a wrong body, a wrong query or a customer who is not set up."

    def refusal_status(self, reason: Reason) -> int:
        return 422 if reason in _INVALID else super().refusal_status(reason)


class AnswersUnknownThingsWith400(Variation, Planbok):
    """Answers 400 about what does not exist."""

    permits = "No document says what is answered about a customer, a challenge or a wallet that does not exist."

    def refusal_status(self, reason: Reason) -> int:
        return 400 if reason in _THINGS else super().refusal_status(reason)


class AnswersUnknownThingsWith403(Variation, Planbok):
    """Answers 403 about what does not exist, or is another organization's."""

    permits = "No document says what is answered about a customer, a challenge or a wallet that does not exist."

    def refusal_status(self, reason: Reason) -> int:
        return 403 if reason in _THINGS else super().refusal_status(reason)


def _turned(value: Any) -> Any:
    """The value with the members of all its objects in reverse."""
    match value:
        case Mapping():
            return {name: _turned(value[name]) for name in reversed(list(value))}
        case list():
            return [_turned(each) for each in value]
        case _:
            return value


class BreaksOffItsJson(Fault, Planbok):
    """Loses the last character of the answer to a request that was carried out."""

    breaks = ("planbok.response.matches-schema",)
    category = "F101"

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        response = await super().perform(operation, request, parameters)
        cut = request.method == "POST" and response.succeeded
        return replace(response, body=response.body[:-1]) if cut else response


class LeavesOutTheContentType(Fault, Planbok):
    """Does not say what its answers are."""

    breaks = ("planbok.response.is-json",)
    category = "F101"

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        return replace(await super().perform(operation, request, parameters), headers=())


class AnswersWithNullForData(Fault, Planbok):
    """Answers the list of a customer's challenges with ``data`` as null."""

    breaks = ("planbok.response.matches-inferred-schema",)
    category = "F101"

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        response = await super().perform(operation, request, parameters)
        if operation.id != "listChallenges" or not response.succeeded:
            return response
        return json_response(response.status, {**response.members(), "data": None})


class NamesTheErrorOnly(Variation, Planbok):
    """Says what was wrong in ``error``, and nowhere else."""

    permits = "No vendor page shows the body of a refusal."

    def error_body(self, status: int, detail: str) -> Any:
        return {"success": False, "error": detail}


class AnswersInChunks(Variation, Planbok):
    """Sends bodies in chunks, without saying how long they are."""

    permits = "HTTP leaves the framing of a body to the server (RFC 9112, section 6)."

    async def answer(self, request: Request, path: str) -> Response:
        response = await super().answer(request, path)
        return replace(response, headers=(*response.headers, ("Transfer-Encoding", "chunked")))


class CapitalisesHeaderNames(Variation, Planbok):
    """Writes the names of header fields in capitals."""

    permits = "The names of header fields have no letter case (RFC 9110, section 5.1)."

    async def answer(self, request: Request, path: str) -> Response:
        response = await super().answer(request, path)
        return replace(response, headers=tuple((name.upper(), value) for name, value in response.headers))


class KeepsNoConnection(Variation, Planbok):
    """Ends the connection with each answer."""

    permits = "HTTP leaves it to the server whether a connection stays open (RFC 9112, section 9.6)."

    async def answer(self, request: Request, path: str) -> Response:
        response = await super().answer(request, path)
        return replace(response, headers=(*response.headers, ("Connection", "close")))


class AnswersInGzip(Variation, Planbok):
    """Compresses bodies with gzip for those who take that."""

    permits = (
        "HTTP leaves it to the server which of the codings that a client takes it uses (RFC 9110, section 12.5.3)."
    )

    async def answer(self, request: Request, path: str) -> Response:
        return compressed(request, await super().answer(request, path))


class SendsFieldsOfAFrontEnd(Variation, Planbok):
    """Sends the fields and cookies of a front end with each answer, and how many requests are left."""

    permits = "No document says that these are all the header fields of an answer."

    async def answer(self, request: Request, path: str) -> Response:
        return from_a_front_end(await super().answer(request, path))


class WritesJsonInLines(Variation, Planbok):
    """Writes JSON in lines, with escapes for all that is not ASCII and for slashes."""

    permits = "JSON leaves white space and escapes to the writer (RFC 8259, sections 2 and 7)."

    async def answer(self, request: Request, path: str) -> Response:
        return in_lines(await super().answer(request, path))


class SaysThatListsWereCreated(Fault, Planbok):
    """Has 201 in the body of a list that is not empty, which is answered with 200."""

    breaks = ("planbok.response.status-agrees",)

    def envelope(self, status: int, message: str, data: Any) -> dict[str, Any]:
        own = super().envelope(status, message, data)
        return {**own, "status": 201} if isinstance(data, list) and data else own


class BreaksFarBehindTheEnd(Fault, Planbok):
    """Breaks at a page whose first entry has a number beyond 32 bits."""

    breaks = ("planbok.response.no-server-error",)

    def place_of_page(self, number: int, limit: int) -> slice:
        (number * limit).to_bytes(4, "big")
        return super().place_of_page(number, limit)


class RefusesReadingsWithAType(Fault, Planbok):
    """Refuses a GET that has a Content-Type, since it has no body."""

    breaks = ("planbok.response.described-accepted",)

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        if request.method == "GET" and request.header("Content-Type") and not request.body:
            return self.refusal(Refused(Reason.BODY, "The body is empty, and has a Content-Type."))
        return await super().perform(operation, request, parameters)
