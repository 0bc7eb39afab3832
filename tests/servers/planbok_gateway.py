"""The hosted pages on which the customer of the Planbok server enters a PIN: plain forms, one step to a page."""

import re
from html import escape
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from tests.servers.planbok_backend import Backend, Challenge, hashed

# What is asked of the customer, in order.
STEPS = {
    "initialize": ["welcome", "new-pin", "repeat-pin", "recovery"],
    "recovery": ["pin", "recovery"],
    "update-pin": ["pin", "new-pin", "repeat-pin"],
    "reset-pin": ["answer", "new-pin", "repeat-pin"],
    "export-private-keys": ["pin"],
    "wallet": ["review", "pin"],
}
TITLES = {
    "welcome": "Welcome",
    "review": "Provision New Wallets",
    "pin": "Enter your PIN",
    "new-pin": "Choose a PIN",
    "repeat-pin": "Once more, please",
    "recovery": "If you ever forget your PIN",
    "answer": "Your recovery question",
}
QUESTIONS = {"q1": "What was the name of your first school?", "q2": "In which town did your parents meet?"}

PAGE = """<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><title>{title} &middot; Vault</title>{head}
<style>
 body{{font:17px/1.5 Georgia,serif;background:#10241f;color:#e9f2ee;margin:0}}
 main{{max-width:26rem;margin:8vh auto;padding:2rem;background:#183830;border-radius:3px}}
 .boxes input{{width:2.2rem;font-size:1.6rem;text-align:center;margin-right:.3rem}}
 header,footer{{padding:.6rem 1rem;font-size:.8rem}} .alert{{background:#6b1f1f;padding:.5rem}}
 button{{font:inherit;padding:.4rem 1.2rem}} button.quiet{{background:none;color:inherit;border:0}}
</style></head><body>
<header><b>Vault</b> <form method="get" action="{path}"><select name="lang" aria-label="Language">
<option value="en" selected>English<option value="fr">Fran&ccedil;ais</select><input type="submit" value="OK"></form>
</header>
<main><h1>{title}</h1>{body}</main>
<footer><form method="post" action="/feedback"><label>Tell us what you think <input name="text"></label>
<button>Send</button></form></footer></body></html>"""

Answer = tuple[int, dict[str, str], str]


