"""What can be wrong, or otherwise than the sandbox has it, with the hosted page."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from html import escape
from typing import Any
from urllib.parse import parse_qsl, unquote, urldefrag, urlencode, urlsplit

from conformance.clock import pause
from conformance.exchange import Headers, Request, Response
from conformance.planbok.gateway import QUESTIONS, Step
from conformance.planbok.sandbox import (
    Challenge,
    Customer,
    Entry,
    Planbok,
    Reason,
    Refused,
    Secret,
    Status,
    Task,
)
from conformance.sandbox.faults import Fault, Variation

_PINS = ("pin", "new_pin", "new_pin_again")
_PIN_FIELD = re.compile(
    r'<p class="field">\s*<label for="(?P<name>(new_)?pin(_again)?)">(?P<label>[^<]*).*?</p>', re.DOTALL
)
_CANCEL = re.compile(r'<button name="action" value="cancel"[^>]*>[^<]*</button>')
_LANGUAGE = b'<form action="language"><select name="lang"><option>en<option>fr</select><button>Choose</button></form>'
_OPINION = (
    b'</main><form method="post"><label>Tell us what you think <input name="opinion"></label>'
    b"<button>Tell</button></form>"
)
_SECOND_QUESTION = re.compile(r'<p class="field">\s*<label for="(?:question|answer)_2">.*?</p>', re.DOTALL)
_ON_TWO_PAGES: Mapping[Step, tuple[set[str], set[str]]] = {
    Step.VERIFY: ({"pin"}, set()),
    Step.SET_PIN: ({"new_pin_again"}, {"new_pin"}),
    Step.RESET_PIN: ({"new_pin_again"}, {"new_pin"}),
}
"""The steps that `AsksStepByStep` has on two pages: the fields that are missing on the first and on the second."""
_SECONDS_BETWEEN_READING_AND_WRITING = 0.25


class CarriesThePinOver(Fault, Planbok):
    """Takes a browser in which the PIN was entered once for the customer from then on."""

    breaks = ("planbok.page.asks-pin-every-time",)

    def is_right(self, secret: Secret, attempt: str) -> bool:
        right = super().is_right(secret, attempt)
        known = self.__dict__.setdefault("proven", set())
        known |= {secret.hash} if right else set()
        return right or (not attempt and secret.hash in known)


class CompletesWhenOpened(Fault, Planbok):
    """Completes a later challenge of a customer as soon as its page is looked at."""

    breaks = (
        "planbok.page.asks-pin-every-time",
        "planbok.result.none-while-pending",
        "planbok.customer.pin-replaced",
        "planbok.customer.pin-guarded",
        "planbok.page.wrong-pin-refused",
        "planbok.page.returns-to-caller",
        "planbok.response.reading-changes-nothing",
        "planbok.page.cancelled-makes-no-wallet",
        "planbok.result.none-when-failed",
        "planbok.webhook.not-before-completion",
        "planbok.webhook.none-for-a-failed-challenge",
    )

    def step(self, challenge: Challenge, visit: str) -> Step:
        step = super().step(challenge, visit)
        earlier = any(other.status is Status.VERIFIED and visit in other.visits for other in self.challenges.values())
        if step is Step.VERIFY and earlier:
            self.complete(challenge)
            return Step.DONE
        return step


class AcceptsAnyPin(Fault, Planbok):
    """Takes any PIN for the right one."""

    breaks = (
        "planbok.page.wrong-pin-refused",
        "planbok.page.asks-pin-every-time",
        "planbok.customer.pin-guarded",
        "planbok.page.locks-out",
        "planbok.customer.pin-replaced",
        "planbok.webhook.none-for-a-failed-challenge",
    )

    def is_right(self, secret: Secret, attempt: str) -> bool:
        return bool(secret.hash and attempt)


class NeverLocks(Fault, Planbok):
    """Lets PINs be guessed without end."""

    breaks = ("planbok.page.locks-out",)

    def tries(self) -> int:
        return 10**9


class CountsTriesByChallenge(Fault, Planbok):
    """Begins to count wrong PINs anew with each challenge, and locks nothing but the challenge."""

    breaks = ("planbok.page.locks-out",)

    def lock(self, challenge: Challenge, secret: Secret) -> None:
        secret.failures = 0
        self.end(challenge, Status.FAILED, Step.LOCKED)


class TakesAnyTextForAPin(Fault, Planbok):
    """Sets PINs of whatever length and letters."""

    breaks = ("planbok.page.new-pin-confirmed",)

    def is_pin(self, text: str) -> bool:
        return bool(text)


class IgnoresTheConfirmation(Fault, Planbok):
    """Sets the first of two PINs that differ."""

    breaks = ("planbok.page.new-pin-confirmed",)

    def is_confirmed(self, pin: str, again: str) -> bool:
        return True


class HidesThePurpose(Fault, Planbok):
    """Does not say what the PIN authorizes."""

    breaks = ("planbok.page.purpose-shown",)

    def purpose(self, challenge: Challenge) -> str:
        return "Confirm with your PIN"


class CompletesCancelledChallenges(Fault, Planbok):
    """Creates the wallets of a challenge that the customer cancelled."""

    breaks = (
        "planbok.page.cancelled-makes-no-wallet",
        "planbok.result.none-when-failed",
        "planbok.webhook.none-for-a-failed-challenge",
    )

    def cancel(self, challenge: Challenge) -> None:
        self.complete(challenge)


class ReopensCancelledChallenges(Fault, Planbok):
    """Lets a challenge that was cancelled be completed later."""

    breaks = ("planbok.page.cancelled-makes-no-wallet",)

    def cancel(self, challenge: Challenge) -> None:
        """Nothing happens."""


class CompletesTwice(Fault, Planbok):
    """Carries a challenge out again when its form is sent again, with new wallets."""

    breaks = ("planbok.page.completed-once", "planbok.list.agrees-with-result")

    def step(self, challenge: Challenge, visit: str) -> Step:
        step = super().step(challenge, visit)
        return Step.VERIFY if step is Step.DONE else step

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        customer = challenge.customer
        before = [wallet for wallet in customer.wallets if wallet in challenge.wallets]
        for wallet in before:
            customer.wallets.remove(wallet)
        customer.account += len(before)
        super().take(challenge, step, entry)
        customer.wallets[:0] = before


class SendsTheCustomerElsewhere(Fault, Planbok):
    """Sends customers to the vendor's own site instead of the caller's page."""

    breaks = ("planbok.page.returns-to-caller", "planbok.page.keeps-query")

    def return_address(self, challenge: Challenge, url: str) -> str:
        return f"https://planbok.example/done?challengeId={challenge.id}"


class LosesTheQuery(Fault, Planbok):
    """Sends customers back without the query of the caller's page."""

    breaks = ("planbok.page.keeps-query",)

    def return_address(self, challenge: Challenge, url: str) -> str:
        return super().return_address(challenge, urlsplit(url)._replace(query="").geturl())


