"""What nobody thought of: requests that are generated from the specification, right ones and wrong ones."""

import pytest

from conformance.generation.feeding import exercise
from conformance.generation.selection import drop_unless_accepted
from conformance.planbok.generated_checks import SHOWN, generated_findings
from conformance.planbok.suite.data_pool import DataPool
from conformance.scenario import found, shows, verifies
from conformance.targets import Subject


def _each(*operations: str) -> pytest.MarkDecorator:
    """Run a test for each operation."""
    shown = [pytest.param(each, marks=shows(*SHOWN[each])) for each in operations]
    return pytest.mark.parametrize("operation", shown)


@_each(
    "createCustomer", "listCustomers", "initializeCustomer", "setUpRecovery", "updatePin", "resetPin", "createWallets"
)
@verifies(
    "planbok.response.no-server-error",
    "planbok.response.unsupported-method",
    "planbok.response.described-accepted",
    "planbok.response.undescribed-refused",
    "planbok.response.is-json",
    "planbok.response.success-agrees",
    "planbok.response.matches-schema",
    "planbok.response.matches-inferred-schema",
)
def test_right_and_wrong_requests(subject: Subject, operation: str) -> None:
    """When requests are sent that fit the specification and such that do not, with what really exists in them."""
    _exercise(subject, operation)


@_each("getCustomer", "listChallenges", "getChallenge", "listWallets", "getWallet")
@verifies(
    "planbok.response.no-server-error",
    "planbok.response.unsupported-method",
    "planbok.response.described-accepted",
    "planbok.response.is-json",
    "planbok.response.success-agrees",
    "planbok.response.matches-schema",
    "planbok.response.matches-inferred-schema",
)
def test_right_requests(subject: Subject, operation: str) -> None:
    """When requests are sent that fit the specification, which has nothing documented that others could break."""
    _exercise(subject, operation)


def _exercise(subject: Subject, operation: str) -> None:
    """Send generated requests, unless that was done when the test was recorded, and judge them."""
    try:
        if not subject.recorded:
            seed = subject.requests.child("seed").below(2**64)
            examples = subject.conditions.examples
            exercise(DataPool(subject), subject.api.specification, operation, seed=seed, examples=examples)
    finally:
        findings = generated_findings(subject.journal.exchanges, subject.journal.specification)
        found(*drop_unless_accepted(findings, "planbok.response.described-accepted"))
