"""What nobody thought of: requests that are generated from the specification, right ones and wrong ones."""

import pytest

from conformance.generation.feeding import exercise
from conformance.generation.selection import drop_unless_accepted
from conformance.offblocks.generated_checks import SHOWN, generated_findings
from conformance.offblocks.suite.data_pool import DataPool
from conformance.scenario import found, shows, verifies
from conformance.targets import Subject


def _each(*operations: str) -> pytest.MarkDecorator:
    """Run a test for each operation."""
    shown = [pytest.param(each, marks=shows(*SHOWN[each])) for each in operations]
    return pytest.mark.parametrize("operation", shown)


@_each("createToken", "createCustomer", "getCustomer", "putWebhook")
@verifies(
    "offblocks.response.no-server-error",
    "offblocks.response.status-documented",
    "offblocks.response.unsupported-method",
    "offblocks.response.described-accepted",
    "offblocks.response.undescribed-refused",
    "offblocks.response.is-json",
    "offblocks.response.matches-schema",
    "offblocks.response.matches-inferred-schema",
)
def test_right_and_wrong_requests(subject: Subject, operation: str) -> None:
    """When requests are sent that fit the specification and such that do not, with what really exists in them."""
    _exercise(subject, operation)


@_each("putSigningKey", "listCustomers", "getChallenge")
@verifies(
    "offblocks.response.no-server-error",
    "offblocks.response.status-documented",
    "offblocks.response.unsupported-method",
    "offblocks.response.described-accepted",
    "offblocks.response.is-json",
    "offblocks.response.matches-schema",
    "offblocks.response.matches-inferred-schema",
)
def test_right_requests(subject: Subject, operation: str) -> None:
    """When requests are sent that fit the specification; of others nothing is documented, or a rule of their own is."""
    _exercise(subject, operation)


@_each("signChallenge", "verifyCustomer", "rejectCustomer")
@verifies(
    "offblocks.response.no-server-error",
    "offblocks.response.status-documented",
    "offblocks.response.unsupported-method",
    "offblocks.response.described-accepted",
    "offblocks.response.undescribed-refused",
)
def test_right_and_wrong_actions(subject: Subject, operation: str) -> None:
    """Given a customer for each request, when it is sent rightly and wrongly, and the answer has no body."""
    _exercise(subject, operation)


@_each("deleteSigningKey")
@verifies(
    "offblocks.response.no-server-error",
    "offblocks.response.status-documented",
    "offblocks.response.unsupported-method",
    "offblocks.response.described-accepted",
)
def test_removals(subject: Subject, operation: str) -> None:
    """Given a registered key for each request, when it is removed, and used after that."""
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
        found(*drop_unless_accepted(findings, "offblocks.response.described-accepted"))
