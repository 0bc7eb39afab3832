"""Receivers of Planbok's events: right ones of every kind pass, and each mistake is named and no other."""

import json
import threading
from collections.abc import Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

import pytest

from conformance.clock import SystemClock
from conformance.planbok import api
from tests.receivers.conftest import Check, PlanbokReceiver, Said, broken, undecided, wrong

CLOCK = SystemClock()
FORGED = [
    "altered body",
    "signed with another secret",
    "no signature header",
    "neither signature nor timestamp",
    "another prefix",
    "half of the signature",
    "another timestamp than the signed one",
]
OLD, EARLY = "10 minutes old", "10 minutes in the future"
SPELT = ["JSON with blanks, turned", "JSON with escapes"]
AT_ONCE = "one event 8 times at once"
BEFORE_THE_CROWD = 25
"""So many events were taken, at least, before several come at once."""


# ------------------------------------------------------------------------------------------------------ the right ones


class AnswersNothing(PlanbokReceiver):
    def take(self, kind: str, name: str, data: Any) -> Said:
        super().take(kind, name, data)
        return Said(204)


class OnlyWallets(PlanbokReceiver):
    """Counts one kind, and takes the others without doing anything."""

    def is_for_us(self, kind: str) -> bool:
        return kind == "wallet.created"


class WorksLater(PlanbokReceiver):
    """Answers first and does the work a while after."""

    def process(self) -> None:
        threading.Timer(0.02, super().process).start()


class WorksMuchLater(PlanbokReceiver):
    """Its number says nothing of which event was processed."""

    def process(self) -> None:
        threading.Timer(2.2, super().process).start()


class NeverWorks(PlanbokReceiver):
    """Its number stands still."""

    def process(self) -> None:
        pass


class ConflictsWhileBusy(PlanbokReceiver):
    """Asks who sends an event that it is just taking to come again."""

    def take(self, kind: str, name: str, data: Any) -> Said:
        if not self.lock.acquire(blocking=False):
            return Said(409 if name in self.seen else 503)
        try:
            if self.is_for_us(kind) and name not in self.seen:
                self.seen.add(name)
                CLOCK.advance(timedelta(milliseconds=10))
                self.process()
        finally:
            self.lock.release()
        return Said(200)


@pytest.mark.parametrize("kind", [PlanbokReceiver, AnswersNothing, OnlyWallets, WorksLater, ConflictsWhileBusy])
def test_a_right_receiver_breaks_nothing(kind: type[PlanbokReceiver], checked: Check) -> None:
    result = checked(api, kind(), probed=True, strict=True)
    assert (wrong(result), broken(result), result.results["verdict"]) == ([], set(), "conforms")
    assert result.results["summary"]["pass"] == 8
    assert "as the receiver of the beta verifies them (inferred: no page" in result.results["remarks"][0]


def test_without_a_probe_what_needs_one_is_skipped(checked: Check) -> None:
    result = checked(api, PlanbokReceiver())
    skipped = {rule["id"]: rule["reason"] for rule in result.results["rules"] if rule["verdict"] == "skipped"}
    reason = "This needs the number of events that were processed: give --probe-url."
    assert skipped == dict.fromkeys(
        ("planbok.client.survives-duplicates", "planbok.client.survives-reordering"), reason
    )
    assert (wrong(result), undecided(result), result.results["verdict"]) == ([], [], "conforms")


@pytest.mark.parametrize(("kind", "when"), [(WorksMuchLater, "rises later than 0.3 s"), (NeverWorks, "does not rise")])
def test_a_number_that_says_nothing_is_not_believed(kind: type[PlanbokReceiver], when: str, checked: Check) -> None:
    result = checked(api, kind(), probed=True)
    assert (wrong(result), result.results["verdict"]) == ([], "conforms")
    assert any(f"The number of the probe {when}" in remark for remark in result.results["remarks"])


# ------------------------------------------------------------------------------------------------------ the wrong ones


