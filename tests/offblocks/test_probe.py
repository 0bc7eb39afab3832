import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.clock import Clock, OffsetClock
from conformance.exchange import Request, Response
from conformance.offblocks import api
from conformance.offblocks.client import DEFAULT_COMPONENTS
from conformance.offblocks.probe import probe
from conformance.offblocks.sandbox import Call, OffBlocks, Reason, Refused, Tenant
from conformance.parts.probing import Result
from conformance.sandbox.messages import problem
from conformance.sandbox.server import RunningSandbox, start
from conformance.sandbox.service import Operation
from conformance.settings import LiveSettings, SettingsError
from conformance.standards import message_signatures
from conformance.standards.message_signatures import ReplayStore, key_from_seed, private_pem

ACCEPTED = "Is a rightly signed request accepted?"
CREDENTIALS = "Are the credentials accepted?"
CONTINUES = "Does the server go on answering?"
COVERED = "Which components must a signature cover?"
AGE = "How old may a signature be?"
AHEAD = "How far ahead of the server's clock may a signature be?"
DATED = "Must a signature say when it was created?"
REPLAYED = "Is the very same signature refused when it comes again?"
REFUSAL = "401 application/problem+json"
NONCE = "Is a nonce that was used before refused?"


def settings_for(
    sandbox: RunningSandbox, *, components: Sequence[str] = DEFAULT_COMPONENTS, **changed: str
) -> LiveSettings:
    world = httpx.get(f"{sandbox.origin}/_sandbox", trust_env=False).json()
    credentials = world["tenants"]["first"]["offblocks"] | changed
    return LiveSettings(world["base_urls"]["offblocks"], {"first": credentials}, {"components": " ".join(components)})


@contextmanager
def sandbox_of(kind: type[OffBlocks]) -> Iterator[RunningSandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(api), "sandbox", kind)
        with start(apis=[api]) as sandbox:
            yield sandbox


def asked(kind: type[OffBlocks], clock: Clock | None = None, **changed: Any) -> list[Result]:
    with sandbox_of(kind) as sandbox:
        return list(probe(settings_for(sandbox, **changed), clock))


def by_question(results: Sequence[Result]) -> Mapping[str, Result]:
    found = {result.question: result for result in results}
    assert len(found) == len(results), "a question was asked twice"
    return found


def stopped(results: Sequence[Result]) -> Result:
    *before, last = results
    assert all(result.conclusive for result in before)
    assert not last.conclusive
    return last


def forbidding(component: str) -> type[OffBlocks]:
    class Forbids(OffBlocks):
        def check_request_signature(self, call: Call) -> None:
            if f'"{component}"' in (call.request.header("signature-input") or ""):
                raise Refused(Reason.REQUEST_SIGNATURE, "no")
            super().check_request_signature(call)

    return Forbids


def requiring(*components: str) -> type[OffBlocks]:
    class Requires(OffBlocks):
        def uncovered(self, request: Request, covered: Sequence[str]) -> tuple[str, ...]:
            del request
            return tuple(each for each in components if each not in covered)

    return Requires


# -------------------------------------------------------------------------------------------- the sandbox as it stands


