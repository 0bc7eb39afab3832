"""What can be wrong, or otherwise than the sandbox has it, with how signed challenges are taken."""

import base64
import binascii
import re
from dataclasses import replace

from conformance.clock import pause
from conformance.exchange import Response
from conformance.offblocks.sandbox import Call, Customer, OffBlocks, Reason, Refused, Status
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import json_response
from conformance.standards import wallet_signatures
from conformance.standards.account_ids import AccountId, checksum_address
from conformance.standards.wallet_signatures import Encoding

_SECONDS_BETWEEN_CHECK_AND_EFFECT = 0.25
_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")

_OF_WALLET_SIGNATURES = {
    Reason.WALLET_SIGNATURE,
    Reason.SIGNATURE_ENCODING,
    Reason.OWNER,
    Reason.CHALLENGE,
    Reason.EXPIRED_CHALLENGE,
}


class RefusesHexText(Fault, OffBlocks):
    """Takes the bytes of a signature only."""

    breaks = (
        "offblocks.signing.hex-text-accepted",
        "offblocks.signing.concurrent-one-success",
        "offblocks.challenge.accepted-within-the-hour",
        "offblocks.challenge.renewed-after-failed-signature",
        "offblocks.challenge.renewed-one-has-its-own-hour",
    )

    def accepted_encodings(self) -> tuple[Encoding, ...]:
        return (Encoding.BASE64_OF_BYTES,)


class AnswersSignatureWithTheCustomer(Fault, OffBlocks):
    """Answers a right signature with 200 and the customer."""

    breaks = (
        "offblocks.signing.hex-text-accepted",
        "offblocks.signing.no-content",
        "offblocks.response.status-documented",
        "offblocks.idempotency.sign-repeat-is-204",
        "offblocks.idempotency.sign-repeat-outlives-challenge",
    )

    async def sign_challenge(self, call: Call) -> Response:
        await super().sign_challenge(call)
        return json_response(200, self.customer_body(self.find_customer(call)))


class LeavesSignedInitiating(Fault, OffBlocks):
    """Takes a right signature and leaves the customer as it was."""

    breaks = (
        "offblocks.signing.moves-the-status",
        "offblocks.signing.second-is-409",
        "offblocks.signing.concurrent-one-success",
        "offblocks.flow.passes-screening",
        "offblocks.webhook.sent-on-change",
    )

    def status_after_signing(self) -> str:
        return Status.INITIATING


class AcceptsAnySigner(Fault, OffBlocks):
    """Takes a signature of whichever wallet."""

    breaks = (
        "offblocks.signing.other-key-refused",
        "offblocks.signing.other-message-refused",
    )

    def signer_is_owner(self, customer: Customer, owner: AccountId, signer: str) -> bool:
        return True


class TrustsTheOwnerId(Fault, OffBlocks):
    """Checks the signature against the account that the request names."""

    breaks = ("offblocks.signing.owner-is-the-customers-wallet",)

    def owner_id_matches(self, customer: Customer, owner: AccountId) -> bool:
        return True

    def signer_is_owner(self, customer: Customer, owner: AccountId, signer: str) -> bool:
        return signer == checksum_address(owner.address)


class VerifiesWhatWasSent(Fault, OffBlocks):
    """Verifies the signature over whatever challenge the request holds."""

    breaks = (
        "offblocks.signing.altered-challenge-refused",
        "offblocks.signing.foreign-challenge-refused",
        "offblocks.signing.superseded-challenge-refused",
    )

    def challenge_is_current(self, customer: Customer, sent: str) -> bool:
        return not any(sent == each.encoded and self.challenge_has_expired(each) for each in customer.challenges)

    def message_signed(self, customer: Customer, sent: str) -> bytes:
        try:
            return base64.b64decode(sent, validate=True)
        except binascii.Error as error:
            raise Refused(Reason.CHALLENGE, "'challenge' is no base64.") from error


class AcceptsSupersededChallenges(Fault, OffBlocks):
    """Takes any challenge that the customer ever had."""

    breaks = ("offblocks.signing.superseded-challenge-refused",)

    def challenge_is_current(self, customer: Customer, sent: str) -> bool:
        return any(sent == each.encoded and not self.challenge_has_expired(each) for each in customer.challenges)

    def message_signed(self, customer: Customer, sent: str) -> bytes:
        return next(each.message for each in customer.challenges if each.encoded == sent)