class Wrong(PlanbokReceiver):
    cases: ClassVar[list[str]] = []
    """The cases in which it is wrong."""
    rules: ClassVar[set[str]] = set()
    """The rules that it breaks."""
    open: ClassVar[list[str]] = []
    """The cases in which nothing can be told."""


class TakesEverything(Wrong):
    cases: ClassVar = [*FORGED, OLD, EARLY]
    rules: ClassVar = {"checks-webhook-signature", "checks-webhook-age"}

    def is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        return True


class ComparesAsMuchAsIsThere(Wrong):
    cases: ClassVar = ["no signature header", "neither signature nor timestamp", "half of the signature"]
    rules: ClassVar = {"checks-webhook-signature"}

    def is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        given, sent = headers.get("X-Webhook-Signature") or "", headers.get("X-Webhook-Timestamp")
        signed = f"sha256={self.digest(sent or '', body)}".startswith(given)
        return signed and (sent is None or self.is_timely(int(sent), {}))


class LooksAtTheDigitsAlone(Wrong):
    cases: ClassVar = ["another prefix"]
    rules: ClassVar = {"checks-webhook-signature"}

    def matches(self, given: str, expected: str) -> bool:
        return given.partition("=")[2] == expected.partition("=")[2]


class AgesByTheBody(Wrong):
    cases: ClassVar = [OLD, EARLY]
    rules: ClassVar = {"checks-webhook-age"}

    def is_timely(self, sent: int, event: Any) -> bool:
        return bool(event["timestamp"])


class LooksBackOnly(Wrong):
    cases: ClassVar = [EARLY]
    rules: ClassVar = {"checks-webhook-age"}

    def is_timely(self, sent: int, event: Any) -> bool:
        return CLOCK.now().timestamp() - sent <= 300


class VerifiesTheBodyWrittenAgain(Wrong):
    cases: ClassVar = SPELT
    rules: ClassVar = {"takes-any-form"}

    def digest(self, sent: str, body: bytes) -> str:
        again = json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False)
        return super().digest(sent, again.encode())


class ReadsLatin1(Wrong):
    cases: ClassVar = ["letters of many scripts"]
    rules: ClassVar = {"takes-any-form"}

    def digest(self, sent: str, body: bytes) -> str:
        return super().digest(sent, body.decode("latin-1").encode())


class ReadsWhatIsThere(Wrong):
    cases: ClassVar = ["body in pieces"]
    rules: ClassVar = {"takes-events"}

    def read(self, handler: BaseHTTPRequestHandler) -> bytes:
        size = int(handler.headers["Content-Length"])
        if size > 65_536:
            return super().read(handler)
        found = handler.rfile.read1(size)
        handler.close_connection = len(found) < size
        return found


class BreaksWithoutTheHeader(Wrong):
    open: ClassVar = ["no signature header", "neither signature nor timestamp"]

    def is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        return bool(headers["X-Webhook-Signature"].strip()) and super().is_genuine(headers, body)


class ProcessesBeforeItVerifies(Wrong):
    cases: ClassVar = [*FORGED, OLD, EARLY]
    rules: ClassVar = {"checks-webhook-signature", "checks-webhook-age"}

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Said:
        event = json.loads(body)
        self.take(event["event"], event["idempotencyKey"], event["data"])
        return super().__call__(headers, body)


class VerifiesAfterItsAnswer(Wrong):
    open: ClassVar = [*FORGED, OLD, EARLY]

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Said:
        super().__call__(headers, body)
        return Said(202)


class CountsTwice(Wrong):
    cases: ClassVar = ["the same event twice", AT_ONCE]
    rules: ClassVar = {"survives-duplicates"}

    def take(self, kind: str, name: str, data: Any) -> Said:
        self.seen.clear()
        return super().take(kind, name, data)


