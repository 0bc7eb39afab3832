"""Tokens, and the key that requests are signed with."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from conformance.clock import Clock
from conformance.exchange import Exchange
from conformance.offblocks.deviations import rules
from conformance.offblocks.messages import issued_token
from conformance.offblocks.suite.effects import DAYS_AFTER, expect_customers, expect_unsigned, require_days
from conformance.offblocks.suite.operations import Call, by_headers_alone, guarded
from conformance.offblocks.suite.signing_keys import (
    another_key,
    register,
    remove_key,
    require_disposable,
    use_another_key,
)
from conformance.offblocks.suite.tenant import CLOCKS_APART, Tenant
from conformance.offblocks.tokens import USUAL_LIFE
from conformance.offblocks.wallet import Wallet
from conformance.scenario import (
    crosses,
    expect,
    expect_acceptance,
    expect_reading,
    expect_refusal,
    expect_refusal_status,
    expect_same,
    expect_status,
    leaves_out,
    needs,
    refused,
    step_failed,
    verifies,
    waits,
)
from conformance.standards.message_signatures import key_from_seed
from conformance.targets import Subject
from conformance.values import near

LONGEST = timedelta(hours=2)
"""How long a token may live whose end a test waits for."""
STATUS = "offblocks.authentication.refusal-status"
WITHOUT_TOKEN = rules("sends-token")
FEWEST_SECRET = 12
"""Characters of a text that stands in an answer by chance no more."""
A_SECOND = timedelta(seconds=1)
HALF_AN_HOUR = timedelta(minutes=30)
A_SECRET = near.Kind(lambda value: len(value) >= 8 and "\0" not in value)  # noqa: PLR2004 - shorter ones are words
"""A secret of which a recording hides every near miss, so that none may be as short as text that stands elsewhere."""
SECRETS, KEYS = 15, 4
"""How many near misses are tried; few, as an API may lock the credentials after many."""
OTHERS = 12
"""How many tokens are given beside one that holds on; servers that count sessions keep three, five or ten."""
NO_KEYS = (
    "",
    "not a key",
    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
)
"""Texts that are no public key in PEM."""
SIGNATURES = (
    "the same in its first 8 characters",
    "the same in its first 16 characters",
    "the same in its last 8 characters",
    "with another last but one character",
    "with another first character",
    "with another middle character",
    "in the other letter case",
    "without its last character",
    "cut to its first 8 characters",
    "twice",
)
"""What is done to the signature of a token."""


def expect_unauthorised(rule: str, exchange: Exchange, because: str) -> None:
    """Say that `rule` asks for a refusal, for the reason given, and whether it has the status that is listed."""
    expect_refusal(rule, exchange, because)
    expect_refusal_status(STATUS, exchange, 401)


# --------------------------------------------------------------------------------------------------- obtaining tokens


@verifies("offblocks.authentication.token-issued", "offblocks.authentication.token-lives-an-hour")
def test_right_credentials_are_given_a_token_for_an_hour(tenant: Tenant, clock: Clock) -> None:
    """Given a tenant, when it asks for a token, and for another one if that ends within the hour."""
    answer = tenant.ask_token()
    expect(
        "offblocks.authentication.token-issued",
        answer.response.status == HTTPStatus.OK and issued_token(answer) is not None,
        where="response",
        expected="200 with a token",
        got=f"{answer.response.status} with {', '.join(answer.response.members()) or 'no members'}",
        exchange=answer,
    )
    issued = issued_token(answer) or step_failed("A token was to be issued", answer)
    if issued[1] - answer.at < USUAL_LIFE - CLOCKS_APART:
        clock.advance(2 * A_SECOND)
        if (issued_token(tenant.ask_token()) or issued)[0] == issued[0]:
            needs("a token that is issued when it is asked for, as this API gives the one again that holds still")


@verifies(
    "offblocks.authentication.wrong-secret-refused",
    "offblocks.authentication.refusal-status",
    "offblocks.authentication.token-lives-an-hour",
)
def test_wrong_credentials_are_given_no_token(tenant: Tenant) -> None:
    """Given a token, when others are asked for with another secret, and with a key that nobody has, and it is used."""
    right = tenant.authorization()
    for wrong in ({"api_secret": tenant.ids.draw(20).hex()}, {"api_key": str(tenant.ids.uuid())}):
        exchange = tenant.ask_token(**wrong)
        if exchange.response.status != HTTPStatus.TOO_MANY_REQUESTS:  # which refuses one who guesses
            expect_unauthorised("offblocks.authentication.wrong-secret-refused", exchange, "they are wrong")
    expect_acceptance("offblocks.authentication.token-lives-an-hour", tenant.customers(authorization=right))


@crosses("authentication", "isolation")
@verifies("offblocks.authentication.wrong-secret-refused")
def test_the_secret_of_another_client_is_refused(tenant: Tenant, other_tenant: Tenant) -> None:
    """Given two clients that were given tokens, when one asks for one with the secret of the other."""
    for client in (tenant, other_tenant):
        client.ask_token()
    answer = tenant.ask_token(api_secret=other_tenant.credentials.api_secret)
    because = "the secret belongs to the API key of another client"
    expect_refusal("offblocks.authentication.wrong-secret-refused", answer, because)


@verifies(
    "offblocks.authentication.wrong-secret-refused",
    "offblocks.authentication.refusal-status",
    "offblocks.authentication.refusal-tells-no-secret",
    "offblocks.authentication.token-issued",
)
def test_credentials_like_the_right_ones_are_given_no_token(tenant: Tenant) -> None:
    """Given right credentials that were used, when tokens are asked for with what is like them, and then with them."""
    tenant.ask_token()
    own, another = tenant.credentials, tenant.ids.draw(20).hex()
    secrets = near.misses(own.api_secret, A_SECRET, others=[another])
    keys = near.misses(own.api_key, near.UUID, others=[str(tenant.ids.uuid())])
    wrong = [("api_secret", miss) for miss in secrets[:SECRETS]] + [("api_key", miss) for miss in keys[:KEYS]]
    for name, miss in wrong:
        because = f"the {name.replace('_', ' ')} is like the right one, {miss.name}"
        answer = tenant.ask_token(**{name: miss.value})
        if answer.response.status == HTTPStatus.TOO_MANY_REQUESTS:
            break
        expect_refusal("offblocks.authentication.wrong-secret-refused", answer, because)
        _expect_untold(answer, "the right secret", own.api_secret)
        if miss.same_form:
            expect_refusal_status(STATUS, answer, 401)
    expect_status("offblocks.authentication.token-issued", tenant.ask_token(), 200)


# ------------------------------------------------------------------------------------------------------- using tokens


@verifies(
    "offblocks.authentication.missing-token-refused",
    "offblocks.authentication.refusal-status",
    "offblocks.authentication.refusal-names-a-scheme",
    "offblocks.authentication.refusal-has-no-effect",
)
def test_a_missing_token_is_refused(tenant: Tenant, wallet: Wallet, subject: Subject) -> None:
    """Given a customer, when each operation is called without Authorization, and the customer is read."""
    customer = tenant.onboard(wallet)
    without: dict[str, Any] = {"authorization": None, "breaks": WITHOUT_TOKEN}
    calls = {name: call(**without) for name, call in guarded(tenant, customer).items()}
    others = [call(**without) for call in by_headers_alone(tenant, customer)]
    answers = [*calls.values(), *_of_keys(tenant, subject, **without)]
    for answer in answers:
        expect_unauthorised("offblocks.authentication.missing-token-refused", answer, "there is no token")
    for answer in others:
        expect_refusal("offblocks.authentication.missing-token-refused", answer, "there is no token")
    expect_unsigned("offblocks.authentication.refusal-has-no-effect", tenant, customer.id, calls["signChallenge"])
    if all(answer.response.status != HTTPStatus.UNAUTHORIZED for answer in answers):
        needs("a refusal with 401, which this API answers otherwise")


def _of_keys(tenant: Tenant, subject: Subject, **options: Any) -> list[Exchange]:
    """Register and remove a signing key in a way that is to be refused; nothing where the key must stay."""
    if not subject.disposable:
        return []
    return [register(tenant, another_key(subject), **options), remove_key(tenant, **options)]


@verifies("offblocks.authentication.malformed-token-refused", "offblocks.authentication.refusal-status")
def test_a_malformed_token_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when each operation is called with a text for a token, and one with another scheme."""
    customer = tenant.onboard(wallet)
    answers = [
        call(authorization="Bearer not-a-token", breaks=WITHOUT_TOKEN) for call in guarded(tenant, customer).values()
    ]
    basic = base64.b64encode(b"user:password").decode()
    answers.append(tenant.customers(authorization=f"Basic {basic}", breaks=WITHOUT_TOKEN))
    for answer in answers:
        expect_unauthorised("offblocks.authentication.malformed-token-refused", answer, "what is sent is no token")


