"""A replay stays green only for the client that was recorded: wrong clients, stale, missing and broken cassettes."""

import base64
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec

from conformance.offblocks import deviations
from conformance.offblocks.client import Client, RequestSigner
from conformance.offblocks.deviations import Deviation
from conformance.offblocks.suite import tenant
from conformance.offblocks.wallet import Wallet
from conformance.recording.cassettes import CassetteUnreadableError
from conformance.run import Options, run
from conformance.runner import record_mode
from conformance.standards.message_signatures import key_from_seed
from conformance.standards.wallet_signatures import Encoding, encode

RULE = "offblocks.challenge.accepted-within-the-hour"
CASSETTE = Path("offblocks/challenge_expiry/a_challenge_is_accepted_within_the_hour.yaml")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cassettes")
    results = run(
        Options(apis=("offblocks",), target="sandbox", rule=(RULE,), cassettes=folder, examples=1, record=True)
    )
    assert results["verdict"] == "conforms"
    return folder


def replay(folder: Path) -> dict[str, Any]:
    return run(Options(apis=("offblocks",), rule=(RULE,), cassettes=folder))


def reason(results: dict[str, Any]) -> str:
    found: str = results["rules"][0]["reason"]
    return found


def test_the_recorded_client_conforms(recorded: Path) -> None:
    results = replay(recorded)
    assert (results["verdict"], results["remarks"]) == ("conforms", [])
    assert "recordings of the reference sandbox" in results["subject"]
    assert "say nothing of the vendor" in results["subject"]


def as_deviation(wrong: Deviation) -> Callable[[pytest.MonkeyPatch], None]:
    """A client that sends every signed request wrongly."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        def auth_flow(signer: RequestSigner, request: httpx.Request) -> Any:
            yield wrong.send(signer, request) or request

        monkeypatch.setattr(RequestSigner, "auth_flow", auth_flow)

    return patch


def changed_send(change: Callable[[dict[str, Any]], None]) -> Callable[[pytest.MonkeyPatch], None]:
    """A client that changes what is to be sent before it signs."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        send = Client.send

        def changed(client: Client, method: str, path: str, **options: Any) -> httpx.Response:
            change(options)
            return send(client, method, options.pop("path", path), **options)

        monkeypatch.setattr(Client, "send", changed)

    return patch


def without_key(options: dict[str, Any]) -> None:
    options["idempotency_key"] = None


def with_another_key(options: dict[str, Any]) -> None:
    if options.get("idempotency_key"):
        options["idempotency_key"] = "123e4567-e89b-42d3-a456-426614174000"


def without_token(options: dict[str, Any]) -> None:
    options["authorization"] = None


def with_another_token(options: dict[str, Any]) -> None:
    if options.get("authorization"):
        options["authorization"] = "Bearer another"


def pretty(options: dict[str, Any]) -> None:
    if options.get("body"):
        options["content"] = json.dumps(options.pop("body"), indent=2).encode()


def as_text(options: dict[str, Any]) -> None:
    options["headers"] = {"Content-Type": "text/plain"}


def in_lower_case(options: dict[str, Any]) -> None:
    body = options.get("body") or {}
    if "chainId" in body:
        options["body"] = {**body, "chainId": body["chainId"].lower()}


def signs_base64_text(monkeypatch: pytest.MonkeyPatch) -> None:
    sign = Wallet.sign
    monkeypatch.setattr(Wallet, "sign", lambda wallet, message: sign(wallet, base64.b64encode(message)))


def sends_raw_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    def signed(wallet: Wallet, challenge: Any) -> str:
        return encode(wallet.sign(challenge.message), Encoding.BASE64_OF_BYTES)

    monkeypatch.setattr(tenant, "signed", signed)


