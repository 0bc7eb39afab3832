"""OffBlocks: customers who prove that they own a wallet by signing a challenge."""

# Each part is imported when it is first asked for, so that a command loads no more than it needs.
# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from conformance.api import (
    Api,
    Checks,
    Client,
    ClientJudge,
    Documents,
    Foreign,
    Model,
    Probe,
    Sandbox,
    Settings,
    Signing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    import httpx

    from conformance.settings import LiveSettings


class OffBlocksApi(Api):
    """What the suite has of OffBlocks."""

    name = "offblocks"
    title = "OffBlocks"
    main_flow = "flow.verified-becomes-active"
    secrets = ("apiKey", "apiSecret", "token")
    personal = ("externalId", "chainId")
    known_before: ClassVar = {"offblocks.client.sends-token": "Authorization"}
    told_with: ClassVar = {
        "offblocks.client.owner-signs-the-message": ("offblocks.client.owner-id",),
        "offblocks.client.returns-challenge-unchanged": (
            "offblocks.client.owner-signs-the-message",
            "offblocks.client.owner-id",
        ),
        "offblocks.client.digests-sent-bytes": ("offblocks.client.covers-body",),
        "offblocks.client.signs-only-its-own-sign-in": (
            "offblocks.client.owner-signs-the-message",
            "offblocks.client.owner-id",
        ),
    }
    judged_anywhere: ClassVar = frozenset({"offblocks.client.no-secret-in-url"})
    issues_token = "createToken"  # noqa: S105  (the id of an operation)
    own_ids: ClassVar = {"createCustomer": ("externalId", "chainId")}

    smoke = (
        "offblocks/authentication/right_credentials_are_given_a_token_for_an_hour",
        "offblocks/flow/a_verified_customer_becomes_active",
    )
    lasting: ClassVar[Mapping[str, str]] = {"createCustomer": "customer", "putWebhook": "webhook"}

    def remove(self, made: str, base_url: str, settings: Mapping[str, str], transport: httpx.BaseTransport) -> bool:
        """Remove a webhook; there is no way to remove a customer."""
        from conformance.offblocks import client

        kind, _, identifier = made.partition(" ")
        return kind == "webhook" and client.removed_webhook(base_url, settings, transport, identifier)

    def production(self, settings: LiveSettings) -> str | None:
        """The vendor's own host, or a chain that is no test network."""
        from conformance.offblocks.settings import real_chain

        host = urlsplit(settings.base_url).hostname
        if host == "api.offblocks.xyz":
            return f"{host} is where OffBlocks serves real customers; its sandbox is api.sandbox.offblocks.xyz"
        return real_chain(settings.others["chain"])

    @property
    def key_registration(self) -> Callable[[], str]:
        """Registers the public key that the user has set, and gives its id."""
        from conformance.offblocks.registration import registered_key

        return registered_key

    @property
    def suite(self) -> Path:
        """The folder of the scenarios."""
        return Path(__file__).with_name("suite")

    @property
    def client(self) -> Client:
        """The client."""
        from conformance.offblocks import client

        return client

    @property
    def settings(self) -> Settings:
        """The settings."""
        from conformance.offblocks.settings import OffBlocksSettings

        return OffBlocksSettings()

    @property
    def checks(self) -> Checks:
        """The rules for the provider that exchanges show."""
        from conformance.offblocks import checks

        return checks

    @property
    def client_judge(self) -> Callable[[Mapping[str, str], Mapping[str, str]], ClientJudge]:
        """Makes what judges one client's requests."""
        from conformance.offblocks import client_checks

        return client_checks.ClientJudge

    @property
    def sandbox(self) -> type[Sandbox]:
        """The class of the reference sandbox."""
        from conformance.offblocks.sandbox import OffBlocks

        return OffBlocks

    @property
    def faults(self) -> ModuleType:
        """The package of the sandbox's faults and variations."""
        from conformance.offblocks import faults

        return faults

    @property
    def provocations(self) -> ModuleType:
        """The faults that only show how a client takes them."""
        from conformance.offblocks import provocations

        return provocations

    @property
    def documents(self) -> Documents:
        """What judges the exchanges that the documents print."""
        from conformance.offblocks import documents

        return documents

    @property
    def model(self) -> Callable[[], Model]:
        """Makes what judges a sequence of calls."""
        from conformance.offblocks.model import Model as OffBlocksModel

        return OffBlocksModel

    @property
    def data_pool(self) -> type[Any]:
        """The class of what really exists for generated requests."""
        from conformance.offblocks.suite.data_pool import DataPool

        return DataPool

    @property
    def company(self) -> Callable[[Any], Any]:
        """Makes those who use the API while a scenario runs."""
        from conformance.offblocks.suite.company import Company

        return Company

    @property
    def sequence(self) -> type[Any]:
        """The class of the calls that may follow each other."""
        from conformance.offblocks.suite.sequence import Sequence

        return Sequence

    @property
    def signing(self) -> Signing:
        """How clients sign requests."""
        from conformance.offblocks import request_signing

        return request_signing

    @property
    def receiving(self) -> Any:
        """What the receivers of its webhooks are checked with."""
        from conformance.offblocks.receiving import OffBlocksReceiving

        return OffBlocksReceiving()

    @property
    def foreign(self) -> Foreign:
        """What the traffic of foreign clients shows of it."""
        from conformance.offblocks import foreign

        return foreign

    @property
    def probe(self) -> Probe:
        """What finds out what a live server accepts."""
        from conformance.offblocks import probe

        return probe


api = OffBlocksApi()
