"""The catalogue of Planbok covers what it should, and claims of each thing no more than its tier allows."""

import shutil
from copy import copy
from pathlib import Path

import pytest

from conformance.catalogue import Basis, Catalogue, CatalogueError, Level, Party, Rule
from conformance.files import data_path
from conformance.specification import Specification

PATH = data_path("specs/planbok/rules.yaml")
CATALOGUE = Catalogue.load(PATH)
SPECIFICATION = Specification.load(data_path("specs/planbok/openapi.yaml"))
TOPICS = {
    "response",
    "key",
    "customer",
    "gate",
    "challenge",
    "idempotency",
    "page",
    "result",
    "list",
    "address",
    "webhook",
    "client",
}
CONTRADICTED = {
    "response.error-body": ["message", "errors"],
    "key.missing-status": ["answered-403", "answered-401"],
    "customer.recovery-in-onboarding": ["mandatory", "skippable"],
    "customer.initialize-body": ["redirect-url-suffices", "blockchains-needed"],
    "customer.ref-id-omitted": ["refused", "accepted"],
    "customer.id-form": ["object-id", "uuid"],
    "challenge.identifier": ["challenge-id", "plain-id"],
    "challenge.success-word": ["verified", "completed", "successful"],
    "challenge.redirect-url-omitted": ["accepted", "refused"],
    "challenge.idempotency-key-omitted": ["accepted", "refused"],
    "idempotency.repeat-answered": ["as-before", "refused"],
    "challenge.redirect-url-read": ["hosted-page", "callers-own"],
    "address.keys-of-each-request": ["one-root", "new-keys"],
    "page.return-query": ["challenge-id", "status"],
    "list.order-spelling": ["upper-case", "lower-case", "either"],
    "address.path-form": ["bip44", "as-exported"],
    "webhook.one-for-each-wallet": ["for-each-wallet", "for-the-challenge"],
    "webhook.signed-bytes": ["raw-body", "reserialized-body"],
    "webhook.event-id": ["idempotency-key", "header-only"],
    "webhook.event-names": ["listed-only", "challenge-completed-too"],
}
NOTED = {
    "customer.id-form",
    "key.missing-status",
    "client.takes-large-events",
    "response.error-body",
    "challenge.success-word",
    "customer.ref-id-omitted",
    "gate.refused-at-request",
    "challenge.empty-blockchains-refused",
    "challenge.unknown-blockchain-refused",
    "challenge.repeated-blockchain-refused",
    "challenge.redirect-url-omitted",
    "page.return-query",
    "result.challenge-stays",
    "list.empty-filter-is-empty",
    "address.path-form",
    "customer.answers-unfolded",
    "page.pin-unfolded",
    "webhook.one-for-each-wallet",
    "webhook.signed-bytes",
    "webhook.event-names",
    "idempotency.other-content-refused",
    "challenge.redirect-url-read",
    "address.keys-of-each-request",
}
DOCUMENTED_MUSTS = {
    "key.read-only-refused",
    "page.keeps-query",
    "address.evm-form",
    "challenge.ids-differ",
    "list.unknown-customer-is-empty",
    "list.wallets-stay",
    "address.evm-follows-from-public-key",
    "address.one-root",
    "webhook.agrees-with-list",
    "key.missing-refused",
    "customer.has-recovery",
    "gate.no-wallet-without-pin",
    "gate.no-wallet-without-recovery",
    "challenge.answered",
    "challenge.unique",
    "challenge.several-chains",
    "challenge.account-type-eoa",
    "challenge.expires-after-15-minutes",
    "page.asks-pin-every-time",
    "page.wrong-pin-refused",
    "page.returns-to-caller",
    "result.readable-after-completion",
    "result.exactly-the-chains",
    "result.none-while-pending",
    "result.gone-after-15-minutes",
    "list.holds-all",
    "list.only-theirs",
    "address.one-account",
    "webhook.wallet-created-sent",
    "webhook.not-before-completion",
    "client.verifies-status",
    "client.stores-result-in-time",
    "client.sends-user-to-given-url",
}
DOCUMENTED_SHOULDS = {
    "challenge.other-account-type-refused",
    "address.same-on-evm-chains",
    "webhook.wallet-readable-then",
    "webhook.security-events-sent",
}
INFERRED = {
    "list.wallet-ids-stay",
    "address.follows-from-public-key",
    "key.wrong-is-401",
    "challenge.account-type-omitted",
    "challenge.under-its-customer-only",
    "list.several-customers",
    "list.unseen-by-others",
    "customer.names-kept",
    "webhook.signed",
    "webhook.timestamp-is-fresh",
    "client.checks-webhook-signature",
    "client.checks-webhook-age",
    "client.no-empty-filter",
}


