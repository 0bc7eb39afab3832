"""A client of a world goes by the world's clock or by the machine's, which its signatures tell."""

from datetime import datetime, timedelta

import pytest

from conformance.clock import EPOCH_OF_WORLDS
from conformance.exchange import Request
from conformance.offblocks.client_checks import Clocks

MACHINE = EPOCH_OF_WORLDS + timedelta(days=100)
SEEN = EPOCH_OF_WORLDS - timedelta(minutes=61)
"""When a challenge was shown, by the clock of the world."""


def clocks(created: datetime | None) -> Clocks:
    said = f";created={int(created.timestamp())}" if created else ""
    fields = (("Signature-Input", f'sig=("@method"){said}'), ("Signature", "sig=:AAAA:"))
    return Clocks(EPOCH_OF_WORLDS, MACHINE).of_client(Request(fields))


@pytest.mark.parametrize(
    ("created", "own", "earliest"),
    [
        (EPOCH_OF_WORLDS + timedelta(minutes=4), EPOCH_OF_WORLDS, EPOCH_OF_WORLDS),
        (MACHINE - timedelta(hours=2), MACHINE, EPOCH_OF_WORLDS),
        (None, EPOCH_OF_WORLDS, EPOCH_OF_WORLDS),
    ],
)
def test_the_clock_of_a_client_is_the_one_that_its_signature_is_near(
    created: datetime | None, own: datetime, earliest: datetime
) -> None:
    assert (clocks(created).own, clocks(created).earliest) == (own, earliest)


def test_what_is_no_signature_tells_no_clock() -> None:
    for value in ("", "sig=()", 'sig=("@method");created=99999999999999999999'):
        fields = (("Signature-Input", value), ("Signature", "sig=:AAAA:"))
        assert Clocks(EPOCH_OF_WORLDS, MACHINE).of_client(Request(fields)).created is None


@pytest.mark.parametrize(
    ("created", "minutes"), [(EPOCH_OF_WORLDS, 61), (MACHINE, 1), (None, 1)], ids=["world", "machine", "unknown"]
)
def test_a_challenge_is_as_old_as_by_the_clients_own_clock_or_by_both(created: datetime | None, minutes: int) -> None:
    ahead = SEEN - (MACHINE - timedelta(minutes=1))
    assert clocks(created).age(SEEN, ahead) == timedelta(minutes=minutes)
