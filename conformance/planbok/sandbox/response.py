"""The form of answers: the envelope, refusals with their statuses, and times."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar

from conformance.exchange import Headers, Request, Response
from conformance.planbok.sandbox.base import Decisions
from conformance.planbok.sandbox.state import Reason, Refused
from conformance.sandbox.messages import json_response, to_rfc3339

_STATUSES = {
    Reason.MISSING_KEY: HTTPStatus.FORBIDDEN,
    Reason.UNKNOWN_KEY: HTTPStatus.UNAUTHORIZED,
    Reason.READ_ONLY_KEY: HTTPStatus.FORBIDDEN,
    Reason.UNKNOWN_CUSTOMER: HTTPStatus.NOT_FOUND,
    Reason.UNKNOWN_CHALLENGE: HTTPStatus.NOT_FOUND,
    Reason.UNKNOWN_WALLET: HTTPStatus.NOT_FOUND,
    Reason.KEY_REUSED: HTTPStatus.CONFLICT,
}


class ResponseDecisions(Decisions):
    """How an answer looks."""

    not_simulated: ClassVar = {
        "/v2/customers/{id}/export-private-keys": "POST",
        "/v2/customers/{id}/public-key": "GET",
        "/v2/customers/{id}/sign/**": "POST",
        "/v2/customers/{id}/transactions/**": "POST",
        "/v2/config/chains": "GET",
        "/v2/organization/**": "GET POST PUT PATCH DELETE",
        "/v2/transactions/**": "GET POST",
        "/v2/transfer/estimate-fee": "POST",
        "/v2/virtual-accounts/**": "GET POST",
        "/v2/wallet-sets/**": "GET POST",
        "/v2/wallets": "POST",
        "/v2/wallets/validate-address": "POST",
        "/v2/wallets/{id}": "PUT PATCH",
        "/v2/wallets/{id}/balances": "GET",
    }

    async def answer(self, request: Request, path: str) -> Response:
        """Tell that the server is well, without a key (clients); else what the API answers."""
        if path == "/health" and request.method in {"GET", "HEAD"}:
            return json_response(HTTPStatus.OK, {"healthy": True})
        return await super().answer(request, path)

    def stray(self, status: int, detail: str, headers: Headers = ()) -> Response:
        """The answer to a request that no operation takes, in the envelope of all refusals."""
        return json_response(status, self.error_body(status, detail), headers)

    def success(self, status: int, message: str, data: Any) -> Response:
        """The answer to a request that was carried out (API Reference: ``success``, ``status``, ``message``)."""
        return json_response(status, self.envelope(status, message, data))

    def envelope(self, status: int, message: str, data: Any) -> dict[str, Any]:
        """The members of a successful answer; the payload is ``data`` (beta and clients)."""
        return {"success": True, "status": status, "message": message, "data": data}

    def refusal(self, refusal: Refused) -> Response:
        """The answer to a refused request, in the envelope of the beta."""
        status = self.refusal_status(refusal.reason)
        return json_response(status, self.error_body(status, refusal.detail))

    def refusal_status(self, reason: Reason) -> int:
        """The status for a reason: 401 for a wrong key, 403 for none (beta); for the rest silent: 400, 404 and 409."""
        return _STATUSES.get(reason, HTTPStatus.BAD_REQUEST)

    def error_body(self, status: int, detail: str) -> Any:
        """What a refusal says: ``success`` and ``message`` (beta)."""
        return {"success": False, "status": status, "message": detail}

    def time(self, instant: datetime) -> str:
        """A time as the API writes it. Silent: ISO 8601 in UTC with milliseconds."""
        return to_rfc3339(instant)[:-4] + "Z"
