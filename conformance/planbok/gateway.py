"""The hosted PIN page as HTML: what each step shows. What a step does, and when it is over, the sandbox decides.

The page needs nothing but its stylesheet: no script, no image, no inline style. It is served at
``<gateway>/challenges/<link>`` and its stylesheet at ``<gateway>/page.css``.

The reference sandbox sees the PIN, since a form without a script sends what was typed. The vendor's page is documented
to hash it in the browser (Introduction, Gateway).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from html import escape
from pathlib import Path

import httpx

from conformance.exchange import Headers

QUESTIONS = (
    "Who was your first teacher?",
    "Where did you start school?",
    "What was your first nickname?",
    "Which dish did you cook first?",
    "Where was your first holiday?",
    "Which concert was your first?",
)
"""The security questions that a customer chooses two of."""


class Step(StrEnum):
    """What the page can show: the steps that have a form, and then the ways in which it ends."""

    SET_PIN = "set-pin"
    SET_RECOVERY = "set-recovery"
    VERIFY = "verify"
    CHANGE_PIN = "change-pin"
    ANSWER = "answer"
    RESET_PIN = "reset-pin"
    DONE = "done"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    LOCKED = "locked"
    REFUSED = "refused"


@dataclass(frozen=True)
class View:
    """What the page shows once.

    Args:
        step: The step, or how the page ended.
        purpose: What the challenge is for, such as ``Provisioning new wallets``; empty if nothing is known of it.
        organization: Who asks; empty if that is not known.
        authorized: What the PIN authorizes, a line each, such as ``Ethereum Sepolia (ETH-SEPOLIA)``.
        csrf: What the form sends back to show that this page was its origin.
        error: What was wrong with the last try, or why the page is refused: a sentence, empty if nothing was.
        tries_left: How many tries are left before the customer is locked out, None to say nothing of it.
        questions: The customer's own two (`Step.ANSWER`), or those to choose from (`Step.SET_RECOVERY`).
        chosen: The first and the second question as they were chosen before a mistake (`Step.SET_RECOVERY`).
        locked_until: When the customer can try again (`Step.LOCKED`), aware; None to say nothing of it.
        expires_at: When the challenge expires or has expired, aware; None to say nothing of it.
        return_url: The caller's own page, which a page that ended links to; None if there is none.
        skippable: Whether recovery can be left for later (`Step.SET_RECOVERY`).
    """

    step: Step
    purpose: str
    organization: str
    authorized: tuple[str, ...] = ()
    csrf: str = ""
    error: str = ""
    tries_left: int | None = None
    questions: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    locked_until: datetime | None = None
    expires_at: datetime | None = None
    return_url: str | None = None
    skippable: bool = False


_TITLES = {
    Step.SET_PIN: "Choose a PIN",
    Step.SET_RECOVERY: "Set up recovery",
    Step.VERIFY: "Enter your PIN",
    Step.CHANGE_PIN: "Change your PIN",
    Step.ANSWER: "Answer your questions",
    Step.RESET_PIN: "Choose a new PIN",
    Step.DONE: "Request completed",
    Step.CANCELLED: "Request cancelled",
    Step.EXPIRED: "Request expired",
    Step.LOCKED: "PIN locked",
    Step.REFUSED: "Request refused",
}
_LEADS = {
    Step.SET_PIN: "You will need it each time something is done with your wallets. Nobody can tell it to you later.",
    Step.SET_RECOVERY: "The answers to two questions let you choose a new PIN if you forget yours.",
    Step.VERIFY: "Check what is asked for. Your PIN allows this request and no other.",
    Step.CHANGE_PIN: "Once it is changed, only the new PIN is accepted.",
    Step.ANSWER: "Answer as you did when you set up recovery. Then you choose a new PIN.",
    Step.RESET_PIN: "It takes the place of the one that you forgot.",
    Step.DONE: "What was asked for is done. There is nothing more to do here.",
    Step.CANCELLED: "You ended it here, and it cannot be taken up again.",
    Step.EXPIRED: "It was not completed in time. Ask for a new one where you came from.",
    Step.LOCKED: "There were too many wrong tries, so that not even the right one is accepted now.",
    Step.REFUSED: "Nothing was done.",
}
_BUTTONS = {
    Step.SET_PIN: "Set PIN",
    Step.SET_RECOVERY: "Set up recovery",
    Step.VERIFY: "Confirm",
    Step.CHANGE_PIN: "Change PIN",
    Step.ANSWER: "Continue",
    Step.RESET_PIN: "Set new PIN",
}
_SIGNS = {
    Step.DONE: "M5 12.5l4.5 4.5L19 7.5",
    Step.CANCELLED: "M7 7l10 10M17 7L7 17",
    Step.EXPIRED: "M12 4.5a7.5 7.5 0 1 1 0 15a7.5 7.5 0 0 1 0-15M12 8v4.5l3 1.5",
    Step.LOCKED: "M7 11h10v7H7zM9 11V8.5a3 3 0 0 1 6 0V11",
    Step.REFUSED: "M12 6.5v7M12 17v.5",
}
"""The line drawn in the circle of a page that ended, in a square of 24 units."""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title} - Planbok reference sandbox</title>
<link rel="stylesheet" href="../page.css">
</head>
<body>
<header>
<svg viewBox="3 2 18 20" aria-hidden="true"><path d="M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3"/></svg>
<p>Planbok <span>reference sandbox</span></p>
</header>
<main class="{step}">
{sign}<h1>{heading}</h1>
<p class="lead">{lead}</p>
{request}{rest}</main>
<footer>
<p>This is the reference sandbox, made for tests. It sees what you enter, where the vendor's own page hashes the PIN
in the browser. Use no PIN and no answer that you use anywhere else.</p>
</footer>
</body>
</html>
"""
_SIGN = """\
<svg class="sign" viewBox="0 0 24 24" aria-hidden="true"><path d="{line}"/></svg>
"""
_REQUEST = """\
<dl id="request">
{rows}</dl>
"""
_ROW = """\
<div><dt>{name}</dt>{values}</div>
"""
_FORM = """\
<form method="post">
<input type="hidden" name="csrf" value="{csrf}">
<input type="hidden" name="step" value="{step}">
{trouble}{fields}<p class="buttons">
<button name="action" value="continue">{button}</button>
{skip}<button name="action" value="cancel" formnovalidate>Cancel</button>
</p>
</form>
"""
_SKIP = """\
<button name="action" value="skip" formnovalidate>Later</button>
"""
_TROUBLE = """\
<p class="trouble" id="trouble" role="alert">{text}</p>
"""
_PIN = """\
<p class="field">
<label for="{name}">{label} <span>six digits</span></label>
<input class="pin" type="password" id="{name}" name="{name}" inputmode="numeric" pattern="[0-9]{{6}}" maxlength="6"
 title="Six digits" autocomplete="{autocomplete}" required{state}>
</p>
"""
_ANSWER = """\
<p class="field">
<label for="{name}">{label}</label>
<input type="text" id="{name}" name="{name}" autocomplete="off" autocapitalize="none" spellcheck="false" required\
{state}>
</p>
"""
_QUESTION = """\
<p class="field">
<label for="{name}">{label}</label>
<select id="{name}" name="{name}" required{state}>
<option value="">Choose a question</option>
{options}</select>
</p>
"""
_OPTION = """\
<option value="{question}"{selected}>{question}</option>
"""
_RETURN = """\
<p class="buttons"><a href="{url}">Return to {organization}</a></p>
"""

