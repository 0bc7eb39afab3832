"""The levels of each factor."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Protocol, TypeVar

from conformance.circumstances.company import Company
from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.scenario import found
from conformance.standards.spellings import (
    PLAIN,
    AnyType,
    EscapedJson,
    InChunks,
    OtherHeaders,
    OtherSignature,
    SpacedJson,
    Spelling,
)

Done = TypeVar("Done")


class Sender(Protocol):
    """Whoever takes the steps of a scenario."""

    @property
    def clock(self) -> Clock:
        """What tells the time and lets it pass."""

    def renew_credentials(self) -> None:
        """Forget what was given for a while, such as a token, so that it is asked for anew."""


class Level:
    """One circumstance; a subclass overrides what is otherwise than usual.

    Attributes:
        name: What ids of tests call it, after the ``@``.
        factor: The kind of circumstance; a scenario meets one level of each at a time.
        says: What it is, as it follows the word "under" or a comma.
        live: Whether it can be brought about at a server that is not ours, without waiting.
        starts_at: When the world's clock starts (UTC), None for the usual noon.
        spelling: How right requests are written.
        begins_anew: Whether the scenario was run before in the same world.
        connects_anew: Whether every request goes over a connection of its own.
    """

    name: ClassVar[str]
    factor: ClassVar[str]
    says: ClassVar[str]
    live: ClassVar[bool] = True
    starts_at: ClassVar[datetime | None] = None
    spelling: ClassVar[Spelling] = PLAIN
    begins_anew: ClassVar[bool] = False
    connects_anew: ClassVar[bool] = False

    def prepare(self, company: Company) -> None:
        """What happens before the first step."""

    def before_step(self, sender: Sender, company: Company) -> None:
        """What happens before each step."""

    def while_waiting(self, company: Company) -> None:
        """What happens half way through a time that the scenario lets pass."""

    def send(self, send: Callable[[], Exchange], method: str, company: Company) -> Exchange:  # noqa: ARG002  (for subclasses)
        """Take a step, and give what the scenario is shown of it."""
        return send()

    def visit(self, visit: Callable[[], Done], company: Company) -> Done:  # noqa: ARG002  (for subclasses)
        """Have a person do something at a hosted page."""
        return visit()


# -------------------------------------------------------------------------------------------------------------- clock


class _Clock(Level):
    factor = "clock"
    live = False


class Midnight(_Clock):
    """An hour, and a quarter of one, go over midnight."""

    name, says = "midnight", "eight minutes before midnight"
    starts_at = datetime(2026, 3, 14, 23, 52, tzinfo=UTC)


class MonthEnd(_Clock):
    """They go over the end of a month of thirty days, within the last second of a minute."""

    name, says = "month-end", "eight minutes before the end of a month"
    starts_at = datetime(2026, 4, 30, 23, 52, 59, tzinfo=UTC)


class YearEnd(_Clock):
    """They go over the end of a year whose last week is the first one of the next (ISO 8601)."""

    name, says = "year-end", "eight minutes before the end of a year"
    starts_at = datetime(2029, 12, 31, 23, 52, tzinfo=UTC)


class LeapDay(_Clock):
    """They begin on the twenty-ninth of February, of which a year later there is none."""

    name, says = "leap-day", "eight minutes before the end of a leap day"
    starts_at = datetime(2028, 2, 29, 23, 52, tzinfo=UTC)


class SecondsOf2038(_Clock):
    """They go over the second that no signed number of 32 bits can count."""

    name, says = "2038", "seven minutes before the seconds since 1970 exceed 31 bits"
    starts_at = datetime(2038, 1, 19, 3, 7, tzinfo=UTC)


class Fraction(_Clock):
    """A clock that stands within a second, just before an hour is full."""

    name, says = "fraction", "at a fraction of a second, late in an hour"
    starts_at = datetime(2026, 9, 9, 9, 59, 58, 987_654, tzinfo=UTC)


# --------------------------------------------------------------------------------------------------------- the others


class ManyCustomers(Level):
    """More customers than one digit counts, and than a page of a list holds."""

    name, factor, says = "many-customers", "population", "with eleven other customers"
    live = False

    def prepare(self, company: Company) -> None:
        """What happens before the first step."""
        company.populate()


class Neighbour(Level):
    """Between two steps another customer of the same API client does what customers do."""

    name, factor, says = "neighbour", "neighbours", "with steps of another customer in between"
    identity: ClassVar[str] = "first"

    def before_step(self, sender: Sender, company: Company) -> None:  # noqa: ARG002
        """What happens before each step."""
        company.step(self.identity)


class Stranger(Neighbour):
    """Between two steps a customer of another API client does what customers do."""

    name, says = "stranger", "with steps of another API client's customer in between"
    identity = "second"


class Crowd(Level):
    """Each request that changes something is sent while seven others are."""

    name, factor, says = "crowd", "neighbours", "with each change sent among seven other requests at once"
    live = False

    def send(self, send: Callable[[], Exchange], method: str, company: Company) -> Exchange:
        """Take a step, and give what the scenario is shown of it."""
        if method == "GET":
            return send()
        others = company.crowd()
        with ThreadPoolExecutor(len(others) + 1) as pool:
            running = [pool.submit(other) for other in others[: len(others) // 2]]
            own = pool.submit(send)
            running += [pool.submit(other) for other in others[len(others) // 2 :]]
            for each in running:
                each.exception()
            return own.result()


# ---------------------------------------------------------------------------------------------------------- the steps


class ReadFirst(Level):
    """Before each step all is read that can be read, and every page is visited."""

    name, factor, says = "read-first", "readings", "with everything read before each step"
    live = False  # who polls a server keeps pauses

    def before_step(self, sender: Sender, company: Company) -> None:  # noqa: ARG002
        """What happens before each step."""
        company.read_everything()

    def while_waiting(self, company: Company) -> None:
        """What happens half way through a time that the scenario lets pass."""
        company.read_everything()


class Begun(Level):
    """Before each step something is begun that nobody completes."""

    name, factor, says = "begun", "readings", "with other tasks begun and not completed before each step"

    def before_step(self, sender: Sender, company: Company) -> None:  # noqa: ARG002
        """What happens before each step."""
        company.begin_everything()


class Watched(Level):
    """Before and after each step all is read, and what changed is compared with what the step may change."""

    name, factor, says = "watched", "readings", "with everything read and compared before and after each step"
    live = False  # who polls a server keeps pauses

    def send(self, send: Callable[[], Exchange], method: str, company: Company) -> Exchange:  # noqa: ARG002
        """Take a step, and give what the scenario is shown of it."""
        before = company.look()
        exchange = send()
        found(*company.judge_change(exchange, before, company.look()))
        return exchange

    def visit(self, visit: Callable[[], Done], company: Company) -> Done:
        """Have a person do something at a hosted page."""
        return company.watch(visit)


class SentTwice(Level):
    """What succeeded under an idempotency key is sent again at once; the scenario is shown the first answer."""

    name, factor, says = "sent-twice", "repetition", "with each accepted request sent again under its idempotency key"

    def send(self, send: Callable[[], Exchange], method: str, company: Company) -> Exchange:  # noqa: ARG002
        """Take a step, and give what the scenario is shown of it."""
        exchange = send()
        if exchange.response.succeeded and company.has_key(exchange) and not exchange.breaks:
            send()
        return exchange


class NewToken(Level):
    """Before each step whatever was given for a while is asked for anew."""

    name, factor, says = "new-token", "credentials", "with a new token for each step"

    def before_step(self, sender: Sender, company: Company) -> None:  # noqa: ARG002
        """What happens before each step."""
        sender.renew_credentials()


class Unhurried(Level):
    """A moment passes before each step, no whole second."""

    name, factor, says = "unhurried", "pace", "with 70 milliseconds between the steps"
    live = False

    def before_step(self, sender: Sender, company: Company) -> None:  # noqa: ARG002
        """What happens before each step."""
        sender.clock.advance(timedelta(milliseconds=70))


class DoneBefore(Level):
    """The scenario was run before in the same world, with other customers and keys."""

    name, factor, says = "done-before", "past", "after the same was done once before"
    begins_anew = True


# ---------------------------------------------------------------------------------------------------------- the bytes


class SpacedBodies(Level):
    """JSON with blanks, members in another order."""

    name, factor, says = "spaced-json", "spelling", "with blanks in JSON and members in another order"
    spelling = SpacedJson()


class EscapedBodies(Level):
    """JSON with characters escaped that need not be."""

    name, factor, says = "escaped-json", "spelling", r"with \u escapes in JSON that need not be"
    spelling = EscapedJson()


class OtherHeaderLines(Level):
    """Header names in capitals, in another order, and other media types that say the same."""

    name, factor, says = "other-headers", "spelling", "with header names in capitals and in another order"
    spelling = OtherHeaders()


class OtherSignatureForm(Level):
    """Another order of components; that of their label is free is a SHOULD alone, and has a test of its own."""

    name, factor, says = "other-signature", "spelling", "with another order of covered components"
    spelling = OtherSignature()


class ChunkedBodies(Level):
    """Bodies in chunks, as they are sent by who does not know their length beforehand."""

    name, factor, says = "chunked", "spelling", "with bodies sent in chunks"
    spelling = InChunks()


class AnyTypeAccepted(Level):
    """A header field that says that answers of any type are accepted; whether it may be left out, no document says."""

    name, factor, says = "any-type", "spelling", "with answers of any type accepted"
    spelling = AnyType()


class NewConnections(Level):
    """Every request comes over a new connection."""

    name, factor, says = "new-connections", "connections", "with a new connection for each request"
    connects_anew = True


LEVELS: Sequence[Level] = (
    Midnight(),
    MonthEnd(),
    YearEnd(),
    LeapDay(),
    SecondsOf2038(),
    Fraction(),
    ManyCustomers(),
    Neighbour(),
    Stranger(),
    Crowd(),
    ReadFirst(),
    Begun(),
    Watched(),
    SentTwice(),
    NewToken(),
    Unhurried(),
    DoneBefore(),
    SpacedBodies(),
    EscapedBodies(),
    OtherHeaderLines(),
    OtherSignatureForm(),
    ChunkedBodies(),
    AnyTypeAccepted(),
    NewConnections(),
)
"""All levels but those that are the usual."""

BY_NAME: Mapping[str, Level] = {level.name: level for level in LEVELS}


def starts_at(levels: Iterable[Level]) -> datetime | None:
    """When the clock of a world starts under these levels (UTC), None for the usual time."""
    return next((level.starts_at for level in levels if level.starts_at), None)


def begins_anew(levels: Iterable[Level]) -> bool:
    """Whether a scenario is to be run before in the same world."""
    return any(level.begins_anew for level in levels)
