"""What a real OffBlocks server accepts of a signed request, found out on a harmless GET.

The documents name the algorithm of request signatures and leave open what they must cover, which parameters they need
and how old they may be (Request Signatures). Each answer here is what one server did with one or a few requests.
"""

import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from conformance.bounds.transport import BoundedTransport
from conformance.clock import Clock, SystemClock
from conformance.offblocks.client import DEFAULT_COMPONENTS, ApiError, Client, Credentials
from conformance.parts.client import outcome_of
from conformance.parts.probing import Result
from conformance.recording.redaction import Redactor
from conformance.settings import LiveSettings, SettingsError, max_body
from conformance.standards.digest_fields import content_digest
from conformance.standards.message_signatures import declared_signatures, key_from_seed, present, sign

_SETTING = "CONFORMANCE_OFFBLOCKS_COMPONENTS"
_PATH = "/v1/customers"
_TARGETS = ("@path", "@query", "@target-uri", "@request-target")
_UNIMPORTANT_SKEW = timedelta(seconds=2)
_MARGIN = timedelta(seconds=5)
"""What a signature stays below each limit that is tried, so that the limit itself counts as accepted."""
_OF_THE_SIGNATURE = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_SHOWN = 300


def probe(settings: LiveSettings, clock: Clock | None = None) -> Iterator[Result]:
    """Ask the server of the first identity; about 40 requests, none of which changes anything.

    Args:
        settings: Where it is and how to get in.
        clock: What tells the time of signing; None for the machine's own.

    Raises:
        SettingsError: If the file of certificates cannot be read.
    """
    try:
        trust = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise SettingsError(f"CONFORMANCE_CA_FILE names {settings.ca_file}, which cannot be read: {error}") from error
    credentials = Credentials.from_settings(settings.credentials["first"])
    components = settings.others.get("components", "").split() or DEFAULT_COMPONENTS
    transport = BoundedTransport(trust, max_body=max_body())
    with Client(settings.base_url, credentials, transport=transport, clock=clock or SystemClock()) as client:
        try:
            yield from _Probe(client).results(_Form(tuple(components)))
        except _StoppedError as stop:
            yield stop.result


class _StoppedError(Exception):
    """The probe cannot go on.

    Args:
        question: The question that could not be answered.
        answer: Why.
        detail: What to do.
    """

    def __init__(self, question: str, answer: str, detail: str) -> None:
        super().__init__(answer)
        self.result = Result(question, answer, detail, conclusive=False)


@dataclass(frozen=True)
class _Form:
    """How the GET is made.

    Args:
        components: What the signature covers, as far as the request has it.
        headers: Further headers.
        query: The query.
        is_authorized: Whether the token is sent.
        key: What signs, None for the registered key.
        key_id: The key's id, None for the registered one.
        age: How long ago the signature says that it was made.
        is_dated: Whether it says when it was made.
        lifetime: How long after that it expires, None not to say it.
        nonce: What gives the nonce of each request, None for none.
        label: The label of the signature.
        declares_algorithm: Whether it names its algorithm.
    """

    components: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    is_authorized: bool = True
    key: ec.EllipticCurvePrivateKey | None = None
    key_id: str | None = None
    age: timedelta = timedelta()
    is_dated: bool = True
    lifetime: timedelta | None = None
    nonce: Callable[[], str] | None = None
    label: str = "sig"
    declares_algorithm: bool = True

    def with_header(self, name: str, value: str) -> "_Form":
        """The same with another header."""
        return replace(self, headers={**self.headers, name: value})

    def covering(self, component: str) -> "_Form":
        """The same with another component."""
        return replace(self, components=tuple(dict.fromkeys([*self.components, component])))

    def without(self, component: str) -> "_Form":
        """The same without a component."""
        return replace(self, components=tuple(each for each in self.components if each != component))

    def aiming_by(self, target: str) -> "_Form":
        """The same with `target` in the place of the components that say where the request goes."""
        others = tuple(each for each in self.components if each not in _TARGETS)
        return replace(self, components=(target, *others))

    @property
    def setting(self) -> str:
        """The line of ``.env`` that makes clients cover this."""
        return f'{_SETTING}="{" ".join(self.components)}"'


