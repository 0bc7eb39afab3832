"""Shortcuts: what a test has an API of the sandbox bring about at once, by a control route instead of by many calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.sandbox.messages import BodyRejected, check_text, read_text

Routes = Mapping[str, tuple[str, tuple[str, ...]]]
"""Control routes of an API: the path of each below the API's name, to which is POSTed, with the method that answers it
and the members that its body may have."""


class UnknownThingError(LookupError):
    """A shortcut names something that is not there; the message says what."""


@dataclass(frozen=True)
class Shortcut:
    """One request to a shortcut.

    Args:
        base_url: The base URL of the API in this world, as the test reaches it.
        parameters: What its path names.
        members: The members of its body.
    """

    base_url: str
    parameters: Mapping[str, str]
    members: Mapping[str, Any]

    def text(self, name: str, otherwise: str) -> str:
        """The member `name`, a string, or `otherwise` if there is none.

        Raises:
            BodyRejected: If it is something else.
        """
        return read_text(self.members, name) if name in self.members else otherwise

    def choice(self, name: str, choices: Sequence[str], otherwise: str) -> str:
        """The member `name`, one of `choices`, or `otherwise` if there is none.

        Raises:
            BodyRejected: If it is something else; the message lists the choices.
        """
        chosen = self.text(name, otherwise)
        if chosen not in choices:
            raise BodyRejected(f"There is no {name} {chosen!r}. There are: {', '.join(choices)}.")
        return chosen

    def texts(self, name: str, otherwise: Sequence[str] = ()) -> tuple[str, ...]:
        """The member `name`, an array of strings, or `otherwise` if there is none.

        Raises:
            BodyRejected: If it is something else.
        """
        value = self.members.get(name, list(otherwise))
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise BodyRejected(f"{name!r} must be an array of strings.")
        return tuple(check_text(each, name) for each in value)