class ReturnsWithoutAWord(Fault, Planbok):
    """Adds neither the challenge nor its status to the return."""

    breaks = ("planbok.page.return-query",)

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        return {}


class ReturnsTheStatusAlone(Variation, Planbok):
    """Adds the status of the challenge to the return, and not its id."""

    permits = "Introduction has the customer return with the challenge's status; the demo client reads its id."

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        return {"status": challenge.status.value}


class ReturnsTheIdAlone(Variation, Planbok):
    """Adds the id of the challenge to the return, and not its status."""

    permits = "The demo client reads nothing but the challenge's id."

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        return {"challengeId": challenge.id}


class KeepsWhoCancels(Variation, Planbok):
    """Shows that the challenge was cancelled, and sends nobody back."""

    permits = "No document says where a customer goes who cancels."

    def leave_cancelled(self, challenge: Challenge) -> Response:
        return self.show(challenge, Step.CANCELLED, "")


class OffersNoCancelling(Variation, Planbok):
    """Has no button on its pages to cancel by."""

    permits = "No document says that a customer can do more than leave the page."

    def show(self, *about: Any, **more: Any) -> Response:
        shown = super().show(*about, **more)
        return replace(shown, body=_CANCEL.sub("", shown.body.decode()).encode())


class _EntersDigitByDigit(Variation, Planbok, abstract=True):
    """Has a PIN entered digit by digit, in six boxes."""

    def box(self, name: str, number: int) -> str:
        """The name of a box of a field, the first one being number 1."""
        raise NotImplementedError

    def show(self, *about: Any, **more: Any) -> Response:
        shown = super().show(*about, **more)
        return replace(shown, body=_PIN_FIELD.sub(self._boxes, shown.body.decode()).encode())

    def entered(self, challenge: Challenge, request: Request) -> Response:
        """Take what was entered, each PIN in one piece."""
        sent = parse_qsl(request.body.decode("latin-1"), keep_blank_values=True, encoding="utf-8")
        fields: dict[str, str] = {}
        for name, value in sent:
            known = next((each for each in _PINS if name in {self.box(each, number) for number in range(1, 7)}), name)
            fields[known] = fields.get(known, "") + value
        return super().entered(challenge, replace(request, body=urlencode(fields).encode()))

    def _boxes(self, found: re.Match[str]) -> str:
        name, label = found["name"], found["label"]
        boxes = "".join(
            f'<input class="pin" type="password" name="{self.box(name, number)}" inputmode="numeric" pattern="[0-9]" '
            f'maxlength="1" autocomplete="off" required aria-label="{label}, digit {number} of 6">'
            for number in range(1, 7)
        )
        return f'<fieldset class="field" id="{name}"><legend>{label}</legend>{boxes}</fieldset>'


