"""When something happened by each clock that a client can go by: that of its server's world, or the machine's."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from conformance.exchange import Delivery, Exchange
from conformance.findings import Finding, Outcome


@dataclass(frozen=True)
class Instant:
    """When something happened, by each clock that a client can go by.

    Args:
        world: By the clock of the server's world (UTC).
        machine: By the machine's clock (UTC).
    """

    world: datetime
    machine: datetime

    @classmethod
    def of(cls, seen: Exchange | Delivery, later: float = 0) -> Self:
        """So many seconds after a request was sent or a webhook came."""
        passed = timedelta(seconds=later)
        return cls(seen.at + passed, (seen.machine_at or seen.at) + passed)

    def since(self, earlier: Self) -> timedelta:
        """How much time has surely passed since `earlier`, whichever clock the client goes by."""
        return min(self.world - earlier.world, self.machine - earlier.machine)

    def longest_since(self, earlier: Self) -> timedelta:
        """How much time can have passed since `earlier`, whichever clock the client goes by."""
        return max(self.world - earlier.world, self.machine - earlier.machine)


def unless_time_stood_still(finding: Finding, earlier: Instant, now: Instant) -> Finding:
    """A finding about a pause, or that nothing can be told in a world whose clock stands until it is advanced."""
    if now.world != earlier.world or now.machine == now.world:
        return finding
    reason = "The clock of this world stands still, so that pauses cannot be told; a world in real time shows them."
    return replace(finding, outcome=Outcome.SKIPPED, reason=reason)
