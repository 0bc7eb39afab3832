"""An address has the form of its chain, follows from its key, and belongs to one customer.

All of it is told from the wallets that answers show; a test only has them shown.
"""

from collections.abc import Sequence
from typing import NoReturn

from conformance.planbok.messages import Wallet
from conformance.planbok.suite.tenant import Onboarding, Tenant
from conformance.scenario import expect_reading, needs, step_failed, verifies
from conformance.standards.addresses import Family


@verifies("planbok.address.evm-form", "planbok.address.evm-checksum")
def test_an_address_on_an_evm_chain_is_well_formed(tenant: Tenant) -> None:
    """Given wallets on the EVM chains of the run, when they are listed."""
    _show_wallets(tenant, tenant.chains_of(Family.EVM))
    _pass_over_unjudged("an address that is well formed")


@verifies("planbok.address.bitcoin-form")
def test_an_address_of_bitcoin_is_well_formed(tenant: Tenant) -> None:
    """Given wallets on the Bitcoin networks of the run, when they are listed."""
    _show_wallets(tenant, tenant.chains_of(Family.BITCOIN))


@verifies("planbok.address.solana-form")
def test_an_address_of_solana_is_well_formed(tenant: Tenant) -> None:
    """Given wallets on the Solana networks of the run, when they are listed."""
    _show_wallets(tenant, tenant.chains_of(Family.SOLANA))


@verifies("planbok.address.near-form")
def test_an_address_of_near_is_well_formed(tenant: Tenant) -> None:
    """Given wallets on the NEAR networks of the run, when they are listed."""
    _show_wallets(tenant, tenant.chains_of(Family.NEAR))


@verifies(
    "planbok.address.follows-from-public-key",
    "planbok.address.evm-follows-from-public-key",
    "planbok.address.one-account",
    "planbok.address.path-form",
)
def test_an_address_is_derived_as_its_wallet_says(tenant: Tenant) -> None:
    """Given wallets on all chains of the run, when they are listed with their public keys and derivation paths."""
    _show_wallets(tenant, _all_chains(tenant))
    _pass_over_unjudged("a derivation path or an account key, or a public key")


@verifies("planbok.address.same-on-evm-chains", "planbok.address.one-root", "planbok.address.keys-of-each-request")
def test_an_address_is_the_same_on_all_evm_chains(tenant: Tenant) -> None:
    """Given wallets on the EVM chains of the run, each from a challenge of its own, when they are listed."""
    chains = tenant.chains_of(Family.EVM, at_least=2)
    wallets = _show_wallets(tenant, *([chain] for chain in chains))
    addresses = {chain: {each.address.lower() for each in wallets if each.blockchain == chain} for chain in chains}
    expect_reading(
        "planbok.address.keys-of-each-request",
        "one-root" if set.intersection(*addresses.values()) else "new-keys",
        where="response /data",
        expected="one address on all EVM chains, or one for each challenge",
        got="; ".join(f"{chain}: {', '.join(sorted(found))}" for chain, found in addresses.items()),
    )
    _pass_over_unjudged("the derivation paths of two wallets, one path for both")


@verifies("planbok.address.same-on-evm-chains", "planbok.list.wallets-stay")
def test_an_address_is_the_same_whatever_the_pin_is(tenant: Tenant) -> None:
    """Given wallets on EVM chains, when the PIN is replaced and a customer created between them, and then recovery."""
    customer = tenant.ready()
    chains = tenant.chains_of(Family.EVM, at_least=2)
    for number, chain in enumerate(chains):
        _show_wallets(tenant, [chain], customer=customer)
        task, replace = (
            ("update-pin", customer.person.change_pin) if number % 2 else ("reset-pin", customer.person.reset_pin)
        )
        replace(tenant.issued(tenant.ask(task, customer.id)).url)
        tenant.onboard()
    customer.person.set_recovery(tenant.issued(tenant.ask("recovery", customer.id)).url)
    tenant.owned(customer.id)


@verifies("planbok.address.never-shared")
def test_two_customers_share_no_address(tenant: Tenant) -> None:
    """Given two customers of one name, refId, PIN, answers and second, when wallets on all chains are listed."""
    customer = tenant.ready()
    customers = [customer, tenant.ready(like=customer)]
    for each in customers:
        _show_wallets(tenant, _all_chains(tenant), customer=each)


@verifies("planbok.address.never-shared")
def test_customers_of_two_organizations_share_no_address(tenant: Tenant, other_tenant: Tenant) -> None:
    """Given customers of two organizations, alike in all that people give, when each lists its wallets."""
    customer = tenant.ready()
    _show_wallets(tenant, _all_chains(tenant), customer=customer)
    _show_wallets(other_tenant, _all_chains(other_tenant), customer=other_tenant.ready(like=customer))


def _pass_over_unjudged(what: str) -> NoReturn:
    """End a test, with a reason for those of its rules that nothing which was shown could be judged by.

    Raises:
        NeedError: Always.
    """
    needs(f"what this API does not show: {what}")


def _all_chains(tenant: Tenant) -> list[str]:
    return [chain.name for chain in tenant.chains]


def _show_wallets(tenant: Tenant, *challenges: Sequence[str], customer: Onboarding | None = None) -> list[Wallet]:
    """Have the wallets of a customer listed.

    Args:
        tenant: Whose customer it is.
        challenges: The chains that each challenge asks for.
        customer: A customer who is set up; a new one if none is given.

    Returns:
        The wallets.

    Raises:
        NeedError: If nobody stands in for the person.
        StepFailedError: If there is not a wallet on each of the chains in the end.
    """
    customer = customer or tenant.ready()
    for chains in challenges:
        tenant.provisioned(customer, chains)
    wanted = {chain for chains in challenges for chain in chains}
    wallets = tenant.eventually(
        "new wallets to be listed", lambda: tenant.owned(customer.id), lambda seen: _chains(seen) >= wanted
    )
    if missing := wanted - _chains(wallets):
        step_failed(
            f"New wallets were to be listed, and there is none on {', '.join(sorted(missing))}",
            relies_on=["planbok.list.holds-all"],
        )
    return wallets


def _chains(wallets: Sequence[Wallet]) -> set[str]:
    return {wallet.blockchain for wallet in wallets}