class IgnoresBytesTooMany(Fault, OffBlocks):
    """Takes the first 65 bytes of a signature that has more."""

    breaks = ("offblocks.signing.wrong-length-refused",)

    def decode_wallet_signature(self, text: str) -> bytes:
        long = re.fullmatch("MHh[A-Za-z0-9+/]{173,}=*", text)
        return bytes.fromhex(base64.b64decode(text)[2:132].decode()) if long else super().decode_wallet_signature(text)


class SkipsCharactersOutsideBase64(Fault, OffBlocks):
    """Reads over characters in a signature that are no base64."""

    breaks = ("offblocks.signing.outside-base64-refused",)

    def decode_wallet_signature(self, text: str) -> bytes:
        return super().decode_wallet_signature(re.sub("[^A-Za-z0-9+/=]", "", text))


class MovesOnWrongSignature(Fault, OffBlocks):
    """Refuses a wrong signature and has the customer screened all the same."""

    breaks = (
        "offblocks.signing.refusal-leaves-initiating",
        "offblocks.challenge.renewed-after-failed-signature",
        "offblocks.challenge.renewed-one-signs",
        "offblocks.challenge.renewed-one-has-its-own-hour",
    )

    def check_wallet_signature(self, customer: Customer, owner: AccountId, message: bytes, text: str) -> None:
        try:
            super().check_wallet_signature(customer, owner, message, text)
        except Refused:
            self.change_status(customer, self.status_after_signing())
            raise


class SignsTwice(Fault, OffBlocks):
    """Takes a signature from a customer who has signed."""

    breaks = ("offblocks.signing.second-is-409", "offblocks.signing.concurrent-one-success")

    def may_sign(self, customer: Customer) -> bool:
        return True


class ChecksSignaturesBeforeWaiting(Fault, OffBlocks):
    """Lets time pass between the check of a signature and its effect, so that two at once both succeed."""

    breaks = ("offblocks.signing.concurrent-one-success",)

    async def take_time(self, call: Call) -> None:
        if call.operation == "signChallenge":
            await pause(_SECONDS_BETWEEN_CHECK_AND_EFFECT)


class AcceptsHexTextOnly(Variation, OffBlocks):
    """Takes the hex text of a signature only."""

    permits = "Sign in With X says that the hex string is what is to be encoded."

    def accepted_encodings(self) -> tuple[Encoding, ...]:
        return (Encoding.BASE64_OF_HEX_TEXT,)


class AnswersWrongSignaturesWith403(Variation, OffBlocks):
    """Answers a wrong wallet signature with 403."""

    permits = "Customer Creation is silent on the status of a signature that does not verify."

    def refusal_status(self, reason: Reason) -> int:
        return 403 if reason is Reason.WALLET_SIGNATURE else super().refusal_status(reason)


class AnswersWhatIsSignedWronglyWith401(Variation, OffBlocks):
    """Answers a wrong wallet signature, another owner and another or an expired challenge with 401."""

    permits = "Customer Creation is silent on their status, and lists 401 for the operation."

    def refusal_status(self, reason: Reason) -> int:
        return 401 if reason in _OF_WALLET_SIGNATURES else super().refusal_status(reason)


class IgnoresOwnerId(Variation, OffBlocks):
    """Takes the wallet's signature whichever account the request names."""

    permits = "Customer Creation does not say that ownerId must be the chainId of the customer."

    def owner_id_matches(self, customer: Customer, owner: AccountId) -> bool:
        return True


class IgnoresChecksums(Variation, OffBlocks):
    """Takes addresses in whatever letter case."""

    permits = "The documents are silent on the letter case of addresses."

    def checksum_is_accepted(self, account: AccountId) -> bool:
        return True


class AcceptsRecoveryIdZero(Variation, OffBlocks):
    """Takes signatures whose last byte is 0 or 1."""

    permits = "The documents are silent on the last byte of a wallet signature."

    def signer_of(self, message: bytes, signature: bytes) -> str | None:
        return super().signer_of(message, wallet_signatures.normalised(signature))


