"""An API of a third party, registered as ours is, whose scenarios end in every way that a scenario can."""

from collections.abc import Callable, Mapping
from pathlib import Path

from conformance.api import Api, Checks, Client, ClientJudge, Settings

from . import checks, client, client_checks, settings

_HERE = Path(__file__).parent


class ToyApi(Api):
    name = "toy"
    title = "Toy"
    secrets = ("password",)

    def find(self, relative: str) -> Path:
        return _HERE / relative

    @property
    def suite(self) -> Path:
        return _HERE / "suite"

    @property
    def client(self) -> Client:
        return client

    @property
    def settings(self) -> Settings:
        return settings

    @property
    def checks(self) -> Checks:
        return checks

    @property
    def client_judge(self) -> Callable[[Mapping[str, str], Mapping[str, str]], ClientJudge]:
        return client_checks.ClientJudge


api = ToyApi()