WRONG_CLIENTS = {
    "sends no signature": (as_deviation(deviations.unsigned), "breaks offblocks.client.signs-requests"),
    "signs with another key": (
        as_deviation(deviations.signed_by(key_from_seed(b"other"))),
        "breaks offblocks.client.signature-verifies",
    ),
    "names another key": (
        as_deviation(deviations.signed_by(key_from_seed(b"other"), key_id="unknown")),
        "breaks offblocks.client.signature-verifies",
    ),
    "signs with P-256": (
        as_deviation(deviations.signed_with_p256(ec.generate_private_key(ec.SECP256R1()))),
        "breaks offblocks.client.uses-required-algorithm",
    ),
    "signs in DER": (as_deviation(deviations.signed_in_der), "breaks offblocks.client.uses-required-algorithm"),
    "signs another method": (
        as_deviation(deviations.signs_another_method),
        "breaks offblocks.client.signature-verifies",
    ),
    "covers nothing": (as_deviation(deviations.covers_nothing), "offblocks.client.covers-target"),
    "signs with a clock that is an hour slow": (
        as_deviation(deviations.signed_an_hour_ago),
        "breaks offblocks.client.signature-is-fresh",
    ),
    "sends no digest": (as_deviation(deviations.undigested), "offblocks.client.digests-sent-bytes"),
    "sends the digest of another body": (
        as_deviation(deviations.digests_another_body),
        "breaks offblocks.client.digests-sent-bytes",
    ),
    "digests with MD5": (as_deviation(deviations.digests_with_md5), "breaks offblocks.client.digest-algorithm"),
    "changes the body after signing": (
        as_deviation(deviations.changes_body),
        "breaks offblocks.client.digests-sent-bytes",
    ),
    "sends no idempotency key": (changed_send(without_key), "breaks offblocks.client.sends-idempotency-key"),
    "sends another idempotency key": (
        changed_send(with_another_key),
        "offblocks.client.fresh-key-per-payload|Idempotency-Key",
    ),
    "sends no token": (changed_send(without_token), "breaks offblocks.client.sends-token"),
    "sends another token": (changed_send(with_another_token), "breaks offblocks.client.sends-token"),
    "sends pretty-printed JSON": (changed_send(pretty), "the body is"),
    "says that its JSON is text": (changed_send(as_text), "breaks offblocks.client.sends-json"),
    "sends a lower-case address": (changed_send(in_lower_case), "breaks offblocks.client.sends-checksummed-address"),
    "signs the base64 text": (signs_base64_text, "offblocks.client.owner-signs-the-message"),
    "sends the signature's raw bytes": (sends_raw_bytes, "breaks offblocks.client.encodes-hex-text"),
}