class NamesEachDigitOfThePin(_EntersDigitByDigit):
    """Has a PIN entered digit by digit, in six boxes with a name each."""

    permits = "No document says how the page asks for the six digits of a PIN."

    def box(self, name: str, number: int) -> str:
        return f"{name}_{number}"


class NamesAllDigitsOfThePinAlike(_EntersDigitByDigit):
    """Has a PIN entered digit by digit, in six boxes with one name."""

    permits = "No document says how the page asks for the six digits of a PIN."

    def box(self, name: str, number: int) -> str:
        return f"{name}[]"


class HasOtherForms(Variation, Planbok):
    """Has forms on each page that have nothing to do with the challenge: of the language, and to tell an opinion."""

    permits = "No document says what else stands on the page."

    def show(self, *about: Any, **more: Any) -> Response:
        shown = super().show(*about, **more)
        return replace(shown, body=shown.body.replace(b"<main", _LANGUAGE + b"<main").replace(b"</main>", _OPINION))


class AsksStepByStep(Variation, Planbok):
    """Has the request read before the PIN is asked for, and a new PIN repeated, each on a page of its own."""

    permits = "No document says on how many pages the customer reads, enters and confirms."

    def show(self, challenge: Challenge, step: Step, *about: Any, **more: Any) -> Response:
        shown = super().show(challenge, step, *about, **more)
        hidden = self._hidden(challenge, step)
        body = _PIN_FIELD.sub(lambda found: "" if found["name"] in hidden else found[0], shown.body.decode())
        if step is Step.VERIFY:
            body = body.replace(">Cancel<", ">Decline<")
        return replace(shown, body=body.encode())

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        """Keep what the first page of a step sent until the second one was sent."""
        held = self._held(challenge)
        if step in _ON_TWO_PAGES and not held:
            held |= entry.fields
            return
        fields = {**held, **entry.fields}
        if step is not Step.VERIFY:
            held.clear()
        super().take(challenge, step, replace(entry, fields=fields))

    def _hidden(self, challenge: Challenge, step: Step) -> set[str]:
        """The fields that the page of a step does not ask for, or not yet."""
        first, second = _ON_TWO_PAGES.get(step, (set(), set()))
        return second if self._held(challenge) else first

    def _held(self, challenge: Challenge) -> dict[str, str]:
        return self._held_fields.setdefault(challenge.link, {})

    @cached_property
    def _held_fields(self) -> dict[str, dict[str, str]]:
        return {}


class AsksOneQuestion(Variation, Planbok):
    """Has recovery set up with one question."""

    permits = "No document says how many questions the page asks."

    def show(self, *about: Any, **more: Any) -> Response:
        shown = super().show(*about, **more)
        return replace(shown, body=_SECOND_QUESTION.sub("", shown.body.decode()).encode())

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        chosen = entry.fields.get("question_1")
        other = next(question for question in QUESTIONS if question != chosen)
        fields = {**entry.fields, "question_2": other, "answer_2": "none"}
        super().take(challenge, step, replace(entry, fields=fields))


