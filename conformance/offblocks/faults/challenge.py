"""What can be wrong, or otherwise than the sandbox has it, with challenges: their text, their renewal, their hour."""

import base64
from dataclasses import replace
from datetime import datetime, timedelta

from eth_hash.auto import keccak

from conformance.clock import pause
from conformance.exchange import Response
from conformance.offblocks.sandbox import Call, Challenge, Customer, OffBlocks, Reason, Refused
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import json_response
from conformance.standards.account_ids import AccountId, checksum_address

_SECONDS_BETWEEN_LOOK_AND_ISSUE = 0.001


class BreaksChallengesIntoLines(Fault, OffBlocks):
    """Hands challenges out in base64 with line breaks, as in e-mail."""

    breaks = ("offblocks.challenge.standard-base64",)

    def encode_challenge(self, message: bytes) -> str:
        return base64.encodebytes(message).decode()


class ChallengesWithAnId(Fault, OffBlocks):
    """Has customers sign a bare id."""

    breaks = ("offblocks.challenge.kind", "offblocks.challenge.grammar")

    def challenge_text(self, account: AccountId, now: datetime) -> str:
        return str(self.nonces.uuid())


class LeavesOutTheBlankLine(Fault, OffBlocks):
    """Writes no blank line between address and statement."""

    breaks = ("offblocks.challenge.grammar",)

    def challenge_text(self, account: AccountId, now: datetime) -> str:
        return super().challenge_text(account, now).replace("\n\n", "\n", 1)


class SaysVersion2(Fault, OffBlocks):
    """Writes sign-in messages of version 2."""

    breaks = ("offblocks.challenge.version-is-1", "offblocks.challenge.grammar")

    def challenge_text(self, account: AccountId, now: datetime) -> str:
        return super().challenge_text(account, now).replace("Version: 1", "Version: 2")


class ShortensNonces(Fault, OffBlocks):
    """Draws nonces of 6 characters."""

    breaks = ("offblocks.challenge.nonce", "offblocks.challenge.grammar")

    def new_nonce(self) -> str:
        return self.nonces.alphanumeric(6)


class RepeatsNonces(Fault, OffBlocks):
    """Puts the same nonce into every challenge."""

    breaks = ("offblocks.challenge.never-alike", "offblocks.challenge.renewed-after-failed-signature")

    def new_nonce(self) -> str:
        return "5ufoiEqDaFvmfo78"


class WritesAddressesWithout0x(Fault, OffBlocks):
    """Writes the hex digits of the address alone."""

    breaks = ("offblocks.challenge.address", "offblocks.challenge.grammar")

    def challenge_address(self, account: AccountId) -> str:
        return super().challenge_address(account).removeprefix("0x")


class DatesChallengesDaysAhead(Fault, OffBlocks):
    """Writes an Issued At of five days later, as the printed challenge has it against its customer."""

    breaks = ("offblocks.challenge.issued-when-made",)

    def challenge_issued_at(self, now: datetime) -> str:
        return super().challenge_issued_at(now + timedelta(days=5))


class AsksForAnotherDomain(Fault, OffBlocks):
    """Asks for sign-ins in the name of a stranger."""

    breaks = ("offblocks.challenge.domain", "offblocks.challenge.uri")
    provokes = ("offblocks.client.signs-only-its-own-sign-in",)

    def challenge_domain(self) -> str:
        return "wallet.example"


class NamesAnotherUri(Fault, OffBlocks):
    """Names a URI of another domain than the one that asks."""

    breaks = ("offblocks.challenge.uri",)

    def challenge_uri(self) -> str:
        return "https://wallet.example"


class NamesAnotherChain(Fault, OffBlocks):
    """Names the main chain in every challenge."""

    breaks = ("offblocks.challenge.chain-id",)

    def challenge_chain_id(self, account: AccountId) -> int:
        return 1


class AnswersFetchesWith202(Fault, OffBlocks):
    """Answers a fetch with 202 instead of 200."""

    breaks = ("offblocks.challenge.fetched-with-200",)

    async def get_challenge(self, call: Call) -> Response:
        return replace(await super().get_challenge(call), status=202)


