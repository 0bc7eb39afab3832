"""Planbok: custody wallets for a customer, each authorized with a PIN on a hosted page."""

# Each part is imported when it is first asked for, so that a command loads no more than it needs.
# ruff: noqa: PLC0415

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from conformance.api import (
    Api,
    Checks,
    Client,
    ClientJudge,
    Foreign,
    Model,
    Probe,
    Sandbox,
    Settings,
    Webhooks,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType

    from conformance.exchange import Exchange
    from conformance.settings import LiveSettings


class PlanbokApi(Api):
    """What the suite has of Planbok."""

    name = "planbok"
    title = "Planbok"
    main_flow = "result.readable-after-completion"
    secrets = ("pin", "new_pin", "new_pin_again", "answer_1", "answer_2")
    secret_headers = ("PLANBOK-X-API-KEY",)
    personal = ("name", "refId")
    rates: ClassVar[Mapping[str, float]] = {"read": 20, "write": 10}
    webhook_set_by_hand = True
    told_with: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "planbok.client.sends-json": ("planbok.client.sends-idempotency-key",),
    }
    judged_anywhere: ClassVar = frozenset({"planbok.client.no-secret-in-url", "planbok.client.leaves-pin-to-the-page"})
    own_ids: ClassVar = {"createCustomer": ("refId",)}

    smoke = (
        "planbok/customer/a_customer_is_read_as_it_was_created",
        "planbok/response/answers_about_customers_have_the_expected_form",
    )
    lasting: ClassVar[Mapping[str, str]] = {"createCustomer": "customer"}

    def made_id(self, exchange: Exchange) -> str | None:
        """The id of a customer who was created."""
        from conformance.planbok.messages import customer_id

        return customer_id(exchange.response) if exchange.response.succeeded else None

    def production(self, settings: LiveSettings) -> str | None:
        """A chain that is no test network: the vendor has one host for all."""
        from conformance.planbok.chains import CHAINS

        real = [name for name in settings.others["blockchains"].split() if not CHAINS[name].testnet]
        if not real:
            return None
        return f"{' and '.join(real)} in CONFORMANCE_PLANBOK_BLOCKCHAINS is no test network"

    @property
    def probe(self) -> Probe:
        """What finds out what a live server shows that no document says."""
        from conformance.planbok import probe

        return probe

    def close(self) -> None:
        """Close the browser, if one was launched."""
        if "conformance.planbok.chromium" in sys.modules:
            from conformance.planbok.chromium import close_shared

            close_shared()

    @property
    def suite(self) -> Path:
        """The folder of the scenarios."""
        return Path(__file__).with_name("suite")

    @property
    def client(self) -> Client:
        """The client."""
        from conformance.planbok import client

        return client

    @property
    def settings(self) -> Settings:
        """The settings."""
        from conformance.planbok.settings import PlanbokSettings

        return PlanbokSettings()

    @property
    def checks(self) -> Checks:
        """The rules for the provider that exchanges show."""
        from conformance.planbok import checks

        return checks

    @property
    def client_judge(self) -> Callable[[Mapping[str, str], Mapping[str, str]], ClientJudge]:
        """Makes what judges one client's requests."""
        from conformance.planbok import client_checks

        return client_checks.ClientJudge

    @property
    def sandbox(self) -> type[Sandbox]:
        """The class of the reference sandbox."""
        from conformance.planbok.sandbox import Planbok

        return Planbok

    @property
    def faults(self) -> ModuleType:
        """The package of the sandbox's faults and variations."""
        from conformance.planbok import faults

        return faults

    @property
    def provocations(self) -> ModuleType:
        """The faults that only show how a client takes them."""
        from conformance.planbok import provocations

        return provocations

    @property
    def model(self) -> Callable[[], Model]:
        """Makes what judges a sequence of calls."""
        from conformance.planbok.model import Model as PlanbokModel

        return PlanbokModel

    @property
    def data_pool(self) -> type[Any]:
        """The class of what really exists for generated requests."""
        from conformance.planbok.suite.data_pool import DataPool

        return DataPool

    @property
    def company(self) -> Callable[[Any], Any]:
        """Makes those who use the API while a scenario runs."""
        from conformance.planbok.suite.company import Company

        return Company

    @property
    def sequence(self) -> type[Any]:
        """The class of the calls that may follow each other."""
        from conformance.planbok.suite.sequence import Sequence

        return Sequence

    @property
    def foreign(self) -> Foreign:
        """What the traffic of foreign clients shows of it."""
        from conformance.planbok import foreign

        return foreign

    @property
    def webhooks(self) -> Webhooks:
        """How webhooks are signed."""
        from conformance.planbok import webhooks

        return webhooks

    @property
    def receiving(self) -> Any:
        """What the receivers of its webhooks are checked with."""
        from conformance.planbok.receiving import PlanbokReceiving

        return PlanbokReceiving()

    @property
    def sandbox_settings(self) -> Iterable[str]:
        """The names of the settings that the sandbox alone takes."""
        from conformance.planbok.settings import SandboxSettings

        return SandboxSettings.model_fields


api = PlanbokApi()
