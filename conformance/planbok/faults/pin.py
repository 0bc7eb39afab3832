"""What can be wrong with the PIN and the answers that are entered on the hosted page."""

from collections.abc import Mapping
from functools import cached_property

from conformance.exchange import Request, Response
from conformance.planbok.gateway import Step
from conformance.planbok.sandbox import (
    Call,
    Challenge,
    Customer,
    Entry,
    Planbok,
    Secret,
    Task,
    WrongEntry,
    joined_answers,
)
from conformance.sandbox.faults import Fault


class ComparesFourDigitsOfThePin(Fault, Planbok):
    """Compares four digits of a PIN."""

    breaks = ("planbok.page.wrong-pin-refused", "planbok.customer.pin-guarded")

    def set_pin(self, customer: Customer, pin: str) -> None:
        super().set_pin(customer, pin[:4])

    def is_right(self, secret: Secret, attempt: str) -> bool:
        return super().is_right(secret, attempt) or super().is_right(secret, attempt[:4])


class ComparesPinsAsNumbers(Fault, Planbok):
    """Compares the numbers that PINs are, so that zeros before them do not count."""

    breaks = ("planbok.page.wrong-pin-refused", "planbok.customer.pin-guarded")

    def set_pin(self, customer: Customer, pin: str) -> None:
        super().set_pin(customer, str(int(pin)))

    def is_right(self, secret: Secret, attempt: str) -> bool:
        is_number = attempt.isascii() and attempt.isdigit()
        return super().is_right(secret, str(int(attempt)) if is_number else attempt)


class TakesOneRightAnswer(Fault, Planbok):
    """Takes the answers to both questions for right if the first is."""

    breaks = ("planbok.customer.pin-guarded",)

    def set_recovery(self, customer: Customer, fields: Mapping[str, str]) -> None:
        super().set_recovery(customer, fields)
        customer.answers = Secret(self.hash(joined_answers(fields).partition("\n")[0]))

    def is_right(self, secret: Secret, attempt: str) -> bool:
        return super().is_right(secret, attempt.partition("\n")[0])


class ForgetsWrongPinsAtAVisit(Fault, Planbok):
    """Begins to count wrong PINs anew when a page is shown."""

    breaks = ("planbok.page.locks-out",)

    def visited(self, challenge: Challenge, request: Request) -> Response:
        if not challenge.ended:
            challenge.customer.pin.failures = 0
        return super().visited(challenge, request)


class SetsThePinOnEveryFirstPage(Fault, Planbok):
    """Asks for a new PIN on each page of a first visit, though the customer set one on another."""

    breaks = ("planbok.customer.pin-guarded",)

    def open_step(self, challenge: Challenge, proven: bool) -> Step:  # noqa: FBT001 - as the method has it
        if challenge.task is Task.INITIALIZE and not challenge.visits:
            return Step.SET_PIN
        return super().open_step(challenge, proven)


class TakesAPinThatIsNotRepeated(Fault, Planbok):
    """Compares a new PIN with its repetition only if there is one."""

    breaks = ("planbok.page.new-pin-confirmed",)

    def is_confirmed(self, pin: str, again: str) -> bool:
        return not again or super().is_confirmed(pin, again)


class ComparesTheEndOfNewPins(Fault, Planbok):
    """Compares the last five digits of a new PIN with those of its repetition."""

    breaks = ("planbok.page.new-pin-confirmed",)

    def is_confirmed(self, pin: str, again: str) -> bool:
        return pin[-5:] == again[-5:]


class ComparesNewPinsAsNumbers(Fault, Planbok):
    """Compares a new PIN with its repetition as numbers, so that zeros before them do not count."""

    breaks = ("planbok.page.new-pin-confirmed",)

    def is_confirmed(self, pin: str, again: str) -> bool:
        return again.isdecimal() and int(pin) == int(again)


