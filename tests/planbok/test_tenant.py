"""What a scenario's tenant knows of the challenges that it asked for."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from conformance.circumstances.application import Circumstances
from conformance.circumstances.levels import OtherHeaderLines
from conformance.planbok import api
from conformance.planbok.suite.person import Person
from conformance.planbok.suite.tenant import Tenant
from conformance.scenario import NeedError, StepFailedError
from conformance.specification import Specification
from conformance.targets import Conditions, Subject
from conformance.targets.sandbox import SandboxTarget


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    target = SandboxTarget({"planbok": Specification.load(api.specification)}, {})
    target.open(api)
    yield target.subject(api, request.node.name, replace(Conditions("0"), pin_agent="http"))
    target.close()


def test_a_person_is_waited_for_until_the_challenge_has_ended(subject: Subject) -> None:
    tenant = Tenant(subject, "first")
    customer = tenant.onboard()
    issued = tenant.issued(tenant.ask("initialize", customer.id))
    assert not tenant.has_ended(issued.url)
    customer.person.cancel(issued.url)
    assert tenant.has_ended(issued.url)


@pytest.mark.parametrize("is_pending", [True, False])
def test_a_refused_challenge_is_a_need_where_another_one_is_pending(subject: Subject, is_pending: bool) -> None:
    tenant = Tenant(subject, "first")
    customer = tenant.onboard()
    if is_pending:
        tenant.issued(tenant.ask("initialize", customer.id))
    broken = ("asks-for-wallets-as-documented", "checks-set-up-first")
    refused = tenant.ask_wallets(customer.id, [], broken=broken)
    with pytest.raises(NeedError if is_pending else StepFailedError):
        tenant.issued(refused)


def test_a_page_that_keeps_no_pin_is_no_need(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Person, "set_up_without_recovery", lambda *_: False)
    with pytest.raises(StepFailedError) as caught:
        Tenant(subject, "first").ready()
    assert caught.value.relies_on == ("planbok.customer.has-pin",)


def test_a_browser_brings_a_cookie_of_another_page_first(subject: Subject) -> None:
    tenant = Tenant(replace(subject, circumstances=Circumstances([OtherHeaderLines()])), "first")
    tenant.ready()
    visits = [each.request.header("Cookie") or "" for each in subject.journal.exchanges if each.operation is None]
    assert visits[0] == "consent=all"
    assert all(cookies.startswith("consent=all; visit=") for cookies in visits[1:])