@pytest.fixture(scope="module")
def plain() -> Iterator[tuple[list[Result], list[dict[str, Any]], LiveSettings]]:
    """What is found of the sandbox, what it received, and the settings."""
    with start(apis=[api]) as sandbox:
        settings = settings_for(sandbox)
        results = list(probe(settings))
        received = httpx.get(f"{sandbox.origin}/_sandbox/requests", trust_env=False).json()
        yield results, received, settings


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (CREDENTIALS, "Yes, with a token that holds for 60 minutes."),
        (ACCEPTED, "Yes, as the settings have it: 200 application/json."),
        ("Does this machine's clock agree with the server's?", "Yes, as far as the Date header tells."),
        ("Are request signatures verified?", "Yes: without one, and with one by another key, the GET is refused."),
        (COVERED, "@method @path; without one of these it is refused. Not needed: authorization."),
        ("Must a query be covered?", "Yes: answered 401 application/problem+json."),
        ("Does @target-uri do for @path?", "Yes: answered 200 application/json."),
        ("Does @request-target do for @path?", "Yes: answered 200 application/json."),
        ("May @authority be covered?", "Yes: answered 200 application/json."),
        ("May @scheme be covered?", "Yes: answered 200 application/json."),
        (DATED, "No: answered 200 application/json."),
        (AGE, "5 minutes or more, but less than 15 minutes; beyond that it is answered 401 application/problem+json."),
        (AHEAD, "1 minute or more, but less than 5 minutes; beyond that it is answered 401 application/problem+json."),
        ("Must a signature name its algorithm?", "No: answered 200 application/json."),
        ("May a signature say when it expires?", "Yes: answered 200 application/json."),
        ("Does an expired signature stop to hold?", "Yes: answered 401 application/problem+json."),
        ("May a signature have another label than sig?", "Yes: answered 200 application/json."),
        ("May a signature have a nonce?", "Yes: answered 200 application/json."),
        (NONCE, "No: answered 200 application/json."),
        (REPLAYED, "No: answered 200 application/json."),
        ("Does a GET need Content-Digest?", "No."),
        ("Must Content-Digest be covered where it is sent?", "Yes: answered 401 application/problem+json."),
        ("Does a GET need Idempotency-Key?", "No."),
        ("Must Idempotency-Key be covered where it is sent?", "Yes: answered 401 application/problem+json."),
        ("Does a GET need Content-Type?", "No."),
        ("Must Content-Type be covered where it is sent?", "No: answered 200 application/json."),
        ("Is a wrong Content-Digest refused on a GET?", "Yes: answered 400 application/problem+json."),
        ("Does it matter what a GET accepts?", "No: answered 200 application/json."),
    ],
)
def test_it_finds_out_what_the_sandbox_accepts(plain: Any, question: str, answer: str) -> None:
    assert by_question(plain[0])[question].answer == answer


def test_the_setting_to_put_into_env_stands_with_the_components(plain: Any) -> None:
    expected = f'CONFORMANCE_OFFBLOCKS_COMPONENTS="{" ".join(DEFAULT_COMPONENTS)}"'
    assert by_question(plain[0])[COVERED].detail == expected


def test_it_sends_about_forty_requests_and_changes_nothing(plain: Any) -> None:
    received = [(each["request"]["method"], each["request"]["url"].partition("/v1/")[2]) for each in plain[1]]
    assert received.count(("POST", "auth/token")) == 1
    assert {(method, path.partition("?")[0]) for method, path in received} == {
        ("POST", "auth/token"),
        ("GET", "customers"),
    }
    assert 30 < len(received) <= 40


# ---------------------------------------------------------------------------------------- other servers, other answers


class LivesForOneMinute(OffBlocks):
    def signature_max_age(self) -> timedelta | None:
        return timedelta(minutes=1)


class LivesForEver(OffBlocks):
    def signature_max_age(self) -> timedelta | None:
        return None


class ToleratesNoHaste(OffBlocks):
    def signature_max_ahead(self) -> timedelta | None:
        return timedelta()


class RequiresCreated(OffBlocks):
    def created_is_required(self) -> bool:
        return True


class RefusesReplays(OffBlocks):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.store = ReplayStore()

    def seen_signatures(self) -> ReplayStore | None:
        return self.store


class RefusesWith400(OffBlocks):
    def refusal_status(self, reason: Reason) -> int:
        return 400 if reason is Reason.REQUEST_SIGNATURE else super().refusal_status(reason)


class IgnoresContentDigest(OffBlocks):
    def digest_is_checked(self, call: Call) -> bool:
        return call.operation != "listCustomers" and super().digest_is_checked(call)


class AcceptsUnknownKeyIds(OffBlocks):
    def signing_key_for(self, tenant: Tenant, key_id: str) -> message_signatures.PublicKey | None:
        return super().signing_key_for(tenant, key_id) or tenant.first_key.public_key()


class BreaksWithoutCreated(OffBlocks):
    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        if operation.id == "listCustomers" and "created=" not in (request.header("signature-input") or "created="):
            return problem(500, "no")
        return await super().perform(operation, request, parameters)


class RefusesContentType(OffBlocks):
    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        if request.method == "GET" and request.header("content-type"):
            return problem(415, "no")
        return await super().perform(operation, request, parameters)


