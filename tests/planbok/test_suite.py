"""Scenarios say of a subject no more than it shows."""

import pytest

from conformance.api import named
from conformance.run import Options, run
from conformance.sandbox.server import start


@pytest.mark.parametrize("rule", ["missing-refused", "wrong-refused", "read-only-refused"])
def test_a_list_without_the_callers_ids_does_not_show_that_nothing_was_created(rule: str) -> None:
    with start(faults=["CreatesBeforeItLooksAtTheKey", "ShowsNoNames"], apis=[named("planbok")]) as running:
        base_urls = {"planbok": f"{running.origin}/planbok"}
        options = Options(("planbok",), "sandbox", base_urls=base_urls, rule=(f"planbok.key.{rule}",), examples=1)
        (found,) = run(options)["rules"]
    places = {finding["where"] for finding in found["findings"]}
    assert "response status" in places
    assert "response /data, on all pages" not in places