class LocksWalletsAlone(Fault, Planbok):
    """Takes the right PIN of a customer who is locked out where it replaces itself."""

    breaks = ("planbok.page.locks-out",)

    def step(self, challenge: Challenge, visit: str) -> Step:
        step = super().step(challenge, visit)
        is_open = challenge.task is Task.UPDATE_PIN and not challenge.ended
        return Step.CHANGE_PIN if step is Step.LOCKED and is_open else step


class KeepsAnswersThatItRefuses(Fault, Planbok):
    """Keeps the answers of a form before it looks whether there are any."""

    breaks = ("planbok.customer.has-recovery", "planbok.gate.no-wallet-without-recovery")

    def set_recovery(self, customer: Customer, fields: Mapping[str, str]) -> None:
        customer.answers = Secret(self.hash(joined_answers(fields)))
        super().set_recovery(customer, fields)


class DropsRecoveryThatIsCancelled(Fault, Planbok):
    """Forgets the answers of a customer who cancels when asked for others."""

    breaks = ("planbok.customer.has-recovery",)

    def cancel(self, challenge: Challenge) -> None:
        super().cancel(challenge)
        if challenge.task is Task.RECOVERY:
            challenge.customer.answers = Secret()


class ShowsNoPinOfZeros(Fault, Planbok):
    """Shows ``hasPin`` as false for a PIN of which the number is nought."""

    breaks = ("planbok.customer.has-pin",)

    @cached_property
    def zeros(self) -> set[str]:
        """The hashes of such PINs."""
        return set()

    def set_pin(self, customer: Customer, pin: str) -> None:
        super().set_pin(customer, pin)
        if not int(pin):
            self.zeros.add(customer.pin.hash)

    def has_pin(self, customer: Customer) -> bool:
        return super().has_pin(customer) and customer.pin.hash not in self.zeros


class UnlocksWhoIsRead(Fault, Planbok):
    """Ends a lock-out when the customer is read."""

    breaks = ("planbok.page.locks-out",)

    def get_customer(self, call: Call) -> Response:
        self.customer_for(call).pin.locked_until = None
        return super().get_customer(call)


class TakesAnyTextForAnotherPin(Fault, Planbok):
    """Looks at the form of the first PIN of a customer alone."""

    breaks = ("planbok.page.new-pin-confirmed",)

    is_another = False

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        self.is_another = challenge.task in {Task.UPDATE_PIN, Task.RESET_PIN}
        super().take(challenge, step, entry)

    def is_pin(self, text: str) -> bool:
        return self.is_another or super().is_pin(text)


class SetsThePinBeforeItLooks(Fault, Planbok):
    """Keeps the new PIN of a form before it looks at the present one, which was wrong."""

    breaks = ("planbok.customer.pin-guarded", "planbok.customer.pin-replaced")

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        if step is not Step.CHANGE_PIN:
            super().take(challenge, step, entry)
            return
        former = challenge.customer.pin
        self.set_pin(challenge.customer, self.new_pin(entry.fields))
        self.guess(challenge, former, entry.fields.get("pin", ""), "PIN")
        self.complete(challenge)


class CutsAnswersAt72Bytes(Fault, Planbok):
    """Compares the first 72 bytes of both answers together, as bcrypt does."""

    breaks = ("planbok.customer.pin-guarded",)

    def hash(self, text: str) -> str:
        return super().hash(_cut(text))

    def is_right(self, secret: Secret, attempt: str) -> bool:
        return super().is_right(secret, _cut(attempt))


def _cut(text: str) -> str:
    return text.encode()[:72].decode(errors="ignore")


class ReplacesRecoveryWithoutThePin(Fault, Planbok):
    """Asks for the PIN when recovery is set up later, and not when it is set up anew."""

    breaks = ("planbok.customer.pin-guarded",)

    def open_step(self, challenge: Challenge, proven: bool) -> Step:  # noqa: FBT001 - as it is declared
        renews = challenge.task is Task.RECOVERY and bool(challenge.customer.answers.hash)
        return super().open_step(challenge, proven or renews)