class NeverVerifiesWalletSignatures(Fault, OffBlocks):
    """Looks at no wallet signature."""

    breaks = (
        "offblocks.signing.other-key-refused",
        "offblocks.signing.other-message-refused",
        "offblocks.signing.wrong-length-refused",
        "offblocks.signing.outside-base64-refused",
        "offblocks.signing.refusal-leaves-initiating",
    )

    def check_wallet_signature(self, customer: Customer, owner: AccountId, message: bytes, text: str) -> None:
        """Nothing."""


class TrustsTheAddressInTheMessage(Fault, OffBlocks):
    """Checks the signature against the address that the submitted message names, and not whose message that is."""

    breaks = ("offblocks.signing.foreign-challenge-refused",)

    def challenge_is_current(self, customer: Customer, sent: str) -> bool:
        return any(sent == each.challenges[-1].encoded for each in self.customers.values())

    def message_signed(self, customer: Customer, sent: str) -> bytes:
        return base64.b64decode(sent)

    def check_wallet_signature(self, customer: Customer, owner: AccountId, message: bytes, text: str) -> None:
        named = _ADDRESS.search(message.decode())
        account = replace(customer.account, address=named[0]) if named else customer.account
        super().check_wallet_signature(replace(customer, account=account), owner, message, text)


class AcceptsForeignChallenges(Fault, OffBlocks):
    """Takes any customer's challenge from any other."""

    breaks = ("offblocks.signing.foreign-challenge-refused",)

    def challenge_is_current(self, customer: Customer, sent: str) -> bool:
        return any(sent == each.challenges[-1].encoded for each in self.customers.values())

    def message_signed(self, customer: Customer, sent: str) -> bytes:
        current = (each.challenges[-1] for each in self.customers.values())
        return next(challenge.message for challenge in current if challenge.encoded == sent)


class RecoversTheZeroAddress(Fault, OffBlocks):
    """Takes an address of zeros for the signer where no key can have made the signature."""

    breaks = ("offblocks.signing.other-key-refused", "offblocks.signing.refusal-leaves-initiating")

    def signer_of(self, message: bytes, signature: bytes) -> str | None:
        return super().signer_of(message, signature) or checksum_address(f"0x{0:040x}")


class LooksAtAllButTheTime(Fault, OffBlocks):
    """Compares a challenge without its last line, which says when it was issued, and verifies what was sent."""

    breaks = ("offblocks.signing.altered-challenge-refused",)

    def challenge_is_current(self, customer: Customer, sent: str) -> bool:
        return _without_time(_decoded(sent)) == _without_time(customer.challenges[-1].message)

    def message_signed(self, customer: Customer, sent: str) -> bytes:
        return _decoded(sent)


class LooksAtTheAddressOfTheOwnerOnly(Fault, OffBlocks):
    """Takes an ownerId with the customer's address on whatever chain."""

    breaks = ("offblocks.signing.other-owner-id",)

    def owner_id_matches(self, customer: Customer, owner: AccountId) -> bool:
        return owner.address.lower() == customer.account.address.lower()


def _without_time(message: bytes) -> bytes:
    return message.partition(b"\nIssued At:")[0]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


class RefusesShortNumbers(Fault, OffBlocks):
    """Loses the zeros before a number of a signature, and refuses what is left."""

    breaks = ("offblocks.signing.hex-text-accepted",)

    def decode_wallet_signature(self, text: str) -> bytes:
        signature = super().decode_wallet_signature(text)
        if 0 in {signature[0], signature[32]}:
            raise Refused(Reason.WALLET_SIGNATURE, "The signature is too short.")
        return signature


class TakesALineFeedTooMany(Fault, OffBlocks):
    """Takes the signature of the challenge with a line feed behind it."""

    breaks = ("offblocks.signing.other-message-refused",)

    def check_wallet_signature(self, customer: Customer, owner: AccountId, message: bytes, text: str) -> None:
        try:
            super().check_wallet_signature(customer, owner, message, text)
        except Refused:
            super().check_wallet_signature(customer, owner, message + b"\n", text)


class SignsWhoseChallengeItIs(Fault, OffBlocks):
    """Signs the customer whose challenge is sent, whoever is named in the path."""

    breaks = ("offblocks.signing.foreign-challenge-refused",)

    async def sign_challenge(self, call: Call) -> Response:
        self.find_customer(call)
        sent = self.read_document(call.request).get("challenge")
        for customer in self.customers.values():
            if customer.tenant is call.tenant and customer.challenges[-1].encoded == sent:
                return await super().sign_challenge(replace(call, parameters={"customerId": customer.id}))
        return await super().sign_challenge(call)


