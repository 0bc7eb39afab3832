"""Receivers of OffBlocks' events, which no document says are signed."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from conformance.offblocks import api
from tests.receivers.conftest import Check, OffBlocksReceiver, Said, broken, wrong


class KnowsStatuses(OffBlocksReceiver):
    """Takes whatever comes, and keeps of each customer what is newest."""

    def __init__(self) -> None:
        super().__init__()
        self.newest: dict[str, str] = {}

    def take(self, kind: str, name: str, data: Any) -> Said:
        if kind == "customer.updated":
            with self.lock:
                if data["updatedAt"] > self.newest.get(data["id"], ""):
                    self.newest[data["id"]] = data["updatedAt"]
                    self.process()
        return Said(200)


@pytest.mark.parametrize("kind", [OffBlocksReceiver, KnowsStatuses])
def test_a_right_receiver_breaks_nothing_and_is_asked_for_no_signature(
    kind: type[OffBlocksReceiver], checked: Check
) -> None:
    result = checked(api, kind(), probed=True, strict=True)
    assert (wrong(result), broken(result), result.results["verdict"]) == ([], set(), "conforms")
    assert {row.wanted for row in result.rows} == {"2xx"}
    basis = "No document says that events are signed, so that none is and no rule asks for it."
    assert result.results["remarks"][0] == basis
    assert not any(
        "signature" in name.lower() for each in result.results["exchanges"] for name, _ in each["request"]["headers"]
    )


class Wrong(OffBlocksReceiver):
    rules: ClassVar[set[str]] = set()
    cases: ClassVar[list[str]] = []
    verdict = "conforms"


class RefusesWhatIsOlder(Wrong):
    rules: ClassVar = {"survives-reordering"}
    cases: ClassVar = ["a customer in another order"]

    def __init__(self) -> None:
        super().__init__()
        self.newest: dict[str, str] = {}

    def take(self, kind: str, name: str, data: Any) -> Said:
        with self.lock:
            newest = self.newest.get(data["id"], "")
            self.newest[data["id"]] = max(newest, data["updatedAt"])
        return Said(409) if newest > data["updatedAt"] else super().take(kind, name, data)


class CountsTwice(Wrong):
    rules: ClassVar = {"counts-once"}
    cases: ClassVar = ["the same event twice", "one event 8 times at once"]

    def take(self, kind: str, name: str, data: Any) -> Said:
        self.seen.clear()
        return super().take(kind, name, data)


class TakesFourStatuses(Wrong):
    rules: ClassVar = {"takes-events"}
    cases: ClassVar = ["customer.updated (screening)"]
    verdict = "fails"

    def take(self, kind: str, name: str, data: Any) -> Said:
        return Said(422) if data["status"] == "screening" else super().take(kind, name, data)


class WantsASignature(Wrong):
    """None is documented, so that it takes nothing that comes."""

    rules: ClassVar = {"takes-events"}
    verdict = "fails"

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Said:
        return Said(401)


@pytest.mark.parametrize("kind", Wrong.__subclasses__())
def test_a_mistake_is_named_and_no_other(kind: type[Wrong], checked: Check) -> None:
    result = checked(api, kind(), probed=kind is CountsTwice)
    assert (broken(result), result.results["verdict"]) == (kind.rules, kind.verdict)
    if kind.cases:
        assert wrong(result) == kind.cases
