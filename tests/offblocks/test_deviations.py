"""Requests that deviate in their signature do so under whatever label they are signed."""

from collections.abc import Callable

import httpx
import pytest

from conformance.clock import FrozenClock
from conformance.ids import Ids
from conformance.offblocks import deviations
from conformance.offblocks.client import RequestSigner
from conformance.offblocks.deviations import Deviation, labelled_signature
from conformance.offblocks.signer import LABEL
from conformance.offblocks.suite.test_signature import signed_nearly
from conformance.standards.message_signatures import key_from_seed

KEY = key_from_seed(Ids("key").draw(64))


def signed(label: str, deviation: Deviation | None = None) -> httpx.Request:
    signer = RequestSigner(KEY, "key", FrozenClock(), label=label, deterministic=True)
    request = httpx.Request("GET", "https://api.example/v1/customers")
    if deviation is None:
        signer.sign(request)
    else:
        deviation.send(signer, request)
    return request


@pytest.mark.parametrize("label", [LABEL, "s-1.x*"])
@pytest.mark.parametrize("make", [lambda: deviations.signed_in_der, lambda: signed_nearly(0, [])], ids=["der", "near"])
def test_other_bytes_stand_under_the_label_of_what_they_cover(label: str, make: Callable[[], Deviation]) -> None:
    request = signed(label, make())
    given, raw = labelled_signature(request)
    assert given == label
    assert request.headers["Signature-Input"].startswith(f"{label}=")
    assert raw != labelled_signature(signed(label))[1]


@pytest.mark.parametrize("label", [LABEL, "s-1.x*"])
def test_another_label_is_another_one_whatever_it_was(label: str) -> None:
    given, raw = labelled_signature(signed(label, deviations.signed_under_another_label))
    assert (given, raw) == ("other", labelled_signature(signed(label))[1])
