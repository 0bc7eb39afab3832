"""What a type checker must see: each line that is excused here is a mistake of somebody who adds an API.

mypy is told to complain of an excuse that is not needed, so that this file fails if a mistake is no longer seen.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from conformance.api import Api, Checks, Client, ClientJudge, Sandbox, Settings
from conformance.offblocks import checks, client, messages


def no_judge(credentials: Mapping[str, str], _settings: Mapping[str, str]) -> Path:
    """What judges nothing."""
    return Path(credentials["api_key"])


class MistakenApi(Api):
    """An API whose parts are mixed up."""

    name = "mistaken"
    title = "Mistaken"

    @property
    def suite(self) -> Path:
        """Right."""
        return Path("suite")

    @property
    def client(self) -> Client:
        """A module without a client's functions."""
        return checks  # type: ignore[return-value]

    @property
    def settings(self) -> Settings:
        """A module without settings."""
        return client  # type: ignore[return-value]

    @property
    def checks(self) -> Checks:
        """A module without checks."""
        return messages  # type: ignore[return-value]

    @property
    def client_judge(self) -> Callable[[Mapping[str, str], Mapping[str, str]], ClientJudge]:
        """What makes something else than a judge."""
        return no_judge  # type: ignore[return-value]

    @property
    def sandbox(self) -> type[Sandbox]:
        """A class that is no sandbox."""
        return Path  # type: ignore[return-value]


def unfinished() -> Api:
    """An API without its parts cannot be made."""

    class UnfinishedApi(Api):
        name = "unfinished"
        title = "Unfinished"

    return UnfinishedApi()  # type: ignore[abstract]
