"""The rules for clients of OffBlocks, judged on the requests that a client sends."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from conformance.exchange import Delivery, Exchange, NotJsonError, Request
from conformance.findings import Finding, Outcome, Says, read
from conformance.offblocks.client import DEFAULT_COMPONENTS
from conformance.offblocks.messages import (
    Challenge,
    account,
    asking_domains,
    bearer_token,
    issued_challenge,
    same_address,
)
from conformance.offblocks.observer import HOUR, Observer, Span, Use, payload_of
from conformance.standards import digest_fields, message_signatures, personal_message, wallet_signatures
from conformance.standards.account_ids import checksum_state
from conformance.standards.message_signatures import (
    ECDSA_P384_SHA384,
    SignatureInput,
    SignatureRejected,
    load_private_key,
)

_RULE = "offblocks.client."
_CLIENT = "the client"
"""What the observer calls the one client that is judged, of which a request before its answer tells no name."""
_SAYS = Says(_RULE)
_UNSIGNED = {"createToken", "putSigningKey", "deleteSigningKey", None}
_KEYED = {"createCustomer", "signChallenge", "verifyCustomer", "rejectCustomer", "putWebhook"}
_REQUIRED_MEMBERS = {
    "createCustomer": ("chainId", "externalId"),
    "signChallenge": ("ownerId", "challenge", "signature"),
}
_FRESH = timedelta(minutes=5)
_SIGNATURE_BYTES = 96
_REFUSED = range(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)


class ClientJudge:
    """Judges the requests of one API client, each as it is sent, by itself and by what came before it.

    Args:
        credentials: The client's own credentials, by the names of the settings; ``signing_key`` as PEM.
        settings: The API's other settings.
    """

    def __init__(self, credentials: Mapping[str, str], settings: Mapping[str, str]) -> None:
        key = load_private_key(credentials["signing_key"])
        keys = {_CLIENT: {credentials["signing_key_id"]: key.public_key()}}
        self._secrets = {credentials["api_key"], credentials["api_secret"]}
        self._expected_domain = settings.get("expected_domain")
        self._components = settings["components"].split() if "components" in settings else DEFAULT_COMPONENTS
        self._observer = Observer(key_life=HOUR, signing_keys=keys)  # exactly, as no server's clock has a part in it
        self._doubtful: dict[str, str] = {}
        self._refused: dict[str, str] = {}

    @property
    def excused(self) -> frozenset[str]:
        """The ids of the rules about coverage that the setting of components asks the client to break."""
        body = set() if "content-digest" in self._components else {f"{_RULE}covers-body"}
        target = set() if _covers_target(set(self._components), query=True) else {f"{_RULE}covers-target"}
        return frozenset(body | target)

    def request(
        self, request: Request, operation: str | None, parameters: Mapping[str, str], at: datetime
    ) -> list[Finding]:
        """What can be told of a request.

        Args:
            request: The request as it was sent.
            operation: The id of the operation that it is for, None if there is none at its path.
            parameters: The parameters in its path.
            at: When it was sent (UTC).
        """
        customer = parameters.get("customerId")
        findings = [
            *self._token(request, operation, at),
            *self._signature(request, operation, at),
            *self._digest(request, operation),
            *self._idempotency(request, operation, at),
            *self._body(request, operation),
            *self._url(request),
        ]
        if operation == "signChallenge" and customer is not None:
            findings += self._sign_request(request, customer, at)
        return findings

    def observe(self, exchange: Exchange) -> None:
        """Learn what an answer gave: tokens, keys, customers, challenges, refusals.

        Whoever repeats a creation may sign the challenge that the answer shows, so that it counts as issued.
        """
        self._observer.see_answer(replace(exchange, identity=_CLIENT))
        operation, customer, status = (
            exchange.operation,
            exchange.parameters.get("customerId"),
            exchange.response.status,
        )
        if customer is None:
            return
        if operation == "getChallenge" and (challenge := issued_challenge(exchange.response)) is not None:
            if self._refused.get(customer) == challenge.text:
                del self._refused[customer]
        elif operation == "signChallenge" and customer in self._doubtful and status in _REFUSED:
            self._refused[customer] = self._doubtful[customer]

    def conclude(self, exchanges: Sequence[Exchange], deliveries: Sequence[Delivery]) -> list[Finding]:  # noqa: ARG002
        """What only the whole of the traffic shows: nothing, since each request shows what it breaks."""
        return []

    # --------------------------------------------------------------------------------------------------- the rules

    def _token(self, request: Request, operation: str | None, at: datetime) -> Iterator[Finding]:
        if operation == "createToken":
            return
        token = bearer_token(request)
        known = token is not None and token in self._observer.tokens
        yield _SAYS.judged(
            "sends-token",
            known,
            "request header Authorization",
            "Bearer and a token that the server issued to this client",
            "none" if token is None else "a token that the server did not issue in this session",
        )
        if token is not None and known:
            expires_at = self._observer.tokens[token]
            yield _SAYS.judged(
                "renews-token-in-time",
                at < expires_at,
                "request header Authorization",
                "a token that has not expired",
                f"one that expired at {expires_at.isoformat()}, sent at {at.isoformat()}",
            )

    def _signature(self, request: Request, operation: str | None, at: datetime) -> Iterator[Finding]:
        signed = request.header("Signature") is not None or request.header("Signature-Input") is not None
        if operation in _UNSIGNED and not signed:
            return
        where = "request headers Signature-Input and Signature"
        try:
            declared = message_signatures.declared_signatures(request.headers)
        except SignatureRejected as error:
            yield _SAYS.judged("signs-requests", held=False, where=where, expected="a signature", got=error)
            return
        yield _SAYS.judged("signs-requests", held=True, where=where, expected="a signature", got="one")
        algorithm_held = all(
            said.algorithm in {None, ECDSA_P384_SHA384} and len(signature) == _SIGNATURE_BYTES
            for said, signature in declared
        )
        yield _SAYS.judged(
            "uses-required-algorithm",
            algorithm_held,
            "request header Signature",
            f"{ECDSA_P384_SHA384}, {_SIGNATURE_BYTES} bytes",
            "; ".join(f"{said.algorithm or 'no alg'}, {len(signature)} bytes" for said, signature in declared),
        )
        for said, _ in declared:
            yield from _coverage(request, said)
            yield _freshness(said, at)
        if algorithm_held:
            try:
                keys = self._observer.signing_keys[_CLIENT]
                message_signatures.verify(request.method, request.url, request.headers, key_for=keys.get, now=at)
            except SignatureRejected as error:
                yield _SAYS.judged(
                    "signature-verifies", held=False, where=where, expected="one that verifies", got=error
                )
            else:
                yield _SAYS.judged("signature-verifies", held=True, where=where, expected="one that verifies", got="so")

    def _digest(self, request: Request, operation: str | None) -> Iterator[Finding]:
        if operation in _UNSIGNED or not request.body:
            return
        where = "request header Content-Digest"
        value = request.header("Content-Digest")
        rule, held, got = "digests-sent-bytes", True, value or "none"
        try:
            digest_fields.check_content_digest(request.body, value)
        except digest_fields.DigestRejected as error:
            held, got = False, str(error)
            if error.reason is digest_fields.Reason.UNKNOWN_ALGORITHM:
                rule = "digest-algorithm"
        yield _SAYS.judged(rule, held, where, "sha-256 or sha-512 of the bytes of the body", got)
        if held:
            yield _SAYS.judged("digest-algorithm", held=True, where=where, expected="sha-256 or sha-512", got=got)

    def _idempotency(self, request: Request, operation: str | None, at: datetime) -> Iterator[Finding]:
        if operation not in _KEYED:
            return
        where = "request header Idempotency-Key"
        key = request.header("Idempotency-Key")
        yield _SAYS.judged("sends-idempotency-key", _is_uuid(key), where, "a UUID", key or "none")
        payload = payload_of(request)
        self._observer.see_use(_CLIENT, Use(request, Span(at, at)))  # at once, since another one may be under way
        if key is not None:
            yield _SAYS.judged(
                "fresh-key-per-payload",
                self._observer.uses[_CLIENT, key].payload == payload,
                where,
                "a new key for another payload",
                f"{key}, sent with another payload within the hour",
            )
        before_key = self._observer.unanswered.get((_CLIENT, payload))
        before = None if before_key is None else self._observer.uses.get((_CLIENT, before_key))
        if before is not None and self._observer.counts(before, at):
            yield _SAYS.judged(
                "same-key-on-retry",
                key == before_key,
                where,
                f"the key of the request that is repeated, {before_key}",
                key or "none",
            )

    def _body(self, request: Request, operation: str | None) -> Iterator[Finding]:
        if request.body:
            kind = (request.header("Content-Type") or "none").partition(";")[0].strip().lower()
            yield _SAYS.judged(
                "sends-json", kind == "application/json", "request header Content-Type", "application/json", kind
            )
        required = _REQUIRED_MEMBERS.get(operation or "")
        if required is None:
            return
        try:
            body = request.json()
        except NotJsonError as error:
            yield _SAYS.judged(
                "sends-complete-bodies", held=False, where="request body", expected="a JSON object", got=error
            )
            return
        members = body if isinstance(body, dict) else {}
        wrong = [name for name in required if not isinstance(members.get(name), str)]
        yield _SAYS.judged(
            "sends-complete-bodies",
            not wrong,
            "request body",
            f"an object with the strings {', '.join(required)}",
            f"no string {', '.join(wrong)}" if wrong else "so",
        )
        if operation == "createCustomer" and isinstance(members.get("chainId"), str):
            found = account(members["chainId"])
            where, sent = "request /chainId", members["chainId"]
            yield _SAYS.judged("sends-account-id", found is not None, where, "a CAIP-10 account id", sent)
            if found is not None:
                held = found.chain.namespace != "eip155" or checksum_state(found.address) == "checksummed"
                yield _SAYS.judged(
                    "sends-checksummed-address", held, where, "the EIP-55 checksum in an Ethereum address", sent
                )

    def _url(self, request: Request) -> Iterator[Finding]:
        leaked = [secret for secret in (*self._secrets, *self._observer.tokens) if secret in request.url]
        yield _SAYS.judged(
            "no-secret-in-url", not leaked, "request URL", "no token, key or secret", f"{len(leaked)} of them"
        )

    def _sign_request(self, request: Request, customer: str, at: datetime) -> Iterator[Finding]:
        members = request.members()
        text, signature, owner = (members.get(name) for name in ("challenge", "signature", "ownerId"))
        if not isinstance(text, str) or not isinstance(signature, str) or not isinstance(owner, str):
            return
        challenge = Challenge(text)
        seen = self._observer.customers.get(customer)
        if seen is not None and seen.issues:
            issue = seen.issues.get(text)
            issued = issue is not None
            yield _SAYS.judged(
                "returns-challenge-unchanged",
                issued,
                "request /challenge",
                "a challenge that was issued to this customer",
                "that" if issued else "another text",
            )
            if issue is not None:
                yield from self._own_sign_in(challenge, seen.wallet, request)
                yield _age(challenge, issue.seen, at)
        if customer in self._refused:
            yield _SAYS.judged(
                "refetches-after-failure",
                self._refused[customer] != text,
                "request /challenge",
                "a challenge fetched anew after the refusal",
                "the challenge of the refused request" if self._refused[customer] == text else "another one",
            )
        wallet_findings = list(_wallet_signature(challenge, signature, owner))
        self._doubtful.pop(customer, None)
        if any(finding.outcome is Outcome.BROKEN for finding in wallet_findings):
            self._doubtful[customer] = text
        yield from wallet_findings

    def _own_sign_in(self, challenge: Challenge, chain_id: str | None, request: Request) -> Iterator[Finding]:
        wallet = account(chain_id)
        domains = asking_domains(request.url, self._expected_domain)
        if wallet is None:
            return
        yield _SAYS.judged(
            "signs-only-its-own-sign-in",
            challenge.is_sign_in_of(wallet.address, domains),
            "request /challenge",
            f"a sign-in message for {wallet.address} by {' or '.join(sorted(domains))}",
            f"one for {challenge.address} by {challenge.domain}" if challenge.sign_in else "no sign-in message",
        )


def _covers_target(covered: set[str], *, query: bool) -> bool:
    whole = bool(covered & {"@target-uri", "@request-target"})
    return "@method" in covered and (whole or ("@path" in covered and (not query or "@query" in covered)))


def _coverage(request: Request, said: SignatureInput) -> Iterator[Finding]:
    covered = set(said.components)
    target = _covers_target(covered, query=bool(request.query))
    shown = f"covers {', '.join(said.components) or 'nothing'}"
    where = "request header Signature-Input"
    yield _SAYS.judged("covers-target", target, where, "@method, @path and, where there is a query, @query", shown)
    if request.body:
        yield _SAYS.judged("covers-body", "content-digest" in covered, where, "content-digest", shown)


def _freshness(said: SignatureInput, at: datetime) -> Finding:
    age = None if said.created is None else at.timestamp() - said.created
    return _SAYS.judged(
        "signature-is-fresh",
        age is not None and abs(age) <= _FRESH.total_seconds(),
        "request header Signature-Input",
        "created, within 5 minutes of the sending",
        "no created" if age is None else f"created {age:.0f} s before",
    )


def _age(challenge: Challenge, seen_at: datetime, at: datetime) -> Finding:
    """How old the challenge is since the client saw it first, or by its Issued At if it was seen late.

    Clocks differ, so an Issued At of about the time when it was seen says nothing of its own.
    """
    said = challenge.issued_at
    late = said is not None and seen_at - HOUR <= said < seen_at - _FRESH
    age = at - (said if said is not None and late else seen_at)
    return _SAYS.judged(
        "signs-within-the-hour", age <= HOUR, "request /challenge", "one of the last hour", f"{age} old"
    )


def _is_uuid(text: str | None) -> bool:
    try:
        return text is not None and str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _wallet_signature(challenge: Challenge, text: str, owner: str) -> Iterator[Finding]:
    where = "request /signature"
    expected = "base64 of the 0x hex text of a signature"
    try:
        signature, encoding = wallet_signatures.decode(text)
    except wallet_signatures.EncodingRejected as error:
        yield _SAYS.judged("encodes-hex-text", held=False, where=where, expected=expected, got=error)
        return
    hex_text = encoding is wallet_signatures.Encoding.BASE64_OF_HEX_TEXT
    yield _SAYS.judged("encodes-hex-text", hex_text, where, expected, encoding)
    message = challenge.message
    if message is None:
        return
    try:
        signer: str | None = personal_message.recover(message, signature)
    except personal_message.SignatureUnrecoverable:
        signer = None
    named = challenge.address
    expected = f"a signature of the decoded challenge by {named}"
    held = signer is not None and same_address(signer, named)
    got = "so" if held else wallet_signatures.diagnose(text, message, named)
    yield _SAYS.judged("owner-signs-the-message", held, where, expected, got)
    yield _owner_reading(owner, signer)


def _owner_reading(owner: str, signer: str | None) -> Finding:
    found = account(owner)
    address = found.address if found else owner.rpartition(":")[2]
    if signer is not None and same_address(address, signer):
        reading = "the-signer"
    elif checksum_state_of(address) == "wrong":
        reading = "one-digit-off"
    else:
        reading = None
    return read(
        f"{_RULE}owner-id",
        reading,
        where="request /ownerId",
        expected=f"the signer's account, {signer or 'which cannot be recovered'}",
        got=owner,
        exchange=None,
    )


def checksum_state_of(address: str) -> str | None:
    """How an address bears its EIP-55 checksum, None if it is no Ethereum address."""
    try:
        return checksum_state(address)
    except ValueError:
        return None
