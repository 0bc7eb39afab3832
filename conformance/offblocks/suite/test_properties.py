"""What nobody thought of: requests that are generated from the specification, right ones and wrong ones."""

import pytest

from conformance.offblocks.generated_checks import SHOWN, GeneratedRequests
from conformance.offblocks.suite.data_pool import DataPool
from conformance.parts.generated_checks import send_and_judge
from conformance.scenario import shows, verifies
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
    send_and_judge(subject, operation, DataPool, GeneratedRequests)


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
    send_and_judge(subject, operation, DataPool, GeneratedRequests)


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
    send_and_judge(subject, operation, DataPool, GeneratedRequests)


@_each("deleteSigningKey")
@verifies(
    "offblocks.response.no-server-error",
    "offblocks.response.status-documented",
    "offblocks.response.unsupported-method",
    "offblocks.response.described-accepted",
)
def test_removals(subject: Subject, operation: str) -> None:
    """Given a registered key for each request, when it is removed, and used after that."""
    send_and_judge(subject, operation, DataPool, GeneratedRequests)
