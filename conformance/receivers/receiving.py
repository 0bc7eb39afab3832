"""What an API knows of its webhooks, by which their receivers are checked: how events come about, and are signed."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from conformance.exchange import Headers
from conformance.ids import Ids


@dataclass(frozen=True)
class Forgery:
    """A delivery that is not to be believed.

    Args:
        name: What is wrong with it, in a few words.
        hint: What a receiver that takes it probably does, and what to do.
        rule: The last part of the id of the rule that refuses it.
        body: The body.
        headers: Its headers, from the time at which it is sent.
    """

    name: str
    hint: str
    rule: str
    body: bytes
    headers: Callable[[datetime], Headers]


class Receiving(ABC):
    """What the receivers of one API's webhooks are checked with.

    Attributes:
        scheme: How its events are signed and who says so, in a sentence; None if no document says that they are.
        unsigned: What is said instead where there is no scheme.
        usual: How the label of the events begins that most receivers do something with.
        once: The last part of the id of the rule by which an event that comes twice counts once.
        refusing: The last parts of the ids of the rules that forgeries show.
        any_order: Whether as much is to come of a customer's events in whatever order they arrive.
    """

    scheme: ClassVar[str | None] = None
    unsigned: ClassVar[str] = "No document says that events are signed, so that none is and no rule asks for it."
    usual: ClassVar[str] = ""
    once: ClassVar[str] = "survives-duplicates"
    refusing: ClassVar[tuple[str, ...]] = ()
    any_order: ClassVar[bool] = False

    @abstractmethod
    async def journey(self, sandbox: Any, name: str) -> None:
        """Bring a customer through all that the API sends events about.

        Args:
            sandbox: The API in a world of its own.
            name: What the customer is called, any text.
        """

    @abstractmethod
    def label(self, body: bytes) -> str:
        """What an event is, in a few words, such as ``wallet.created``."""

    @abstractmethod
    def renewed(self, body: bytes, name: str) -> bytes:
        """An event like this one that is another, by an id of its own."""

    @abstractmethod
    def of_unknown_kind(self, body: bytes) -> bytes:
        """An event like this one, of a kind that no document lists."""

    def headers(self, body: bytes, secret: str | None, at: datetime) -> Headers:  # noqa: ARG002  (what a scheme needs)
        """The headers of a right delivery of an event, besides those of every one.

        Args:
            body: The event as it is sent.
            secret: The secret that it is signed with; None where there is no scheme.
            at: When it is sent (UTC).
        """
        return ()

    def forgeries(self, bodies: Iterator[bytes], secret: str, ids: Ids) -> Iterator[Forgery]:  # noqa: ARG002
        """Deliveries that are not to be believed, each of an event of its own.

        Args:
            bodies: Events that were not sent yet.
            secret: The secret of the receiver.
            ids: What other secrets are drawn from.
        """
        return iter(())