class _FormSigner(httpx.Auth):
    """Signs as a form says, never twice alike: a server that refuses replays must not take one question for another."""

    def __init__(self, client: Client, form: _Form, signatures: set[str]) -> None:
        self._client = client
        self._form = form
        self._signatures = signatures

    def auth_flow(self, request: httpx.Request) -> Any:
        form = self._form
        created = self._client.clock.now() - form.age
        fields = self._sign(request, created)
        while form.is_dated and fields["Signature"] in self._signatures:
            created -= timedelta(seconds=1)
            fields = self._sign(request, created)
        self._signatures.add(fields["Signature"])
        request.headers.update(fields)
        yield request

    def _sign(self, request: httpx.Request, created: datetime) -> dict[str, str]:
        form, credentials = self._form, self._client.credentials
        url, headers = str(request.url), request.headers.multi_items()
        return dict(
            sign(
                request.method,
                url,
                headers,
                key=form.key or credentials.signing_key,
                key_id=form.key_id or credentials.signing_key_id,
                components=present(form.components, request.method, url, headers),
                created=created if form.is_dated else None,
                expires=None if form.lifetime is None else created + form.lifetime,
                nonce=form.nonce() if form.nonce else None,
                label=form.label,
                declare_algorithm=form.declares_algorithm,
            )
        )


