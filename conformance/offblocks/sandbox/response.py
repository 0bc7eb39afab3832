"""Responses to requests that are refused."""

from http import HTTPStatus
from typing import ClassVar

from conformance.exchange import Headers, Response
from conformance.offblocks.sandbox.base import Decisions
from conformance.offblocks.sandbox.state import Reason, Refused
from conformance.sandbox.messages import problem

_STATUSES = {
    Reason.CREDENTIALS: HTTPStatus.UNAUTHORIZED,
    Reason.TOKEN: HTTPStatus.UNAUTHORIZED,
    Reason.REQUEST_SIGNATURE: HTTPStatus.UNAUTHORIZED,
    Reason.KEY_IN_USE: HTTPStatus.CONFLICT,
    Reason.KEY_REUSED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Reason.UNKNOWN_CUSTOMER: HTTPStatus.NOT_FOUND,
    Reason.DUPLICATE_CUSTOMER: HTTPStatus.CONFLICT,
    Reason.ALREADY_SIGNED: HTTPStatus.CONFLICT,
    Reason.WRONG_STATUS: HTTPStatus.CONFLICT,
}


class ResponseDecisions(Decisions):
    """What a refused request is answered."""

    not_simulated: ClassVar = {
        "/v1/accounts/**": "GET POST PATCH",
        "/v1/auth/credentials": "PUT DELETE",
        "/v1/customers/{customerId}/accounts": "GET POST",
        "/v1/customers/{customerId}/deactivate": "PATCH",
        "/v1/simulator/cards/{cardId}/issue": "PATCH",
        "/v1/simulator/cards/{cardId}/fail": "PATCH",
        "/v1/webhooks": "GET",
        "/v1/webhooks/{webhookId}": "GET DELETE",
    }

    def refusal(self, refusal: Refused) -> Response:
        """The answer to a refused request. Silent on error bodies: problem details (RFC 9457)."""
        status = self.refusal_status(refusal.reason)
        headers: Headers = (("WWW-Authenticate", "Bearer"),) if status == HTTPStatus.UNAUTHORIZED else ()
        return problem(status, refusal.detail, headers)

    def refusal_status(self, reason: Reason) -> int:
        """The status for a reason.

        The operations list 400, 401, 404 and 409 with a meaning each (Customer Creation, Authentication); a key that
        comes with another payload is 422 here where 409 is named too (Idempotency); for the rest silent: 400, and 409
        where the customer's state is in the way.
        """
        return _STATUSES.get(reason, HTTPStatus.BAD_REQUEST)
