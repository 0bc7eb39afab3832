"""All rules for a journal: which topics judge an answer, by its operation, and which a webhook."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from conformance.exchange import Delivery, Exchange
from conformance.findings import Finding
from conformance.planbok.chains import CHAINS
from conformance.planbok.checks.address import addresses
from conformance.planbok.checks.answers import Answer, answer_of, shown_challenges
from conformance.planbok.checks.challenge import filtered_by_status, new_challenge, success_word, under_its_customer
from conformance.planbok.checks.customer import customer_readable, customers_as_created, id_forms
from conformance.planbok.checks.list import (
    agreement_with_results,
    filtered_as_asked,
    page_limit,
    single_wallet,
    wallets_of_others,
    wallets_stay,
)
from conformance.planbok.checks.overview import History, Overview, attribute, event_with_wallets
from conformance.planbok.checks.response import form
from conformance.planbok.checks.result import chains_of_result, none_before_success
from conformance.planbok.checks.times import times
from conformance.planbok.checks.webhook import event_names, single_event
from conformance.planbok.messages import ISSUING, issued_challenge
from conformance.specification import Specification


def provider_findings(
    exchanges: Sequence[Exchange],
    deliveries: Sequence[Delivery],
    specification: Specification,
    settings: Mapping[str, str],
) -> list[Finding]:
    """What the rules for the provider say of the exchanges and webhooks of one test.

    Args:
        exchanges: The exchanges in the order of their ends; one without an operation is a step of the hosted page,
            which no rule for the API judges.
        deliveries: The webhooks received.
        specification: The API's specification.
        settings: The API's settings; ``blockchains`` names the chains that the run is about, joined by blanks.
    """
    answers = [answer_of(exchange) for exchange in exchanges if exchange.operation is not None]
    overview = Overview()
    for answer in answers:
        overview.observer.see(answer.exchange)
    events = [event_with_wallets(number, delivery, overview) for number, delivery in enumerate(deliveries, start=1)]
    attribute(answers, events, overview)
    chains = {*CHAINS, *settings.get("blockchains", "").split()}
    history = History()
    findings: list[Finding] = []
    for answer in answers:
        findings += form(answer.exchange, specification)
        findings += _content(answer, overview, history, chains)
        findings += addresses(answer.wallets, overview, answer.exchange)
    bodies: dict[str, object] = {}
    for event in events:
        findings += single_event(event, bodies, overview, specification)
        findings += addresses(event.wallets, overview, None)
    findings += event_names(events)
    findings += times(exchanges, events)
    return findings


def _content(answer: Answer, overview: Overview, history: History, chains: AbstractSet[str]) -> Iterator[Finding]:
    """Judge what an answer says by the operation that it answers."""
    match answer.call.operation:
        case "createCustomer":
            yield from id_forms(answer)
            yield from customers_as_created(answer, overview)
        case "getCustomer":
            yield from id_forms(answer)
            yield from customers_as_created(answer, overview)
            yield from customer_readable(answer, overview)
        case "listCustomers":
            yield from id_forms(answer)
            yield from customers_as_created(answer, overview)
            yield from page_limit(answer)
        case "getChallenge":
            yield from under_its_customer(answer, overview)
            yield from _progress(answer, overview, chains)
        case "listChallenges":
            yield from filtered_by_status(answer)
            yield from _progress(answer, overview, chains)
        case "listWallets" if isinstance(answer.data, list):
            yield from page_limit(answer)
            yield from wallets_of_others(answer)
            yield from filtered_as_asked(answer)
            yield from wallets_stay(answer, history)
            yield from agreement_with_results(answer, overview)
        case "getWallet":
            yield from single_wallet(answer, history)
        case operation if operation in ISSUING and answer.exchange.response.succeeded:
            yield from new_challenge(answer, history)
            pointer, challenge = issued_challenge(answer.exchange)
            if challenge is not None:
                yield from none_before_success(challenge, pointer, answer.exchange)


def _progress(answer: Answer, overview: Overview, chains: AbstractSet[str]) -> Iterator[Finding]:
    """Judge the challenges that were read or listed."""
    for pointer, challenge in shown_challenges(answer):
        yield from none_before_success(challenge, pointer, answer.exchange)
        if challenge.succeeded:
            yield success_word(challenge, pointer, answer.exchange)
            yield from chains_of_result(challenge, pointer, answer.exchange, overview, chains)