class KeepsThePinWithRecoveryAlone(Variation, Planbok):
    """Keeps a PIN only once recovery is set up as well."""

    permits = "Onboarding and PIN Setup has both set up in one visit, and nobody's who leaves between them."

    def open_step(self, challenge: Challenge, proven: bool) -> Step:  # noqa: FBT001 - what the step depends on
        chosen = proven and challenge.link in self._chosen
        return Step.SET_RECOVERY if chosen else super().open_step(challenge, proven)

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        if step is Step.SET_PIN:
            self._chosen[challenge.link] = self.new_pin(entry.fields)
            challenge.visits.add(entry.visit)
            return
        super().take(challenge, step, entry)
        if step is Step.SET_RECOVERY and challenge.link in self._chosen:
            self.set_pin(challenge.customer, self._chosen.pop(challenge.link))
            self.announce(challenge.customer, "customer.pin_setup")

    @cached_property
    def _chosen(self) -> dict[str, str]:
        return {}


class LeadsOnByItself(Variation, Planbok):
    """Shows that it is done before the caller's own page follows by itself."""

    permits = "Provisioning Customer Wallets has the user redirected back, and does not say by which means."

    def leave(self, challenge: Challenge) -> Response:
        left = super().leave(challenge)
        head = f'<meta http-equiv="refresh" content="0; url={escape(left.header("Location") or "")}">'
        page = f"<!DOCTYPE html><title>Done</title>{head}<p>Done. You are taken back.</p>"
        headers = tuple(line for line in left.headers if line[0].lower() != "location")
        return Response((*headers, ("Content-Type", "text/html; charset=utf-8")), page.encode(), 200)


class WorksByAScriptAlone(Variation, Planbok):
    """Has pages that say that they are loading, and that a script fills."""

    permits = "No document says that the page works without scripts, and the vendor's hashes the PIN in the browser."

    def show(self, *about: Any, **more: Any) -> Response:
        shown = super().show(*about, **more)
        page = "<!DOCTYPE html><title>PIN</title><main id=app>Loading</main><script src=app.js></script>"
        return replace(shown, body=page.encode())


class LocksAfterThreeTries(Variation, Planbok):
    """Locks after three wrong PINs."""

    permits = "Webhooks names a lock-out, and no document how many tries it takes."

    def tries(self) -> int:
        return 3


class LocksAfterNineTries(Variation, Planbok):
    """Locks after nine wrong PINs."""

    permits = "Webhooks names a lock-out, and no document how many tries it takes."

    def tries(self) -> int:
        return 9


class CountsTriesAfterAPause(Fault, Planbok):
    """Reads how often a PIN was guessed, waits, and writes one more, so that guesses at once count as one."""

    breaks = ("planbok.page.locks-out",)

    async def answer_at(self, mount: str, request: Request, path: str) -> Response:
        if request.method != "POST":
            return await super().answer_at(mount, request, path)
        before = {customer: customer.pin.failures for customer in self.customers.values()}
        await pause(_SECONDS_BETWEEN_READING_AND_WRITING)
        for customer, failures in before.items():
            customer.pin.failures = failures
        return await super().answer_at(mount, request, path)


class TrustsTheChallengeInTheForm(Fault, Planbok):
    """Names the challenge in a hidden field of the form, and completes whichever is named there."""

    breaks = ("planbok.page.asks-pin-every-time",)

    def visited(self, challenge: Challenge, request: Request) -> Response:
        response = super().visited(challenge, request)
        field = f'<input type="hidden" name="challenge" value="{challenge.link}">\n</form>'
        return replace(response, body=response.body.replace(b"</form>", field.encode()))

    def entered(self, challenge: Challenge, request: Request) -> Response:
        named = dict(parse_qsl(request.body.decode("latin-1"))).get("challenge", "")
        return super().entered(self.challenges.get(named, challenge), request)

    def is_from_the_page(self, challenge: Challenge, request: Request, visit: str, token: str) -> bool:
        return bool(visit)


class ConsumesLinksWhenAsked(Fault, Planbok):
    """Takes any request for a page for a visit, and lets each page be visited once: a HEAD ends its challenge."""

    breaks = ("planbok.challenge.starts-pending",)

    async def answer_at(self, mount: str, request: Request, path: str) -> Response:
        response = await super().answer_at(mount, request, path)
        challenge = self.challenges.get(path.rpartition("/")[2])
        if request.method == "HEAD" and challenge is not None:
            self.cancel(challenge)
        return response