class FindsCustomersByCutIds(Fault, OffBlocks):
    """Takes a customer's id that lacks its last digit for the id."""

    breaks = (
        "offblocks.challenge.malformed-customer-id-refused",
        "offblocks.signing.malformed-customer-id-refused",
    )

    def customer_id_is_well_formed(self, customer_id: str) -> bool:
        return True

    def customer_called(self, customer_id: str) -> Customer | None:
        known = (customer for name, customer in self.customers.items() if name[:-1] == customer_id.lower())
        return super().customer_called(customer_id) or next(known, None)


class AnswersMalformedIdsWith422(Variation, OffBlocks):
    """Answers a customer id that is no UUID with 422."""

    permits = "No sentence says with which status an id that is no UUID is refused (Customer Creation)."

    def refusal_status(self, reason: Reason) -> int:
        return 422 if reason is Reason.CUSTOMER_ID else super().refusal_status(reason)


class KeepsChallengeAfterFailure(Fault, OffBlocks):
    """Lets a wallet try one challenge again and again."""

    breaks = ("offblocks.challenge.renewed-after-failed-signature",)

    def gives_new_challenge_after(self, reason: Reason) -> bool:
        return False


class TakesFirstChallengeOnly(Fault, OffBlocks):
    """Takes no challenge but the one of the creation, in its hour."""

    breaks = (
        "offblocks.challenge.renewed-one-signs",
        "offblocks.challenge.renewed-one-has-its-own-hour",
        "offblocks.challenge.renewed-after-failed-signature",
        "offblocks.signing.superseded-challenge-refused",
    )

    def challenge_is_current(self, customer: Customer, sent: str) -> bool:
        first = customer.challenges[0]
        return sent == first.encoded and not self.challenge_has_expired(first)

    def message_signed(self, customer: Customer, sent: str) -> bytes:
        return customer.challenges[0].message


class ExpiresChallengesEarly(Fault, OffBlocks):
    """Lets challenges expire after 59 minutes."""

    breaks = (
        "offblocks.challenge.accepted-within-the-hour",
        "offblocks.challenge.renewed-one-has-its-own-hour",
    )

    def challenge_lifetime(self) -> timedelta:
        return timedelta(minutes=59)


class AcceptsExpiredChallenge(Fault, OffBlocks):
    """Takes a challenge whenever it is signed."""

    breaks = (
        "offblocks.challenge.expires-after-one-hour",
        "offblocks.challenge.hour-runs-from-issue",
        "offblocks.challenge.renewed-one-has-its-own-hour",
    )

    def challenge_is_in_time(self, challenge: Challenge) -> bool:
        return True


class ServesExpiredChallenge(Fault, OffBlocks):
    """Gives the same challenge out when it has expired."""

    breaks = ("offblocks.challenge.renewed-after-the-hour",)

    def current_challenge(self, customer: Customer) -> Challenge:
        return customer.challenges[-1]


class RenewsForTheSameHour(Fault, OffBlocks):
    """Counts the hour of a new challenge from the issue of the first."""

    breaks = ("offblocks.challenge.renewed-one-has-its-own-hour",)

    def issue_challenge(self, customer: Customer) -> None:
        super().issue_challenge(customer)
        customer.challenges[-1] = replace(customer.challenges[-1], issued_at=customer.challenges[0].issued_at)


class RestartsTheHourOnFetch(Fault, OffBlocks):
    """Counts the hour of a challenge from its last fetch."""

    breaks = ("offblocks.challenge.hour-runs-from-issue",)

    async def get_challenge(self, call: Call) -> Response:
        response = await super().get_challenge(call)
        customer = self.find_customer(call)
        customer.challenges[-1] = replace(customer.challenges[-1], issued_at=self.now())
        return response


class AsksForTheLiveHost(Variation, OffBlocks):
    """Asks for sign-ins in the name of the live host."""

    permits = "The reference in Customer Creation names api.offblocks.xyz as the host."

    def challenge_domain(self) -> str:
        return "api.offblocks.xyz"

    def challenge_uri(self) -> str:
        return "https://api.offblocks.xyz"


