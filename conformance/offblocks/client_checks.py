"""The rules for clients of OffBlocks, judged on the requests that a client sends."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from conformance.diagnosis.challenge import diagnose_signature
from conformance.diagnosis.digest import diagnose_digest
from conformance.diagnosis.form import Diagnosis
from conformance.diagnosis.request import Rules, diagnose_request
from conformance.diagnosis.search import MODEST
from conformance.diagnosis.texts import cause_of_rejection
from conformance.diagnosis.ways import KnownKey
from conformance.exchange import Delivery, Exchange, NotJsonError, Request, is_compressed, kind_of
from conformance.findings import Finding, Outcome, Says
from conformance.offblocks.client_events import event_answers, refused_for_good, unseen
from conformance.offblocks.messages import (
    DOCUMENTED_HOSTS,
    Challenge,
    account,
    asking_domains,
    bearer_token,
    difference_of,
    issued_challenge,
    same_address,
)
from conformance.offblocks.observer import HOUR, Observer, Span, Use, customer_of, payload_of
from conformance.offblocks.request_signing import signed_under_other_id
from conformance.offblocks.signer import SignatureForm
from conformance.standards import digest_fields, message_signatures, personal_message, wallet_signatures
from conformance.standards.account_ids import checksum_state
from conformance.standards.message_signatures import (
    ECDSA_P384_SHA384,
    SignatureInput,
    SignatureRejected,
    covered_whole,
    load_private_key,
)
from conformance.standards.signature_parameters import MILLISECONDS

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
_UNEXPLAINED = (
    "one that does not verify with the client's key: another key signed, or something else was signed than was sent, "
    "and no mistake that is known explains it; the sandbox's refusal shows the signature base that was expected"
)
_MOST_EXPLAINED = 20
"""How many mistakes of one client are explained."""
_UNREAD = {406, 408, 411, 413, 414, 415, 417, 425, 429, 431}
"""The statuses of a request that the server did not look into, so that no signature failed."""
_REFUSED = frozenset(range(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)) - _UNREAD


@dataclass(frozen=True)
class Clocks:
    """When a request was sent, by each clock that its client can go by.

    Args:
        world: By the clock of the server's world (UTC).
        machine: By the machine's clock (UTC).
        created: When its signature says that it was made (UTC); None if it does not say.
    """

    world: datetime
    machine: datetime
    created: datetime | None = None

    def of_client(self, request: Request) -> "Clocks":
        """The same with the time that the request's signature tells, which shows by which clock the client goes."""
        try:
            said = [each.created for each, _ in message_signatures.declared_signatures(request.headers)]
            return replace(self, created=datetime.fromtimestamp(said[0], UTC)) if said and said[0] else self
        except (SignatureRejected, OverflowError, OSError, ValueError):
            return self

    @property
    def own(self) -> datetime:
        """When it was sent by the client's own clock: the one that is nearer to what the signature tells."""
        created = self.created
        return self.world if created is None else min(self.world, self.machine, key=lambda each: abs(each - created))

    @property
    def earliest(self) -> datetime:
        """When it was sent at the earliest: by the client's own clock, or by both if that is not known."""
        return min(self.world, self.machine if self.created is None else self.own)

    def age(self, since: datetime, ahead: timedelta) -> timedelta:
        """How long ago `since` was, by the client's own clock, or by both if that is not known.

        Args:
            since: An instant of the world's clock (UTC).
            ahead: By how much the world's clock was ahead of the machine's then.
        """
        by_world, by_machine = self.world - since, self.machine - (since - ahead)
        if self.created is None:
            return min(by_world, by_machine)
        return by_world if self.own == self.world else by_machine


