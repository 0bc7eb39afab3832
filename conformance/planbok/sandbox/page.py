"""The hosted page: what it asks for, what it takes, and where it sends the customer."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from conformance.exchange import Headers, Request, Response
from conformance.planbok import gateway
from conformance.planbok.gateway import Step, View
from conformance.planbok.sandbox.base import Decisions
from conformance.planbok.sandbox.state import (
    PURPOSES,
    Challenge,
    Entry,
    Secret,
    Status,
    Task,
    WrongEntry,
    joined_answers,
)

_PIN = re.compile(r"[0-9]{6}")
_PATH = re.compile(r"/challenges/(?P<link>[0-9a-f]{32})")
_STATUSES = {
    Step.REFUSED: HTTPStatus.FORBIDDEN,
    Step.EXPIRED: HTTPStatus.GONE,
    Step.LOCKED: HTTPStatus.LOCKED,
}
_TERMINAL = {Step.DONE, Step.CANCELLED, Step.REFUSED, Step.EXPIRED, Step.LOCKED}


class PageDecisions(Decisions):
    """What the hosted page does with what a customer enters."""

    async def answer_at(self, mount: str, request: Request, path: str) -> Response:
        """What the hosted page answers: the style sheet, or the page of a challenge."""
        if path == "/page.css":
            headers = (("Content-Type", "text/css; charset=utf-8"), ("X-Content-Type-Options", "nosniff"))
            return Response(headers, gateway.stylesheet(), HTTPStatus.OK)
        match = _PATH.fullmatch(path)
        challenge = self.challenges.get(match["link"]) if match else None
        if challenge is None:
            view = View(Step.REFUSED, purpose="Nothing to authorize", organization="", error="There is no such page.")
            return Response(gateway.headers(None), gateway.render(view), HTTPStatus.NOT_FOUND)
        if request.method in {"GET", "HEAD"}:
            return self.visited(challenge, request)
        if request.method == "POST":
            return self.entered(challenge, request)
        return Response((("Allow", "GET, HEAD, POST"),), b"", HTTPStatus.METHOD_NOT_ALLOWED)

    def visited(self, challenge: Challenge, request: Request) -> Response:
        """Show the present step; looking changes nothing."""
        visit = self.visit_of(request)
        begun = visit or self.visits.draw(16).hex()
        response = self.show(challenge, self.step(challenge, begun), begun)
        if visit is not None:
            return response
        path = request.path.partition("/challenges/")[0]
        cookie = f"visit={begun}; Path={path}; HttpOnly; SameSite=Lax"
        return Response((*response.headers, ("Set-Cookie", cookie)), response.body, response.status)

    def visit_of(self, request: Request) -> str | None:
        """The visit that a browser's cookie names, None if it brings none."""
        try:
            cookie = SimpleCookie(request.header("Cookie") or "").get("visit")
        except CookieError:
            return None
        return cookie.value if cookie else None

    def entered(self, challenge: Challenge, request: Request) -> Response:
        """Take what was entered, and send the customer on."""
        visit = self.visit_of(request) or ""
        fields = dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True, encoding="utf-8"))
        if not self.is_from_the_page(challenge, request, visit, fields.get("csrf", "")):
            error = "This was not sent from the page itself. Open the page again, and allow its cookie."
            return self.show(challenge, Step.REFUSED, visit, error=error)
        step = self.step(challenge, visit)
        if step in _TERMINAL:
            return self.show(challenge, step, visit)
        if fields.get("action") == "cancel":
            self.cancel(challenge)
            return self.leave_cancelled(challenge)
        if fields.get("step") != step.value:
            return _see_other(challenge.url)
        try:
            self.take(challenge, step, Entry(fields, visit))
        except WrongEntry as wrong:
            return self.show(challenge, self.step(challenge, visit), visit, error=str(wrong), fields=fields)
        return self.leave(challenge) if challenge.ended else _see_other(challenge.url)

    def is_from_the_page(self, challenge: Challenge, request: Request, visit: str, token: str) -> bool:
        """Whether a form was filled in on our own page by the browser that it was shown to."""
        site = request.header("Sec-Fetch-Site") or "same-origin"
        return (
            bool(visit)
            and site in {"same-origin", "none"}
            and hmac.compare_digest(token.encode(), self.form_token(challenge, visit).encode())
        )

    def form_token(self, challenge: Challenge, visit: str) -> str:
        """What shows that a form was given to this visit, for this challenge."""
        return hmac.digest(self.page_secret, f"{visit}:{challenge.link}".encode(), hashlib.sha256).hex()

    def step(self, challenge: Challenge, visit: str) -> Step:
        """What the page asks for now.

        The PIN is asked for by every challenge (Provisioning Customer Wallets); PIN and then recovery in one visit
        (Onboarding and PIN Setup); the present PIN and then the new one, or the recovery and then the new PIN
        (Security and Recovery).
        """
        if challenge.ended:
            return challenge.ended
        if self.has_expired(challenge):
            return Step.EXPIRED
        if self.blocks(challenge):
            return Step.REFUSED
        step = self.open_step(challenge, self.is_proven(challenge, visit))
        secret = challenge.customer.answers if step is Step.ANSWER else challenge.customer.pin
        return Step.LOCKED if self.is_locked(secret) and step in {Step.VERIFY, Step.CHANGE_PIN, Step.ANSWER} else step

    def open_step(self, challenge: Challenge, proven: bool) -> Step:  # noqa: FBT001 - what the step depends on
        """What a challenge asks for, of a customer who has proven to be the one in this visit or has not."""
        match challenge.task:
            case Task.INITIALIZE if not challenge.customer.pin.hash:
                return Step.SET_PIN
            case Task.INITIALIZE | Task.RECOVERY if proven:
                return Step.SET_RECOVERY
            case Task.UPDATE_PIN:
                return Step.CHANGE_PIN
            case Task.RESET_PIN:
                return Step.RESET_PIN if proven else Step.ANSWER
        return Step.VERIFY

    def is_proven(self, challenge: Challenge, visit: str) -> bool:
        """Whether the customer entered the PIN, or the answers, for this challenge in this visit."""
        return visit in challenge.visits

    def is_locked(self, secret: Secret) -> bool:
        """Whether no guess is taken now."""
        return secret.locked_until is not None and self.now() < secret.locked_until

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        """Take what was entered at a step.

        Raises:
            WrongEntry: If it cannot be taken.
        """
        customer, fields = challenge.customer, entry.fields
        match step:
            case Step.SET_PIN:
                self.set_pin(customer, self.new_pin(fields))
                challenge.visits.add(entry.visit)
                self.announce(customer, "customer.pin_setup")
            case Step.SET_RECOVERY:
                if not (fields.get("action") == "skip" and self.recovery_can_be_skipped(challenge)):
                    self.set_recovery(customer, fields)
                self.complete(challenge)
            case Step.CHANGE_PIN:
                new = self.new_pin(fields)
                self.guess(challenge, customer.pin, fields.get("pin", ""), "PIN")
                self.set_pin(customer, new)
                self.complete(challenge)
            case Step.ANSWER:
                self.guess(challenge, customer.answers, joined_answers(fields), "answers")
                challenge.visits.add(entry.visit)
                self.announce(customer, "customer.recovery_initiated")
            case Step.RESET_PIN:
                self.set_pin(customer, self.new_pin(fields))
                self.complete(challenge)
                self.announce(customer, "customer.recovery_completed")
            case _:
                self.guess(challenge, customer.pin, fields.get("pin", ""), "PIN")
                challenge.visits.add(entry.visit)
                if challenge.task is Task.CREATE_WALLETS:
                    self.complete(challenge)

    def new_pin(self, fields: Mapping[str, str]) -> str:
        """A new PIN: six digits, entered and confirmed (Onboarding and PIN Setup)."""
        pin = fields.get("new_pin", "")
        if not self.is_pin(pin):
            raise WrongEntry("A PIN has six digits.")
        if not self.is_confirmed(pin, fields.get("new_pin_again", "")):
            raise WrongEntry("The two PINs differ. Enter the same six digits twice.")
        return pin

    def is_pin(self, text: str) -> bool:
        """Whether a text can be a PIN: six digits (Onboarding and PIN Setup)."""
        return _PIN.fullmatch(text) is not None

    def is_confirmed(self, pin: str, again: str) -> bool:
        """Whether a new PIN was entered twice alike (Onboarding and PIN Setup)."""
        return pin == again

    def guess(self, challenge: Challenge, secret: Secret, attempt: str, name: str) -> None:
        """Compare what was entered with what is kept; too many wrong guesses in a row lock it.

        Raises:
            WrongEntry: If it is wrong.
        """
        if self.is_right(secret, attempt):
            secret.failures = 0
            return
        secret.failures += 1
        left = self.tries() - secret.failures
        if left <= 0:
            self.lock(challenge, secret)
            raise WrongEntry(
                "A wrong PIN was entered too often." if name == "PIN" else "Wrong answers were given too often."
            )
        raise WrongEntry(f"Wrong {name}." if name == "PIN" else "These are not the answers that were set up.")

    def is_right(self, secret: Secret, attempt: str) -> bool:
        """Whether what was entered is what is kept."""
        try:
            Argon2id.verify_phc_encoded(attempt.encode(), secret.hash)
        except InvalidKey:
            return False
        return True

    def tries(self) -> int:
        """How many wrong guesses in a row lock. Webhooks names a lock-out; silent on the number: 5."""
        return 5

    def lock(self, challenge: Challenge, secret: Secret) -> None:
        """Take no more guesses for a while; silent on the challenge at hand: it fails."""
        secret.locked_until = self.now() + self.lock_duration()
        secret.failures = 0
        self.end(challenge, Status.FAILED, Step.LOCKED)
        self.announce(challenge.customer, "customer.locked_out")

    def lock_duration(self) -> timedelta:
        """How long a lock-out lasts. Silent: 30 minutes."""
        return timedelta(minutes=30)

    def cancel(self, challenge: Challenge) -> None:
        """End a challenge that the customer does not want. Silent on its status: ``failed``."""
        self.end(challenge, Status.FAILED, Step.CANCELLED)

    def leave_cancelled(self, challenge: Challenge) -> Response:
        """Where the customer goes who cancelled. Silent: back to the caller's own page as well."""
        return self.leave(challenge)

    def leave(self, challenge: Challenge) -> Response:
        """Send the customer back to the caller's own page (Provisioning Customer Wallets), or show how it ended."""
        if challenge.return_url is None or challenge.ended is Step.LOCKED:
            return _see_other(challenge.url)
        return _see_other(self.return_address(challenge, challenge.return_url))

    def return_address(self, challenge: Challenge, url: str) -> str:
        """The caller's page with its query kept, and what the demo client reads added to it."""
        parts = urlsplit(url)
        added = urlencode(self.return_parameters(challenge))
        return parts._replace(query="&".join(part for part in (parts.query, added) if part)).geturl()

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        """What the return tells: id (demo client) and status (Introduction)."""
        return {"challengeId": challenge.id, "status": challenge.status.value}

    def show(
        self,
        challenge: Challenge,
        step: Step,
        visit: str,
        *,
        error: str = "",
        fields: Mapping[str, str] | None = None,
    ) -> Response:
        """The page of a challenge at a step."""
        customer, fields = challenge.customer, fields or {}
        of_answers = step is Step.ANSWER or (step is Step.LOCKED and challenge.task is Task.RESET_PIN)
        secret = customer.answers if of_answers else customer.pin
        if self.blocks(challenge) and not error:
            error = f"There is no {' and no '.join(self.missing_set_up(customer))} yet."
        guessing = step in {Step.VERIFY, Step.CHANGE_PIN, Step.ANSWER}
        return_url = challenge.return_url
        if return_url is not None and challenge.ended:
            return_url = self.return_address(challenge, return_url)
        view = View(
            step=step,
            purpose=self.purpose(challenge),
            organization=customer.tenant.name,
            authorized=tuple(f"{chain.title} ({chain.name})" for chain in challenge.chains),
            csrf=self.form_token(challenge, visit) if visit else "",
            error=error,
            tries_left=self.tries() - secret.failures if guessing and secret.failures else None,
            questions=customer.questions if step is Step.ANSWER else gateway.QUESTIONS,
            chosen=tuple(fields.get(name, "") for name in ("question_1", "question_2")),
            locked_until=secret.locked_until if step is Step.LOCKED else None,
            expires_at=challenge.expires_at,
            return_url=return_url,
            skippable=self.recovery_can_be_skipped(challenge),
        )
        status = _STATUSES.get(step, HTTPStatus.OK)
        if error and step not in _TERMINAL:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        return Response(self.page_headers(challenge), gateway.render(view), status)

    def purpose(self, challenge: Challenge) -> str:
        """What the page says that the PIN authorizes (Provisioning Customer Wallets)."""
        return PURPOSES[challenge.task]

    def page_headers(self, challenge: Challenge) -> Headers:
        """The header lines of a page: nothing from elsewhere, in no frame, not kept."""
        return gateway.headers(challenge.return_url)


def _see_other(url: str) -> Response:
    return Response((("Location", url), ("Cache-Control", "no-store")), b"", HTTPStatus.SEE_OTHER)
