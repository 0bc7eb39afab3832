"""The vectors are whole and say no more than their sources, and our own modules agree with each."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from conformance.catalogue import Basis, Catalogue
from conformance.files import data_path
from conformance.standards.wallet_signatures import Encoding, decode, encode
from conformance.vectors.cases import (
    PRODUCTS,
    Accept,
    Produce,
    Vector,
    VectorsUnreadableError,
    counts,
    files,
    identify,
    load,
    read,
    why_not_to_send,
    why_refused,
    why_wrong_product,
)

CHECKOUT = Path(__file__).parents[1]
VECTORS = load()
TOPICS = list(dict.fromkeys(vector.topic for vector in VECTORS))
SCHEMA = json.loads(data_path("specs/schemas/vectors.json").read_bytes())

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

MUST = ("valid", "must")
NEVER = ("invalid", "must-not")
OPEN = ("unspecified", "unspecified")
UNTIDY = ("invalid", "unspecified")

# What has to be there, by what the cases are about, with what they say of sending and of accepting.
REQUIRED: dict[str, dict[tuple[str, str], set[str]]] = {
    "wallet-signatures": {
        MUST: {"right"},
        UNTIDY: {"raw-bytes", "hex-form", "not-in-base64", "alphabet", "padding", "white-space"},
        OPEN: {"recovery-id", "high-s", "compact", "der", "contract-wallet", "hex-form"},
        NEVER: {
            "other-key",
            "other-message",
            "line-ends",
            "prefix",
            "hashed-message",
            "encoded-message",
            "typed-data",
            "r-out-of-range",
            "s-out-of-range",
            "recovery-id",
            "length",
        },
    },
    "sign-in-messages": {
        MUST: {"right", "blank-lines", "resources", "domain", "nonce", "time", "request-id", "statement"},
        NEVER: {
            "blank-lines",
            "nonce",
            "missing-field",
            "repeated-field",
            "field-order",
            "line-ends",
            "statement",
            "time",
        },
    },
    "expiry": {MUST: {"in-time"}, NEVER: {"too-late"}, OPEN: {"on-the-hour", "clock-ahead"}},
    "account-ids": {
        MUST: {"right"},
        OPEN: {"letter-case", "checksum", "unlisted-chain", "other-namespace"},
        NEVER: {"parts", "namespace", "reference", "address", "length"},
    },
    "request-signatures": {
        MUST: {"right", "component-order", "label", "query-absent", "host", "port", "percent-encoding"},
        OPEN: {"no-components", "created", "two-labels"},
        NEVER: {
            "base-order",
            "repeated-component",
            "unknown-key",
            "algorithm",
            "key-as-secret",
            "altered-request",
            "altered-parameter",
            "altered-signature",
            "labels-differ",
            "query-absent",
            "host",
            "port",
            "percent-encoding",
        },
    },
    "digests": {
        MUST: {"right", "several", "no-body"},
        UNTIDY: {"one-of-several-wrong"},
        NEVER: {"unknown-algorithm", "other-body", "missing", "no-body", "form"},
    },
    "webhooks": {
        MUST: {"right", "age"},
        NEVER: {"other-secret", "altered-body", "reserialised", "age", "missing-header", "prefix"},
    },
    "addresses": {
        MUST: {"right", "letter-case"},
        NEVER: {"checksum", "length", "character", "form", "encoding", "version", "padding", "network", "letter-case"},
    },
}


def of(topic: str) -> list[Vector]:
    return [vector for vector in VECTORS if vector.topic == topic]


def written(path: Path, document: Mapping[str, Any]) -> Path:
    """A file of vectors in a folder of its own, with the sources of OffBlocks beside it."""
    folder = path / "offblocks" / "vectors"
    folder.mkdir(parents=True)
    for name in ("rules.yaml", "sources.yaml", "statements.yaml"):
        (folder.parent / name).write_bytes(data_path(f"specs/offblocks/{name}").read_bytes())
    (folder / "digests.json").write_text(json.dumps(document), encoding="utf-8")
    return folder / "digests.json"


# ------------------------------------------------------------------------------------------------------ the files


def test_the_schema_is_one() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_a_file_fits_the_schema_and_bears_the_name_of_its_topic(path: Path) -> None:
    document = json.loads(path.read_bytes())
    jsonschema_rs.validate(SCHEMA, document)
    assert (document["api"], document["topic"]) == (path.parents[1].name, path.stem)


def test_there_are_enough_of_them() -> None:
    assert len(VECTORS) >= 250
    assert set(TOPICS) == set(REQUIRED)


def test_no_two_have_the_same_id_or_the_same_input() -> None:
    ids = Counter(vector.id for vector in VECTORS)
    inputs = Counter((each.topic, json.dumps([each.input, str(each.now)], sort_keys=True)) for each in VECTORS)
    assert [each for each, number in (ids + inputs).items() if number > 1] == []


def test_the_ids_are_those_that_the_tool_gives() -> None:
    for path in files():
        document = json.loads(path.read_bytes())
        for case in document["cases"]:
            assert case["id"] == identify(document["topic"], case["title"], case["input"], case.get("now"))


def test_the_files_are_what_their_source_makes() -> None:
    command = [sys.executable, "-m", "tools.vectors", "--check"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("topic", TOPICS)
def test_every_reason_of_the_schema_is_used_and_every_case_that_was_asked_for_is_there(topic: str) -> None:
    known = set(SCHEMA["$defs"][topic]["properties"]["reason"]["enum"])
    assert {vector.reason for vector in of(topic)} == known
    for (produce, accept), reasons in REQUIRED[topic].items():
        found = {vector.reason for vector in of(topic) if (vector.produce, vector.accept) == (produce, accept)}
        assert reasons - found == set(), (produce, accept)


@pytest.mark.parametrize("chain", ["eth", "btc", "btc-testnet", "sol", "near"])
def test_each_kind_of_chain_has_right_addresses_and_wrong_ones(chain: str) -> None:
    verdicts = {each.accept for each in of("addresses") if each.input["blockchain"].lower() == chain}
    assert {Accept.MUST, Accept.MUST_NOT} <= verdicts


def test_no_chain_without_a_checksum_has_a_case_of_a_wrong_one() -> None:
    chains = {each.input["blockchain"].partition("-")[0] for each in of("addresses") if each.reason == "checksum"}
    assert chains == {"ETH", "BTC"}


# ------------------------------------------------------------------------------------------------ what they claim


@pytest.mark.parametrize("api", ["offblocks", "planbok"])
def test_a_rule_that_a_case_names_exists_and_has_its_basis(api: str) -> None:
    catalogue = Catalogue.load(data_path(f"specs/{api}/rules.yaml"))
    named = [vector for vector in load(api) if vector.rule]
    assert named
    assert [each.id for each in named if each.rule not in catalogue] == []
    assert [each.id for each in named if catalogue[str(each.rule)].basis is not each.basis] == []


def test_sources_that_disagree_settle_nothing() -> None:
    contradicted = [vector for vector in VECTORS if vector.basis is Basis.CONTRADICTED]
    assert contradicted
    assert {vector.accept for vector in contradicted} == {Accept.UNSPECIFIED}


def test_what_may_be_sent_is_never_to_be_refused_and_what_must_be_taken_is_never_wrong_to_send() -> None:
    verdicts = {(vector.produce.value, vector.accept.value) for vector in VECTORS}
    assert ("valid", "must-not") not in verdicts
    assert ("invalid", "must") not in verdicts


def test_the_counts_add_up() -> None:
    counted = counts(VECTORS)
    assert sum(each["cases"] for each in counted) == len(VECTORS)
    for each in counted:
        assert sum(each["produce"].values()) == sum(each["accept"].values()) == each["cases"]
        assert data_path(each["file"]).is_file()


# --------------------------------------------------------------------------------------------- our modules agree


@pytest.mark.parametrize("topic", TOPICS)
def test_our_modules_accept_what_must_be_accepted_and_refuse_what_must_not(topic: str) -> None:
    accepted = {vector.id: why_refused(vector) is None for vector in of(topic)}  # what is unspecified never raises
    assert [each.id for each in of(topic) if each.accept is Accept.MUST and not accepted[each.id]] == []
    assert [each.id for each in of(topic) if each.accept is Accept.MUST_NOT and accepted[each.id]] == []


@pytest.mark.parametrize("topic", TOPICS)
def test_our_modules_send_what_is_valid_and_nothing_that_is_invalid(topic: str) -> None:
    sent = {vector.id: why_not_to_send(vector) is None for vector in of(topic)}
    assert [each.id for each in of(topic) if each.produce is Produce.VALID and not sent[each.id]] == []
    assert [each.id for each in of(topic) if each.produce is Produce.INVALID and sent[each.id]] == []


@pytest.mark.parametrize("topic", [topic for topic in TOPICS if topic in PRODUCTS])
def test_what_a_case_holds_is_a_right_product_of_its_task_and_of_no_other(topic: str) -> None:
    asked = [vector for vector in of(topic) if vector.task]
    assert asked
    made = {vector.id: {name: vector.input[name] for name in PRODUCTS[topic]} for vector in asked}
    assert [each.id for each in asked if why_wrong_product(each, made[each.id])] == []
    first, *others = asked
    apart = [each for each in others if not same_product(each, first)]
    assert apart
    assert [each.id for each in apart if not why_wrong_product(each, made[first.id])] == []


def same_product(one: Vector, other: Vector) -> bool:
    """Whether what is made for one task is right for the other too."""
    apart = [
        {name: value for name, value in (each.task or {}).items() if name not in {"components", "blockchain"}}
        for each in (one, other)
    ]
    return apart[0] == apart[1]


@pytest.mark.parametrize(
    ("product", "said"),
    [
        ({}, "It made nothing, expected signature."),
        ({"sig": "x"}, "It made sig, expected signature."),
        ({"signature": 7}, "signature: 7 is not of type"),
        ({"signature": "0x"}, "signature is the hex text itself"),
    ],
)
def test_a_wrong_product_is_told_as_what_it_is(product: Mapping[str, Any], said: str) -> None:
    vector = next(vector for vector in of("wallet-signatures") if vector.task)
    assert said in str(why_wrong_product(vector, product))


def test_a_product_that_is_another_text_than_the_one_right_one_is_told_with_it() -> None:
    vector = next(vector for vector in of("account-ids") if vector.task)
    wrong = vector.input["account_id"].lower()
    assert why_wrong_product(vector, {"account_id": wrong}) == (
        f"It made {wrong!r}, expected {vector.input['account_id']!r}."
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda signature: signature[:64] + bytes([signature[64] - 27]), "v, is"),
        (
            lambda signature: (
                signature[:32]
                + (ORDER - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
                + bytes([55 - signature[64]])
            ),
            "high s",
        ),
    ],
)
def test_a_signer_is_held_to_v_of_27_or_28_and_low_s(change: Callable[[bytes], bytes], said: str) -> None:
    vector = next(vector for vector in of("wallet-signatures") if vector.task)
    signature, _ = decode(vector.input["signature"])
    product = {"signature": encode(change(signature), Encoding.BASE64_OF_HEX_TEXT)}
    assert said in str(why_wrong_product(vector, product))


def test_a_signer_is_held_to_the_components_that_it_was_asked_to_cover() -> None:
    vector = next(vector for vector in of("request-signatures") if vector.task)
    task = {**(vector.task or {}), "components": ["@method", "@path", "@query", "accept"]}
    made = {name: vector.input[name] for name in PRODUCTS[vector.topic]}
    assert "must cover accept too" in str(why_wrong_product(replace(vector, task=task), made))


# --------------------------------------------------------------------------------------------- files that are wrong


def digests() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(data_path("specs/offblocks/vectors/digests.json").read_bytes())
    return document


def test_a_file_is_read_from_any_folder_beside_its_rules(tmp_path: Path) -> None:
    assert read(written(tmp_path, digests())) == of("digests")


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("reason", "no-such-code", "cases/0/reason"),
        ("accept", "maybe", "cases/0/accept"),
        ("input", {"body_base64": ""}, "content_digest"),
        ("rule", "no rule", "cases/0/rule"),
        ("source", {"source": "nobody", "section": "1"}, "cites 'nobody', which is not among the sources"),
        ("produce", "invalid", "cases/0/produce"),
    ],
)
def test_a_case_that_is_wrong_is_told_with_its_place(tmp_path: Path, place: str, value: object, said: str) -> None:
    document = digests()
    assert "task" in document["cases"][0]
    document["cases"][0][place] = value
    with pytest.raises(VectorsUnreadableError, match=r"The vectors|In ") as raised:
        read(written(tmp_path, document))
    assert said in str(raised.value)


def test_a_file_that_is_no_json_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, {})
    path.write_text("{", encoding="utf-8")
    with pytest.raises(VectorsUnreadableError, match="cannot be read"):
        read(path)