class ClientJudge:
    """Judges the requests of one API client, each as it is sent, by itself and by what came before it.

    Args:
        credentials: The client's own credentials, by the names of the settings; ``signing_key`` as PEM.
        settings: The API's other settings.
        keys: The public keys that it may sign with, by their ids; None for the one of its credentials.
    """

    explains = True
    """Whether findings name the mistake that was made, which takes time to find out."""

    def __init__(
        self,
        credentials: Mapping[str, str],
        settings: Mapping[str, str],
        keys: Mapping[str, message_signatures.PublicKey] | None = None,
    ) -> None:
        if keys is None:
            keys = {credentials["signing_key_id"]: load_private_key(credentials["signing_key"]).public_key()}
        self._secrets = {credentials[name] for name in ("api_key", "api_secret") if credentials.get(name)}
        self._expected_domain = settings.get("expected_domain")
        self._form = SignatureForm.from_settings(settings)
        self._observer = Observer(
            key_life=HOUR, signing_keys={_CLIENT: keys}
        )  # exactly, as no server's clock has a part in it
        self._ahead: dict[str, timedelta] = {}
        self._foreign: dict[str, str] = {}
        self._refused_tokens: dict[str, datetime] = {}
        self._doubtful: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._explained = 0

    @property
    def excused(self) -> frozenset[str]:
        """The ids of the rules about coverage that the setting of components asks the client to break."""
        covered = covered_whole(self._form.components)
        body = set() if "content-digest" in covered else {f"{_RULE}covers-body"}
        target = set() if _covers_target(covered, query=True) else {f"{_RULE}covers-target"}
        return frozenset(body | target)

    def request(
        self,
        request: Request,
        operation: str | None,
        parameters: Mapping[str, str],
        at: datetime,
        machine_at: datetime | None = None,
    ) -> list[Finding]:
        """What can be told of a request.

        Args:
            request: The request as it was sent.
            operation: The id of the operation that it is for, None if there is none at its path.
            parameters: The parameters in its path.
            at: When it was sent (UTC).
            machine_at: When that was by the machine's clock (UTC), where `at` is by another clock.
        """
        customer = parameters.get("customerId")
        clocks = Clocks(at, machine_at or at).of_client(request)
        findings = [
            *self._token(request, operation, clocks),
            *self._signature(replace(request, url=self._form.seen_url(request.url)), operation, clocks),
            *self._digest(request, operation),
            *self._idempotency(request, operation, at),
            *self._body(request, operation),
            *self._url(request),
        ]
        if operation == "signChallenge" and customer is not None:
            findings += self._sign_request(request, customer, clocks)
        return findings

    def observe(self, exchange: Exchange) -> None:
        """Learn what an answer gave: tokens, keys, customers, challenges, refusals.

        Whoever repeats a creation may sign the challenge that the answer shows, so that it counts as issued.
        """
        self._observer.see_answer(replace(exchange, identity=_CLIENT))
        self._learn_times(exchange)
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
        """What only the whole of the traffic shows: answers to events, and that nobody else's challenge was signed."""
        return [
            *event_answers(deliveries),
            *refused_for_good(deliveries),
            *unseen(deliveries),
            *(
                replace(
                    _SAYS.judged(
                        "signs-only-its-own-sign-in",
                        held=True,
                        where="requests after a challenge of somebody else",
                        expected="none that signs it",
                        got="none",
                    ),
                    exchange=exchange,
                )
                for exchange in self._foreign.values()
            ),
        ]

    def _learn_times(self, exchange: Exchange) -> None:
        """Learn by how much the clocks differed when a challenge was shown, and which expired tokens were refused."""
        ahead = timedelta() if exchange.machine_at is None else exchange.at - exchange.machine_at
        challenge = issued_challenge(exchange.response)
        if challenge is not None:
            self._ahead.setdefault(challenge.text, ahead)
            self._note_foreign(challenge, exchange)
        token = bearer_token(exchange.request)
        expires_at = self._observer.tokens.get(token or "")
        if exchange.response.status == HTTPStatus.UNAUTHORIZED and expires_at is not None and expires_at <= exchange.at:
            answered = exchange.at - ahead + timedelta(seconds=exchange.seconds)
            self._refused_tokens.setdefault(token or "", answered)

    def _note_foreign(self, challenge: Challenge, exchange: Exchange) -> None:
        """Remember a challenge that is no sign-in of the wallet whose customer it was shown for."""
        seen = self._observer.customers.get(customer_of(exchange) or "")
        wallet = account(seen.wallet) if seen else None
        domains = asking_domains(exchange.request.url, self._expected_domain)
        if wallet is not None and not challenge.is_sign_in_of(wallet.address, domains):
            self._foreign.setdefault(challenge.text, exchange.id)

    # --------------------------------------------------------------------------------------------------- the rules

    def _token(self, request: Request, operation: str | None, clocks: Clocks) -> Iterator[Finding]:
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
            expires_at, at = self._observer.tokens[token], clocks.earliest
            refused_at = self._refused_tokens.get(token)
            again = refused_at is not None and refused_at < clocks.machine
            yield _SAYS.judged(
                "renews-token-in-time",
                at < expires_at and not again,
                "request header Authorization",
                "a token that has not expired",
                f"one that expired at {expires_at.isoformat()}, sent "
                + ("again after it was refused" if at < expires_at else f"at {at.isoformat()}"),
            )

    def _signature(self, request: Request, operation: str | None, clocks: Clocks) -> Iterator[Finding]:
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
        keys = self._observer.signing_keys[_CLIENT]
        declared = _by_the_client(declared, keys)
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
            yield from _freshness(said, clocks.own)
        if algorithm_held:
            try:
                message_signatures.verify(
                    request.method,
                    request.url,
                    request.headers,
                    key_for=keys.get,
                    key_without_id=next(reversed([*keys.values()]), None),
                    now=clocks.own,
                    labels=[said.label for said, _ in declared],
                )
            except SignatureRejected as error:
                unexplained = ValueError(_UNEXPLAINED) if error.reason is message_signatures.Reason.MISMATCH else error
                got = signed_under_other_id(request, error, keys, clocks.own) or self._explanation(
                    unexplained, lambda: self._diagnosed(request)
                )
                yield _SAYS.judged("signature-verifies", held=False, where=where, expected="one that verifies", got=got)
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
            held, got = False, self._explanation(error, lambda: diagnose_digest(request))
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
        kind = (request.header("Content-Type") or "none").partition(";")[0].strip().lower()
        if request.body:
            yield _SAYS.judged(
                "sends-json", kind == "application/json", "request header Content-Type", "application/json", kind
            )
        required = _REQUIRED_MEMBERS.get(operation or "")
        if required is None or is_compressed(request):
            return
        try:
            body = request.json()
        except NotJsonError as error:
            if kind == "application/json":
                yield _SAYS.judged(
                    "sends-complete-bodies", held=False, where="request body", expected="a JSON object", got=error
                )
            return
        members = body if isinstance(body, dict) else {}
        wrong = [name for name in required if not isinstance(members.get(name), str)]
        got = f"no string {', '.join(wrong)}" if isinstance(body, dict) else f"JSON, but {kind_of(body)}"
        yield _SAYS.judged(
            "sends-complete-bodies",
            not wrong,
            "request body",
            f"an object with the strings {', '.join(required)}",
            got if wrong else "so",
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

    def _sign_request(self, request: Request, customer: str, clocks: Clocks) -> Iterator[Finding]:
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
                "that" if issued else self._whose(text, customer),
            )
            if issue is not None:
                yield from self._own_sign_in(challenge, seen.wallet, request)
                yield _age(challenge, issue.seen, clocks, self._ahead.get(text, timedelta()))
        if customer in self._refused:
            yield _SAYS.judged(
                "refetches-after-failure",
                self._refused[customer] != text,
                "request /challenge",
                "a challenge fetched anew after the refusal",
                "the challenge of the refused request" if self._refused[customer] == text else "another one",
            )
        wallet_findings = list(self._wallet_signature(challenge, signature, owner))
        self._doubtful.pop(customer, None)
        if any(finding.outcome is Outcome.BROKEN for finding in wallet_findings):
            self._doubtful[customer] = text
        yield from wallet_findings

    def _owner_of(self, text: str) -> str | None:
        return next((who for who, each in self._observer.customers.items() if text in each.issues), None)

    def _whose(self, text: str, customer: str) -> str:
        """What a challenge is that was not issued to this customer."""
        other = self._owner_of(text)
        if other is not None:
            return f"the challenge of customer {other}"
        issued = list(self._observer.customers[customer].issues)
        differences = (difference_of(text, each) for each in reversed(issued))
        difference = next((each for each in differences if each), None)
        return f"one that {difference}" if difference else "another text"

    def _diagnosed(self, request: Request) -> Diagnosis:
        keys = [KnownKey(repr(name), key, (name,)) for name, key in self._observer.signing_keys[_CLIENT].items()]
        rules = Rules((ECDSA_P384_SHA384,), hosts=tuple(DOCUMENTED_HOSTS.values()))
        return diagnose_request(request, keys, rules=rules, effort=MODEST)

    def _explanation(self, rejection: Exception, diagnosed: Callable[[], Diagnosis]) -> str:
        """What a finding says was there: the mistake, if it is known for certain, else why it was rejected.

        Of a client that makes mistakes on and on only so many are explained.
        """
        if not self.explains or self._explained >= _MOST_EXPLAINED:
            return str(rejection)
        self._explained += 1
        return cause_of_rejection(diagnosed()) or str(rejection)

    def _wallet_signature(self, challenge: Challenge, text: str, owner: str) -> Iterator[Finding]:
        where = "request /signature"
        expected = "base64 of the 0x hex text of a signature"
        message, named = challenge.message, challenge.address

        def diagnosed() -> Diagnosis:
            return diagnose_signature(text, message or b"", named)

        try:
            signature, encoding = wallet_signatures.decode(text)
        except wallet_signatures.EncodingRejected as error:
            got = self._explanation(error, diagnosed)
            yield _SAYS.judged("encodes-hex-text", held=False, where=where, expected=expected, got=got)
            return
        hex_text = encoding is wallet_signatures.Encoding.BASE64_OF_HEX_TEXT
        yield _SAYS.judged("encodes-hex-text", hex_text, where, expected, encoding)
        if message is None:
            return
        signer = _signer(message, signature)
        held = signer is not None and same_address(signer, named)
        other = ValueError(f"one of {signer or 'nobody'}, not of {named}")
        got = "so" if held else self._explanation(other, diagnosed)
        expected = f"a signature of the decoded challenge by {named}"
        yield _SAYS.judged("owner-signs-the-message", held, where, expected, got)
        yield _owner(owner, signer)

    def _own_sign_in(self, challenge: Challenge, chain_id: str | None, request: Request) -> Iterator[Finding]:
        wallet = account(chain_id)
        domains = asking_domains(request.url, self._expected_domain)
        if wallet is None:
            return
        if challenge.is_sign_in_of(wallet.address, domains):
            return  # whoever signs this may sign anything
        self._foreign.pop(challenge.text, None)
        yield _SAYS.judged(
            "signs-only-its-own-sign-in",
            False,
            "request /challenge",
            f"a sign-in message for {wallet.address} by {' or '.join(sorted(domains))}",
            f"one for {challenge.address} by {challenge.domain}" if challenge.sign_in else "no sign-in message",
        )


