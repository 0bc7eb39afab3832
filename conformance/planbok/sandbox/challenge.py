"""Challenges: what is asked for, how it is issued, and how the API shows it."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conformance.exchange import Request, Response
from conformance.planbok.chains import CHAINS, UNJUDGED_CHAINS, Chain
from conformance.planbok.sandbox.base import Decisions
from conformance.planbok.sandbox.state import Call, Challenge, Customer, Reason, Refused, Status, Task
from conformance.sandbox.messages import read_object, read_text

_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_LONGEST_URL = 2048


class ChallengeDecisions(Decisions):
    """Which challenges are issued, and what the API says of them."""

    def once(self, call: Call) -> Response:
        """Carry out a POST, or repeat the answer to an earlier one of the same ``idempotencyKey`` (Rate Limits, beta).

        Silent on how long a key is remembered: as long as the world stands.
        """
        key = read_object(call.request.body).get("idempotencyKey")
        if key is None and self.idempotency_key_is_required(call.operation):
            raise Refused(Reason.BODY, "The body lacks 'idempotencyKey', a UUID of version 4.")
        if key is None:
            return self.handler(call.operation)(call)
        if not isinstance(key, str) or not _UUID4.fullmatch(key):
            raise Refused(Reason.BODY, "'idempotencyKey' must be a UUID of version 4.")
        scope = (call.tenant.name, self.key_remembered(key))
        payload = (call.operation, tuple(sorted(call.parameters.items())), call.request.body)
        if scope in self.answered:
            before, response = self.answered[scope]
            if before != payload:
                raise Refused(Reason.KEY_REUSED, "This idempotencyKey was used with other content. Draw a new one.")
            return response
        response = self.handler(call.operation)(call)
        self.answered[scope] = (payload, response)
        return response

    def key_remembered(self, key: str) -> str:
        """What tells an ``idempotencyKey`` from others: all but letter case, since it is a UUID (RFC 9562)."""
        return key.lower()

    def idempotency_key_is_required(self, operation: str) -> bool:
        """Whether a POST needs an ``idempotencyKey``.

        The beta requires it where wallets are created; the document lists none, and the demo client sends none: no.
        """
        return False

    def create_wallets(self, call: Call) -> Response:
        """Issue the challenge that authorizes new wallets (Provisioning Customer Wallets)."""
        customer = self.customer_for(call)
        document = read_object(call.request.body)
        chains = self.read_chains(document)
        self.check_account_type(document)
        names = _read_names(document, len(chains))
        if self.refuses_incomplete_set_up_at_request():
            self.check_set_up(customer)
        return_url = self.return_url(document)
        if return_url is None and self.return_url_is_required():
            raise Refused(Reason.BODY, "The body lacks 'redirectUrl', your page that the customer returns to.")
        return self.issue(call, customer, Task.CREATE_WALLETS, return_url, chains, names)

    def read_chains(self, document: Mapping[str, Any]) -> tuple[Chain, ...]:
        """The chains in ``blockchains`` (Provisioning Customer Wallets). Silent: others are refused."""
        names = document.get("blockchains")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise Refused(Reason.BODY, "'blockchains' must be an array of names, such as [\"ETH-SEPOLIA\"].")
        if not names and not self.accepts_no_chain():
            raise Refused(Reason.BODY, "'blockchains' is empty. Name the chains to create wallets on.")
        known = self.known_chains()
        unknown = [name for name in names if name not in known]
        if unknown and not self.accepts_unknown_chains():
            raise Refused(
                Reason.BODY,
                f"'blockchains' names {unknown[0]!r}. Known are {', '.join(known)}; the setting "
                "CONFORMANCE_PLANBOK_SANDBOX_BLOCKCHAINS adds others.",
            )
        if len(set(names)) < len(names) and not self.accepts_repeated_chains():
            raise Refused(Reason.BODY, "'blockchains' names a chain twice.")
        return tuple(known[name] for name in dict.fromkeys(names) if name in known)

    def known_chains(self) -> Mapping[str, Chain]:
        """The chains that there are: all that a source names (beta and clients), and those of the setting."""
        return {**CHAINS, **UNJUDGED_CHAINS, **self.chains_of_the_setting}

    def accepts_no_chain(self) -> bool:
        """Whether an empty list of chains is taken. Silent: no."""
        return False

    def accepts_unknown_chains(self) -> bool:
        """Whether chains that nobody knows are passed over. Silent: no."""
        return False

    def accepts_repeated_chains(self) -> bool:
        """Whether a chain may stand twice in the list. Silent: no."""
        return False

    def check_account_type(self, document: Mapping[str, Any]) -> None:
        """Refuse an ``accountType`` other than ``eoa``, which is the only one (Provisioning Customer Wallets)."""
        kind = document.get("accountType", self.account_type_without_mention())
        if kind != "eoa":
            raise Refused(Reason.BODY, f"'accountType' must be 'eoa', and is {kind!r}.")

    def account_type_without_mention(self) -> str | None:
        """The type of account of a request that names none: ``eoa``, as the demo client relies on."""
        return "eoa"

    def return_url_is_required(self) -> bool:
        """Whether a request for wallets needs a ``redirectUrl``; the document does not list it in the body: no."""
        return False

    def required_return_url(self, call: Call) -> str:
        """The ``redirectUrl`` of a request that must have one (API Reference, Customers)."""
        document = read_object(call.request.body)
        read_text(document, "redirectUrl")
        return self.return_url(document) or ""

    def return_url(self, document: Mapping[str, Any]) -> str | None:
        """The caller's own page in a body. Silent on what it may be: an absolute http or https URL."""
        if document.get("redirectUrl") is None:
            return None
        url = read_text(document, "redirectUrl")
        if not _is_web_page(url):
            raise Refused(Reason.BODY, "'redirectUrl' must be an absolute http or https URL of your own page.")
        return url

    def issue(
        self,
        call: Call,
        customer: Customer,
        task: Task,
        return_url: str | None,
        chains: tuple[Chain, ...] = (),
        names: tuple[Mapping[str, str], ...] = (),
    ) -> Response:
        """Issue a challenge."""
        self.issued_before(customer, task)
        now = self.now()
        challenge = Challenge(
            id=self.new_object_id(),
            link=self.new_link(),
            gateway=self.gateway_of(call.request),
            customer=customer,
            task=task,
            return_url=return_url,
            chains=chains,
            names=names,
            issued_at=now,
            expires_at=now + self.challenge_lifetime(),
        )
        customer.challenges.append(challenge)
        self.challenges[challenge.link] = challenge
        return self.success(self.issue_status(), "Challenge created", self.challenge_json(challenge))

    def issue_status(self) -> int:
        """The status of a new challenge. Silent: 201, which the reference's wording hints at."""
        return HTTPStatus.CREATED

    def issued_before(self, customer: Customer, task: Task) -> None:
        """What a new challenge does to pending ones of its task. Silent: they stay."""

    def new_link(self) -> str:
        """The end of a page's path, unique for each challenge (Introduction): 32 hex digits nobody can foresee."""
        return self.links.draw(16).hex()

    def gateway_of(self, request: Request) -> str:
        """The URL of the hosted page, which has an origin of its own at the vendor (Introduction), and a mount here."""
        mount, _, _ = request.url.partition("/v2/")
        return f"{mount.rpartition('/')[0]}/{self.mounts[0]}"

    def challenge_lifetime(self) -> timedelta:
        """How long a challenge can be completed: 15 minutes (Provisioning Customer Wallets)."""
        return timedelta(minutes=15)

    def challenge_for(self, call: Call) -> Challenge:
        """The challenge in the path, under its own customer alone. Silent on others: 404."""
        customer = self.customer_of_challenge(call)
        wanted = call.parameters["challengeId"]
        challenge = next((each for each in self.challenges_under(customer) if self.is_called(each, wanted)), None)
        if challenge is None:
            raise Refused(Reason.UNKNOWN_CHALLENGE, f"This customer has no challenge {wanted!r}.")
        return challenge

    def is_called(self, challenge: Challenge, identifier: str) -> bool:
        """Whether a challenge has an id. Silent on letter case: it counts."""
        return challenge.id == identifier

    def customer_of_challenge(self, call: Call) -> Customer:
        """The customer in the path of a challenge, of this organization alone."""
        return self.customer_for(call)

    def challenges_under(self, customer: Customer) -> Iterable[Challenge]:
        """The challenges that are answered under a customer: its own."""
        return customer.challenges

    def challenges_listed(self, customer: Customer) -> Iterable[Challenge]:
        """The challenges in the list of a customer: its own (beta)."""
        return customer.challenges

    def get_challenge(self, call: Call) -> Response:
        """One challenge, with what came of it (Provisioning Customer Wallets, Option A)."""
        challenge = self.challenge_for(call)
        if self.is_pruned(challenge):
            raise Refused(Reason.UNKNOWN_CHALLENGE, f"The challenge {challenge.id} is not kept any more.")
        return self.success(HTTPStatus.OK, "Challenge", self.challenge_json(challenge))

    def list_challenges(self, call: Call) -> Response:
        """The challenges of a customer (beta)."""
        customer = self.customer_for(call)
        wanted = dict(parse_qsl(call.request.query)).get("status")
        found = [self.challenge_json(challenge) for challenge in self.challenges_listed(customer)]
        return self.page_of(call, [each for each in found if wanted in (None, each["status"])], "Challenges")

    def challenge_json(self, challenge: Challenge) -> dict[str, Any]:
        """A challenge as the API shows it (demo client)."""
        return {
            **self.challenge_identifier(challenge),
            "redirectUrl": self.page_url(challenge),
            "status": self.status_shown(challenge),
            "task": challenge.task.value,
            "expiresAt": self.time(challenge.expires_at),
            "metadata": {"blockchains": [chain.name for chain in challenge.chains]} if challenge.chains else {},
            **({"result": self.result(challenge)} if self.result_is_readable(challenge) else {}),
        }

    def challenge_identifier(self, challenge: Challenge) -> dict[str, str]:
        """The id of a challenge under its name: ``challengeId`` (Introduction)."""
        return {"challengeId": challenge.id}

    def page_url(self, challenge: Challenge) -> str:
        """The ``redirectUrl`` of an answer: the hosted page (Provisioning Customer Wallets)."""
        return challenge.url

    def status_shown(self, challenge: Challenge) -> str:
        """The status of a challenge; silent on one that expired: ``failed``, since no source lists another word."""
        if challenge.status is Status.PENDING and self.has_expired(challenge):
            return Status.FAILED.value
        return challenge.status.value

    def has_expired(self, challenge: Challenge) -> bool:
        """Whether a challenge can no longer be completed, from the very instant of ``expiresAt``."""
        return self.now() >= challenge.expires_at


def _read_names(document: Mapping[str, Any], chains: int) -> tuple[Mapping[str, str], ...]:
    """Name and caller's id of each wallet in ``metadata`` (beta)."""
    given = document.get("metadata")
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) != chains or not all(isinstance(entry, dict) for entry in given):
        raise Refused(Reason.BODY, "'metadata' must be an array with one object, of name and refId, for each chain.")
    return tuple({name: read_text(entry, name) for name in ("name", "refId") if name in entry} for entry in given)


def _is_web_page(url: str) -> bool:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return usable and len(url) <= _LONGEST_URL and url.isascii() and url.isprintable() and " " not in url