class DatesCustomersBeforeTheirChallenge(Variation, OffBlocks):
    """Shows customers as created five days before their first challenge."""

    permits = "The answer that Customer Creation prints was created five days before the Issued At of its challenge."

    def format_time(self, instant: datetime) -> str:
        return super().format_time(instant - timedelta(days=5))


class RenewsAtEachFetch(Fault, OffBlocks):
    """Gives a new challenge at each fetch, so that nobody can fetch the original one again."""

    breaks = ("offblocks.challenge.stays-until-signed", "offblocks.signing.hex-text-accepted")

    async def get_challenge(self, call: Call) -> Response:
        customer = self.find_customer(call)
        if self.awaits_signature(customer):
            self.issue_challenge(customer)
        return await super().get_challenge(call)


class RenewsAfterEveryRefusal(Variation, OffBlocks):
    """Gives a new challenge after any refused sign request."""

    permits = "Customer Creation promises a new challenge after a failed validation and is silent on other refusals."

    def gives_new_challenge_after(self, reason: Reason) -> bool:
        return True


class HidesSignedChallenge(Variation, OffBlocks):
    """Answers 404 to a fetch after the challenge was signed."""

    permits = "Customer Creation is silent on fetching a challenge that was signed."

    def answer_after_signing(self, customer: Customer) -> Response:
        raise Refused(Reason.UNKNOWN_CUSTOMER, f"The customer {customer.id} has no challenge to sign.")


class ExpiresChallengesThreeSecondsEarly(Fault, OffBlocks):
    """Lets challenges expire three seconds before their hour is over."""

    breaks = ("offblocks.challenge.accepted-within-the-hour",)

    def challenge_lifetime(self) -> timedelta:
        return super().challenge_lifetime() - timedelta(seconds=3)


class ExpiresChallengesThreeSecondsLate(Fault, OffBlocks):
    """Lets challenges expire three seconds after their hour is over."""

    breaks = (
        "offblocks.challenge.expires-after-one-hour",
        "offblocks.challenge.hour-runs-from-issue",
        "offblocks.challenge.renewed-after-the-hour",
        "offblocks.challenge.renewed-one-has-its-own-hour",
    )

    def challenge_lifetime(self) -> timedelta:
        return super().challenge_lifetime() + timedelta(seconds=3)


class ExpiresChallengesAtOnce(Fault, OffBlocks):
    """Lets challenges expire an hour early."""

    breaks = (
        "offblocks.challenge.accepted-within-the-hour",
        "offblocks.challenge.renewed-one-has-its-own-hour",
    )

    def challenge_lifetime(self) -> timedelta:
        return super().challenge_lifetime() - timedelta(hours=1)


class ExpiresChallengesAfterTwoHours(Fault, OffBlocks):
    """Lets challenges expire after two hours."""

    breaks = (
        "offblocks.challenge.expires-after-one-hour",
        "offblocks.challenge.hour-runs-from-issue",
        "offblocks.challenge.renewed-after-the-hour",
        "offblocks.challenge.renewed-one-has-its-own-hour",
    )

    def challenge_lifetime(self) -> timedelta:
        return super().challenge_lifetime() + timedelta(hours=1)


class RenewsForStrangers(Fault, OffBlocks):
    """Replaces a customer's challenge when another client asks about the customer in vain."""

    breaks = ("offblocks.isolation.no-action", "offblocks.challenge.accepted-within-the-hour")
    category = "F206"

    def find_customer(self, call: Call) -> Customer:
        customer = self.customers.get(call.parameters["customerId"].lower())
        if customer is not None and customer.tenant is not call.tenant and self.awaits_signature(customer):
            self.issue_challenge(customer)
        return super().find_customer(call)


