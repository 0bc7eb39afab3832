"""What the scenarios of OffBlocks are given."""

from dataclasses import replace

import pytest

from conformance.circumstances.application import Circumstances
from conformance.circumstances.levels import Watched
from conformance.clock import Clock
from conformance.offblocks.suite.company import Company
from conformance.offblocks.suite.tenant import Tenant
from conformance.offblocks.wallet import Wallet
from conformance.scenario import needs
from conformance.targets import Hooks, Subject, subject

__all__ = ["subject"]


@pytest.fixture
def tenant(subject: Subject) -> Tenant:
    """The API client that the test acts as."""
    return Tenant(subject, "first")


@pytest.fixture
def watched(subject: Subject) -> Tenant:
    """The same as `tenant`, with everything read and compared before and after each of its steps."""
    company = Company(subject)
    return Tenant(replace(subject, circumstances=Circumstances([Watched()], lambda: company)), "first")


@pytest.fixture
def other_tenant(subject: Subject) -> Tenant:
    """Another API client, to be kept apart from."""
    return Tenant(subject, "second")


@pytest.fixture
def wallet(subject: Subject) -> Wallet:
    """A wallet without a customer, or the one that the settings name."""
    key = subject.settings.get("wallet_key")
    chain = subject.settings["chain"]
    return Wallet(bytes.fromhex(key), chain) if key else Wallet.derived(subject.ids.child("wallet"), chain)


@pytest.fixture
def other_wallet(subject: Subject) -> Wallet:
    """Another wallet without a customer."""
    return Wallet.derived(subject.ids.child("other wallet"), subject.settings["chain"])


@pytest.fixture
def clock(subject: Subject) -> Clock:
    """What lets time pass."""
    return subject.clock


@pytest.fixture
def hooks(subject: Subject) -> Hooks:
    """What receives the webhooks of the test."""
    return subject.hooks or needs("an address for webhooks; set CONFORMANCE_OFFBLOCKS_WEBHOOK_URL")
