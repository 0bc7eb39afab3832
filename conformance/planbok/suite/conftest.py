"""What the scenarios of Planbok are given."""

from dataclasses import replace

import pytest

from conformance.circumstances.application import Circumstances
from conformance.circumstances.levels import Watched
from conformance.clock import Clock
from conformance.planbok.suite.company import Company
from conformance.planbok.suite.tenant import Tenant
from conformance.scenario import needs
from conformance.targets import Hooks, Subject, subject

__all__ = ["subject"]


@pytest.fixture
def tenant(subject: Subject) -> Tenant:
    """The organization that the test acts as."""
    return Tenant(subject, "first")


@pytest.fixture
def watched(subject: Subject) -> Tenant:
    """The same as `tenant`, with everything read and compared before and after each of its steps."""
    company = Company(subject)
    return Tenant(replace(subject, circumstances=Circumstances([Watched()], lambda: company)), "first")


@pytest.fixture
def other_tenant(subject: Subject) -> Tenant:
    """Another organization, to be kept apart from."""
    return Tenant(subject, "second")


@pytest.fixture
def clock(subject: Subject) -> Clock:
    """What lets time pass."""
    return subject.clock


@pytest.fixture
def hooks(subject: Subject) -> Hooks:
    """What receives the webhooks of the test."""
    return subject.hooks or needs("an address that the API can reach; set CONFORMANCE_PLANBOK_WEBHOOK_URL")