@pytest.mark.parametrize("name", WRONG_CLIENTS)
def test_a_wrong_client_does_not_stay_green(recorded: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    patch, told = WRONG_CLIENTS[name]
    patch(monkeypatch)
    results = replay(recorded)
    assert (results["verdict"], results["rules"][0]["verdict"]) == ("inconclusive", "blocked")
    assert any(part in reason(results) for part in told.split("|")), reason(results)


def test_a_missing_cassette_blocks_and_says_how_to_record(recorded: Path, tmp_path: Path) -> None:
    shutil.copytree(recorded, tmp_path, dirs_exist_ok=True)
    (tmp_path / CASSETTE).rename(tmp_path / CASSETTE.with_stem("another"))
    results = replay(tmp_path)
    assert (results["verdict"], results["rules"][0]["verdict"]) == ("inconclusive", "blocked")
    assert "There is no cassette of offblocks/challenge_expiry/a_challenge_is_accepted_within_the_hour" in reason(
        results
    )
    assert "conformance record offblocks --target sandbox" in reason(results)


def test_an_empty_folder_blocks_and_says_how_to_record(tmp_path: Path) -> None:
    results = replay(tmp_path)
    assert results["verdict"] == "inconclusive"
    assert f"There are no cassettes of OffBlocks in {tmp_path}" in reason(results)


def test_the_subject_is_all_that_was_recorded(recorded: Path, tmp_path: Path) -> None:
    two = Options(
        apis=("offblocks",), target="sandbox", rule=(RULE, "offblocks.signing.no-content"), examples=1, record=True
    )
    run(replace(two, cassettes=tmp_path))
    (tmp_path / CASSETTE).write_text(
        (recorded / CASSETTE).read_text(encoding="utf-8").replace("origin: reference sandbox", "origin: live"),
        encoding="utf-8",
    )
    results = run(Options(apis=("offblocks",), rule=two.rule, cassettes=tmp_path))
    assert results["subject"] == "recordings of the live and of the reference sandbox subject"
    assert results["cassettes"] == str(tmp_path)


def edited(recorded: Path, folder: Path, old: str, new: str) -> Path:
    shutil.copytree(recorded, folder, dirs_exist_ok=True)
    path = folder / CASSETTE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return folder


def test_a_broken_cassette_cannot_be_read(recorded: Path, tmp_path: Path) -> None:
    folder = edited(recorded, tmp_path, "interactions:", "interactions: [")
    with pytest.raises(CassetteUnreadableError, match=r"a_challenge_is_accepted_within_the_hour\.yaml is not YAML"):
        replay(folder)


def test_an_altered_answer_is_judged_anew(recorded: Path, tmp_path: Path) -> None:
    results = replay(edited(recorded, tmp_path, "code: 204", "code: 400"))
    assert (results["verdict"], results["rules"][0]["verdict"]) == ("fails", "fail")


def test_a_cassette_of_another_specification_is_told(recorded: Path, tmp_path: Path) -> None:
    digest = (recorded / CASSETTE).read_text(encoding="utf-8").partition("sha256:")[2][:64]
    results = replay(edited(recorded, tmp_path, digest, "0" * 64))
    assert results["verdict"] == "conforms"
    assert "1 cassettes of OffBlocks were recorded with another specification" in results["remarks"][0]


def test_what_nobody_asked_for_is_told(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(recorded, tmp_path, dirs_exist_ok=True)
    onboard = tenant.Tenant.onboard

    def without_signing(self: tenant.Tenant, *arguments: Any) -> Any:
        customer = onboard(self, *arguments)
        monkeypatch.setattr(tenant.Tenant, "sign", lambda *_arguments, **_options: customer.exchange)
        return customer

    monkeypatch.setattr(tenant.Tenant, "onboard", without_signing)
    results = replay(tmp_path)
    assert "Recorded but not asked for: offblocks/challenge_expiry/a_challenge_is_accepted" in results["remarks"][0]


def test_recording_twice_gives_the_same(recorded: Path, tmp_path: Path) -> None:
    run(Options(apis=("offblocks",), target="sandbox", rule=(RULE,), cassettes=tmp_path, examples=1, record=True))
    first, second = ((folder / CASSETTE).read_text(encoding="utf-8").splitlines() for folder in (recorded, tmp_path))
    assert [line for line in first if "recorded:" not in line] == [line for line in second if "recorded:" not in line]


def test_another_seed_gives_other_ids(recorded: Path, tmp_path: Path) -> None:
    run(
        Options(
            apis=("offblocks",), target="sandbox", rule=(RULE,), cassettes=tmp_path, examples=1, record=True, seed="1"
        )
    )
    first, second = ((folder / CASSETTE).read_text(encoding="utf-8") for folder in (recorded, tmp_path))
    assert first != second
    assert replay(tmp_path)["verdict"] == "conforms"


def test_a_test_that_is_not_green_is_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sends_raw_bytes(monkeypatch)
    results = run(
        Options(apis=("offblocks",), target="sandbox", rule=(RULE,), cassettes=tmp_path, examples=1, record=True)
    )
    assert results["verdict"] == "inconclusive"
    recorded = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.parts[:2] for path in recorded} <= {("offblocks", "sequences")}, "no scenario was green"


# ------------------------------------------------------------------------------------- pytest-recording and the network


def own_pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The suite's test of the rule in a user's own pytest."""
    without = ("-p", "no:cacheprovider", "-p", "no:schemathesis")  # the latter takes seconds to load
    command = [sys.executable, "-m", "pytest", "-q", *without, "--pyargs", "conformance.offblocks"]
    return subprocess.run(
        [*command, f"--conformance-rule={RULE}", *options], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "options",
    [
        ("--record-mode=none", "--block-network"),
        ("--record-mode=rewrite", "--block-network"),
        ("--disable-recording",),
        ("-p", "no:recording"),
    ],
)
def test_a_replay_plays_whatever_pytest_recording_is_told(
    recorded: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    shutil.copytree(recorded, tmp_path / "cassettes")
    before = (tmp_path / "cassettes" / CASSETTE).read_bytes()
    done = own_pytest(tmp_path, "--conformance-cassettes=cassettes", *options)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    assert (tmp_path / "cassettes" / CASSETTE).read_bytes() == before


SURROUNDED = """
import pytest


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.vcr(record_mode="all"))


