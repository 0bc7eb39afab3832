"""Whatever the order of calls, the rules hold."""

from conformance.generation.sequence_report import judge_sequences
from conformance.offblocks.suite.sequence import Sequence
from conformance.scenario import verifies
from conformance.targets import Subject


@verifies(
    "offblocks.customer.readable",
    "offblocks.customer.listed",
    "offblocks.customer.no-second-for-a-pair",
    "offblocks.customer.onboarded-pair-is-409",
    "offblocks.challenge.fetched-with-200",
    "offblocks.challenge.accepted-within-the-hour",
    "offblocks.challenge.expires-after-one-hour",
    "offblocks.challenge.hour-runs-from-issue",
    "offblocks.challenge.renewed-after-failed-signature",
    "offblocks.challenge.renewed-one-signs",
    "offblocks.challenge.renewed-after-the-hour",
    "offblocks.challenge.renewed-one-has-its-own-hour",
    "offblocks.signing.other-key-refused",
    "offblocks.signing.foreign-challenge-refused",
    "offblocks.signing.outside-base64-refused",
    "offblocks.signing.superseded-challenge-refused",
    "offblocks.signing.second-is-409",
    "offblocks.signing.refusal-leaves-initiating",
    "offblocks.signing.moves-the-status",
    "offblocks.idempotency.repeat-answered-alike",
    "offblocks.idempotency.sign-repeat-is-204",
    "offblocks.idempotency.sign-repeat-outlives-challenge",
    "offblocks.idempotency.changed-payload-refused",
    "offblocks.idempotency.changed-payload-status",
    "offblocks.idempotency.key-free-after-an-hour",
    "offblocks.isolation.customer-unseen",
    "offblocks.isolation.challenge-unseen",
    "offblocks.isolation.no-action",
    "offblocks.isolation.list-apart",
    "offblocks.flow.simulated-with-202",
    "offblocks.flow.verified-becomes-active",
    "offblocks.flow.unsigned-never-active",
    "offblocks.flow.rejected-is-final",
    "offblocks.flow.rejected-not-onboarded-again",
)
def test_calls_in_any_order_keep_the_rules(subject: Subject) -> None:
    """Given new customers of two clients, when calls about them follow each other in orders that chance draws."""
    judge_sequences(subject, Sequence)