@verifies("offblocks.authentication.foreign-token-refused", "offblocks.authentication.refusal-status")
def test_a_forged_token_is_refused(tenant: Tenant, wallet: Wallet, subject: Subject) -> None:
    """Given a customer, when operations are called with the tenant's token, signed by somebody else or not at all."""
    customer = tenant.onboard(wallet)
    _, _, token = tenant.authorization().partition(" ")
    forged, unsigned = forgeries(token, secret=tenant.ids.draw(32))
    answers = [
        call(authorization=f"Bearer {forged}", breaks=WITHOUT_TOKEN) for call in guarded(tenant, customer).values()
    ]
    answers.append(tenant.customers(authorization=f"Bearer {unsigned}", breaks=WITHOUT_TOKEN))
    answers += _of_keys(tenant, subject, authorization=f"Bearer {forged}", breaks=WITHOUT_TOKEN)
    for answer in answers:
        expect_unauthorised(
            "offblocks.authentication.foreign-token-refused", answer, "this server did not issue the token"
        )


@verifies(
    "offblocks.authentication.foreign-token-refused",
    "offblocks.authentication.refusal-status",
    "offblocks.authentication.refusal-tells-no-secret",
)
def test_a_token_like_the_right_one_is_refused(tenant: Tenant, clock: Clock) -> None:
    """Given two tokens, when the customers are listed with the newer one, with what is like it, and with it again."""
    asked = [tenant.ask_token()]
    clock.advance(A_SECOND)
    asked.append(tenant.ask_token())
    tokens = [issued_token(each) for each in asked]
    if tokens[0] is None or tokens[1] is None:
        step_failed("Two tokens were to be issued", asked[-1])
    _list_with(tenant, tokens[1][0])
    right = tokens[1][0].rpartition(".")[2]
    if len(right) < FEWEST_SECRET:  # what so short a text tells may be anything
        right = tokens[1][0]
    for name, token in like(tokens[1][0], former=tokens[0][0]):
        answer = tenant.customers(authorization=f"Bearer {token}", breaks=WITHOUT_TOKEN)
        expect_unauthorised("offblocks.authentication.foreign-token-refused", answer, f"the token is one {name}")
        if right not in token:
            _expect_untold(answer, "the right signature of the token", right)
    _list_with(tenant, tokens[1][0])


