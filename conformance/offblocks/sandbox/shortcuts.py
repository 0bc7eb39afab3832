"""Shortcuts: customers that a test is given in any state, without the calls that lead there."""

from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from typing import ClassVar

from conformance.exchange import Request, Response
from conformance.ids import Ids
from conformance.offblocks.sandbox.base import Decisions
from conformance.offblocks.sandbox.state import Call, Status
from conformance.sandbox.messages import BodyRejected, json_response, to_json
from conformance.sandbox.service import TENANTS
from conformance.sandbox.shortcuts import Routes, Shortcut
from conformance.standards.personal_message import address_of

_STATES: dict[Status, tuple[Status, ...]] = {
    Status.INITIATING: (),
    Status.SCREENING: (Status.SCREENING,),
    Status.VERIFYING: (Status.SCREENING, Status.VERIFYING),
    Status.ACTIVE: (Status.SCREENING, Status.VERIFYING, Status.ACTIVE),
    Status.REJECTED: (Status.SCREENING, Status.VERIFYING, Status.REJECTED),
}
"""The states that a customer can be given in, each with those that it passes."""

_SCREENING_LASTS = timedelta(hours=1)


class Shortcuts(Decisions):
    """Customers in any of their states, created and announced as by the API."""

    shortcuts: ClassVar[Routes] = {"/customers": ("make_customer", ("state", "wallets", "externalId", "tenant"))}

    @cached_property
    def wallet_keys(self) -> Ids:
        """Where the keys of wallets come from that a test does not bring."""
        return self.ids.child("wallet-keys")

    async def make_customer(self, shortcut: Shortcut) -> Response:
        """A customer in a state, with a wallet: 201.

        One in ``screening`` stays there for an hour of its world, whatever screening takes otherwise.
        """
        state = Status(shortcut.choice("state", list(_STATES), Status.ACTIVE))
        tenant = shortcut.choice("tenant", TENANTS, TENANTS[0])
        wallet = self.wallet_of(shortcut)
        body = {
            "chainId": wallet["account"],
            "externalId": shortcut.text("externalId", f"customer-{len(self.customers) + 1}"),
        }
        headers = (("Content-Type", "application/json"),)
        request = Request(headers, to_json(body), "POST", f"{shortcut.base_url}/v1/customers")
        await self.handler("createCustomer")(Call("createCustomer", request, self.tenants[tenant], {}))
        customer = next(reversed(self.customers.values()))
        for status in _STATES[state]:
            self.change_status(customer, status)
        customer.screening_lasts = _SCREENING_LASTS if state is Status.SCREENING else None
        made = {
            "id": customer.id,
            "state": state.value,
            "customer": self.customer_body(customer),
            "challenge": self.current_challenge(customer).encoded,
            "wallets": [wallet],
            "credentials": self.credentials(tenant),
        }
        return json_response(HTTPStatus.CREATED, made)

    def wallet_of(self, shortcut: Shortcut) -> dict[str, str]:
        """The account that a test names, or a new one with its private key.

        Raises:
            BodyRejected: If it names several.
        """
        accounts = shortcut.texts("wallets")
        if len(accounts) > 1:
            raise BodyRejected("A customer has one wallet here. Name one CAIP-10 account in 'wallets', or none.")
        if accounts:
            return {"account": accounts[0]}
        key = self.wallet_keys.draw(32)
        return {"account": f"eip155:300:{address_of(key)}", "privateKey": f"0x{key.hex()}"}
