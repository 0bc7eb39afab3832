"""A customer is created for a wallet and an id of the caller's own, and read and listed as it was created."""

from datetime import timedelta
from http import HTTPStatus

import pytest

from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.offblocks.checks import listed
from conformance.offblocks.deviations import rules
from conformance.offblocks.suite.effects import expect_customers
from conformance.offblocks.suite.tenant import Tenant
from conformance.offblocks.wallet import Wallet
from conformance.scenario import (
    PATIENCE,
    expect,
    expect_acceptance,
    expect_reading,
    expect_status,
    refused,
    step_failed,
    verifies,
)
from conformance.targets import Subject

INCOMPLETE = rules("sends-complete-bodies")
NO_ACCOUNT_ID = rules("sends-account-id")
NO_CHECKSUM = rules("sends-checksummed-address")
LATER = timedelta(seconds=5)


def _id(exchange: Exchange) -> object:
    return exchange.response.members().get("id")


@verifies(
    "offblocks.customer.created-with-201",
    "offblocks.customer.starts-initiating",
    "offblocks.customer.echoes-chain-id",
    "offblocks.customer.echoes-external-id",
    "offblocks.customer.id-is-a-uuid",
    "offblocks.customer.times-are-rfc3339",
    "offblocks.customer.status-is-known",
    "offblocks.customer.verification-url",
)
def test_a_new_customer_is_created(tenant: Tenant, wallet: Wallet) -> None:
    """Given a wallet without a customer, when a customer is created for it."""
    exchange = tenant.create(wallet)
    if not exchange.response.succeeded:
        step_failed("A customer was to be created", exchange)


@verifies("offblocks.customer.external-id-is-any-string")
def test_an_external_id_may_be_any_string(tenant: Tenant, wallet: Wallet) -> None:
    """When a customer is created under an external id with letters, signs and blanks of several scripts."""
    external_id = f"Kundin Nº 7 / 顧客 🦊 {tenant.new_external_id()}"
    exchange = tenant.create(wallet, external_id)
    expect(
        "offblocks.customer.external-id-is-any-string",
        exchange.response.members().get("externalId") == external_id,
        where="response /externalId",
        expected=external_id,
        got=exchange.response.members().get("externalId", answered(exchange)),
        exchange=exchange,
    )


@verifies("offblocks.customer.readable", "offblocks.customer.created-at-stays")
def test_a_customer_is_read_as_it_was_created(tenant: Tenant, wallet: Wallet, subject: Subject) -> None:
    """Given a customer, when it is read a little later."""
    customer = tenant.onboard(wallet)
    subject.clock.advance(LATER)
    exchange = tenant.read(customer.id)
    expect_status("offblocks.customer.readable", exchange, 200)
    if not exchange.response.succeeded:
        step_failed("A customer was to be read", exchange)


