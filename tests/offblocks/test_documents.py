"""What the printed exchanges prove, which contradictions they show, and that nothing is judged on placeholders."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.catalogue import Catalogue
from conformance.offblocks import OffBlocksApi, api
from conformance.reporting.phrases import verdict_line
from conformance.run import Options, run
from conformance.specification import Specification
from conformance.standards.personal_message import recover
from conformance.standards.wallet_signatures import decode
from conformance.targets.documents import DocumentsUnreadableError, read
from conformance.targets.documents import printed as printed_by

OPTIONS = Options(apis=("offblocks",), target="documents")
PRINTED = "specs/offblocks/documents.yaml"

Entry = dict[str, Any]


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return run(OPTIONS)


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str | bytes | None], dict[str, Any]]:
    """Runs on another file of printed exchanges; None for none."""

    def judge_file(content: str | bytes | None) -> dict[str, Any]:
        path = tmp_path / "documents.yaml"
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else content)

        class OtherDocuments(OffBlocksApi):
            def find(self, relative: str) -> Path:
                return path if relative == PRINTED else api.find(relative)

        monkeypatch.setattr("conformance.run.named", lambda _name: OtherDocuments())
        return run(OPTIONS)

    return judge_file


def printed() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(api.find(PRINTED).read_bytes())
    return document


def altered(entry_id: str, change: Callable[[Entry], None]) -> str:
    """The printed exchanges with one of them changed."""
    document = printed()
    (entry,) = (entry for entry in document["exchanges"] if entry["id"] == entry_id)
    change(entry)
    return yaml.safe_dump(document)


def verdicts(results: dict[str, Any]) -> dict[str, str]:
    return {rule["id"].removeprefix("offblocks."): rule["verdict"] for rule in results["rules"]}


def findings(results: dict[str, Any], rule: str) -> list[tuple[str, str | None]]:
    """The exchanges that show a rule, each with the reading that it shows."""
    (found,) = (entry for entry in results["rules"] if entry["id"] == f"offblocks.{rule}")
    return [(finding["exchange"], finding["reading"]) for finding in found["findings"]]


def test_the_documents_conform_and_contradict_themselves(results: dict[str, Any]) -> None:
    assert results["verdict"] == "conforms"
    assert {name for name, count in results["summary"].items() if count} == {"pass", "note", "untested"}
    places = sum(each["own"] for each in results["contradictions"])
    assert (
        results["subject"] == f"what the documents of OffBlocks print, which contradict themselves in {places} places"
    )
    assert "which contradict themselves in" in verdict_line(results)


READINGS = {
    "challenge.domain": [("creation/guide-create", "sandbox-host")],
    "challenge.issued-at-against-created-at": [("creation/guide-create", "at-another-time")],
    "challenge.purpose": [("creation/guide-create", "verify-ownership")],
    "customer.created-at-stays": [("verification/read", "fewer-digits")],
    "customer.unlisted-chain": [("creation/guide-create", "accepted")],
    "customer.verification-url": [("creation/guide-create", "absent"), ("creation/reference-create", "absent")],
    "signing.raw-bytes": [("creation/reference-sign", "accepted")],
}


def test_each_reading_is_noted_where_it_is_printed(results: dict[str, Any]) -> None:
    noted = [rule for rule, verdict in verdicts(results).items() if verdict == "note"]
    assert {rule: findings(results, rule) for rule in noted} == READINGS
    assert all(rule["reason"] for rule in results["rules"] if rule["verdict"] == "note")


PROVED_BY_THE_VECTOR = [
    "challenge.grammar",
    "challenge.nonce",
    "challenge.standard-base64",
    "challenge.uri",
    "challenge.version-is-1",
    "client.encodes-hex-text",
    "client.owner-signs-the-message",
    "client.returns-challenge-unchanged",
]


@pytest.mark.parametrize("rule", PROVED_BY_THE_VECTOR)
def test_the_printed_vector_proves_what_it_can(results: dict[str, Any], rule: str) -> None:
    assert verdicts(results)[rule] == "pass"
    assert {"creation/guide-create", "creation/guide-sign"} & {exchange for exchange, _ in findings(results, rule)}


REMARKS = [
    ("creation/guide-create", "challenge.address", "response /challenge, address"),
    ("verification/read", "customer.readable", "response /chainId"),
    ("creation/guide-sign", "client.signs-only-its-own-sign-in", "request /challenge"),
    ("creation/guide-sign", "client.owner-id", "request /ownerId"),
    ("creation/reference-retrieve", "challenge.kind", "response /challenge"),
    ("creation/reference-create", "challenge.kind", "response /challenge"),
]


def test_each_break_that_a_listed_contradiction_accounts_for_is_a_remark_and_not_judged(
    results: dict[str, Any],
) -> None:
    for remark, (exchange, rule, where) in zip(results["remarks"], REMARKS, strict=True):
        assert remark.startswith(
            f"{exchange} contradicts offblocks.{rule}, which is not judged on it: {where}: expected "
        )
    held = {finding["held"] for rule in results["rules"] for finding in rule["findings"]}
    assert held == {True}


@pytest.mark.parametrize(
    "rule",
    [
        "client.sends-token",
        "client.signs-requests",
        "client.signature-verifies",
        "client.digests-sent-bytes",
        "client.signs-within-the-hour",
        "signature.right-one-accepted",
        "challenge.issued-when-made",
        "response.is-json",
    ],
)
def test_what_is_not_printed_is_not_judged(results: dict[str, Any], rule: str) -> None:
    (found,) = (entry for entry in results["rules"] if entry["id"] == f"offblocks.{rule}")
    assert (found["verdict"], found["reason"]) == ("untested", "No printed exchange shows it.")


def test_nothing_is_judged_on_a_placeholder(results: dict[str, Any]) -> None:
    shipped = printed()
    entries = [*shipped["exchanges"], *shipped["events"]]
    placeholders = {entry["id"]: entry.get("placeholders", []) for entry in entries}
    judged = [(finding["test"], finding["where"]) for rule in results["rules"] for finding in rule["findings"]]
    assert judged
    assert not [(exchange, where) for exchange, where in judged if where.startswith(tuple(placeholders[exchange]))]


def test_a_request_without_a_printed_answer_is_no_answer() -> None:
    reading = read(api, Catalogue.load(api.rules), Specification.load(api.specification))
    unanswered = {"creation/guide-sign", "step-webhooks/guide-put"}
    assert {exchange.id for exchange in reading.exchanges if exchange.response.status == 0} == unanswered
    assert not [
        finding
        for finding in reading.findings
        if finding.exchange == "creation/guide-sign" and finding.where.startswith("response")
    ]


def test_an_altered_digit_of_the_printed_signature_is_told(judge: Callable[[str], dict[str, Any]]) -> None:
    def alter(entry: Entry) -> None:
        body = yaml.safe_load(entry["request"]["body"])
        text = base64.b64decode(body["signature"]).decode()
        assert text.endswith("af371b")
        wrong = base64.b64encode(text.replace("af371b", "af381b").encode()).decode()
        entry["request"]["body"] = entry["request"]["body"].replace(body["signature"], wrong)

    results = judge(altered("creation/guide-sign", alter))
    assert verdicts(results)["client.owner-signs-the-message"] == "fail"
    assert results["verdict"] == "fails"
    (rule,) = (rule for rule in results["rules"] if rule["id"] == "offblocks.client.owner-signs-the-message")
    (finding,) = (finding for finding in rule["findings"] if finding["held"] is False)
    assert (finding["test"], finding["exchange"]) == ("creation/guide-sign", "creation/guide-sign")
    assert "not of 0x43158f45b5EbD7b1179130130DF00393928C2691" in finding["got"]


def test_the_right_owner_is_the_signer(judge: Callable[[str], dict[str, Any]]) -> None:
    def correct(entry: Entry) -> None:
        entry["request"]["body"] = entry["request"]["body"].replace("0131DF", "0130DF")

    assert verdicts(judge(altered("creation/guide-sign", correct)))["client.owner-id"] == "pass"


def test_a_reading_that_no_source_has_counts_as_its_level_says(judge: Callable[[str], dict[str, Any]]) -> None:
    def move(entry: Entry) -> None:
        entry["response"]["body"] = entry["response"]["body"].replace("14:53:02.653457Z", "14:53:04Z")

    results = judge(altered("verification/read", move))
    assert verdicts(results)["customer.created-at-stays"] == "warn"


# ---------------------------------------------------------------------------------------------------------- bad files


def drop_status(entry: Entry) -> None:
    del entry["response"]["status"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"exchanges: [", "are not YAML: "),
        (b"\xff\xfe\xff", "are not YAML: "),
        ("", "are wrong at the top: "),
        ("[]", "are wrong at the top: "),
        ("format: another\napi: offblocks\nexchanges: []", "are wrong at "),
        (altered("creation/guide-create", drop_status), "are wrong at exchanges/0/response: "),
        (altered("verification/read", lambda entry: entry.update(colour="green")), "are wrong at exchanges/7"),
    ],
)
def test_a_broken_file_is_told_with_its_place(
    judge: Callable[[str | bytes], dict[str, Any]], tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(DocumentsUnreadableError) as caught:
        judge(content)
    assert str(caught.value).startswith(f"The printed exchanges in {tmp_path / 'documents.yaml'} {message}")


def test_a_folder_in_its_place_is_told(judge: Callable[[None], dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "documents.yaml").mkdir()
    with pytest.raises(DocumentsUnreadableError, match="cannot be read: Is a directory"):
        judge(None)


def test_an_api_whose_documents_print_nothing_is_inconclusive(judge: Callable[[None], dict[str, Any]]) -> None:
    results = judge(None)
    assert results["verdict"] == "inconclusive"
    assert results["remarks"] == ["The documents of OffBlocks print no exchange, so there is nothing to judge."]
    assert set(verdicts(results).values()) == {"untested"}


def test_the_shipped_file_transcribes_documents_that_the_rules_cite() -> None:
    shipped = printed()
    transcribed = [*shipped["exchanges"], *shipped["events"], *shipped["challenges"]]
    assert {entry["document"] for entry in transcribed} <= set(Catalogue.load(api.rules).documents)


def test_the_two_printed_forms_of_one_challenge_differ_in_their_chain_and_the_signature_is_of_one() -> None:
    found = printed_by(api, Specification.load(api.specification))
    (guide,) = (each for each in found.exchanges if each.id == "creation/guide-sign")
    texts = [
        base64.b64decode(text).decode() for text in (guide.request.members()["challenge"], *found.challenges.values())
    ]
    assert texts[0].replace("Chain ID: 280", "Chain ID: 300") == texts[1] != texts[0]
    signature, _ = decode(guide.request.members()["signature"])
    signers = [recover(text.encode(), signature) for text in texts]
    assert signers[0] == "0x43158f45b5EbD7b1179130130DF00393928C2691" != signers[1]


def test_a_printed_event_is_judged_as_one_that_came(results: dict[str, Any]) -> None:
    (rule,) = (rule for rule in results["rules"] if rule["id"] == "offblocks.webhook.event-matches-schema")
    assert {(finding["test"], finding["held"]) for finding in rule["findings"]} == {
        ("step-webhooks/created", True),
        ("webhooks/customer-updated", True),
    }
