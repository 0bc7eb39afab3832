"""What the scenarios of Planbok are given."""

import pytest

from conformance.clock import Clock
from conformance.planbok.suite.tenant import Tenant
from conformance.scenario import needs
from conformance.targets import Hooks, Subject, subject

__all__ = ["subject"]


@pytest.fixture
def tenant(subject: Subject) -> Tenant:
    """The organization that the test acts as."""
    return Tenant(subject, "first")


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
