"""A customer is created for a wallet and an id of the caller's own, and read and listed as it was created."""

import re
from datetime import timedelta
from functools import partial
from http import HTTPStatus

import pytest

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.findings import answer as answered
from conformance.offblocks.checks import is_partial, listed
from conformance.offblocks.deviations import rules
from conformance.offblocks.suite.effects import (
    DAYS_AFTER,
    expect_customers,
    expect_listed,
    listed_with,
    require_all,
    require_days,
)
from conformance.offblocks.suite.tenant import Tenant
from conformance.offblocks.wallet import Wallet
from conformance.scenario import (
    PATIENCE,
    expect,
    expect_acceptance,
    expect_reading,
    expect_refusal,
    expect_refusal_status,
    expect_status,
    leaves_out,
    needs,
    refused,
    step_failed,
    verifies,
    waits,
)
from conformance.standards.account_ids import checksum_address
from conformance.standards.spellings import PLAIN, EscapedJson, SpacedJson
from conformance.targets import Subject
from conformance.values import near, telling

LISTED_CHAINS = ("eip155:324", "eip155:300", "eip155:42161", "eip155:421614", "eip155:137", "eip155:80001")
"""The chains of Ethereum's kind on the page Blockchain Identifiers."""
UNUSUAL_CHAINS = ("eip155:30", f"eip155:{2**31}", f"eip155:{2**32 + 300}", f"eip155:{2**53 + 1}", f"eip155:{2**64 + 1}")
"""A chain whose wallets write another checksum (EIP-1191), and numbers that 31, 32, 53 and 64 bits cannot hold."""
INCOMPLETE = rules("sends-complete-bodies")
NO_ACCOUNT_ID = rules("sends-account-id")
NO_CHECKSUM = rules("sends-checksummed-address")
LATER = timedelta(seconds=5)
ROUNDS = 3
"""How often a race is run."""


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
    """When customers are created under external ids with letters, signs and blanks of several scripts, also escaped."""
    for owner, spelling in ((wallet, PLAIN), (tenant.new_wallet(), EscapedJson())):
        external_id = f"Kundin Nº 7 / 顧客 🦊 {tenant.new_external_id()}"
        content = spelling.json({"chainId": owner.account_id, "externalId": external_id})
        exchange = tenant.create(body=None, content=content)
        expect(
            "offblocks.customer.external-id-is-any-string",
            exchange.response.members().get("externalId") == external_id,
            where="response /externalId",
            expected=external_id,
            got=exchange.response.members().get("externalId", answered(exchange)),
            exchange=exchange,
        )


@verifies(
    "offblocks.customer.echoes-external-id",
    "offblocks.customer.external-id-is-any-string",
    "offblocks.customer.readable",
    "offblocks.customer.listed",
    "offblocks.response.described-accepted",
)
def test_an_external_id_is_kept_to_the_letter(tenant: Tenant) -> None:
    """When customers come under texts that are often cut, folded, escaped or left out, and are read and listed."""
    created: list[str] = []
    words = telling.WORDS if tenant.moves_clock else ()  # a server that keeps its customers may have them already
    for value in [*near.chosen(telling.TEXTS, tenant.ids, core=13, more=3), *near.chosen(words, tenant.ids, core=2)]:
        external_id = value.numbered(_number(tenant))
        exchange = tenant.create(tenant.new_wallet(), external_id)
        _expect_taken(exchange, f"an externalId of {value.name}")
        identifier, found = _id(exchange), exchange.response.members().get("externalId", "no externalId")
        if exchange.response.succeeded and isinstance(identifier, str):
            created.append(identifier)
            expect(
                "offblocks.customer.echoes-external-id",
                found == external_id,
                where="response /externalId",
                expected=f"{external_id!a}, {value.name}",
                got=ascii(found),
                exchange=exchange,
            )
            expect_status("offblocks.customer.readable", tenant.read(identifier), 200)
    if not created:
        step_failed("One of these creations was to be accepted", exchange)
    listed_with(tenant, created[-1])


def _expect_taken(exchange: Exchange, what: str) -> None:
    expect(
        "offblocks.response.described-accepted",
        exchange.response.succeeded,
        where="response status",
        expected=f"2xx: {what} fits the reference",
        got=answered(exchange),
        exchange=exchange,
    )