class GivesEachCustomerOneNonce(Fault, OffBlocks):
    """Puts the nonce of a customer's first challenge into all its later ones."""

    breaks = ("offblocks.challenge.never-alike", "offblocks.challenge.renewed-after-failed-signature")

    def challenge_text(self, account: AccountId, now: datetime) -> str:
        text = super().challenge_text(account, now)
        nonces: dict[str, str] = self.__dict__.setdefault("nonce_of", {})
        drawn = text.partition("Nonce: ")[2].partition("\n")[0]
        return text.replace(drawn, nonces.setdefault(str(account), drawn))


class NamesAnotherAddress(Fault, OffBlocks):
    """Asks for the signature of another address than the customer's."""

    breaks = ("offblocks.challenge.address",)
    provokes = ("offblocks.client.signs-only-its-own-sign-in",)

    def challenge_address(self, account: AccountId) -> str:
        address = super().challenge_address(account).lower()
        return checksum_address(address[:-1] + ("0" if address[-1] != "0" else "1"))


class LeavesThePaddingOut(Fault, OffBlocks):
    """Hands challenges out in base64 without padding."""

    breaks = ("offblocks.challenge.standard-base64",)

    def challenge_text(self, account: AccountId, now: datetime) -> str:
        text = super().challenge_text(account, now)
        return text if len(text) % 3 else text.replace("yours.", "yours!!")

    def encode_challenge(self, message: bytes) -> str:
        return super().encode_challenge(message).rstrip("=")


class WritesALineTooMany(Fault, OffBlocks):
    """Writes a line into the message that no field of it is."""

    breaks = ("offblocks.challenge.grammar",)

    def challenge_text(self, account: AccountId, now: datetime) -> str:
        return f"{super().challenge_text(account, now)}\nIssued By: OffBlocks"


class LeavesTheStatementOut(Variation, OffBlocks):
    """Writes messages without a statement."""

    permits = "EIP-4361 has the statement as optional; Customer Creation prints one in an example."

    def challenge_statement(self) -> str | None:
        return None


class RenewsEagerly(Variation, OffBlocks):
    """Issues a new challenge in the very second in which the one before expires, whether or not anybody asks."""

    permits = "Customer Creation does not say whether a new challenge is issued before somebody asks for it."

    def current_challenge(self, customer: Customer) -> Challenge:
        while self.awaits_signature(customer) and self.challenge_has_expired(customer.challenges[-1]):
            due = customer.challenges[-1].issued_at + self.challenge_lifetime()
            message = self.challenge_text(customer.account, due).encode()
            customer.challenges.append(Challenge(message, self.encode_challenge(message), due))
        return customer.challenges[-1]

    def find_customer(self, call: Call) -> Customer:
        customer = super().find_customer(call)
        self.current_challenge(customer)
        return customer


class RenewsChallengesAMomentLate(Variation, OffBlocks):
    """Shows the challenge that follows a failed signature three seconds after it."""

    permits = "A failed signature brings a new challenge, and no sentence says how soon (Customer Creation)."

    async def get_challenge(self, call: Call) -> Response:
        answer = await super().get_challenge(call)
        *former, latest = self.find_customer(call).challenges
        is_renewed = former and not self.challenge_has_expired(former[-1])
        if is_renewed and self.now() - latest.issued_at < timedelta(seconds=3):
            return json_response(answer.status, self.challenge_body(former[-1]))
        return answer


class KeepsFormerChallengesAlive(RenewsAtEachFetch):
    """Gives a new challenge at each fetch, and takes those before it, too, until one of them fails."""

    breaks = ("offblocks.challenge.stays-until-signed",)  # type: ignore[assignment]  # fewer than that one

    def alive(self, customer: Customer) -> list[Challenge]:
        begins: dict[str, int] = self.__dict__.setdefault("begins", {})
        since = customer.challenges[begins.get(customer.id, 0) :]
        return [challenge for challenge in since if not self.challenge_has_expired(challenge)]

    def challenge_is_current(self, customer: Customer, sent: str) -> bool:
        return any(sent == challenge.encoded for challenge in self.alive(customer))

    def message_signed(self, customer: Customer, sent: str) -> bytes:
        return next(each.message for each in customer.challenges if each.encoded == sent)

    def check_wallet_signature(self, customer: Customer, owner: AccountId, message: bytes, text: str) -> None:
        try:
            super().check_wallet_signature(customer, owner, message, text)
        except Refused:
            self.__dict__.setdefault("begins", {})[customer.id] = len(customer.challenges)
            raise


