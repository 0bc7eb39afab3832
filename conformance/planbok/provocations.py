"""Servers that are out of order for a moment: what they break they break at random, so that they prove no rule.

They only show how a client takes it, and stand apart from the faults, which the suite is measured with.
"""

from datetime import timedelta
from functools import cached_property

from conformance.exchange import Response
from conformance.planbok.sandbox import Call, Planbok
from conformance.sandbox.faults import Fault
from conformance.sandbox.messages import json_response


class KeepsResultsForAMinute(Fault, Planbok):
    """Lets challenges live for a minute, as their answers say, so that whoever reads results late shows it soon."""

    breaks = ("planbok.challenge.completable-in-time",)
    provokes = ("planbok.client.stores-result-in-time",)

    def challenge_lifetime(self) -> timedelta:
        """A minute."""
        return timedelta(minutes=1)


class ThrottlesEachReadTwice(Fault, Planbok):
    """Answers 429 to the first two reads of a customer, and to those of its wallets."""

    breaks = ("planbok.list.holds-all",)
    provokes = ("planbok.client.backs-off",)

    @cached_property
    def throttled(self) -> list[str]:
        """The URLs that were answered so, as often as they were."""
        return []

    def get_customer(self, call: Call) -> Response:
        """The customer, or 429 at first."""
        return self._throttled(call) or super().get_customer(call)

    def list_wallets(self, call: Call) -> Response:
        """The wallets, or 429 at first."""
        return self._throttled(call) or super().list_wallets(call)

    def _throttled(self, call: Call) -> Response | None:
        url = call.request.url
        if self.throttled.count(url) > 1:
            return None
        self.throttled.append(url)
        return json_response(429, self.error_body(429, "Too many requests. Wait, and longer each time."))