def _number(tenant: Tenant) -> int:
    """A number that nobody has used before, of ten digits."""
    return 10**9 + tenant.ids.below(9 * 10**9)


@verifies("offblocks.customer.echoes-chain-id", "offblocks.challenge.chain-id", "offblocks.response.described-accepted")
def test_a_customer_is_created_on_each_chain_of_the_list(tenant: Tenant, wallet: Wallet) -> None:
    """When a customer is created on each of the chains that the documents list for Ethereum's kind of wallets."""
    for chain in LISTED_CHAINS:
        _expect_taken(tenant.create(tenant.new_wallet_on(chain)), f"the chain {chain}")
    tenant.create(wallet)


@verifies("offblocks.challenge.chain-id", "offblocks.challenge.address-checksummed")
def test_a_chain_with_an_unusual_number_is_named_in_full(tenant: Tenant) -> None:
    """When customers are created on chains that no document lists, and on which numbers and addresses go wrong."""
    taken = [tenant.create(tenant.new_wallet_on(chain)).response.succeeded for chain in UNUSUAL_CHAINS]
    if not any(taken):
        needs("a chain that no document lists, which this API does not take")


@verifies(
    "offblocks.challenge.address-checksummed", "offblocks.challenge.grammar", "offblocks.signing.hex-text-accepted"
)
def test_an_address_is_written_in_full_and_with_its_checksum(tenant: Tenant) -> None:
    """When wallets sign up whose addresses begin or end with zeros, and one comes in small letters."""
    for is_telling in (_begins_with_zeros, _ends_with_zeros):
        wallet = tenant.new_wallet()
        while not is_telling(wallet):
            wallet = tenant.new_wallet()
        customer = tenant.onboard(wallet)
        if not re.fullmatch("0x[0-9A-Fa-f]{40}", customer.challenge.address):
            step_failed(
                "A challenge was to name an address on its second line",
                customer.exchange,
                relies_on=["offblocks.challenge.address", "offblocks.challenge.grammar"],
            )
        exchange = tenant.sign(customer.id, wallet, customer.challenge)
        expect_status("offblocks.signing.hex-text-accepted", exchange, 204, because=f"{wallet.address} signed")
    wallet = tenant.new_wallet()
    body = {"chainId": wallet.account_id.lower(), "externalId": tenant.new_external_id()}
    exchange = tenant.create(body=body, breaks=NO_CHECKSUM)
    identifier = _id(exchange)
    if exchange.response.succeeded and isinstance(identifier, str):
        tenant.fetch(identifier)


def _begins_with_zeros(wallet: Wallet) -> bool:
    return wallet.address.startswith("0x00")


def _ends_with_zeros(wallet: Wallet) -> bool:
    return wallet.address.endswith("00")


@verifies("offblocks.customer.readable", "offblocks.customer.created-at-stays")
def test_a_customer_is_read_as_it_was_created(tenant: Tenant, wallet: Wallet, subject: Subject) -> None:
    """Given a customer, and another one whose externalId is its id, when the first is read a little later."""
    customer = tenant.onboard(wallet)
    tenant.create(tenant.new_wallet(), customer.id)
    subject.clock.advance(LATER)
    exchange = tenant.read(customer.id)
    expect_status("offblocks.customer.readable", exchange, 200)
    if not exchange.response.succeeded:
        step_failed("A customer was to be read", exchange)