@verifies("offblocks.response.same-value-accepted")
def test_credentials_may_be_written_otherwise(tenant: Tenant) -> None:
    """When a token is asked for with other spellings of the key, and customers are listed with some of the scheme."""
    for same in near.uuids(tenant.credentials.api_key):
        expect_same("offblocks.response.same-value-accepted", tenant.ask_token(api_key=same.value), same)
    for same in near.schemes(tenant.authorization()):
        answer = tenant.customers(authorization=same.value)
        expect_same("offblocks.response.same-value-accepted", answer, same)


@waits
@crosses("authentication", "expiry")
@verifies("offblocks.authentication.expired-token-refused", "offblocks.authentication.refusal-status")
def test_an_expired_token_is_refused(tenant: Tenant, wallet: Wallet, clock: Clock, subject: Subject) -> None:
    """Given a token whose expiresAt has passed, when each operation is called with it, and a creation is repeated."""
    asked = tenant.ask_token()
    issued = issued_token(asked) or step_failed("A token was to be issued", asked)
    lifetime = issued[1] - asked.at
    if lifetime <= timedelta():
        step_failed(f"A token was to be issued that is good for a while, its end was {-lifetime} ago", asked)
    if lifetime > LONGEST:
        needs(f"a token whose end can be waited for, within {LONGEST}; this one is good for {lifetime}")
    clock.advance(lifetime + CLOCKS_APART)
    customer = tenant.onboard(wallet)
    create: Call = partial(tenant.create, tenant.new_wallet(), tenant.new_external_id(), key=tenant.new_key())
    create()
    expired: dict[str, Any] = {"authorization": f"Bearer {issued[0]}", "breaks": rules("renews-token-in-time")}
    answers = [call(**expired) for call in (*guarded(tenant, customer).values(), create)]
    for answer in (*answers, *_of_keys(tenant, subject, **expired)):
        expect_unauthorised("offblocks.authentication.expired-token-refused", answer, "its time is over")