@pytest.mark.parametrize(
    ("kind", "question", "answer"),
    [
        (
            requiring("@method"),
            COVERED,
            "@method; without one of these it is refused. Not needed: @path authorization.",
        ),
        (
            requiring("@path", "authorization"),
            COVERED,
            "@path authorization; without one of these it is refused. Not needed: @method.",
        ),
        (requiring(), COVERED, "None: even a signature that covers nothing is accepted."),
        (requiring(), "Must a query be covered?", "No: answered 200"),
        (requiring("@path"), "Does @target-uri do for @path?", "No: answered 401"),
        (forbidding("@target-uri"), "Does @target-uri do for @path?", "No: answered 401"),
        (forbidding("@scheme"), "May @scheme be covered?", "No: answered 401"),
        (LivesForOneMinute, AGE, "1 minute or more, but less than 5 minutes; beyond that it is answered 401"),
        (LivesForEver, AGE, "60 minutes or more; nothing longer was tried."),
        (ToleratesNoHaste, AHEAD, "Less than 1 minute; beyond that it is answered 401"),
        (RequiresCreated, DATED, "Yes: answered 401 application/problem+json."),
        (BreaksWithoutCreated, DATED, "Yes: answered 500 application/problem+json, so the server broke."),
        (RefusesReplays, REPLAYED, "Yes: answered 401"),
        (RefusesReplays, NONCE, "Yes: answered 401"),
        (RefusesReplays, "Does it matter what a GET accepts?", "No: answered 200"),
        (RefusesWith400, DATED, "No: answered 200"),
        (RefusesWith400, AGE, "5 minutes or more, but less than 15 minutes; beyond that it is answered 400"),
        (IgnoresContentDigest, "Is a wrong Content-Digest refused on a GET?", "No: answered 200"),
        (
            RefusesContentType,
            "Must Content-Type be covered where it is sent?",
            "It must not be sent with a GET: that is answered 415",
        ),
        (
            AcceptsUnknownKeyIds,
            "How is a wrong request answered?",
            f"no token: {REFUSAL}; no signature: {REFUSAL}; a key id that is not registered: accepted with 200",
        ),
    ],
)
def test_it_tells_another_server_from_the_sandbox(kind: type[OffBlocks], question: str, answer: str) -> None:
    results = asked(kind)
    assert all(result.conclusive for result in results)
    assert by_question(results)[question].answer.startswith(answer)


# ------------------------------------------------------------------------- the first request refused, another accepted


class RequiresNonce(OffBlocks):
    def check_request_signature(self, call: Call) -> None:
        if "nonce=" not in (call.request.header("signature-input") or ""):
            raise Refused(Reason.REQUEST_SIGNATURE, "A nonce is needed.")
        super().check_request_signature(call)


class RequiresUnusedNonce(RequiresNonce, RefusesReplays):
    pass


class RequiresKeyAndDigest(OffBlocks):
    def idempotency_key_is_required(self, operation: str) -> bool:
        return operation == "listCustomers" or super().idempotency_key_is_required(operation)

    def digest_is_required(self, call: Call) -> bool:
        return call.operation == "listCustomers" or super().digest_is_required(call)


@pytest.mark.parametrize(
    ("kind", "words", "follows"),
    [
        (
            requiring("@authority"),
            "with @authority covered",
            '"@method @path @query content-digest content-type idempotency-key authorization @authority"',
        ),
        (
            requiring("@target-uri"),
            "with @target-uri for @path",
            '"@target-uri @method content-digest content-type idempotency-key authorization"',
        ),
        (
            forbidding("@path"),
            "with @target-uri for @path",
            '"@target-uri @method content-digest content-type idempotency-key authorization"',
        ),
        (
            requiring("@request-target"),
            "with @request-target for @path",
            '"@request-target @method content-digest content-type idempotency-key authorization"',
        ),
        (RequiresUnusedNonce, "with the parameter nonce", "No setting makes the client send that"),
        (RequiresKeyAndDigest, "with Content-Digest and Idempotency-Key", "No setting makes the client send that"),
    ],
)
def test_a_request_that_is_accepted_is_found_where_the_configured_one_is_not(
    kind: type[OffBlocks], words: str, follows: str
) -> None:
    results = asked(kind)
    result = by_question(results)[ACCEPTED]
    assert all(result.conclusive for result in results)
    assert result.answer.startswith(f"Not as the settings have it, but {words}. GET /v1/customers was answered 40")
    assert follows in result.detail


def test_components_that_do_not_do_are_replaced_by_the_default() -> None:
    result = by_question(asked(OffBlocks, components=["authorization"]))[ACCEPTED]
    assert result.answer.startswith("Not as the settings have it, but with the default components.")
    assert "must also cover @method, @path" in result.answer
    assert result.detail.endswith(f'="{" ".join(DEFAULT_COMPONENTS)}"')


def test_the_component_that_was_found_is_among_the_required_ones() -> None:
    results = by_question(asked(requiring("@authority")))
    assert results[COVERED].answer.startswith("@authority; ")
    assert results[COVERED].detail.endswith('authorization @authority"')