class ReopensWhoSigned(Fault, OffBlocks):
    """Looks at a signature before the customer's state, and has a customer sign again when one fails."""

    breaks = ("offblocks.signing.moves-the-status",)

    async def sign_challenge(self, call: Call) -> Response:
        customer, text = self.find_customer(call), self.read_document(call.request).get("signature")
        if customer.status in {Status.VERIFYING, Status.ACTIVE} and isinstance(text, str):
            try:
                self.check_wallet_signature(customer, customer.account, customer.challenges[-1].message, text)
            except Refused:
                self.change_status(customer, Status.INITIATING)
                raise
        return await super().sign_challenge(call)


class TakesSignaturesOfFormerChallenges(Fault, OffBlocks):
    """Wants the present challenge beside a signature, and takes one of any challenge that the customer was given."""

    breaks = ("offblocks.signing.other-message-refused",)

    def signer_of(self, message: bytes, signature: bytes) -> str | None:
        given = [each for each in self.customers.values() if each.challenges[-1].message == message]
        messages = [challenge.message for customer in given for challenge in reversed(customer.challenges)]
        signers = [(super(TakesSignaturesOfFormerChallenges, self).signer_of(each, signature)) for each in messages]
        owners = {checksum_address(customer.account.address) for customer in given}
        return next((signer for signer in signers if signer in owners), signers[0] if signers else None)


class TakesTheChallengesOfAWallet(Fault, OffBlocks):
    """Takes any customer's present challenge that the same wallet is to sign."""

    breaks = ("offblocks.signing.foreign-challenge-refused",)

    def challenge_is_current(self, customer: Customer, sent: str) -> bool:
        others = (each for each in self.customers.values() if each.account == customer.account)
        return any(sent == each.challenges[-1].encoded for each in others)

    def message_signed(self, customer: Customer, sent: str) -> bytes:
        return base64.b64decode(sent)


class BelievesOwnersOnOtherChains(Fault, OffBlocks):
    """Compares ownerId with the customer's account on that one's chain alone, and the signer with ownerId."""

    breaks = ("offblocks.signing.owner-is-the-customers-wallet", "offblocks.signing.other-owner-id")

    def owner_id_matches(self, customer: Customer, owner: AccountId) -> bool:
        return owner.chain != customer.account.chain or super().owner_id_matches(customer, owner)

    def signer_is_owner(self, customer: Customer, owner: AccountId, signer: str) -> bool:
        return signer == checksum_address(owner.address)


class GivesAWalletOneChallenge(Fault, OffBlocks):
    """Keeps challenges by wallet, so that a second customer's takes the place of the first one's."""

    breaks = ("offblocks.challenge.stays-until-signed", "offblocks.challenge.never-alike")

    def issue_challenge(self, customer: Customer) -> None:
        super().issue_challenge(customer)
        for other in self.customers.values():
            if other is not customer and other.tenant is customer.tenant and other.account == customer.account:
                other.challenges.append(customer.challenges[-1])


class TakesTheSignatureOfANamesake(Fault, OffBlocks):
    """Takes the signature of any wallet that has a customer with the same externalId."""

    breaks = ("offblocks.signing.other-key-refused",)

    def signer_is_owner(self, customer: Customer, owner: AccountId, signer: str) -> bool:
        namesakes = (each for each in self.customers.values() if each.external_id == customer.external_id)
        return any(signer == checksum_address(each.account.address) for each in namesakes)


class TrustsTheOwnerIdAfterAFailure(Fault, OffBlocks):
    """Checks a signature against the ownerId of the request once the first challenge was replaced."""

    breaks = ("offblocks.signing.owner-is-the-customers-wallet",)

    def owner_id_matches(self, customer: Customer, owner: AccountId) -> bool:
        return len(customer.challenges) > 1 or super().owner_id_matches(customer, owner)

    def signer_is_owner(self, customer: Customer, owner: AccountId, signer: str) -> bool:
        if len(customer.challenges) > 1:
            return signer == checksum_address(owner.address)
        return super().signer_is_owner(customer, owner, signer)