class LooksBeforeItNotes(Wrong):
    cases: ClassVar = [AT_ONCE]
    rules: ClassVar = {"survives-duplicates"}
    came = 0

    def take(self, kind: str, name: str, data: Any) -> Said:
        if not self.is_for_us(kind) or name in self.seen:
            return Said(200)
        self.came += 1
        if self.came > BEFORE_THE_CROWD:
            CLOCK.advance(timedelta(milliseconds=200))  # so long that a busy machine sends the others meanwhile
        self.seen.add(name)
        with self.lock:
            self.process()
        return Said(200)


class CountsEachTwice(Wrong):
    """As by two workers that each take every event."""

    rules: ClassVar = {"survives-duplicates"}

    def process(self) -> None:
        self.processed += 2


class RefusesWhatItKnows(Wrong):
    cases: ClassVar = ["the same event twice"]
    rules: ClassVar = {"survives-duplicates"}
    open: ClassVar = [AT_ONCE]

    def take(self, kind: str, name: str, data: Any) -> Said:
        known = name in self.seen
        super().take(kind, name, data)
        return Said(409 if known else 200)


class DropsWhatComesTooEarly(Wrong):
    cases: ClassVar = ["a customer in another order"]
    rules: ClassVar = {"survives-reordering"}

    def take(self, kind: str, name: str, data: Any) -> Said:
        customer = data["customerId"]
        if kind == "customer.recovery_completed" and f"begun {customer}" not in self.seen:
            return Said(200)
        if kind == "customer.recovery_initiated":
            self.seen.add(f"begun {customer}")
        return super().take(kind, name, data)


class BreaksOnUnknownKinds(Wrong):
    cases: ClassVar = ["an unknown kind"]
    rules: ClassVar = {"takes-unknown-events"}

    def is_for_us(self, kind: str) -> bool:
        return {"wallet": True, "customer": True}[kind.partition(".")[0]]


class LimitsTheRate(Wrong):
    open: ClassVar = ["a burst of 40"]

    def __init__(self) -> None:
        super().__init__()
        self.came = 0

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Said:
        self.came += 1
        return Said(429) if self.came > 70 else super().__call__(headers, body)


class TakesNoWallets(Wrong):
    cases: ClassVar = ["wallet.created"]
    rules: ClassVar = {"takes-events"}

    def take(self, kind: str, name: str, data: Any) -> Said:
        return Said(422) if kind == "wallet.created" else super().take(kind, name, data)


NEED_NO_NUMBER = {
    *(TakesEverything, ComparesAsMuchAsIsThere, LooksAtTheDigitsAlone, AgesByTheBody, LooksBackOnly, LimitsTheRate),
    *(VerifiesTheBodyWrittenAgain, ReadsLatin1, ReadsWhatIsThere, BreaksWithoutTheHeader, BreaksOnUnknownKinds),
    *(RefusesWhatItKnows, TakesNoWallets),
}


@pytest.mark.parametrize("kind", Wrong.__subclasses__())
def test_a_mistake_is_named_and_no_other(kind: type[Wrong], checked: Check) -> None:
    result = checked(api, kind(), probed=kind not in NEED_NO_NUMBER, strict=True)
    assert broken(result) == kind.rules
    if kind is not CountsEachTwice:  # it is wrong in each case that is processed
        assert wrong(result) == kind.cases
    assert undecided(result) == kind.open
    assert all(row.said for row in result.rows if row.name in {*wrong(result), *undecided(result)})


def test_what_is_inferred_fails_nobody_unless_it_is_asked_for_but_a_protection_warns(checked: Check) -> None:
    lenient, strict = (checked(api, TakesEverything(), strict=strict).results for strict in (False, True))
    assert (lenient["verdict"], strict["verdict"]) == ("conforms", "fails")
    verdicts = {rule["id"].split(".")[2]: rule["verdict"] for rule in lenient["rules"]}
    assert (verdicts["checks-webhook-signature"], verdicts["checks-webhook-age"]) == ("warn", "note")