class Gateway:
    """Answers the browser of the customer."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        path = urlsplit(target).path
        if path == "/feedback":
            return 204, {}, ""
        match = re.fullmatch(r"/v/([\w-]+)(?:/([a-z-]+))?", path)
        found = [c for c in self.backend.challenges.values() if match and c.token == match[1]]
        if match is None or not found:
            return self.page(404, path, "Not found", "<p>This link leads nowhere.</p>")
        challenge, step = found[0], match[2]
        if self.backend.expired(challenge):
            return self.page(410, path, "Too late", "<p>This link has expired. Ask for a new one.</p>")
        with self.backend.lock:
            if method == "POST":
                return self.submitted(challenge, step or "", headers, body)
            return self.shown(challenge, step, headers)

    # --- what is shown

    def shown(self, challenge: Challenge, step: str | None, headers: dict[str, str]) -> Answer:
        steps = STEPS[challenge.task]
        if step is None:
            challenge.step = challenge.step or steps[0]
            cookie = f"gw_session={challenge.session}; Path=/v/{challenge.token}; HttpOnly; SameSite=Lax"
            return 302, {"Location": f"{challenge.token}/{challenge.step}", "Set-Cookie": cookie}, ""
        if not self.known(challenge, headers):
            return self.page(403, "", "Start again", "<p>Your session is unknown. Open the link once more.</p>")
        if challenge.status == "failed" or step == "back":
            return self.back(challenge)
        if challenge.status == "verified" and "completed_twice" not in self.backend.wrongs:
            return self.back(challenge)
        if step == "working" and challenge.status != "verified":
            refresh = '<meta http-equiv="refresh" content="1; url=working">'
            return self.page(200, "", "One moment", "<p>Your keys are being made&hellip;</p>", refresh)
        if step == "working":
            return self.back(challenge)
        if challenge.task == "wallet" and not self.backend.ready(challenge.customer):
            missing = "a PIN" if challenge.customer.pin is None else "a way to recover your PIN"
            challenge.status = "failed"
            text = f"<p class=alert>You first have to set up {missing}.</p><p><a href='back'>Back to the app</a></p>"
            return self.page(409, "", "Not yet possible", text)
        if challenge.customer.locked:
            return self.page(423, "", "Locked", "<p class=alert>Too many wrong PINs. Contact support.</p>")
        if step != challenge.step:
            return 303, {"Location": challenge.step}, ""
        return self.form(challenge, step)

    def form(self, challenge: Challenge, step: str, alert: str = "", status: int = 200) -> Answer:
        match step:
            case "welcome":
                inside = "<p>We will ask you for a new PIN of six digits.</p>"
            case "review":
                inside = self.review(challenge)
            case "recovery":
                inside = self.question()
            case "answer":
                inside = self.asked(challenge)
            case _:
                inside = self.pin_fields(step)
        shown = f"<p class=alert role=alert>{escape(alert)}</p>" if alert else ""
        go, no = '<button name="go" value="1">Continue</button> ', ""
        if step == "recovery" and challenge.task == "initialize":
            no = '<button class="quiet" name="go" value="skip" formnovalidate>Not now</button>'
        if step == "review":
            no = '<button class="quiet" name="go" value="0">Decline</button>'
        buttons = no + go if self.backend.choices.decline_first else go + no
        body = (
            f'{shown}<form method="POST" action="{step}" autocomplete="off">'
            f'<input type="hidden" name="_xsrf" value="{challenge.session[::-1]}">{inside}<p>{buttons}</p></form>'
        )
        return self.page(status, step, TITLES[step], body)

    def review(self, challenge: Challenge) -> str:
        chains = "".join(f"<li>{escape(c)}</li>" for c in challenge.metadata["blockchains"])
        return f"<p>An app asks to make wallets for you on</p><ul>{chains}</ul>"

    def pin_fields(self, step: str) -> str:
        if self.backend.choices.pin_fields == "single":
            label = {"new-pin": "New PIN", "repeat-pin": "New PIN again"}.get(step, "PIN")
            return f'<label>{label} <input type="password" name="secret" inputmode="numeric" maxlength="6"></label>'
        boxes = "".join(
            f'<input type="password" name="{step}[]" aria-label="Digit {place}" inputmode="numeric" maxlength="1">'
            for place in range(1, 7)
        )
        return f'<fieldset class="boxes"><legend>6 digits</legend>{boxes}</fieldset>'

    def question(self) -> str:
        options = "".join(f'<option value="{name}">{escape(text)}</option>' for name, text in QUESTIONS.items())
        return (
            f'<p><select name="question" required><option value="">Pick a question</option>{options}</select></p>'
            '<p><label>Your answer <input name="reply" minlength="3" required></label></p>'
        )

    def asked(self, challenge: Challenge) -> str:
        name = next(iter(challenge.customer.answers), "q1")
        return (
            f'<p>{escape(QUESTIONS.get(name, ""))}</p><p><label>Your answer <input name="reply" required></label></p>'
        )

    def page(self, status: int, path: str, title: str, body: str, head: str = "") -> Answer:
        text = PAGE.format(title=escape(title), body=body, head=head, path=escape(path))
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": "default-src 'unsafe-inline'",
        }
        return status, {**headers, "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"}, text

    # --- what is entered

    def known(self, challenge: Challenge, headers: dict[str, str]) -> bool:
        return f"gw_session={challenge.session}" in headers.get("cookie", "").split("; ")

    def submitted(self, challenge: Challenge, step: str, headers: dict[str, str], body: bytes) -> Answer:
        form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        given = form.get("_xsrf", [""])[0]
        if not self.known(challenge, headers) or given != challenge.session[::-1]:
            return self.page(403, step, "Start again", "<p>Your session is unknown. Open the link once more.</p>")
        if challenge.status != "pending" and "completed_twice" not in self.backend.wrongs:
            return self.back(challenge)
        if step != challenge.step and "completed_twice" not in self.backend.wrongs:
            return 303, {"Location": challenge.step}, ""
        if form.get("go") == ["0"]:
            challenge.status = "failed"
            return self.back(challenge)
        alert = self.take(challenge, step, form)
        if alert:
            return self.form(challenge, challenge.step, alert, 422)
        return self.next(challenge, step)

    def take(self, challenge: Challenge, step: str, form: dict[str, list[str]]) -> str:
        """Keeps what was entered, or says what is wrong with it."""
        customer = challenge.customer
        if step in {"pin", "new-pin", "repeat-pin"}:
            pin = "".join(form.get(f"{step}[]", form.get("secret", [])))
            if not re.fullmatch(r"\d{6}", pin):
                return "Six digits, please."
            if step == "pin":
                return self.unlocked(challenge, pin)
            if step == "new-pin":
                if self.weak(pin):
                    return "That PIN is too easy to guess."
                challenge.entered["first"] = pin
                return ""
            if pin != challenge.entered["first"]:
                challenge.step = "new-pin"
                return "The two PINs differ. Choose again."
            challenge.entered["pin"] = pin
        if step == "recovery" and form.get("go") != ["skip"]:
            question, reply = form.get("question", [""])[0], form.get("reply", [""])[0]
            if question not in QUESTIONS or len(reply.strip()) < 3:
                return "Pick a question and answer it."
            challenge.entered.update(question=question, answer=reply)
        if step == "answer":
            right = next(iter(customer.answers.values()), None)
            if form.get("reply", [""])[0].strip().casefold() != right:
                return "That is not the answer."
            self.backend.announce(customer, "customer.recovery_initiated", {})
        return ""

    def weak(self, pin: str) -> bool:
        rising = pin in "01234567890" or pin in "9876543210"
        return self.backend.choices.weak_pins == "refused" and (len(set(pin)) == 1 or rising)

    def unlocked(self, challenge: Challenge, pin: str) -> str:
        customer = challenge.customer
        if hashed(pin, customer) == customer.pin or "any_pin" in self.backend.wrongs:
            customer.wrong = 0
            return ""
        customer.wrong += 1
        left = self.backend.choices.attempts - customer.wrong
        if left <= 0:
            customer.locked = True
            challenge.status = "failed"
            self.backend.announce(customer, "customer.locked_out", {})
        return f"That is not your PIN. {max(left, 0)} attempts are left."

    def next(self, challenge: Challenge, step: str) -> Answer:
        steps = STEPS[challenge.task]
        place = steps.index(step) + 1
        if place < len(steps):
            challenge.step = steps[place]
            return 303, {"Location": challenge.step}, ""
        self.backend.complete(challenge)
        return 303, {"Location": "working" if challenge.task == "wallet" else "back"}, ""

    def back(self, challenge: Challenge) -> Answer:
        if challenge.return_url is None or "no_return" in self.backend.wrongs:
            return self.page(200, "", "Done", "<p>You can close this window.</p>")
        parts = urlsplit(challenge.return_url)
        outcome = "success" if challenge.status == "verified" else "failure"
        query = [*parse_qsl(parts.query, keep_blank_values=True), ("challengeId", challenge.id), ("outcome", outcome)]
        return 302, {"Location": urlunsplit(parts._replace(query=urlencode(query)))}, ""
