"""Challenges: their text, their hour, their renewal and how they are fetched."""

import base64
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from conformance.exchange import Response
from conformance.offblocks.sandbox.base import Decisions
from conformance.offblocks.sandbox.state import Call, Challenge, Customer, Reason, Status
from conformance.sandbox.messages import json_response
from conformance.standards.account_ids import AccountId, checksum_address
from conformance.standards.sign_in_message import SignInMessage


class ChallengeDecisions(Decisions):
    """What a customer is given to sign, and how long it holds."""

    def issue_challenge(self, customer: Customer) -> None:
        """Give the customer a new challenge, which takes the place of the one before (Customer Creation)."""
        now = self.now()
        message = self.challenge_text(customer.account, now).encode()
        customer.challenges.append(Challenge(message, self.encode_challenge(message), now))

    def challenge_text(self, account: AccountId, now: datetime) -> str:
        """The text to be signed: a sign-in message of EIP-4361 (Sign in With X)."""
        return str(
            SignInMessage(
                domain=self.challenge_domain(),
                address=self.challenge_address(account),
                statement=self.challenge_statement(),
                uri=self.challenge_uri(),
                version="1",
                chain_id=self.challenge_chain_id(account),
                nonce=self.new_nonce(),
                issued_at=self.challenge_issued_at(now),
            )
        )

    def challenge_domain(self) -> str:
        """Who asks for the signature: the host of the documented sandbox (Customer Creation)."""
        return "api.sandbox.offblocks.xyz"

    def challenge_uri(self) -> str:
        """What the signature is for: the URL of the documented sandbox (Customer Creation)."""
        return "https://api.sandbox.offblocks.xyz"

    def challenge_statement(self) -> str | None:
        """What the wallet shows its owner. The documents print one line, as an example (Customer Creation)."""
        return "OffBlocks asks you to prove that this wallet is yours."

    def challenge_address(self, account: AccountId) -> str:
        """Whose signature is asked for: the wallet that the customer was created with, with its EIP-55 checksum.

        Contradicted: the printed creation names one address and its challenge another (Customer Creation).
        """
        return checksum_address(account.address)

    def challenge_chain_id(self, account: AccountId) -> int:
        """The chain of the wallet, as in the customer's chainId (Customer Creation)."""
        return int(account.chain.reference)

    def new_nonce(self) -> str:
        """A nonce of 16 letters and digits, as in the printed challenge (Customer Creation); EIP-4361 asks for 8."""
        return self.nonces.alphanumeric(16)

    def challenge_issued_at(self, now: datetime) -> str:
        """When the challenge was issued: to the second, in UTC, as in the printed challenge (Customer Creation)."""
        return now.replace(microsecond=0).isoformat().replace("+00:00", "Z")

    def encode_challenge(self, message: bytes) -> str:
        """The form in which a challenge is handed out: standard base64 (Customer Creation)."""
        return base64.b64encode(message).decode()

    def challenge_lifetime(self) -> timedelta:
        """How long a challenge can be signed from its issue: 1 hour (Customer Creation)."""
        return timedelta(hours=1)

    def challenge_has_expired(self, challenge: Challenge) -> bool:
        """Whether a challenge's time is over (Customer Creation); silent on the very second of it: it still holds."""
        return self.now() - challenge.issued_at > self.challenge_lifetime()

    def challenge_is_in_time(self, challenge: Challenge) -> bool:
        """Whether a challenge can still be signed: within its hour (Customer Creation)."""
        return not self.challenge_has_expired(challenge)

    def current_challenge(self, customer: Customer) -> Challenge:
        """The challenge to sign now: the same until it is signed, fails or expires, then a new one (Customer Creation).

        Silent on whether a new one exists before somebody asks: it is issued when it is first asked for.
        """
        if self.awaits_signature(customer) and self.challenge_has_expired(customer.challenges[-1]):
            self.issue_challenge(customer)
        return customer.challenges[-1]

    def challenge_body(self, challenge: Challenge) -> dict[str, Any]:
        """A challenge as responses show it (Customer Creation)."""
        return {"challenge": challenge.encoded}

    async def get_challenge(self, call: Call) -> Response:
        """The challenge to sign (Customer Creation)."""
        customer = self.find_customer(call)
        if not self.awaits_signature(customer):
            return self.answer_after_signing(customer)
        return json_response(HTTPStatus.OK, self.challenge_body(self.current_challenge(customer)))

    def awaits_signature(self, customer: Customer) -> bool:
        """Whether the customer still has to sign: while it is ``initiating`` (Customer States)."""
        return customer.status == Status.INITIATING

    def answer_after_signing(self, customer: Customer) -> Response:
        """What is fetched once the challenge was signed. Silent, and no 409 is listed: the signed one."""
        return json_response(HTTPStatus.OK, self.challenge_body(customer.challenges[-1]))

    def gives_new_challenge_after(self, reason: Reason) -> bool:
        """Whether a refused signature uses up the challenge.

        One that fails validation does (Customer Creation); for other refusals nothing is promised, and it stays.
        """
        return reason is Reason.WALLET_SIGNATURE