@waits
@crosses("authentication", "expiry")
@verifies("offblocks.authentication.token-lives-an-hour")
def test_a_token_holds_until_its_end_though_others_were_given(tenant: Tenant, clock: Clock) -> None:
    """Given a token and a dozen later ones, when the customers are listed with the first just before its end."""
    asked = tenant.ask_token()
    issued = issued_token(asked) or step_failed("A token was to be issued", asked)
    lifetime = issued[1] - asked.at
    if not CLOCKS_APART < lifetime <= LONGEST:
        needs(f"a token whose end can be waited for, within {LONGEST}; this one is good for {lifetime}")
    for _ in range(OTHERS):
        clock.advance(A_SECOND)
        tenant.ask_token()
    clock.advance(lifetime - OTHERS * A_SECOND - tenant.margin)
    answer = tenant.customers(authorization=f"Bearer {issued[0]}")
    expect_acceptance("offblocks.authentication.token-lives-an-hour", answer)


@waits
@crosses("authentication", "expiry")
@verifies("offblocks.authentication.token-lives-an-hour")
def test_a_token_given_during_anothers_hour_holds_until_its_own_end(tenant: Tenant, clock: Clock) -> None:
    """Given a token asked for 30 minutes after another, when the customers are listed with it just before its end."""
    tenant.customers(authorization=tenant.authorization())
    clock.advance(HALF_AN_HOUR)
    asked = tenant.ask_token()
    issued = issued_token(asked) or step_failed("A token was to be issued", asked)
    lifetime = issued[1] - asked.at
    if not CLOCKS_APART < lifetime <= LONGEST:
        needs(f"a token whose end can be waited for, within {LONGEST}; this one is good for {lifetime}")
    clock.advance(lifetime - tenant.margin)
    answer = tenant.customers(authorization=f"Bearer {issued[0]}")
    expect_acceptance("offblocks.authentication.token-lives-an-hour", answer)


@leaves_out("readings", "neighbours", because="Other tests take the same steps, fewer of them, and meet these.")
@waits
@crosses("authentication", "expiry")
@verifies("offblocks.authentication.expired-token-refused", "offblocks.authentication.refusal-status")
def test_a_token_that_expired_never_holds_again(tenant: Tenant, clock: Clock) -> None:
    """Given tokens that were used, when they are used again a day, a week and 31 days after, by 20 minutes more."""
    require_days(tenant)
    for days in DAYS_AFTER:
        tenant.renew_credentials()
        old = tenant.authorization()
        tenant.customers(authorization=old)
        clock.advance(timedelta(days=days, minutes=20))
        answer = tenant.customers(authorization=old, breaks=rules("renews-token-in-time"))
        because = f"the token is {days} days and 20 minutes old"
        expect_unauthorised("offblocks.authentication.expired-token-refused", answer, because)


