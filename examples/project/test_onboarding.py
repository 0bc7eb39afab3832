"""Our client of OffBlocks against the reference sandbox: what it does, and whether it does it as the documents say.

The fixture `conformance_world` is a world of its own for each test; it comes with wallet-conformance.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from eth_account import Account
from offblocks import CHAIN, OffBlocks, sign_in


@pytest.fixture
def wallet() -> Any:
    """A wallet that nobody has seen."""
    return Account.create()


@pytest.fixture
def api(conformance_world: Any) -> Iterator[OffBlocks]:
    """Our client, as one of the clients of this world."""
    own = conformance_world.credentials("offblocks")["first"]
    client = OffBlocks(conformance_world.base_urls["offblocks"], own)
    yield client
    client.http.close()


def create(api: OffBlocks, wallet: Any) -> Any:
    """A new customer, with a challenge."""
    return api.call("POST", "/v1/customers", {"chainId": f"{CHAIN}:{wallet.address}", "externalId": "user-1"})


def prove(api: OffBlocks, wallet: Any, customer: Any) -> None:
    """Sign the customer's challenge, and send the signature."""
    signed = {
        "ownerId": f"{CHAIN}:{wallet.address}",
        "challenge": customer["challenge"],
        "signature": sign_in(wallet, customer["challenge"]),
    }
    api.call("POST", f"/v1/customers/{customer['id']}/challenge/sign", signed)


@pytest.mark.conformance_variations("ShowsMoreMembers", "WritesTimesWithAnOffset", "LowersChainIds", "ScreensAtOnce")
def test_a_customer_proves_the_wallet_on_any_server_that_the_documents_permit(
    api: OffBlocks, wallet: Any, conformance_world: Any
) -> None:
    # Without names the mark runs the test under every permitted variation: it takes minutes, at night.
    customer = create(api, wallet)
    prove(api, wallet, customer)
    assert api.call("GET", f"/v1/customers/{customer['id']}")["status"] != "initiating"
    conformance_world.assert_conforms()  # else it names the rule, what was seen and expected, and the source


def test_who_signs_after_the_hour_is_refused(api: OffBlocks, wallet: Any, conformance_world: Any) -> None:
    customer = create(api, wallet)
    conformance_world.advance(timedelta(minutes=61))  # passes at once
    with pytest.raises(httpx.HTTPStatusError):
        prove(api, wallet, customer)


def test_a_challenge_in_the_name_of_somebody_else_is_not_signed(
    api: OffBlocks, wallet: Any, conformance_world: Any
) -> None:
    conformance_world.faults("AsksForAnotherDomain")
    with pytest.raises(SystemExit, match="Nobody should sign this"):
        prove(api, wallet, create(api, wallet))