_WEB_ORIGIN = re.compile(r"https?://(?:[a-z0-9._-]+|(\[[0-9a-f:.]+\]))(?::[0-9]+)?")


class _Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def render(view: View) -> bytes:
    """The page as a whole HTML document in UTF-8; whatever stands in `view` is escaped."""
    title = _TITLES[view.step]
    has_form = view.step in _BUTTONS
    page = _fill(
        _PAGE,
        title=f"Error: {title}" if view.error else title,
        step=view.step,
        sign=_Html() if has_form else _fill(_SIGN, line=_SIGNS[view.step]),
        heading=title,
        lead=_LEADS[view.step],
        request=_request(view),
        rest=_form(view) if has_form else _joined(_ending(view)),
    )
    return page.encode()


def headers(return_url: str | None) -> Headers:
    """The header lines that the page is answered with.

    Chromium holds the redirect that follows a form to ``form-action`` as well. The last form is answered with a
    redirect to the caller's own page, so its origin is named there.

    Args:
        return_url: The caller's own page, None if there is none.
    """
    targets = " ".join(filter(None, ("'self'", _source(return_url))))
    return (
        ("Content-Type", "text/html; charset=utf-8"),
        (
            "Content-Security-Policy",
            f"default-src 'none'; style-src 'self'; form-action {targets}; frame-ancestors 'none'; base-uri 'none'",
        ),
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("Cache-Control", "no-store"),
    )


def stylesheet() -> bytes:
    """The stylesheet of the page, CSS in UTF-8."""
    return Path(__file__).with_name("page.css").read_bytes()


@lru_cache(maxsize=256)
def _source(url: str | None) -> str | None:
    """What a content security policy calls the origin of `url`; None unless it is an address on the web.

    A policy cannot name an IPv6 address (Content Security Policy Level 3, host-source), so that its scheme has to do.
    """
    try:
        parsed = httpx.URL(url or "")
    except httpx.InvalidURL:
        return None
    origin = _WEB_ORIGIN.fullmatch(f"{parsed.scheme}://{parsed.netloc.decode('ascii')}")
    if origin is None:
        return None
    return f"{parsed.scheme}:" if origin[1] else origin[0]