class ForgetsWrongPinsAtTheNextChallenge(Fault, Planbok):
    """Counts wrong PINs anew with each challenge that is asked for."""

    breaks = ("planbok.page.locks-out",)

    def issued_before(self, customer: Customer, task: Task) -> None:
        super().issued_before(customer, task)
        customer.pin.failures = 0


class ComparesAnswersInAscii(Fault, Planbok):
    """Compares answers as a database of ASCII keeps them, with a question mark for every other letter."""

    breaks = ("planbok.customer.pin-guarded",)

    def hash(self, text: str) -> str:
        return super().hash(_in_ascii(text))

    def is_right(self, secret: Secret, attempt: str) -> bool:
        return super().is_right(secret, _in_ascii(attempt))


def _in_ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


class ForgetsRecoveryOnLockOut(Fault, Planbok):
    """Takes recovery away from who is locked out."""

    breaks = ("planbok.customer.has-recovery",)

    def lock(self, challenge: Challenge, secret: Secret) -> None:
        super().lock(challenge, secret)
        challenge.customer.answers = Secret()


class LiftsLockOutsForWhoAsks(Fault, Planbok):
    """Lifts a lock-out as soon as a new PIN is asked for, before any answer was given."""

    breaks = ("planbok.page.locks-out",)

    def reset_pin(self, call: Call) -> Response:
        response = super().reset_pin(call)
        self.customer_for(call).pin.locked_until = None
        return response


class TakesAPinForSupport(Fault, Planbok):
    """Takes six zeros for the PIN of any customer."""

    breaks = ("planbok.page.wrong-pin-refused", "planbok.customer.pin-guarded")

    def is_right(self, secret: Secret, attempt: str) -> bool:
        return attempt == "000000" or super().is_right(secret, attempt)


class TakesThePinThatMostChoose(Fault, Planbok):
    """Takes the PIN that most people would choose, which its makers left in for their tests, where wallets are made."""

    breaks = ("planbok.page.wrong-pin-refused",)

    def guess(self, challenge: Challenge, secret: Secret, attempt: str, name: str) -> None:
        if challenge.task is not Task.CREATE_WALLETS or attempt != "123456":
            super().guess(challenge, secret, attempt, name)


class OpensAReplacementForAll(Fault, Planbok):
    """Asks for a new PIN in every browser once the answers were given in one of them."""

    breaks = ("planbok.page.answers-for-one-visit",)

    def is_proven(self, challenge: Challenge, visit: str) -> bool:
        return bool(challenge.visits) if challenge.task is Task.RESET_PIN else super().is_proven(challenge, visit)


class OpensPagesForWhoAnswered(Fault, Planbok):
    """Takes any PIN of a customer whose answers were given and who has chosen no new PIN yet."""

    breaks = ("planbok.page.wrong-pin-refused",)

    def guess(self, challenge: Challenge, secret: Secret, attempt: str, name: str) -> None:
        own = challenge.customer.challenges
        is_between = any(each.task is Task.RESET_PIN and each.visits and not each.ended for each in own)
        if not (name == "PIN" and is_between):
            super().guess(challenge, secret, attempt, name)


class TiresOfWrongPins(Fault, Planbok):
    """Takes the fourth wrong PIN in a row for the right one."""

    breaks = ("planbok.page.wrong-pin-refused",)

    def guess(self, challenge: Challenge, secret: Secret, attempt: str, name: str) -> None:
        if name == "PIN" and secret.failures == self.tries() - 2:
            secret.failures = 0
            return
        super().guess(challenge, secret, attempt, name)


class TakesAnyPinAfterALockOut(Fault, Planbok):
    """Takes the first PIN that comes when a lock-out is over."""

    breaks = ("planbok.page.wrong-pin-refused",)

    def is_right(self, secret: Secret, attempt: str) -> bool:
        was_locked = secret.locked_until is not None and not self.is_locked(secret)
        return super().is_right(secret, attempt) or (was_locked and not secret.failures)