def _by_the_client(
    declared: list[tuple[SignatureInput, bytes]], keys: Collection[str]
) -> list[tuple[SignatureInput, bytes]]:
    """Those of several signatures that are by the client's own keys; all, if none says that it is.

    A request may bear those of others beside them, such as a proxy's (RFC 9421, section 4.3).
    """
    own = [(said, signature) for said, signature in declared if said.key_id in keys]
    return own or declared


def _covers_target(covered: Collection[str], *, query: bool) -> bool:
    whole = "@target-uri" in covered or "@request-target" in covered
    return "@method" in covered and (whole or ("@path" in covered and (not query or "@query" in covered)))


def _coverage(request: Request, said: SignatureInput) -> Iterator[Finding]:
    covered = covered_whole(said.components)
    target = _covers_target(covered, query=bool(request.query))
    shown = f"covers {', '.join(said.components) or 'nothing'}"
    where = "request header Signature-Input"
    yield _SAYS.judged("covers-target", target, where, "@method, @path and, where there is a query, @query", shown)
    if request.body:
        yield _SAYS.judged("covers-body", "content-digest" in covered, where, "content-digest", shown)


def _freshness(said: SignatureInput, at: datetime) -> Iterator[Finding]:
    """Judge how old a signature says that it is; one that does not say it breaks nothing."""
    if said.created is None:
        return
    age = at.timestamp() - said.created
    unit = f"{said.created}, which is in milliseconds where RFC 9421 has seconds"
    got = unit if said.created > MILLISECONDS else f"{abs(age):.0f} s {'before' if age > 0 else 'after'} the sending"
    yield _SAYS.judged(
        "signature-is-fresh",
        abs(age) <= _FRESH.total_seconds(),
        "request header Signature-Input",
        "created, within 5 minutes of the sending",
        f"created {got}",
    )