@verifies("offblocks.customer.listed")
def test_every_customer_is_listed(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a list that was read, when customers come, some with one wallet or externalId, and are listed again."""
    tenant.customers()
    first = tenant.onboard(wallet)
    ids = {first.id, tenant.onboard(other_wallet).id, *(each.id for each in tenant.like(first))}
    expect_listed(tenant, ids)


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


@verifies("offblocks.customer.no-second-for-a-pair")
def test_a_pair_is_the_same_however_its_json_is_written(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when its wallet and external id are sent again in JSON with blanks, and with escapes."""
    customer = tenant.onboard(wallet, f"{_number(tenant)} Zoë/1")
    for spelling in (PLAIN, SpacedJson(), EscapedJson()):
        content = spelling.json({"chainId": wallet.account_id, "externalId": customer.external_id})
        again = tenant.create(body=None, content=content)
        expect(
            "offblocks.customer.no-second-for-a-pair",
            _id(again) == customer.id or not again.response.succeeded,
            where="response",
            expected=f"a refusal, or the id {customer.id}: JSON means the same in whatever spelling",
            got=f"{answered(again)}, id {_id(again)}",
            exchange=again,
        )


@verifies("offblocks.response.refusal-changes-nothing", "offblocks.signing.hex-text-accepted")
def test_a_refused_creation_leaves_the_first_customer_as_it_was(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer whose pair is sent again and refused, when its challenge is fetched and the first one signed."""
    customer = tenant.onboard(wallet)
    again = tenant.create(wallet, customer.external_id)
    if again.response.succeeded:
        needs("a refusal of a second customer of one pair, which this API answers otherwise")
    fetched = tenant.fetched(customer.id)
    expect(
        "offblocks.response.refusal-changes-nothing",
        fetched.text == customer.challenge.text,
        where="response /challenge",
        expected="the challenge that the customer was given",
        got="that" if fetched.text == customer.challenge.text else "another",
        exchange=again,
    )
    exchange = tenant.sign(customer.id, wallet, customer.challenge)
    because = "a refused creation brings no new challenge"
    expect_status("offblocks.signing.hex-text-accepted", exchange, 204, because=because)


@verifies("offblocks.customer.onboarded-pair-is-409", "offblocks.customer.no-second-for-a-pair")
def test_an_onboarded_customer_is_not_created_again(tenant: Tenant, wallet: Wallet) -> None:
    """Given an active customer, when its wallet and external id are sent again as a new request."""
    customer = tenant.simulated("verify", wallet)
    again = tenant.create(wallet, customer.external_id)
    expect_status("offblocks.customer.onboarded-pair-is-409", again, HTTPStatus.CONFLICT)


@verifies("offblocks.signing.moves-the-status", "offblocks.customer.starts-initiating")
def test_who_has_signed_stays_so_when_the_pair_comes_again(tenant: Tenant) -> None:
    """Given customers who are to be verified and active, when their pairs come again, and their wallets with others."""
    for customer in (tenant.verifying(tenant.new_wallet()), tenant.simulated("verify", tenant.new_wallet())):
        again = tenant.create(customer.wallet, customer.external_id)
        status = tenant.status_shortly(customer.id)
        expect(
            "offblocks.signing.moves-the-status",
            status != "initiating",
            where="response /status",
            expected="verifying, or a later state",
            got=f"{status}, after a creation that was answered {again.response.status}",
        )
        tenant.create(customer.wallet)


@leaves_out("neighbours", because="What is sent at once meets enough besides.")
@verifies("offblocks.customer.no-second-for-a-pair")
def test_a_pair_that_comes_at_once_is_created_once(tenant: Tenant) -> None:
    """Given new pairs, when each is sent twice, and one eight times, at once under keys of their own, and listed."""
    external_ids = [tenant.new_external_id() for _ in range(ROUNDS)]
    for external_id in external_ids:
        create = partial(tenant.create, tenant.new_wallet(), external_id)
        calls = [partial(create, key=tenant.new_key()) for _ in range(8 if external_id == external_ids[-1] else 2)]
        answers = tenant.together(*calls)
        given = {str(_id(answer)) for answer in answers if answer.response.succeeded}
        expect(
            "offblocks.customer.no-second-for-a-pair",
            len(given) == 1,
            where="response /id",
            expected=f"one id from {len(calls)} creations of one pair at once",
            got=", ".join(sorted(given)) or "none",
        )
    expect_customers("offblocks.customer.no-second-for-a-pair", tenant, external_ids, at_most=ROUNDS)


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@verifies(
    "offblocks.customer.onboarded-pair-is-409",
    "offblocks.customer.no-second-for-a-pair",
    "offblocks.customer.readable",
    "offblocks.customer.listed",
)
def test_a_customer_lasts(tenant: Tenant, wallet: Wallet, clock: Clock) -> None:
    """Given an active customer, when it is sent again, read and listed, each after a day, a week and 31 days more."""
    require_days(tenant)
    customer = tenant.simulated("verify", wallet)
    for days in DAYS_AFTER:
        clock.advance(timedelta(days=days, minutes=20))
        again = tenant.create(wallet, customer.external_id)
        because = f"the customer was onboarded, and {days} days passed"
        expect_status("offblocks.customer.onboarded-pair-is-409", again, HTTPStatus.CONFLICT, because=because)
        expect_status("offblocks.customer.readable", tenant.read(customer.id), 200, because=because)
        _expect_listed(tenant, customer.id)


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@verifies("offblocks.customer.listed")
def test_a_customer_is_listed_in_every_state(tenant: Tenant) -> None:
    """Given listed customers, when one signs, one is verified and one rejected, and all are listed after each step."""
    new, signing = (tenant.onboard(tenant.new_wallet()) for _ in range(2))
    verified, rejected = (tenant.verifying(tenant.new_wallet()) for _ in range(2))
    for step, customer, state in (
        (partial(tenant.read, new.id), new, "initiating"),
        (partial(tenant.sign, signing.id, signing.wallet, signing.challenge), signing, "verifying"),
        (partial(tenant.simulate, "verify", verified.id), verified, "active"),
        (partial(tenant.simulate, "reject", rejected.id), rejected, "rejected"),
    ):
        step()
        tenant.status_once(customer.id, state)
        _expect_listed(tenant, *(each.id for each in (new, signing, verified, rejected)))


def _expect_listed(tenant: Tenant, *customers: str) -> None:
    """Say that the list holds customers with the state that each is read with."""
    states = {customer: tenant.status(customer) for customer in customers}

    def listed_states(exchange: Exchange) -> dict[object, object]:
        return {each.get("id"): each.get("status") for each in listed(exchange) if each.get("id") in states}

    exchange = tenant.eventually(
        "the list to hold customers with their states",
        tenant.customers,
        lambda seen: listed_states(seen) == states or is_partial(seen),
    )
    found = listed_states(exchange)
    if len(found) < len(states):
        require_all(exchange)
    expect(
        "offblocks.customer.listed",
        found == states,
        where="response body",
        expected=f"{', '.join(f'{customer}, {state}' for customer, state in states.items())} within {PATIENCE}",
        got=", ".join(f"{customer}, {state}" for customer, state in found.items()) or "none of them",
        exchange=exchange,
    )


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


@verifies("offblocks.customer.created-with-201")
def test_an_external_id_that_is_like_another_is_another(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when another is created under an externalId that differs from the first in one property."""
    customer = tenant.onboard(wallet)
    again = tenant.create(wallet)
    shares_wallets = again.response.succeeded and _id(again) != customer.id
    for pair in near.chosen(telling.PAIRS, tenant.ids, core=9, more=3):
        one, other = pair.numbered(_number(tenant))
        owner = tenant.new_wallet()
        first = tenant.create(owner, one)
        second = tenant.create(owner if shares_wallets else tenant.new_wallet(), other)
        if first.response.succeeded and (other.isprintable() or second.response.succeeded):
            _expect_another(second, first, f"its externalId differs in {pair.name}")


@verifies("offblocks.customer.created-with-201")
def test_an_account_that_is_like_another_is_another(tenant: Tenant, wallet: Wallet, other_wallet: Wallet) -> None:
    """Given a customer, when another is created for an account that differs in a digit or in the chain alone."""
    customer = tenant.onboard(wallet)
    again = tenant.create(other_wallet, customer.external_id)
    shares_ids = again.response.succeeded and _id(again) != customer.id
    digits = near.misses(wallet.address.removeprefix("0x"), near.HEX, others=[other_wallet.address.removeprefix("0x")])
    like = [(miss.name, f"{wallet.chain}:0x{miss.value}") for miss in digits if miss.same_form or miss.sort == "joined"]
    listed_ones = [chain for chain in LISTED_CHAINS if chain != str(wallet.chain)]
    chains = [*listed_ones[:2], f"eip155:{2**32 + int(wallet.chain.reference)}"]  # the last has the same 32 bits
    taken = [chain for chain in chains if tenant.create(tenant.new_wallet_on(chain)).response.succeeded]
    like += [(f"on {chain} instead of {wallet.chain}", f"{chain}:{wallet.address}") for chain in taken]
    for name, account in [*like[:6], *like[len(like) - len(taken) :]]:
        chain, _, address = account.rpartition(":")
        external_id = customer.external_id if shares_ids else tenant.new_external_id()
        body = {"chainId": f"{chain}:{checksum_address(address)}", "externalId": external_id}
        _expect_another(tenant.create(body=body), customer.exchange, f"its account is like the first one, {name}")


def _expect_another(second: Exchange, first: Exchange, because: str) -> None:
    """Say that a customer was created who is not the first one."""
    created = second.response.status == HTTPStatus.CREATED and _id(second) != _id(first)
    expect(
        "offblocks.customer.created-with-201",
        created,
        where="response",
        expected=f"201 with an id of its own: {because}",
        got=f"{answered(second)}, id {_id(second)}",
        exchange=second,
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
@verifies("offblocks.customer.missing-field-is-400", "offblocks.response.undescribed-refused")
def test_a_missing_member_is_refused(tenant: Tenant, wallet: Wallet, name: str) -> None:
    """When a customer is created without one of the two required members."""
    body = {"chainId": wallet.account_id, "externalId": tenant.new_external_id()}
    del body[name]
    exchange = tenant.create(body=body, breaks=INCOMPLETE)
    expect_refusal_status("offblocks.customer.missing-field-is-400", exchange, 400)
    expect_refusal("offblocks.response.undescribed-refused", exchange, f"{name} is required")


@pytest.mark.parametrize("name", ["chainId", "externalId"])
@verifies("offblocks.customer.wrong-type-is-400", "offblocks.response.undescribed-refused")
def test_a_value_that_is_no_string_is_refused(tenant: Tenant, wallet: Wallet, name: str) -> None:
    """When a customer is created with a number, null, an array or an object for one of the two required members."""
    right = {"chainId": wallet.account_id, "externalId": tenant.new_external_id()}
    for value in (7, None, [right[name]], {"value": right[name]}):
        exchange = tenant.create(body={**right, name: value}, breaks=INCOMPLETE)
        expect_refusal_status("offblocks.customer.wrong-type-is-400", exchange, 400)
        expect_refusal("offblocks.response.undescribed-refused", exchange, f"{name} is a string")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("eip155:", "", id="two-parts"),
        pytest.param("eip155", "EIP155", id="namespace-in-capitals"),
        pytest.param("0x", " 0x", id="blank-within"),
        pytest.param(":0x", ":0x!", id="sign-in-the-address"),
        pytest.param("eip155:", "eip155:1:", id="four-parts"),
        pytest.param("0x", "0X", id="prefix-in-capitals"),
    ],
)
@verifies("offblocks.customer.malformed-chain-id-refused", "offblocks.customer.malformed-chain-id-is-400")
def test_a_malformed_account_id_is_refused(tenant: Tenant, wallet: Wallet, before: str, after: str) -> None:
    """When a customer is created for a `chainId` that CAIP-10 does not allow."""
    body = {"chainId": wallet.account_id.replace(before, after), "externalId": tenant.new_external_id()}
    exchange = tenant.create(body=body, breaks=NO_ACCOUNT_ID)
    expect_refusal_status("offblocks.customer.malformed-chain-id-is-400", exchange, 400)
    expect_refusal("offblocks.customer.malformed-chain-id-refused", exchange, "chainId is a CAIP-10 account id")


@verifies("offblocks.customer.malformed-chain-id-refused")
def test_an_account_id_that_is_almost_one_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """When customers are created for texts that are like an account id and that CAIP-10 does not allow."""
    right = wallet.account_id
    misses = {
        "with a line feed behind it": f"{right}\n",
        "with a blank behind it": f"{right} ",
        "with a blank before it": f" {right}",
        "with a no-break space behind it": f"{right}\u00a0",
        "with the chain in digits of another script": right.replace(":3", ":\u0663", 1),
        "with the address in characters of full width": right[:-1] + chr(ord(right[-1]) + 0xFEE0),
        "without its last digit": right[:-1],
        "with one more digit": f"{right}0",
        "with a look-alike in its namespace": f"\u0435{right[1:]}",
        "with a zero-width space behind it": f"{right}\u200b",
        "in quotation marks": f'"{right}"',
        "without a chain": f"eip155::{wallet.address}",
    }
    for name, chain_id in misses.items():
        body = {"chainId": chain_id, "externalId": tenant.new_external_id()}
        exchange = tenant.create(body=body, breaks=NO_ACCOUNT_ID)
        expect_refusal("offblocks.customer.malformed-chain-id-refused", exchange, f"chainId is an account id {name}")


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