def named(name: str) -> Rule:
    return CATALOGUE[f"planbok.{name}"]


def names(*, basis: Basis | None = None, level: Level | None = None) -> set[str]:
    """The rules of this basis and level, without the name of the API."""
    return {
        rule.id.removeprefix("planbok.")
        for rule in CATALOGUE.values()
        if basis in {None, rule.basis} and level in {None, rule.level}
    }


def unmentioned(specification: Specification, catalogue: Catalogue) -> set[str]:
    """The operations and webhooks that no rule names."""
    return {*specification.operations, *specification.webhooks} - mentioned(catalogue)


def unknown(specification: Specification, catalogue: Catalogue) -> set[str]:
    """What rules name and no operation or webhook is."""
    return mentioned(catalogue) - {*specification.operations, *specification.webhooks}


def mentioned(catalogue: Catalogue) -> set[str]:
    return {operation for rule in catalogue.values() for operation in rule.operations}


def test_it_is_large_enough_and_known_by_its_name() -> None:
    assert CATALOGUE.api == "planbok"
    assert all(identifier.startswith("planbok.") for identifier in CATALOGUE)
    assert sum(rule.party is Party.PROVIDER for rule in CATALOGUE.values()) >= 45
    assert sum(rule.party is Party.CLIENT for rule in CATALOGUE.values()) >= 12


def test_its_topics_are_those_of_the_flow_and_one_of_them_is_the_clients() -> None:
    assert {rule.topic for rule in CATALOGUE.values()} == TOPICS
    for rule in CATALOGUE.values():
        assert (rule.topic == "client") is (rule.party is Party.CLIENT), rule.id


def test_every_operation_is_mentioned_and_every_one_mentioned_exists() -> None:
    assert unmentioned(SPECIFICATION, CATALOGUE) == set()
    assert unknown(SPECIFICATION, CATALOGUE) == set()


def test_an_orphan_of_either_kind_is_found() -> None:
    without_gets = Catalogue("planbok", tuple(r for r in CATALOGUE.values() if "getWallet" not in r.operations))
    assert unmentioned(SPECIFICATION, without_gets) == {"getWallet"}
    smaller = copy(SPECIFICATION)
    smaller.webhooks = {}
    assert unknown(smaller, CATALOGUE) == set(SPECIFICATION.webhooks)


def test_no_two_rules_say_the_same() -> None:
    assert len({rule.title for rule in CATALOGUE.values()}) == len(CATALOGUE)


def test_each_contradiction_that_the_flow_shows_has_a_rule_with_its_readings() -> None:
    readings = {name: [reading.id for reading in named(name).readings] for name in names(basis=Basis.CONTRADICTED)}
    assert readings == CONTRADICTED


@pytest.mark.parametrize("name", CONTRADICTED)
def test_the_readings_of_a_contradiction_rest_on_different_places(name: str) -> None:
    cited = [frozenset(reading.sources) for reading in named(name).readings]
    assert len(set(cited)) == len(cited)


def test_what_is_only_noted_is_optional_and_never_documented() -> None:
    assert names(level=Level.MAY) == NOTED
    assert {named(name).basis for name in NOTED} == {Basis.INFERRED, Basis.CONTRADICTED}


def test_what_the_document_promises_binds() -> None:
    assert names(basis=Basis.DOCUMENTED, level=Level.MUST) >= DOCUMENTED_MUSTS


def test_what_is_said_to_be_the_only_one_or_left_open_in_part_is_a_should() -> None:
    assert names(basis=Basis.DOCUMENTED, level=Level.SHOULD) >= DOCUMENTED_SHOULDS


def test_what_only_others_show_is_inferred() -> None:
    assert names(basis=Basis.INFERRED) >= INFERRED


def test_what_no_page_of_the_vendor_says_claims_no_more_than_to_be_inferred() -> None:
    for rule in CATALOGUE.values():
        if not {source.document.tier for source in rule.sources} & {"document", "vendor", "standard"}:
            assert rule.basis in {Basis.INFERRED, Basis.CONTRADICTED}, rule.id


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "basis: inferred\n    sources: [{source: beta-receiver,",
            "basis: documented\n    sources: [{source: beta-receiver,",
            "document or vendor",
        ),
        ("id: planbok.key.wrong-refused", "id: planbok.key.missing-refused", "more than once: planbok.key.missing-re"),
        ("source: audit", "source: hearsay", "cites 'hearsay', which is not among the sources"),
        ("level: must", "level: shall", "rules/0/level"),
    ],
)
def test_a_claim_beyond_its_sources_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = PATH.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "rules.yaml"
    for name in ("sources.yaml", "statements.yaml"):
        shutil.copy(PATH.with_name(name), tmp_path)
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError, match=message):
        Catalogue.load(path)
