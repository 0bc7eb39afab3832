"""Signing: which wallet signature of a challenge is accepted."""

from http import HTTPStatus

from conformance.diagnosis.challenge import diagnose_signature
from conformance.diagnosis.texts import summary
from conformance.exchange import Response
from conformance.offblocks.messages import difference_of
from conformance.offblocks.sandbox.base import Decisions
from conformance.offblocks.sandbox.state import Call, Customer, Reason, Refused, Status
from conformance.sandbox.messages import to_rfc3339
from conformance.standards import personal_message, wallet_signatures
from conformance.standards.account_ids import AccountId, checksum_address

_MOST_OLDER = 20
"""How many older challenges of a customer a signature is compared with, to say which was signed."""


class SigningDecisions(Decisions):
    """Which signature proves that a wallet is the customer's."""

    async def sign_challenge(self, call: Call) -> Response:
        """Take the wallet's signature of the current challenge: 204 (Customer Creation)."""
        document = self.read_document(call.request)
        owner_id, sent, signature = (self.read_member(document, name) for name in ("ownerId", "challenge", "signature"))
        owner = self.read_account(owner_id, "ownerId")
        customer = self.find_customer(call)
        if not self.may_sign(customer):
            raise Refused(
                Reason.ALREADY_SIGNED, f"The challenge was signed already; the customer is {customer.status}."
            )
        try:
            self.check_challenge(customer, sent)
            self.check_owner(customer, owner)
            self.check_wallet_signature(customer, owner, self.message_signed(customer, sent), signature)
        except Refused as refusal:
            if self.gives_new_challenge_after(refusal.reason):
                self.issue_challenge(customer)
            raise
        await self.take_time(call)
        self.change_status(customer, self.status_after_signing())
        self.progress(customer)
        return Response(status=HTTPStatus.NO_CONTENT)

    def may_sign(self, customer: Customer) -> bool:
        """Whether a signature is still wanted; another one is 409 (Customer Creation)."""
        return self.awaits_signature(customer)

    def check_challenge(self, customer: Customer, sent: str) -> None:
        """Refuse any challenge but the customer's current one in its hour. Silent on the status: 400."""
        if not self.challenge_is_current(customer, sent):
            raise Refused(Reason.CHALLENGE, self.explain_challenge(customer, sent))
        if not self.challenge_is_in_time(customer.challenges[-1]):
            detail = (
                f"The challenge has expired: it was issued at {to_rfc3339(customer.challenges[-1].issued_at)} and "
                f"held for {self.challenge_lifetime()}. Fetch the new one and sign that. {self.clock.departure()}"
            )
            raise Refused(Reason.EXPIRED_CHALLENGE, detail.rstrip())

    def challenge_is_current(self, customer: Customer, sent: str) -> bool:
        """Whether `sent` is the original text of the customer's last challenge (Customer Creation)."""
        return sent == customer.challenges[-1].encoded

    def check_owner(self, customer: Customer, owner: AccountId) -> None:
        """Refuse an ownerId that names another account than the customer's. Silent on the status: 400."""
        if not self.owner_id_matches(customer, owner):
            raise Refused(
                Reason.OWNER,
                f"'ownerId' must name the customer's account {customer.chain_id}, whose owner is to sign, not {owner}.",
            )

    def owner_id_matches(self, customer: Customer, owner: AccountId) -> bool:
        """Whether ownerId names the customer's account. Silent: it must, whatever the letter case."""
        return str(owner).lower() == str(customer.account).lower()

    def explain_challenge(self, customer: Customer, sent: str) -> str:
        """Why a challenge is not the one to be signed."""
        if any(sent == each.encoded for each in customer.challenges):
            return "The challenge was superseded by a newer one. Fetch that and sign it."
        if difference := difference_of(sent, customer.challenges[-1].encoded):
            return f"'challenge' {difference}."
        own = (each for each in self.customers.values() if each.tenant == customer.tenant)
        other = next((each for each in own if any(sent == issued.encoded for issued in each.challenges)), None)
        what = (
            f"is the challenge of customer {other.id}"
            if other
            else "is none that this customer was issued, or was altered"
        )
        return f"'challenge' {what}. Fetch the current one and sign that."

    def message_signed(self, customer: Customer, sent: str) -> bytes:
        """The bytes that the wallet must have signed: the decoded challenge, as the printed signature shows."""
        return customer.challenges[-1].message

    def check_wallet_signature(self, customer: Customer, owner: AccountId, message: bytes, text: str) -> None:
        """Refuse a signature of `message` that is not of the customer's wallet. Silent on the status: 400."""
        try:
            signature = self.decode_wallet_signature(text)
        except wallet_signatures.EncodingRejected as rejection:
            cause = self.explain_wallet_signature(customer, message, text)
            raise Refused(Reason.SIGNATURE_ENCODING, cause or str(rejection)) from rejection
        signer = self.signer_of(message, signature)
        if signer is None or not self.signer_is_owner(customer, owner, signer):
            wallet = checksum_address(customer.account.address)
            cause = self.explain_wallet_signature(customer, message, text)
            raise Refused(
                Reason.WALLET_SIGNATURE,
                f"The signature is not one of {wallet} over the challenge. "
                f"{cause or 'Sign the decoded challenge with personal_sign.'} Then fetch the challenge again.",
            )

    def explain_wallet_signature(self, customer: Customer, message: bytes, text: str) -> str:
        """What is wrong with a signature of `message` by the customer's wallet; empty if nothing is explained."""
        if not self.explains:
            return ""
        older = [challenge.message for challenge in customer.challenges[:-1]][-_MOST_OLDER:]
        account = customer.account
        wallet = checksum_address(account.address)
        return summary(diagnose_signature(text, message, wallet, older, account.chain.reference))

    def decode_wallet_signature(self, text: str) -> bytes:
        """The 65 bytes of a signature, sent as base64 of hex text (Sign in With X) or of the bytes (Customer Creation).

        Raises:
            EncodingRejected: If it is neither.
        """
        signature, encoding = wallet_signatures.decode(text)
        if encoding not in self.accepted_encodings():
            raise wallet_signatures.EncodingRejected(
                wallet_signatures.Reason.NOT_BASE64,
                f"The signature comes as {encoding}; expected {' or '.join(self.accepted_encodings())}.",
            )
        return signature

    def accepted_encodings(self) -> tuple[wallet_signatures.Encoding, ...]:
        """The forms of a signature. Contradicted: statement and vector have hex text, an example has bytes; both do."""
        return wallet_signatures.ACCEPTED

    def signer_of(self, message: bytes, signature: bytes) -> str | None:
        """The address whose key made the signature (EIP-191), None if no key did."""
        try:
            return personal_message.recover(message, signature)
        except personal_message.SignatureUnrecoverable:
            return None

    def signer_is_owner(self, customer: Customer, owner: AccountId, signer: str) -> bool:
        """Whether the signer is the one whose ownership is in question: the customer's wallet, whatever is claimed."""
        return signer == checksum_address(customer.account.address)

    def status_after_signing(self) -> str:
        """The state that follows on ``initiating`` (Customer States)."""
        return Status.SCREENING
