"""What nobody thought of: requests that are generated from the specification, right ones and wrong ones."""

import pytest

from conformance.parts.generated_checks import send_and_judge
from conformance.planbok.generated_checks import SHOWN, GeneratedRequests
from conformance.planbok.suite.data_pool import DataPool
from conformance.scenario import shows, verifies
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
    send_and_judge(subject, operation, DataPool, GeneratedRequests)


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
    send_and_judge(subject, operation, DataPool, GeneratedRequests)
