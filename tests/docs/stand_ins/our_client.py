"""What the pages call `our_client`: the clients of somebody's team, here made of those of the suite."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from conformance.offblocks.client import ApiError, Client, Credentials, Customer
from conformance.offblocks.wallet import ChallengeRefused, Wallet
from conformance.planbok.client import Client as PlanbokClient
from conformance.planbok.client import Credentials as PlanbokCredentials
from conformance.planbok.client import Customer as PlanbokCustomer

__all__ = ["ChallengeExpired", "ChallengeRefused", "OurClient", "WalletClient"]

DOMAIN = "api.sandbox.offblocks.xyz"
RETURN = "https://our.app/return"


class ChallengeExpired(Exception):  # noqa: N818  (as the pages name it)
    """The API took a signature no more."""


class OurClient:
    """A team's client of OffBlocks, with one wallet."""

    def __init__(self, base_url: str, credentials: Mapping[str, str]) -> None:
        self._client = Client(base_url, Credentials.from_settings(credentials))
        self._wallet = Wallet(bytes(31) + b"\x07", "eip155:300")

    def create(self, external_id: str) -> Customer:
        """A new customer, with a challenge."""
        return self._client.create_customer(self._wallet.account_id, external_id)

    def prove(self, customer: Customer) -> None:
        """Sign the customer's challenge."""
        try:
            self._client.sign_challenge(customer.id, self._wallet, str(customer.challenge), domain=DOMAIN)
        except ApiError as error:
            raise ChallengeExpired from error

    def onboard(self, external_id: str) -> None:
        """A new customer who has signed."""
        self.prove(self.create(external_id))

    def create_customer(self, external_id: str) -> Customer:
        """As `create`."""
        return self.create(external_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.__exit__(kind, error, at)


class WalletClient:
    """A team's client of Planbok."""

    def __init__(self, base_url: str, credentials: Mapping[str, Any]) -> None:
        self._client = PlanbokClient(base_url, PlanbokCredentials.from_settings(credentials))

    def create(self, name: str) -> PlanbokCustomer:
        """A new customer."""
        return self._client.create_customer(name, name)

    def set_up_url(self, customer: PlanbokCustomer) -> str:
        """The page on which the customer sets a PIN."""
        return str(self._client.initialize(customer.id, RETURN).redirect_url)

    def ask_for_wallets(self, customer: str, blockchains: list[str]) -> str:
        """The id of the challenge by which the customer authorizes new wallets."""
        return self._client.create_wallets(customer, blockchains, RETURN).id

    def wallets(self, customer: str) -> set[str]:
        """The blockchains of a customer's wallets."""
        return {wallet.blockchain for wallet in self._client.wallets([customer])}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.__exit__(kind, error, at)