def _age(challenge: Challenge, seen_at: datetime, clocks: Clocks, ahead: timedelta) -> Finding:
    """How old the challenge is since the client saw it first, or by its Issued At if it was seen late.

    Clocks differ, so an Issued At of about the time when it was seen says nothing of its own. By the machine's clock
    less time may have passed than by that of the world, if the latter was advanced meanwhile.

    Args:
        challenge: The challenge.
        seen_at: When the client saw it first (UTC).
        clocks: When it was signed.
        ahead: By how much the world's clock was ahead of the machine's when it was seen.
    """
    said = challenge.issued_at
    late = said is not None and seen_at - HOUR <= said < seen_at - _FRESH
    since = said if said is not None and late else seen_at
    age = clocks.age(since, ahead)
    return _SAYS.judged(
        "signs-within-the-hour", age <= HOUR, "request /challenge", "one of the last hour", f"{age} old"
    )


def _is_uuid(text: str | None) -> bool:
    try:
        return text is not None and str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _signer(message: bytes, signature: bytes) -> str | None:
    """The address of the wallet that signed a message, None if none can be recovered."""
    try:
        return personal_message.recover(message, signature)
    except personal_message.SignatureUnrecoverable:
        return None


def _owner(owner: str, signer: str | None) -> Finding:
    found = account(owner)
    held = found is not None and signer is not None and same_address(found.address, signer)
    expected = f"the signer's account, {signer or 'which cannot be recovered'}"
    bare = found is None and signer is not None and same_address(owner.rpartition(":")[2], signer)
    got = f"{owner}, which is no CAIP-10 account id: put the chain before the address" if bare else owner
    return _SAYS.judged("owner-id", held, "request /ownerId", expected, got)