class ReportsSuccessAfterCancel(Fault, Planbok):
    """Reports a challenge as verified that the customer cancelled."""

    breaks = ("planbok.page.cancelled-makes-no-wallet",)
    provokes = ("planbok.client.verifies-status",)

    def status_shown(self, challenge: Challenge) -> str:
        return Status.VERIFIED.value if challenge.ended is Step.CANCELLED else super().status_shown(challenge)

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        return {**super().return_parameters(challenge), "status": self.status_shown(challenge)}


class RefusesChallengesToTheLockedOut(Variation, Planbok):
    """Refuses requests for a challenge of a customer who is locked out."""

    permits = "Webhooks names a lock-out, and no document says whether the API or the page refuses then."

    def issued_before(self, customer: Customer, task: Task) -> None:
        if customer.pin.locked_until is not None and self.now() < customer.pin.locked_until:
            raise Refused(Reason.INCOMPLETE_SET_UP, "This customer is locked out.")
        super().issued_before(customer, task)


class LetsItselfBeFramed(Fault, Planbok):
    """Lets any site show the page in a frame of its own."""

    breaks = ("planbok.page.not-framed",)

    def page_headers(self, challenge: Challenge) -> Headers:
        kept = (line for line in super().page_headers(challenge) if line[0] != "X-Frame-Options")
        return tuple((name, value.replace("frame-ancestors 'none'; ", "")) for name, value in kept)


class LetsEverySiteFrameThePage(Fault, Planbok):
    """Names every site as one that may show the page in a frame."""

    breaks = ("planbok.page.not-framed",)

    def page_headers(self, challenge: Challenge) -> Headers:
        return tuple(
            (name, value.replace("frame-ancestors 'none'", "frame-ancestors *"))
            for name, value in super().page_headers(challenge)
        )


class ReturnsWithThePin(Fault, Planbok):
    """Sends customers back with what they entered in the query."""

    breaks = ("planbok.page.pin-not-in-url",)

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        self.__dict__["entered_last"] = entry.fields.get("pin", "")
        super().take(challenge, step, entry)

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        return {**super().return_parameters(challenge), "pin": self.__dict__.get("entered_last", "")}


class DropsTheFragmentOfReturns(Fault, Planbok):
    """Sends the customer back without the fragment of the caller's page."""

    breaks = ("planbok.page.returns-to-caller",)

    def return_address(self, challenge: Challenge, url: str) -> str:
        return urldefrag(super().return_address(challenge, url)).url


class DecodesThePathOfReturns(Fault, Planbok):
    """Sends the customer back to a path whose escapes are undone."""

    breaks = ("planbok.page.returns-to-caller",)

    def return_address(self, challenge: Challenge, url: str) -> str:
        parts = urlsplit(super().return_address(challenge, url))
        return parts._replace(path=unquote(parts.path)).geturl()


class WritesTheQueryOfReturnsAnew(Fault, Planbok):
    """Sends the customer back without the parameters that have no value, and with one of each name."""

    breaks = ("planbok.page.keeps-query",)

    def return_address(self, challenge: Challenge, url: str) -> str:
        parts = urlsplit(super().return_address(challenge, url))
        return parts._replace(query=urlencode(dict(parse_qsl(parts.query)))).geturl()


class ForgetsWhereToSendWhoReplacesAPin(Fault, Planbok):
    """Keeps no ``redirectUrl`` of the challenges that replace a PIN."""

    breaks = ("planbok.page.returns-to-caller",)

    def leave(self, challenge: Challenge) -> Response:
        if challenge.task in {Task.UPDATE_PIN, Task.RESET_PIN}:
            challenge.return_url = None
        return super().leave(challenge)


class TakesAnEndedTaskAgain(Fault, Planbok):
    """Goes on to replace the PIN on a page on which that was done, or was cancelled."""

    breaks = ("planbok.page.completed-once",)

    def step(self, challenge: Challenge, visit: str) -> Step:
        is_over = challenge.ended in {Step.DONE, Step.CANCELLED}
        if challenge.task is Task.UPDATE_PIN and is_over and not self.has_expired(challenge):
            return Step.CHANGE_PIN
        return super().step(challenge, visit)
