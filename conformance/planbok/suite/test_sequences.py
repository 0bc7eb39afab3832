"""Whatever the order of calls and of a person's steps, the rules hold."""

from conformance.generation.sequence_report import judge_sequences
from conformance.planbok.suite.sequence import Sequence
from conformance.scenario import verifies
from conformance.targets import Subject


@verifies(
    "planbok.customer.has-pin",
    "planbok.customer.has-recovery",
    "planbok.customer.unseen-by-others",
    "planbok.gate.no-wallet-without-pin",
    "planbok.gate.no-wallet-without-recovery",
    "planbok.challenge.starts-pending",
    "planbok.challenge.completable-in-time",
    "planbok.challenge.expires-after-15-minutes",
    "planbok.page.asks-pin-every-time",
    "planbok.page.wrong-pin-refused",
    "planbok.page.cancelled-makes-no-wallet",
    "planbok.page.completed-once",
    "planbok.result.readable-after-completion",
    "planbok.result.gone-after-15-minutes",
    "planbok.list.holds-all",
    "planbok.list.wallets-stay",
    "planbok.list.wallet-ids-stay",
    "planbok.list.agrees-with-result",
    "planbok.list.unseen-by-others",
    "planbok.webhook.wallet-created-sent",
    "planbok.webhook.not-before-completion",
    "planbok.webhook.none-for-a-failed-challenge",
    "planbok.webhook.agrees-with-list",
)
def test_calls_in_any_order_keep_the_rules(subject: Subject) -> None:
    """Given new customers, when calls and what they do at the page follow each other in orders that chance draws."""
    judge_sequences(subject, Sequence)