class _Probe:
    """One server being asked.

    Args:
        client: What sends, with the credentials.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._signatures: set[str] = set()
        self._secrets = Redactor(())
        own = {"api-key": client.credentials.api_key, "api-secret": client.credentials.api_secret}
        self._secrets.know({"first": own}, in_parts=True)
        self._token = ""
        self._skew = timedelta()

    def results(self, configured: _Form) -> Iterator[Result]:
        """Ask all there is to ask.

        Args:
            configured: The request as the settings have it.
        """
        yield self._log_in()
        first = self._ask(configured)
        if skew := self._clock_skew(first):
            yield skew
        right, result = self._right(configured, first)
        yield result
        yield self._verification(right)
        yield self._refusals(right)
        yield self._components(right)
        yield self._query(right)
        yield from self._derived_components(right)
        yield from self._times(right)
        yield from self._parameters(right)
        yield from self._headers(right)

    # ------------------------------------------------------------------------------------------------------- requests

    def _ask(self, form: _Form) -> httpx.Response:
        return self._send(form, auth=_FormSigner(self._client, form, self._signatures))

    def _accepts(self, form: _Form) -> bool:
        return self._ask(form).is_success

    def _send(self, form: _Form, *, auth: httpx.Auth | None = None) -> httpx.Response:
        path = f"{_PATH}?{form.query}" if form.query else _PATH
        authorization = f"Bearer {self._token}" if form.is_authorized else None
        question = "Does the server go on answering?"
        try:
            response = self._client.send("GET", path, headers=form.headers, authorization=authorization, auth=auth)
        except httpx.RequestError as error:
            raise _StoppedError(question, f"No: GET {path} {outcome_of(error)}", "Probe again later.") from error
        self._require_patience(response)
        return response

    def _require_patience(self, response: httpx.Response) -> None:
        if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
            return
        wait = response.headers.get("retry-after")
        raise _StoppedError(
            "Does the server go on answering?",
            f"No: it answered {_answer(response)}, too many requests.",
            f"Probe again later; it says Retry-After: {self._printable(wait)}." if wait else "Probe again later.",
        )

    def _said(self, response: httpx.Response) -> str:
        """What the server answered, without secrets and on one line."""
        text = self._printable(response.text)
        return f"{_answer(response)}{': ' if text else ', without a body.'}{text[:_SHOWN]}"

    def _printable(self, text: str) -> str:
        shown = "".join(each if each.isprintable() else " " for each in self._secrets.text(text))
        return " ".join(shown.split())

    # ------------------------------------------------------------------------------------------------------- getting in

    def _log_in(self) -> Result:
        question = "Are the credentials accepted?"
        client = self._client
        try:
            token = client.request_token()
        except ApiError as error:
            response = error.response
            if response is None:
                raise _StoppedError(
                    question,
                    f"The server at {client.base_url} cannot be reached: {error}",
                    "Check CONFORMANCE_OFFBLOCKS_BASE_URL, the network, and CONFORMANCE_CA_FILE.",
                ) from error
            if response.status_code == httpx.codes.OK:
                raise _StoppedError(question, f"No token was issued. {error}", _WRONG_PLACE) from error
            self._require_patience(response)
            credentials_refused = response.status_code in _OF_THE_SIGNATURE
            # An answer of success with another status than 200 may hold a token.
            seen = self._said(response) if response.is_error else f"{_answer(response)}, not 200."
            raise _StoppedError(
                question,
                f"No: POST /v1/auth/token was answered {seen}",
                "Check CONFORMANCE_OFFBLOCKS_API_KEY and CONFORMANCE_OFFBLOCKS_API_SECRET."
                if credentials_refused
                else _WRONG_PLACE,
            ) from error
        self._token = token.text
        self._secrets.hide("token", token.text)
        minutes = round((token.expires_at - client.clock.now()).total_seconds() / 60)
        return Result(question, f"Yes, with a token that holds for {minutes} minutes.")

    def _clock_skew(self, response: httpx.Response) -> Result | None:
        """How far apart the clocks are; None if the server does not tell its time."""
        try:
            date = parsedate_to_datetime(response.headers.get("date", "")).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        question = "Does this machine's clock agree with the server's?"
        skew = date - self._client.clock.now()
        if abs(skew) <= _UNIMPORTANT_SKEW:
            return Result(question, "Yes, as far as the Date header tells.")
        self._skew = timedelta(seconds=round(skew.total_seconds()))
        seconds = abs(self._skew) // timedelta(seconds=1)
        return Result(
            question,
            f"No: this machine is {seconds} s {'behind' if skew > timedelta() else 'ahead'}.",
            "Set this machine's clock; the server may refuse signatures that seem old or of the future.",
        )

    def _right(self, configured: _Form, first: httpx.Response) -> tuple[_Form, Result]:
        """A request that the server accepts, which all other questions depart from."""
        question = "Is a rightly signed request accepted?"
        if first.is_success:
            try:
                first.json()
            except (ValueError, RecursionError) as error:
                raise _StoppedError(
                    question, f"GET {_PATH} was answered {_answer(first)}, which is not JSON.", _WRONG_PLACE
                ) from error
            return configured, Result(question, f"Yes, as the settings have it: {_answer(first)}.", configured.setting)
        refusal = f"GET {_PATH} was answered {self._said(first)}"
        if first.status_code not in _OF_THE_SIGNATURE:
            raise _StoppedError(question, f"No: {refusal}", _WRONG_PLACE)
        others = self._other_forms(configured)
        for words, form in others.items():
            if self._accepts(form):
                follows = form.setting if form.components != configured.components else _NO_SETTING
                return form, Result(question, f"Not as the settings have it, but {words}. {refusal}", follows)
        raise _StoppedError(
            question,
            f"No: {refusal}",
            f"It was refused too {', '.join(others)}. Check CONFORMANCE_OFFBLOCKS_SIGNING_KEY and "
            "CONFORMANCE_OFFBLOCKS_SIGNING_KEY_ID: the public key must be registered under that id.",
        )

    def _other_forms(self, configured: _Form) -> dict[str, _Form]:
        """Other requests that a server may want, each with what is different."""
        ids = self._client.ids
        guarded = configured.with_header("Idempotency-Key", str(ids.uuid()))
        forms = {
            "with the default components": replace(configured, components=DEFAULT_COMPONENTS),
            "with @authority covered": configured.covering("@authority"),
            "with @target-uri for @path": configured.aiming_by("@target-uri"),
            "with @request-target for @path": configured.aiming_by("@request-target"),
            "with Content-Digest and Idempotency-Key": guarded.with_header("Content-Digest", content_digest(b"")),
            "with the parameter nonce": replace(configured, nonce=self._new_nonce),
            "with the parameter expires": replace(configured, lifetime=timedelta(minutes=1)),
            "by the server's clock": replace(configured, age=-self._skew),
        }
        return {words: form for words, form in forms.items() if form != configured}

    def _verification(self, right: _Form) -> Result:
        question = "Are request signatures verified?"
        unsigned = self._send(right)
        forged = self._ask(replace(right, key=key_from_seed(self._client.ids.draw(48))))
        if unsigned.is_success or forged.is_success:
            accepted = "without a signature" if unsigned.is_success else "signed by another key"
            raise _StoppedError(
                question,
                f"No: a GET {accepted} was answered {_answer(unsigned if unsigned.is_success else forged)}.",
                "So nothing can be learnt of what signatures need. Tell the vendor.",
            )
        return Result(question, "Yes: without one, and with one by another key, the GET is refused.")

    def _refusals(self, right: _Form) -> Result:
        ids = self._client.ids
        wrong = {
            "no token": self._ask(replace(right, is_authorized=False)),
            "no signature": self._send(right),
            "a key id that is not registered": self._ask(replace(right, key_id=str(ids.uuid()))),
        }
        answers = [
            f"{what}: {'accepted with ' if response.is_success else ''}{_answer(response)}"
            for what, response in wrong.items()
        ]
        return Result("How is a wrong request answered?", "; ".join(answers))

    # -------------------------------------------------------------------------------------------------- what is covered

    def _components(self, right: _Form) -> Result:
        sent = declared_signatures(self._ask(right).request.headers.multi_items())[0][0].components
        required = [each for each in sent if not self._accepts(right.without(each))]
        anything = bool(required) or not self._accepts(replace(right, components=()))
        question = "Which components must a signature cover?"
        if required:
            others = [each for each in sent if each not in required]
            answer = f"{' '.join(required)}; without one of these it is refused."
            answer += f" Not needed: {' '.join(others)}." if others else ""
        elif anything:
            answer = f"No single one of {' '.join(sent)}, but not nothing."
        else:
            answer = "None: even a signature that covers nothing is accepted. Cover all the same what you rely on."
        return Result(question, answer, right.setting)

    def _query(self, right: _Form) -> Result:
        question = "Must a query be covered?"
        asking = replace(right, query="probe=1")
        covers_whole = {"@target-uri", "@request-target"} & set(right.components)
        covered = self._ask(asking if covers_whole else asking.covering("@query"))
        if not covered.is_success:
            return Result(question, f"Cannot be told: a query is refused at all, with {_answer(covered)}.")
        if covers_whole:
            return Result(question, f"It is, by {' '.join(covers_whole)}.")
        return self._yes_if_refused(question, asking.without("@query"))

    def _derived_components(self, right: _Form) -> Iterator[Result]:
        for target in ("@target-uri", "@request-target"):
            if target not in right.components:
                yield self._no_if_refused(f"Does {target} do for @path?", right.aiming_by(target))
        for component in ("@authority", "@scheme"):
            if component not in right.components:
                yield self._no_if_refused(f"May {component} be covered?", right.covering(component))

    # --------------------------------------------------------------------------------------------------- its parameters

    def _times(self, right: _Form) -> Iterator[Result]:
        yield self._yes_if_refused("Must a signature say when it was created?", replace(right, is_dated=False))
        yield Result("How old may a signature be?", self._limit(right, (1, 5, 15, 60), 1))
        yield Result("How far ahead of the server's clock may a signature be?", self._limit(right, (1, 5), -1))

    def _limit(self, right: _Form, minutes: tuple[int, ...], sign_of_age: int) -> str:
        """Between which of these numbers of minutes the limit lies, in words."""
        longest = None
        for each in minutes:
            age = sign_of_age * (timedelta(minutes=each) - _MARGIN) - self._skew
            response = self._ask(replace(right, age=age))
            if not response.is_success:
                known = f"{_minutes(longest)} or more, but less than" if longest else "Less than"
                return f"{known} {_minutes(each)}; beyond that it is answered {_answer(response)}."
            longest = each
        return f"{_minutes(minutes[-1])} or more; nothing longer was tried."

    def _parameters(self, right: _Form) -> Iterator[Result]:
        yield self._yes_if_refused("Must a signature name its algorithm?", replace(right, declares_algorithm=False))
        minute = timedelta(minutes=1)
        yield self._no_if_refused("May a signature say when it expires?", replace(right, lifetime=minute))
        yield self._yes_if_refused("Does an expired signature stop to hold?", replace(right, lifetime=-minute))
        labelled = self._ask(replace(right, label="wallet-api"))
        yield Result("May a signature have another label than sig?", _yes_or_no(yes=labelled.is_success, seen=labelled))
        yield from self._nonces(right)
        yield self._replay(right)

    def _nonces(self, right: _Form) -> Iterator[Result]:
        nonce = self._new_nonce()
        once = replace(right, nonce=lambda: nonce)
        first = self._ask(once)
        yield Result("May a signature have a nonce?", _yes_or_no(yes=first.is_success, seen=first))
        if first.is_success:
            yield self._yes_if_refused("Is a nonce that was used before refused?", once)

    def _replay(self, right: _Form) -> Result:
        question = "Is the very same signature refused when it comes again?"
        first = self._ask(right)
        copied = {name: first.request.headers[name] for name in ("Signature-Input", "Signature")}
        again = self._send(replace(right, headers={**right.headers, **copied}))
        return Result(question, _yes_or_no(yes=not again.is_success, seen=again))

    def _new_nonce(self) -> str:
        return self._client.ids.alphanumeric(16)

    # ------------------------------------------------------------------------------------------------------ its headers

    def _headers(self, right: _Form) -> Iterator[Result]:
        values = {
            "Content-Digest": content_digest(b""),
            "Idempotency-Key": str(self._client.ids.uuid()),
            "Content-Type": "application/json",
        }
        for name, value in values.items():
            yield from self._header(right, name, value)
        wrong = right.with_header("Content-Digest", content_digest(b"another body")).covering("content-digest")
        yield self._yes_if_refused("Is a wrong Content-Digest refused on a GET?", wrong)
        other = right.with_header("Accept", "text/html")
        yield self._yes_if_refused("Does it matter what a GET accepts?", other)

    def _header(self, right: _Form, name: str, value: str) -> Iterator[Result]:
        question = f"Does a GET need {name}?"
        if name in right.headers:
            others = {each: held for each, held in right.headers.items() if each != name}
            yield self._yes_if_refused(question, replace(right, headers=others))
        else:
            yield Result(question, "No.")
        sent = right.with_header(name, value)
        covered = self._ask(sent.covering(name.lower()))
        question = f"Must {name} be covered where it is sent?"
        if covered.is_success:
            yield self._yes_if_refused(question, sent.without(name.lower()))
        else:
            yield Result(question, f"It must not be sent with a GET: that is answered {_answer(covered)}.")

    def _yes_if_refused(self, question: str, form: _Form) -> Result:
        response = self._ask(form)
        return Result(question, _yes_or_no(yes=not response.is_success, seen=response))

    def _no_if_refused(self, question: str, form: _Form) -> Result:
        response = self._ask(form)
        return Result(question, _yes_or_no(yes=response.is_success, seen=response))


_WRONG_PLACE = "Check CONFORMANCE_OFFBLOCKS_BASE_URL: it is the address of the API without /v1."
_NO_SETTING = "No setting makes the client send that; please report what your server needs."


def _answer(response: httpx.Response) -> str:
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    shown = kind if kind.isprintable() else ""
    return f"{response.status_code} {shown or 'without a content type'}"


def _yes_or_no(*, yes: bool, seen: httpx.Response) -> str:
    broke = ", so the server broke" if seen.is_server_error else ""
    return f"{'Yes' if yes else 'No'}: answered {_answer(seen)}{broke}."


def _minutes(number: int) -> str:
    return "1 minute" if number == 1 else f"{number} minutes"
