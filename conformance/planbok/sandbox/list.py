"""Lists: which wallets they hold, in which order, and on which page."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from conformance.exchange import Response
from conformance.planbok.chains import Chain
from conformance.planbok.sandbox.base import Decisions
from conformance.planbok.sandbox.state import Call, Customer, Reason, Refused, Tenant, Wallet
from conformance.sandbox.messages import json_response


class ListDecisions(Decisions):
    """What lists hold, and in which order."""

    def list_wallets(self, call: Call) -> Response:
        """The wallets of some customers, or all (Provisioning Customer Wallets, Option B)."""
        query = dict(parse_qsl(call.request.query, keep_blank_values=True))
        found = [
            (customer, wallet)
            for customer in self.filtered(call.tenant, query.get("customerIds"))
            for wallet in customer.wallets
            if self.is_listed(wallet) and _fits(wallet, query)
        ]
        found.sort(key=lambda pair: pair[1].created_at)
        return self.page_of(call, [self.wallet_json(customer, wallet) for customer, wallet in found], "Wallets")

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        """The customers that a list is filtered by, comma-separated ids (demo client); without any, all that there are.

        Silent on unknown and strangers' ids: passed over.
        """
        own = [customer for customer in self.customers.values() if self.may_see(tenant, customer)]
        if not filter_text:
            return own
        return [customer for customer in own if self.is_filtered_by(customer, filter_text.split(","))]

    def is_filtered_by(self, customer: Customer, identifiers: Sequence[str]) -> bool:
        """Whether a filter of these ids lets a customer through."""
        return customer.id in identifiers

    def is_listed(self, wallet: Wallet) -> bool:
        """Whether the list shows a wallet yet."""
        return self.now() - wallet.created_at >= self.list_lag()

    def list_lag(self) -> timedelta:
        """How long the list is behind. Silent: not at all."""
        return timedelta()

    def get_wallet(self, call: Call) -> Response:
        """One wallet (beta)."""
        for customer in self.customers.values():
            for wallet in customer.wallets:
                if wallet.id == call.parameters["id"] and self.may_see(call.tenant, customer):
                    return self.success(HTTPStatus.OK, "Wallet", self.wallet_json(customer, wallet))
        raise Refused(Reason.UNKNOWN_WALLET, f"There is no wallet {call.parameters['id']!r}.")

    def wallet_there(self, customer: Customer, chain: Chain) -> Wallet | None:
        """The wallet that a chain gives once more, None for a new one. Silent: the one that the customer has there."""
        return next((wallet for wallet in customer.wallets if wallet.chain is chain), None)

    def page_of(self, call: Call, items: Sequence[Any], message: str) -> Response:
        """One page of a list: ``page`` from 1, ``limit`` 10 unless asked for, newest first (Wallet Sets).

        Silent on the object that tells of the pages: ``pagination``.
        """
        query = dict(parse_qsl(call.request.query, keep_blank_values=True))
        number, limit = _positive(query, "page", 1), min(_positive(query, "limit", 10), self.most_entries())
        ordered = list(items) if self.is_ascending(query.get("order", "desc")) else list(reversed(items))
        shown = ordered[self.place_of_page(number, limit)]
        pages = -(-len(ordered) // limit)
        tells = {"page": number, "limit": limit, "total": len(ordered), "pages": pages}
        return json_response(HTTPStatus.OK, {**self.envelope(HTTPStatus.OK, message, shown), "pagination": tells})

    def most_entries(self) -> int:
        """The highest ``limit``. Silent: 100."""
        return 100

    def place_of_page(self, number: int, limit: int) -> slice:
        """The entries of a page: it begins where the one before it ends (Wallet Sets)."""
        return slice((number - 1) * limit, number * limit)

    def is_ascending(self, order: str) -> bool:
        """Whether a list begins with its oldest entry; both letter cases are understood (Wallet Sets, beta)."""
        if order.lower() not in {"asc", "desc"}:
            raise Refused(Reason.QUERY, f"'order' must be asc or desc, and is {order!r}.")
        return order.lower() == "asc"


def _fits(wallet: Wallet, query: Mapping[str, str]) -> bool:
    shown = {"blockchain": wallet.chain.name, "address": wallet.address, "refId": wallet.ref_id}
    return all(query.get(name) in (None, value) for name, value in shown.items())


def _positive(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise Refused(Reason.QUERY, f"{name!r} must be a whole number from 1, and is {text!r}.")
    return int(text)