def _fill(template: str, **values: str) -> _Html:
    """The template with its values, each escaped unless it is HTML already."""
    escaped = {name: value if isinstance(value, _Html) else escape(value) for name, value in values.items()}
    return _Html(template.format_map(escaped))


def _joined(parts: Iterable[_Html]) -> _Html:
    return _Html("".join(parts))


def _request(view: View) -> _Html:
    rows = _joined(_rows(view))
    return _fill(_REQUEST, rows=rows) if rows else rows


def _rows(view: View) -> Iterator[_Html]:
    """What is asked for, by whom and until when, as far as it is known."""
    if view.purpose:
        yield _row("Request", view.purpose)
    if view.organization:
        yield _row("From", view.organization)
    if view.authorized and view.step is Step.DONE:
        yield _row("Authorized", *view.authorized)
    elif view.authorized and view.step in _BUTTONS:
        yield _row("Your PIN authorizes", *view.authorized)
    if view.expires_at and view.step in {*_BUTTONS, Step.EXPIRED}:
        yield _row("Open until", _time(view.expires_at))
    if view.locked_until:
        yield _row("Locked until", _time(view.locked_until))


def _row(name: str, *values: str) -> _Html:
    return _fill(_ROW, name=name, values=_joined(_fill("<dd>{value}</dd>", value=value) for value in values))


def _time(instant: datetime) -> _Html:
    utc = instant.astimezone(UTC)
    return _fill(
        '<time datetime="{exact}">{shown}</time>',
        exact=utc.isoformat(timespec="seconds"),
        shown=f"{utc.day} {utc:%B %Y, %H:%M:%S} UTC",
    )


def _form(view: View) -> _Html:
    return _fill(
        _FORM,
        csrf=view.csrf,
        step=view.step,
        trouble=_trouble(view),
        fields=_joined(_fields(view)),
        button=_BUTTONS[view.step],
        skip=_Html(_SKIP if view.skippable and view.step is Step.SET_RECOVERY else ""),
    )


def _fields(view: View) -> Iterator[_Html]:
    first, other = _state(view, first=True), _state(view, first=False)
    match view.step:
        case Step.VERIFY:
            yield _pin("pin", "PIN", first)
        case Step.SET_PIN | Step.RESET_PIN:
            yield _pin("new_pin", "New PIN", first)
            yield _pin("new_pin_again", "New PIN again", other)
        case Step.CHANGE_PIN:
            yield _pin("pin", "Present PIN", first)
            yield _pin("new_pin", "New PIN", other)
            yield _pin("new_pin_again", "New PIN again", other)
        case Step.ANSWER:
            for number, question in enumerate(view.questions, start=1):
                yield _fill(_ANSWER, name=f"answer_{number}", label=question, state=first if number == 1 else other)
        case Step.SET_RECOVERY:
            chosen = (*view.chosen, "", "")
            yield _question(view, "question_1", "First question", chosen[0], first)
            yield _fill(_ANSWER, name="answer_1", label="Answer to the first question", state=other)
            yield _question(view, "question_2", "Second question", chosen[1], other)
            yield _fill(_ANSWER, name="answer_2", label="Answer to the second question", state=other)


def _state(view: View, *, first: bool) -> _Html:
    """The attributes of a field that depend on what happened before.

    The first field takes the focus, and so says the request to those who hear the page: they would pass it by.
    """
    described = [name for name, said in (("trouble", _trouble(view)), ("request", first)) if said]
    attributes = [" autofocus"] if first else []
    if described:
        attributes.append(f' aria-describedby="{" ".join(described)}"')
    if view.error:
        attributes.append(' aria-invalid="true"')
    return _Html("".join(attributes))


def _pin(name: str, label: str, state: _Html) -> _Html:
    return _fill(_PIN, name=name, label=label, autocomplete="off" if name == "pin" else "new-password", state=state)


def _question(view: View, name: str, label: str, chosen: str, state: _Html) -> _Html:
    options = (
        _fill(_OPTION, question=question, selected=_Html(" selected" if question == chosen else ""))
        for question in view.questions
    )
    return _fill(_QUESTION, name=name, label=label, options=_joined(options), state=state)


def _trouble(view: View) -> _Html:
    """What was wrong, and how many tries are left; nothing if there is nothing to say."""
    said = [view.error] if view.error else []
    if view.tries_left is not None:
        said.append(f"{view.tries_left} {'try' if view.tries_left == 1 else 'tries'} left.")
    return _fill(_TROUBLE, text=" ".join(said)) if said else _Html()


def _ending(view: View) -> Iterator[_Html]:
    yield _trouble(view)
    if view.return_url and _source(view.return_url):
        yield _fill(_RETURN, url=view.return_url, organization=view.organization)