def test_where_a_target_uri_is_needed_it_covers_the_query() -> None:
    assert by_question(asked(requiring("@target-uri")))["Must a query be covered?"].answer == "It is, by @target-uri."


def test_a_get_that_needs_key_and_digest_is_told_of_each() -> None:
    results = by_question(asked(RequiresKeyAndDigest))
    assert results["Does a GET need Content-Digest?"].answer.startswith("Yes: answered 400")
    assert results["Does a GET need Idempotency-Key?"].answer.startswith("Yes: answered 400")
    assert results["Does a GET need Content-Type?"].answer == "No."


@pytest.mark.parametrize(("minutes", "words"), [(10, "ahead"), (-10, "behind")])
def test_a_clock_that_is_wrong_is_told_and_worked_around(minutes: int, words: str) -> None:
    clock = OffsetClock()
    clock.advance(timedelta(minutes=minutes))
    results = by_question(asked(OffBlocks, clock))
    skew = results["Does this machine's clock agree with the server's?"].answer
    assert skew in {f"No: this machine is {seconds} s {words}." for seconds in (599, 600, 601)}
    assert results[ACCEPTED].answer.startswith("Not as the settings have it, but by the server's clock.")
    assert results[AGE].answer.startswith("5 minutes or more, but less than 15 minutes")
    assert results[AHEAD].answer.startswith("1 minute or more, but less than 5 minutes")


# ----------------------------------------------------------------------------------------------------- it has to stop


class AcceptsUnsigned(OffBlocks):
    def signature_is_required(self, operation: str) -> bool:
        return operation == "createCustomer"


class OnlyLooksForASignature(OffBlocks):
    def check_request_signature(self, call: Call) -> None:
        if call.request.header("signature") is None:
            raise Refused(Reason.REQUEST_SIGNATURE, "no")


def answering_later(response: Response, after: int) -> type[OffBlocks]:
    class AnswersLater(OffBlocks):
        answered = 0

        async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
            self.answered += 1
            return response if self.answered > after else await super().perform(operation, request, parameters)

    return AnswersLater


HTML = Response((("Content-Type", "text/html"),), b"<html>", 200)
TOO_MANY = Response((("Retry-After", "30"),), b"", 429)


@pytest.mark.parametrize(
    ("kind", "question", "answer", "detail"),
    [
        (
            AcceptsUnsigned,
            "Are request signatures verified?",
            "No: a GET without a signature was answered 200",
            "nothing can be learnt",
        ),
        (
            OnlyLooksForASignature,
            "Are request signatures verified?",
            "No: a GET signed by another key was answered 200",
            "nothing can be learnt",
        ),
        (answering_later(TOO_MANY, 0), CONTINUES, "No: it answered 429", "Retry-After: 30"),
        (answering_later(TOO_MANY, 1), CONTINUES, "No: it answered 429", "Retry-After: 30"),
        (answering_later(TOO_MANY, 9), CONTINUES, "No: it answered 429", "Retry-After: 30"),
        (
            answering_later(problem(503, "Closed for the night."), 1),
            ACCEPTED,
            "No: GET /v1/customers was answered 503 application/problem+json: ",
            "BASE_URL",
        ),
        (
            answering_later(HTML, 0),
            CREDENTIALS,
            "No token was issued. The answer to POST /offblocks/v1/auth/token is text/html, not JSON.",
            "BASE_URL",
        ),
        (
            answering_later(HTML, 1),
            ACCEPTED,
            "GET /v1/customers was answered 200 text/html, which is not JSON.",
            "BASE_URL",
        ),
        (
            answering_later(replace(HTML, body=b"[" * 100_000), 1),
            ACCEPTED,
            "GET /v1/customers was answered 200 text/html, which is not JSON.",
            "BASE_URL",
        ),
        (
            forbidding("@method"),
            ACCEPTED,
            "No: GET /v1/customers was answered 401 application/problem+json: {",
            "SIGNING_KEY_ID",
        ),
    ],
)
def test_it_stops_with_one_clear_answer(kind: type[OffBlocks], question: str, answer: str, detail: str) -> None:
    last = stopped(asked(kind))
    assert last.question == question
    assert last.answer.startswith(answer)
    assert detail in last.detail


def test_wrong_credentials_are_told_with_what_the_server_says() -> None:
    results = asked(OffBlocks, api_secret="0" * 40)
    assert len(results) == 1
    assert stopped(results).question == CREDENTIALS
    assert "401 application/problem+json: " in results[0].answer
    assert "The API key is unknown, or the API secret" in results[0].answer
    assert "CONFORMANCE_OFFBLOCKS_API_SECRET" in results[0].detail