class CountsNoPinsThatAreToBeReplaced(Fault, Planbok):
    """Counts no wrong PIN that is entered where it is to be replaced."""

    breaks = ("planbok.page.locks-out",)

    def guess(self, challenge: Challenge, secret: Secret, attempt: str, name: str) -> None:
        failures = secret.failures
        if challenge.task is Task.UPDATE_PIN:
            secret.failures = 0
        try:
            super().guess(challenge, secret, attempt, name)
        finally:
            if challenge.task is Task.UPDATE_PIN:
                secret.failures = failures


class ForgetsWrongPinsAtACancel(Fault, Planbok):
    """Begins to count wrong PINs anew when a challenge is cancelled."""

    breaks = ("planbok.page.locks-out",)

    def cancel(self, challenge: Challenge) -> None:
        super().cancel(challenge)
        challenge.customer.pin.failures = 0


class CountsNoPinsAfterALockOut(Fault, Planbok):
    """Counts no wrong PIN of a customer who was locked out once."""

    breaks = ("planbok.page.locks-out",)

    def guess(self, challenge: Challenge, secret: Secret, attempt: str, name: str) -> None:
        if secret.locked_until is not None and not self.is_right(secret, attempt):
            raise WrongEntry(f"Wrong {name}.")
        super().guess(challenge, secret, attempt, name)


class TellsPinsBesideAWrongRepetition(Fault, Planbok):
    """Tells whether the PIN is right where a new one is repeated wrongly, and does not count that it was not."""

    breaks = ("planbok.page.locks-out",)

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        pin, new, again = (entry.fields.get(name, "") for name in ("pin", "new_pin", "new_pin_again"))
        if step is Step.CHANGE_PIN and new != again and not self.is_right(challenge.customer.pin, pin):
            raise WrongEntry("Wrong PIN.")
        super().take(challenge, step, entry)


class KeepsAnswersToOneQuestionTwice(Fault, Planbok):
    """Keeps the answers of a form that it refuses because one question was chosen twice."""

    breaks = ("planbok.customer.has-recovery", "planbok.gate.no-wallet-without-recovery")

    def set_recovery(self, customer: Customer, fields: Mapping[str, str]) -> None:
        try:
            super().set_recovery(customer, fields)
        except WrongEntry:
            if joined_answers(fields).strip():
                customer.answers = Secret(self.hash(joined_answers(fields)))
            raise


class TakesTheFirstPinAgain(Fault, Planbok):
    """Takes the PINs of long ago again, once the PIN was replaced twice."""

    breaks = ("planbok.customer.pin-replaced",)

    @cached_property
    def former(self) -> dict[str, list[str]]:
        return {}

    def set_pin(self, customer: Customer, pin: str) -> None:
        self.former.setdefault(customer.id, []).append(customer.pin.hash)
        super().set_pin(customer, pin)

    def guess(self, challenge: Challenge, secret: Secret, attempt: str, name: str) -> None:
        former = self.former.get(challenge.customer.id, [])[:-1]
        if name != "PIN" or not any(self.is_right(Secret(each), attempt) for each in former if each):
            super().guess(challenge, secret, attempt, name)


class ForgetsThePinAtTheAnswers(Fault, Planbok):
    """Forgets the PIN as soon as the answers were given, whether or not a new one follows."""

    breaks = ("planbok.customer.has-pin",)

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        super().take(challenge, step, entry)
        if step is Step.ANSWER:
            challenge.customer.pin = Secret()


class ForgetsTheAnswersAtThePin(Fault, Planbok):
    """Forgets the answers as soon as the PIN was entered to set others up, whether or not they follow."""

    breaks = ("planbok.customer.has-recovery",)

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        super().take(challenge, step, entry)
        if step is Step.VERIFY and challenge.task is Task.RECOVERY:
            challenge.customer.answers = Secret()


class ShowsNoRecoveryWhileAnswersAreLocked(Fault, Planbok):
    """Shows ``hasRecovery`` as false after wrong answers, while none are taken."""

    breaks = ("planbok.customer.has-recovery",)

    def has_recovery(self, customer: Customer) -> bool:
        return super().has_recovery(customer) and not self.is_locked(customer.answers)