@pytest.fixture(autouse=True)
def played(vcr):
    yield
    assert [request.path for request in vcr.requests] == PATHS
"""


def test_a_test_that_a_user_marks_for_vcr_has_its_cassette_which_stays_as_it_is(recorded: Path, tmp_path: Path) -> None:
    shutil.copytree(recorded, tmp_path / "cassettes")
    document = yaml.safe_load((recorded / CASSETTE).read_text(encoding="utf-8"))
    below = urlsplit(document["base_url"]).path
    paths = [below + each["request"]["uri"] for each in document["interactions"]]
    (tmp_path / "surrounding.py").write_text(f"PATHS = {paths}\n{SURROUNDED}", encoding="utf-8")
    options = (
        "-p",
        "surrounding",
        "--conformance-cassettes=cassettes",
        f"--conformance-test={CASSETTE.with_suffix('')}",
    )
    done = own_pytest(tmp_path, *options)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    assert (tmp_path / "cassettes" / CASSETTE).read_bytes() == (recorded / CASSETTE).read_bytes()


@pytest.mark.parametrize(
    ("record", "cassettes", "mode", "expected"),
    [
        (False, None, None, "none"),
        (False, None, "all", "none"),
        (False, "ours", None, "none"),
        (False, "ours", "once", "once"),
        (False, "ours", "all", "all"),
        (True, None, "none", "all"),
    ],
)
def test_the_mode_of_pytest_recording_counts_for_a_folder_that_is_named(
    record: bool, cassettes: str | None, mode: str | None, expected: str
) -> None:
    options = Options(record=record, cassettes=Path(cassettes) if cassettes else None)
    config = SimpleNamespace(getoption={"--record-mode": mode}.get)
    assert record_mode(options, cast("pytest.Config", config)) == expected


def test_a_mode_records_into_the_folder_what_it_says(tmp_path: Path) -> None:
    named = ("--conformance-target=sandbox", f"--conformance-test={CASSETTE.with_suffix('')}", "--block-network")
    seeds = []
    for mode, seed in (("once", "0"), ("once", "1"), ("all", "1")):
        done = own_pytest(
            tmp_path, *named, "--conformance-cassettes=ours", f"--record-mode={mode}", f"--conformance-seed={seed}"
        )
        assert done.returncode == 0, done.stdout
        seeds.append(yaml.safe_load((tmp_path / "ours" / CASSETTE).read_text(encoding="utf-8"))["seed"])
    assert seeds == ["0", "0", "1"]


def test_a_replay_loads_no_vcr() -> None:
    code = (
        "import sys; from conformance.run import Options, run; "
        f"print(run(Options(apis=('offblocks',), rule=({RULE!r},)))['verdict'], 'vcr' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["conforms", "False"]


def test_a_replay_reaches_no_network(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onboard, outcomes = tenant.Tenant.onboard, list[str]()

    def reaching(self: tenant.Tenant, *arguments: Any) -> Any:
        with socket.socket() as client:
            try:
                client.connect(address)
            except RuntimeError as error:
                outcomes.append(str(error))
        return onboard(self, *arguments)

    monkeypatch.setattr(tenant.Tenant, "onboard", reaching)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        assert replay(recorded)["verdict"] == "conforms"
        socket.create_connection(address).close()
    assert set(outcomes) == {"Network is disabled for host '127.0.0.1'"}
