"""OffBlocks: customers who prove that they own a wallet by signing a challenge."""

# Each part is imported when it is first asked for, so that a command loads no more than it needs.
# ruff: noqa: PLC0415

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from conformance.api import (
    Api,
    Checks,
    Client,
    ClientJudge,
    Documents,
    Model,
    Probe,
    Sandbox,
    Settings,
)


class OffBlocksApi(Api):
    """What the suite has of OffBlocks."""

    name = "offblocks"
    title = "OffBlocks"
    secrets = ("apiKey", "apiSecret", "token")

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
    def sequence(self) -> type[Any]:
        """The class of the calls that may follow each other."""
        from conformance.offblocks.suite.sequence import Sequence

        return Sequence

    @property
    def probe(self) -> Probe:
        """What finds out what a live server accepts."""
        from conformance.offblocks import probe

        return probe


api = OffBlocksApi()