def test_a_wrong_signing_key_is_told_with_what_the_server_says() -> None:
    last = stopped(asked(OffBlocks, signing_key=private_pem(key_from_seed(b"another"))))
    assert last.question == ACCEPTED
    assert "another key signed than the one that is registered" in last.answer
    assert "with @authority covered" in last.detail
    assert "CONFORMANCE_OFFBLOCKS_SIGNING_KEY" in last.detail


def test_a_dead_port_is_told() -> None:
    with start(apis=[api]) as sandbox:
        settings = settings_for(sandbox)
    results = list(probe(settings))
    assert len(results) == 1
    assert stopped(results).answer.startswith(f"The server at {settings.base_url} cannot be reached: ")
    assert "CONFORMANCE_OFFBLOCKS_BASE_URL" in results[0].detail


def test_a_server_that_goes_away_is_told() -> None:
    with start(apis=[api]) as sandbox:
        results = probe(settings_for(sandbox))
        assert next(results).conclusive
    last = stopped(list(results))
    assert last.question == CONTINUES
    assert last.answer.startswith("No: GET /v1/customers got no answer: ")


class _Page(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(404, "text/html; charset=utf-8", b"<!doctype html><title>Not found</title>")

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


class _EndOfTime(_Page):
    def date_time_string(self, timestamp: float | None = None) -> str:
        del timestamp
        return "Fri, 31 Dec 9999 23:59:59 -0100"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, "application/json", b'{"token": "a.b.c", "expiresAt": 32503680000, "tokenType": "Bearer"}')

    def do_GET(self) -> None:
        self.answer(404, "text/html", b"")


@contextmanager
def serving(kind: type[_Page]) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def page() -> Iterator[str]:
    with serving(_Page) as url:
        yield url


def test_a_web_site_is_told(page: str, plain: Any) -> None:
    settings = LiveSettings(page, plain[2].credentials, plain[2].others)
    results = list(probe(settings))
    assert len(results) == 1
    assert stopped(results).answer.startswith("No: POST /v1/auth/token was answered 404 text/html: ")
    assert "without /v1" in results[0].detail


def test_a_date_after_the_last_that_can_be_told_is_as_good_as_none(plain: Any) -> None:
    with serving(_EndOfTime) as url:
        results = list(probe(LiveSettings(url, plain[2].credentials, plain[2].others)))
    assert [result.question for result in results] == [CREDENTIALS, ACCEPTED]


def test_certificates_that_cannot_be_read_are_a_wrong_setting(plain: Any, tmp_path: Path) -> None:
    settings = LiveSettings(plain[2].base_url, plain[2].credentials, ca_file=str(tmp_path / "none.pem"))
    with pytest.raises(SettingsError, match=r"CONFORMANCE_CA_FILE names .*none\.pem, which cannot be read"):
        list(probe(settings))


# ------------------------------------------------------------------------------------------------- what is never shown


class EchoesCredentials(OffBlocks):
    def tenant_with(self, api_key: str, api_secret: str) -> Tenant:
        raise Refused(Reason.CREDENTIALS, f"\x1b[31mNot {api_key} with {api_secret}")


class IssuesTokensWith201(OffBlocks):
    async def create_token(self, call: Call) -> Response:
        return replace(await super().create_token(call), status=201)


class EchoesToken(OffBlocks):
    def check_request_signature(self, call: Call) -> None:
        raise Refused(Reason.REQUEST_SIGNATURE, f"Not signed by {call.request.header('authorization')}")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (EchoesCredentials, " with "),
        (EchoesToken, "Not signed by Bearer "),
        (IssuesTokensWith201, "answered 201 application/json, not 200."),
    ],
)
def test_what_a_server_says_is_shown_without_secrets(kind: type[OffBlocks], said: str) -> None:
    with sandbox_of(kind) as sandbox:
        settings = settings_for(sandbox)
        last = stopped(list(probe(settings)))
    assert said in last.answer
    assert "\x1b" not in last.answer
    for secret in (*secrets_of(settings), "eyJ"):
        assert secret not in last.answer


def test_no_answer_holds_a_secret(plain: Any) -> None:
    results, _, settings = plain
    shown = "\n".join(f"{result.question} {result.answer} {result.detail}" for result in results)
    for secret in (*secrets_of(settings), "eyJ"):
        assert secret not in shown


def secrets_of(settings: LiveSettings) -> list[str]:
    return [settings.credentials["first"][name] for name in ("api_key", "api_secret", "signing_key")]
