"""Planbok: custody wallets for a customer, each authorized with a PIN on a hosted page."""

# Each part is imported when it is first asked for, so that a command loads no more than it needs.
# ruff: noqa: PLC0415

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from conformance.api import (
    Api,
    Checks,
    Client,
    ClientJudge,
    Model,
    Sandbox,
    Settings,
    Webhooks,
)


class PlanbokApi(Api):
    """What the suite has of Planbok."""

    name = "planbok"
    title = "Planbok"
    secrets = ("pin", "new_pin", "new_pin_again", "answer_1", "answer_2")
    secret_headers = ("PLANBOK-X-API-KEY",)
    webhook_set_by_hand = True

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
    def sequence(self) -> type[Any]:
        """The class of the calls that may follow each other."""
        from conformance.planbok.suite.sequence import Sequence

        return Sequence

    @property
    def webhooks(self) -> Webhooks:
        """How webhooks are signed."""
        from conformance.planbok import webhooks

        return webhooks

    @property
    def sandbox_settings(self) -> Iterable[str]:
        """The names of the settings that the sandbox alone takes."""
        from conformance.planbok.settings import SandboxSettings

        return SandboxSettings.model_fields


api = PlanbokApi()