@verifies("offblocks.authentication.refusal-has-no-effect")
def test_a_creation_without_a_good_token_has_no_effect(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it creates customers without a token and with a malformed one, and lists its customers."""
    external_ids = [tenant.new_external_id(), tenant.new_external_id()]
    tenant.create(wallet, external_ids[0], authorization=None, breaks=WITHOUT_TOKEN)
    tenant.create(wallet, external_ids[1], authorization="Bearer not-a-token", breaks=WITHOUT_TOKEN)
    expect_customers("offblocks.authentication.refusal-has-no-effect", tenant, external_ids, at_most=0)


def _expect_untold(refusal: Exchange, what: str, secret: str) -> None:
    """Say that a refusal does not tell what would have been right."""
    told = refused(refusal) and secret.encode() in refusal.response.body
    expect(
        "offblocks.authentication.refusal-tells-no-secret",
        not told,
        where="response body",
        expected=f"nothing of {what}",
        got=what if told else "so",
        exchange=refusal,
    )


def _list_with(tenant: Tenant, token: str) -> None:
    """List the customers with a token that was issued.

    Raises:
        StepFailedError: If it is refused.
    """
    right = tenant.customers(authorization=f"Bearer {token}")
    if not right.response.succeeded:
        step_failed("The customers were to be listed with a token that was issued", right)


def forgeries(token: str, *, secret: bytes) -> Iterator[str]:
    """The claims of `token`, signed with another secret, and not signed (RFC 7519 section 6)."""
    claims = token.split(".")[1] if token.count(".") == 2 else base64url(b"{}")  # noqa: PLR2004
    signed = f"{header('HS256')}.{claims}"
    yield f"{signed}.{base64url(hmac.digest(secret, signed.encode(), hashlib.sha256))}"
    yield f"{header('none')}.{claims}."


def like(token: str, *, former: str) -> Iterator[tuple[str, str]]:
    """Tokens that differ from one that was issued in a single property, each with its name.

    There are as many of every token, since those of a recording are no longer the tokens that were issued.
    """
    signed, _, signature = token.rpartition(".")
    wrong = {miss.name: miss.value for miss in near.misses(signature, near.FIELD)}
    for name in SIGNATURES:
        yield f"whose signature is {name}", f"{signed}.{wrong.get(name, f'{signature}.')}"
    claims = wrong_middle(signed.rpartition(".")[2])
    yield "with another character in its claims", f"{signed.rpartition('.')[0]}.{claims}.{signature}"
    first, dot, rest = token.partition(".")
    yield "with one more member in its header", f"{with_member(first)}{dot}{rest}"
    joined = f"{signed}.{former.rpartition('.')[2]}"
    yield "with the signature of the one before it", f"{joined}." if joined in {token, former} else joined
    yield "without its signature", signed


def with_member(text: str) -> str:
    """The header of a token with one more member, or what has no members with another character in its middle."""
    try:
        members = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return base64url(json.dumps({**members, "kid": "1"}).encode())
    except (ValueError, TypeError):
        return wrong_middle(text)


def wrong_middle(text: str) -> str:
    """`text` with another character in its middle."""
    middle = len(text) // 2
    return text[:middle] + ("A" if text[middle : middle + 1] != "A" else "B") + text[middle + 1 :]


def header(algorithm: str) -> str:
    """The header of a token that says which algorithm signed it."""
    return base64url(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())


def base64url(data: bytes) -> str:
    """`data` in the base64 of tokens (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# ------------------------------------------------------------------------------------------------------- signing keys


@leaves_out("neighbours", "population", "past", "readings", because="Others sign with the key that it replaces.")
@verifies("offblocks.authentication.key-registration-unsigned")
def test_registering_a_key_without_a_signature_follows_a_reading(tenant: Tenant, subject: Subject) -> None:
    """Given a tenant, when it registers another signing key by a request with a token and nothing else."""
    require_disposable(subject)
    answer = register(tenant, another_key(subject))
    status = answer.response.status
    reading = "token-suffices" if answer.response.succeeded else "refused" if status in range(400, 500) else None
    expect_reading(
        "offblocks.authentication.key-registration-unsigned",
        reading,
        where="response status",
        expected="success or a refusal",
        got=status,
        exchange=answer,
    )


@leaves_out("neighbours", "population", "past", "readings", because="Others sign with the key that it replaces.")
@verifies("offblocks.authentication.registered-key-signs")
def test_a_registered_key_signs(tenant: Tenant, subject: Subject) -> None:
    """Given a newly registered key, when a request is signed with it."""
    use_another_key(tenant, subject, another_key(subject))
    expect_status("offblocks.authentication.registered-key-signs", tenant.customers(), 200)


@leaves_out("neighbours", "population", "past", "readings", because="Others sign with the key that it replaces.")
@verifies("offblocks.authentication.key-ids-differ")
def test_each_registered_key_has_an_id_of_its_own(tenant: Tenant, other_tenant: Tenant, subject: Subject) -> None:
    """Given two tenants, when one of them registers two keys and the other registers one."""
    ids = [tenant.credentials.signing_key_id, other_tenant.credentials.signing_key_id]
    for registering in (tenant, tenant, other_tenant):
        key = key_from_seed(registering.ids.draw(64))
        ids.append(use_another_key(registering, subject, key).signing_key_id)
    expect(
        "offblocks.authentication.key-ids-differ",
        len(set(ids)) == len(ids),
        where="response /keyId",
        expected=f"{len(ids)} ids, each of another key",
        got=", ".join(ids),
    )


@leaves_out("neighbours", "population", "past", "readings", because="Others sign with the key that it replaces.")
@verifies("offblocks.signature.right-one-accepted")
def test_a_key_that_is_refused_replaces_none(tenant: Tenant, subject: Subject) -> None:
    """Given a registered key that signed a request, when keys come that are none, and it signs others."""
    use_another_key(tenant, subject, another_key(subject))
    for text in NO_KEYS:
        body = {"publicKey": base64.b64encode(text.encode()).decode()}
        refusal = tenant.send("PUT", "/v1/auth/signing", body=body, signed=False)
        if refusal.response.succeeded:
            step_failed("A text that is no key was to be refused", refusal)
        expect_acceptance("offblocks.signature.right-one-accepted", tenant.customers())


@leaves_out("neighbours", "population", "past", "readings", because="Others sign with the key that it replaces.")
@crosses("signature", "state")
@verifies("offblocks.authentication.removed-key-refused", "offblocks.authentication.registered-key-signs")
def test_a_removed_key_is_refused(tenant: Tenant, subject: Subject) -> None:
    """Given keys that were used and replaced, when the last is removed, each signs again, and another one comes."""
    used = [tenant.credentials]
    for _ in range(2):
        used.append(use_another_key(tenant, subject, key_from_seed(tenant.ids.draw(64))))
        tenant.use_key(used[-2])
        answer = tenant.customers(breaks=rules("signature-verifies"))
        because = "the key was replaced, be the new one used or not"
        expect_refusal("offblocks.authentication.removed-key-refused", answer, because)
        tenant.use_key(used[-1])
        answer = tenant.customers()
        if not answer.response.succeeded:
            step_failed("A request was to be signed with a registered key", answer)
    removal = remove_key(tenant)
    if not removal.response.succeeded:
        removal = remove_key(tenant, signed=True, key=tenant.new_key())
    if not removal.response.succeeded:
        step_failed("The signing key was to be removed", removal)
    for credentials, name in zip(used, ("replaced first", "replaced then", "removed"), strict=True):
        tenant.use_key(credentials)
        answer = tenant.customers(breaks=rules("signature-verifies"))
        expect_refusal("offblocks.authentication.removed-key-refused", answer, f"the key was {name}")
    if removal.request.header("Signature"):
        needs("a signing key that a token alone registers, as none is left to sign with")
    another = register(tenant, key_from_seed(tenant.ids.draw(64)))
    expect_acceptance("offblocks.authentication.registered-key-signs", another)