@verifies("offblocks.customer.listed")
def test_every_customer_is_listed(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given two customers, when the customers are listed."""
    ids = {tenant.onboard(wallet).id, tenant.onboard(other_wallet).id}
    exchange = tenant.eventually(tenant.customers, lambda seen: ids <= _ids(seen))
    found = _ids(exchange)
    expect(
        "offblocks.customer.listed",
        ids <= found,
        where="response body",
        expected=f"{' and '.join(sorted(ids))} among the customers within {PATIENCE}",
        got=f"{len(found)} customers without {' and '.join(sorted(ids - found)) or 'a gap'}",
        exchange=exchange,
    )


@verifies("offblocks.customer.unknown-is-404")
def test_a_customer_that_does_not_exist_is_not_found(tenant: Tenant) -> None:
    """When a customer is read under an id that nobody gave."""
    expect_status("offblocks.customer.unknown-is-404", tenant.read(tenant.new_external_id()), 404)


# -------------------------------------------------------------------------------------------------------- uniqueness


@verifies("offblocks.customer.no-second-for-a-pair", "offblocks.customer.initiating-pair")
def test_a_pair_is_created_once(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer who has not signed, when its wallet and external id are sent again as a new request."""
    customer = tenant.onboard(wallet)
    again = tenant.create(wallet, customer.external_id)
    same = again.response.succeeded and _id(again) == customer.id
    expect_reading(
        "offblocks.customer.initiating-pair",
        "answered-409" if again.response.status == HTTPStatus.CONFLICT else "answered-with-the-same" if same else None,
        where="response",
        expected=f"409, or 2xx with the id {customer.id}",
        got=f"{answered(again)}, id {_id(again)}",
        exchange=again,
    )
    expect_customers("offblocks.customer.no-second-for-a-pair", tenant, [customer.external_id], at_most=1)


@verifies("offblocks.customer.onboarded-pair-is-409", "offblocks.customer.no-second-for-a-pair")
def test_an_onboarded_customer_is_not_created_again(tenant: Tenant, wallet: Wallet) -> None:
    """Given an active customer, when its wallet and external id are sent again as a new request."""
    customer = tenant.simulated("verify", wallet)
    again = tenant.create(wallet, customer.external_id)
    expect_status("offblocks.customer.onboarded-pair-is-409", again, HTTPStatus.CONFLICT)


@verifies("offblocks.customer.wallet-under-another-external-id")
def test_a_wallet_comes_under_another_external_id(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when its wallet is sent with another external id."""
    customer = tenant.onboard(wallet)
    again = tenant.create(wallet)
    _expect_uniqueness("offblocks.customer.wallet-under-another-external-id", "chain-id-is-unique", again, customer.id)


@verifies("offblocks.customer.external-id-with-another-wallet")
def test_an_external_id_comes_with_another_wallet(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when its external id is sent with another wallet."""
    customer = tenant.onboard(wallet)
    again = tenant.create(other_wallet, customer.external_id)
    _expect_uniqueness(
        "offblocks.customer.external-id-with-another-wallet", "external-id-is-unique", again, customer.id
    )


def _expect_uniqueness(rule: str, alone: str, again: Exchange, first: str) -> None:
    """Which is unique: the pair, as a new customer shows, or one id `alone`, as a conflict does."""
    new = again.response.succeeded and _id(again) != first
    expect_reading(
        rule,
        "pair-is-unique" if new else alone if again.response.status == HTTPStatus.CONFLICT else None,
        where="response",
        expected="2xx with a new id, or 409",
        got=f"{answered(again)}, id {_id(again)}",
        exchange=again,
    )


@verifies("offblocks.customer.address-case")
def test_letter_case_does_not_make_another_customer(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when its wallet is sent in lower case with the same external id."""
    customer = tenant.onboard(wallet)
    body = {"chainId": wallet.account_id.lower(), "externalId": customer.external_id}
    again = tenant.create(body=body, breaks=NO_CHECKSUM)
    expect(
        "offblocks.customer.address-case",
        again.response.status == HTTPStatus.CONFLICT or _id(again) == customer.id,
        where="response",
        expected=f"409, or the id {customer.id}",
        got=f"{answered(again)}, id {_id(again)}",
        exchange=again,
    )


# -------------------------------------------------------------------------------------------------------- bodies


@verifies("offblocks.customer.unlisted-chain")
def test_a_chain_of_the_examples_is_taken_or_refused(tenant: Tenant, subject: Subject) -> None:
    """When a customer is created on eip155:280, which the guide uses and the list of chains lacks."""
    exchange = tenant.create(Wallet.derived(subject.ids.child("wallet of the guide"), "eip155:280"))
    expect_reading(
        "offblocks.customer.unlisted-chain",
        "accepted" if exchange.response.succeeded else "refused" if refused(exchange) else None,
        where="response status",
        expected="2xx or a refusal",
        got=answered(exchange),
        exchange=exchange,
    )


@pytest.mark.parametrize("name", ["chainId", "externalId"])
@verifies("offblocks.customer.missing-field-is-400")
def test_a_missing_member_is_refused(tenant: Tenant, wallet: Wallet, name: str) -> None:
    """When a customer is created without one of the two required members."""
    body = {"chainId": wallet.account_id, "externalId": tenant.new_external_id()}
    del body[name]
    expect_status("offblocks.customer.missing-field-is-400", tenant.create(body=body, breaks=INCOMPLETE), 400)


@pytest.mark.parametrize("name", ["chainId", "externalId"])
@verifies("offblocks.customer.wrong-type-is-400")
def test_a_value_that_is_no_string_is_refused(tenant: Tenant, wallet: Wallet, name: str) -> None:
    """When a customer is created with a number, null, an array or an object for one of the two required members."""
    right = {"chainId": wallet.account_id, "externalId": tenant.new_external_id()}
    for value in (7, None, [right[name]], {"value": right[name]}):
        exchange = tenant.create(body={**right, name: value}, breaks=INCOMPLETE)
        expect_status("offblocks.customer.wrong-type-is-400", exchange, 400)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("eip155:", "", id="two-parts"),
        pytest.param("eip155", "EIP155", id="namespace-in-capitals"),
        pytest.param("0x", " 0x", id="blank-within"),
        pytest.param(":0x", ":0x!", id="sign-in-the-address"),
        pytest.param("eip155:", "eip155:1:", id="four-parts"),
    ],
)
@verifies("offblocks.customer.malformed-chain-id-is-400")
def test_a_malformed_account_id_is_refused(tenant: Tenant, wallet: Wallet, before: str, after: str) -> None:
    """When a customer is created for a `chainId` that CAIP-10 does not allow."""
    body = {"chainId": wallet.account_id.replace(before, after), "externalId": tenant.new_external_id()}
    exchange = tenant.create(body=body, breaks=NO_ACCOUNT_ID)
    expect_status("offblocks.customer.malformed-chain-id-is-400", exchange, 400)


@verifies("offblocks.customer.broken-json-is-400")
def test_a_body_that_is_no_json_is_refused(tenant: Tenant) -> None:
    """When a customer is created with a body that breaks off, with plain text, and with bytes that are no text."""
    for content in (b'{"chainId": "eip155:300:0x', b"chainId=eip155:300", b"\xff\xfe\x00"):
        exchange = tenant.create(body=None, content=content, breaks=INCOMPLETE)
        expect_status("offblocks.customer.broken-json-is-400", exchange, 400)


@verifies("offblocks.customer.extra-member-ignored")
def test_a_member_too_many_is_ignored(tenant: Tenant, wallet: Wallet) -> None:
    """When a customer is created with a member that the reference does not know."""
    body = {"chainId": wallet.account_id, "externalId": tenant.new_external_id(), "nickname": "Ada"}
    expect_acceptance("offblocks.customer.extra-member-ignored", tenant.create(body=body))


@verifies("offblocks.customer.status-is-not-for-the-caller")
def test_a_caller_does_not_set_the_status(tenant: Tenant, wallet: Wallet) -> None:
    """When a customer is created with a `status` in the body; a refusal will do too."""
    body = {"chainId": wallet.account_id, "externalId": tenant.new_external_id(), "status": "active"}
    exchange = tenant.create(body=body)
    identifier = _id(exchange)
    status = tenant.status(identifier) if isinstance(identifier, str) else "none: it was refused"
    expect(
        "offblocks.customer.status-is-not-for-the-caller",
        status == "initiating" or not exchange.response.succeeded,
        where="response /status",
        expected="initiating",
        got=status,
        exchange=exchange,
    )


def _ids(exchange: Exchange) -> set[str]:
    """The ids of the customers in a list."""
    return {str(customer.get("id")) for customer in listed(exchange)}