class AnswersFetchesAfterSigningWith409(Variation, OffBlocks):
    """Answers 409 to a fetch after the challenge was signed."""

    permits = "Customer Creation is silent on fetching a challenge that was signed."

    def answer_after_signing(self, customer: Customer) -> Response:
        raise Refused(Reason.ALREADY_SIGNED, f"The customer {customer.id} has signed already.")


class KeepsChainIdsInSixteenBits(Fault, OffBlocks):
    """Writes the Chain ID as far as it fits into sixteen bits."""

    breaks = ("offblocks.challenge.chain-id",)

    def challenge_chain_id(self, account: AccountId) -> int:
        return super().challenge_chain_id(account) % 2**16


class WritesAddressesAsTheyCame(Fault, OffBlocks):
    """Writes the address into a challenge in the letter case in which the customer was created."""

    breaks = ("offblocks.challenge.address-checksummed",)

    def challenge_address(self, account: AccountId) -> str:
        return account.address


class DropsLeadingZerosOfAddresses(Fault, OffBlocks):
    """Writes the number that an address is in hexadecimal, without zeros before it."""

    breaks = ("offblocks.challenge.grammar", "offblocks.challenge.address")

    def challenge_text(self, account: AccountId, now: datetime) -> str:
        return super().challenge_text(account, now).replace("\n0x0", "\n0x").replace("\n0x0", "\n0x")


class AsksForSpendingLimits(Variation, OffBlocks):
    """Has the wallet sign that spending limits are set up."""

    permits = "Customer Creation, in its text on the body of a sign request, has the signature be for spending limits."

    def challenge_statement(self) -> str | None:
        return "OffBlocks asks you to set up the spending limits of this wallet."


class KeepsChallengeAfterAnImpossibleSignature(Fault, OffBlocks):
    """Gives no new challenge after a signature that no key can have made, which it takes for a malformed body."""

    breaks = ("offblocks.challenge.renewed-after-failed-signature",)

    def signer_of(self, message: bytes, signature: bytes) -> str | None:
        signer = super().signer_of(message, signature)
        if signer is None:
            raise Refused(Reason.SIGNATURE_ENCODING, "This is no signature of any key.")
        return signer


class KeepsChainsAsDoubles(Fault, OffBlocks):
    """Keeps the number of a chain as a floating-point number of 64 bits, and names the one next to it."""

    breaks = ("offblocks.challenge.chain-id",)

    def challenge_chain_id(self, account: AccountId) -> int:
        return int(float(account.chain.reference))


class WritesTheChecksumOfTheChain(Fault, OffBlocks):
    """Writes addresses on the chains 30 and 31 with the checksum of EIP-1191, which counts the chain in."""

    breaks = ("offblocks.challenge.address-checksummed", "offblocks.challenge.grammar")

    def challenge_address(self, account: AccountId) -> str:
        chain, digits = account.chain.reference, account.address[2:].lower()
        if chain not in {"30", "31"}:
            return super().challenge_address(account)
        nibbles = keccak(f"{chain}0x{digits}".encode()).hex()
        cased = (each.upper() if nibble >= "8" else each for each, nibble in zip(digits, nibbles, strict=False))
        return "0x" + "".join(cased)


class RenewsForEachFetchAtOnce(Fault, OffBlocks):
    """Lets a moment pass between looking whether a challenge has expired and issuing the next one."""

    breaks = ("offblocks.challenge.stays-until-signed",)

    async def get_challenge(self, call: Call) -> Response:
        customer = self.find_customer(call)
        if self.awaits_signature(customer) and self.challenge_has_expired(customer.challenges[-1]):
            await pause(_SECONDS_BETWEEN_LOOK_AND_ISSUE)
            self.issue_challenge(customer)
        return await super().get_challenge(call)
