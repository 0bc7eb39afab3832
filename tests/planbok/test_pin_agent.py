"""The stand-in for the person at the hosted page: what it fills in, where it goes, and what it refuses to touch."""

import html
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conformance.clock import SystemClock
from conformance.planbok import html_forms, pages, pin_agent
from conformance.planbok.pages import UnfamiliarPageError
from conformance.planbok.pin_agent import ANSWERS, Button, PageError, PinAgent, ScriptNeededError

ORIGIN = "https://gateway.example"
URL = f"{ORIGIN}/gateway/challenges/4f6c0a9be1d3"
RETURN = "https://app.example/done?user=7"
PIN, NEW_PIN, WRONG = "482913", "570164", "111111"
QUESTIONS = ("First pet?", "Mother's town & street?", "Teacher?")
CANNOT = "cannot be filled without a browser"
SOUP = (
    *("<form method=post>", "</form>", "<form action=//[>", "<base href=http://[>", "<input type>", "<input name="),
    *("<input name=pin type=password>", "<label for=a>", "</label>", "<button>", "</button>", "<button formaction>"),
    *("<select name=q>", "</select>", "<option>", "<textarea name=t>", "</textarea>", "<title>", "</title>"),
    *("<script>", "</script>", "<template>", "</template>", "<noscript>", "</noscript>", "<!--", "-->", "<![", "]]>"),
    *("<!x", "<?", "</>", "<a/b/=c>", "&amp;", "&#xD800;", "&", "<", ">", '"', "a", "é", "\0"),
)

Answer = Callable[[httpx.Request], httpx.Response]


def sent(request: httpx.Request) -> dict[str, str]:
    body = request.content.decode("ascii")
    return dict(parse_qsl(body, keep_blank_values=True, strict_parsing=True)) if body else {}


class HostedPage:
    """A challenge's page as the reference sandbox has it: steps one after the other, then back to the caller."""

    def __init__(self, *steps: str, pin: str = "", answers: Sequence[str] = ANSWERS) -> None:
        self.steps = list(steps)
        self.pin = pin
        self.answers = list(answers)
        self.questions: list[str] = []
        self.ended = ""
        self.tries_left = 3
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if str(request.url) != URL:
            return page("<p>Nothing here.", 404)
        if request.method == "GET":
            return self.show()
        return self.take(sent(request), request.headers.get("Cookie", ""))

    @property
    def posted(self) -> list[dict[str, str]]:
        return [sent(request) for request in self.requests if request.method == "POST"]

    def show(self, status: int = 200, trouble: str = "") -> httpx.Response:
        if self.ended:
            return page(f"<h1>This is {self.ended}.</h1>", {"done": 200, "cancelled": 200, "locked": 423}[self.ended])
        step = self.steps[0]
        choices = "".join(f"<option>{html.escape(question)}" for question in QUESTIONS)
        fields = {
            "verify": secret("pin"),
            "set-pin": secret("new_pin") + secret("new_pin_again"),
            "reset-pin": secret("new_pin") + secret("new_pin_again"),
            "change-pin": secret("pin") + secret("new_pin") + secret("new_pin_again"),
            "answer": text("answer_1") + text("answer_2"),
            "set-recovery": "".join(
                f"<select name=question_{n}><option value=''>Choose{choices}</select>{text(f'answer_{n}')}"
                for n in (1, 2)
            ),
        }[step]
        shown = page(
            f"""<form method="post"><p>{trouble}</p>
            <input type="hidden" name="csrf" value="a&amp;b=&quot;c+d"><input type="hidden" name="step" value="{step}">
            {fields}<button name="action" value="continue">Confirm</button>
            <button name="action" value="cancel" formnovalidate>Stop</button></form>""",
            status,
        )
        shown.headers["Set-Cookie"] = "visit=v1; HttpOnly; SameSite=Strict; Path=/gateway"
        return shown

    def take(self, form: Mapping[str, str], cookie: str) -> httpx.Response:
        if form["csrf"] != 'a&b="c+d' or form["step"] != self.steps[0] or cookie != "visit=v1":
            return page("<p>Refused.", 403)
        if form["action"] == "cancel":
            self.ended = "cancelled"
            return self.onward("failed")
        if not self.right(form):
            self.tries_left -= 1
            self.ended = "" if self.tries_left else "locked"
            return self.show(422, f"Wrong, {self.tries_left} tries left.")
        self.steps.pop(0)
        self.ended = "" if self.steps else "done"
        return self.onward("verified")

    def right(self, form: Mapping[str, str]) -> bool:
        if "question_1" in form:
            self.questions = [form["question_1"], form["question_2"]]
            self.answers = [form["answer_1"], form["answer_2"]]
        right = form.get("pin", self.pin) == self.pin
        right = right and form.get("new_pin") == form.get("new_pin_again")
        right = right and form.get("answer_1", self.answers[0]) == self.answers[0]
        self.pin = form.get("new_pin", self.pin) if right else self.pin
        return right

    def onward(self, status: str) -> httpx.Response:
        onward = f"{RETURN}&status={status}" if self.ended else URL.removeprefix(ORIGIN)
        return httpx.Response(303, headers={"Location": onward})


def page(body: str, status: int = 200, head: str = "") -> httpx.Response:
    document = f"<!doctype html><html><head><title>PIN &mdash; Shop</title>{head}</head><body>{body}</body></html>"
    return httpx.Response(status, html=document)


def secret(name: str, label: str = "") -> str:
    return f'<label>{label}<input type="password" name="{name}"></label>'


def text(name: str, label: str = "") -> str:
    return f'<label>{label}<input name="{name}"></label>'


def form(fields: str, attributes: str = 'method="post"', buttons: str = "<button>Go</button>") -> httpx.Response:
    return page(f"<form {attributes}>{fields}{buttons}</form>")


def agent(answer: Answer | httpx.Response) -> PinAgent:
    return PinAgent(httpx.MockTransport((lambda _: answer) if isinstance(answer, httpx.Response) else answer))


class Recorded:
    """Shows pages one after the other, and keeps what was sent."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answers.pop(0)


# --------------------------------------------------------------------------------------------- what a person does


def test_a_customer_chooses_a_pin_and_then_two_questions() -> None:
    hosted = HostedPage("set-pin", "set-recovery")
    end = agent(hosted).set_up(URL, PIN, ("Rex", "Łódź & Elm+Street=5 %"))
    assert end.returned_to == f"{RETURN}&status=verified"
    assert (hosted.pin, hosted.questions, hosted.answers) == (
        PIN,
        ["First pet?", "Mother's town & street?"],
        ["Rex", "Łódź & Elm+Street=5 %"],
    )
    assert [request.method for request in hosted.requests] == ["GET", "POST", "GET", "POST"]


def test_a_customer_sets_up_recovery_with_the_pin() -> None:
    hosted = HostedPage("verify", "set-recovery", pin=PIN)
    assert agent(hosted).set_recovery(URL, PIN, ("Rex", "Łódź")).returned_to
    assert hosted.answers == ["Rex", "Łódź"]


def test_a_customer_who_gives_no_answers_stops_where_they_are_asked_for() -> None:
    hosted = HostedPage("set-pin", "set-recovery")
    end = agent(hosted).set_up(URL, PIN, ())
    assert (end.step, end.returned_to, hosted.pin) == ("set-recovery", None, PIN)
    assert len(hosted.posted) == 1


def test_a_preview_asks_for_the_header_lines_alone() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url}")
        return httpx.Response(200, headers={"Content-Type": "text/html"})

    assert PinAgent(httpx.MockTransport(answer)).preview(URL).status_code == 200
    assert asked == [f"HEAD {URL}"]


def test_a_customer_authorizes_with_the_pin() -> None:
    hosted = HostedPage("verify", pin=PIN)
    assert agent(hosted).authorize(URL, PIN).returned_to == f"{RETURN}&status=verified"
    assert hosted.posted == [{"csrf": 'a&b="c+d', "step": "verify", "pin": PIN, "action": "continue"}]


def test_a_wrong_pin_is_entered_once_and_the_page_that_says_so_is_returned() -> None:
    hosted = HostedPage("verify", pin=PIN)
    end = agent(hosted).authorize(URL, WRONG)
    assert (end.status, end.step, end.returned_to) == (422, "verify", None)
    assert "Wrong, 2 tries left." in end.text
    assert end.form is not None
    assert len(hosted.posted) == 1


def test_the_page_of_a_locked_customer_is_returned() -> None:
    hosted = HostedPage("verify", pin=PIN)
    hosted.ended = "locked"
    end = agent(hosted).authorize(URL, PIN)
    assert (end.status, end.text, end.form) == (423, "This is locked.", None)
    assert hosted.posted == []


def test_a_customer_without_a_pin_who_is_to_authorize_is_left_where_one_is_chosen() -> None:
    hosted = HostedPage("set-pin", "verify")
    end = agent(hosted).authorize(URL, PIN)
    assert (end.step, hosted.posted) == ("set-pin", [])


def test_a_customer_changes_the_pin() -> None:
    hosted = HostedPage("change-pin", pin=PIN)
    assert agent(hosted).change_pin(URL, PIN, NEW_PIN).returned_to
    assert hosted.pin == NEW_PIN


def test_a_customer_answers_the_questions_and_chooses_a_new_pin() -> None:
    hosted = HostedPage("answer", "reset-pin", pin=PIN, answers=("Rex", "Łódź"))
    assert agent(hosted).reset_pin(URL, ("Rex", "Łódź"), NEW_PIN).returned_to
    assert hosted.pin == NEW_PIN
    assert [each.get("answer_2") for each in hosted.posted] == ["Łódź", None]


def test_wrong_answers_are_given_once() -> None:
    hosted = HostedPage("answer", "reset-pin", pin=PIN, answers=("Rex", "Łódź"))
    end = agent(hosted).reset_pin(URL, ("Tom", "Łódź"), NEW_PIN)
    assert (end.status, end.step, hosted.pin, len(hosted.posted)) == (422, "answer", PIN, 1)


def test_a_customer_cancels() -> None:
    hosted = HostedPage("verify", pin=PIN)
    assert agent(hosted).cancel(URL).returned_to == f"{RETURN}&status=failed"
    assert hosted.posted == [{"csrf": 'a&b="c+d', "step": "verify", "pin": "", "action": "cancel"}]


def test_a_page_that_is_over_can_be_cancelled_no_more() -> None:
    hosted = HostedPage("verify")
    hosted.ended = "done"
    assert agent(hosted).cancel(URL).text == "This is done."
    assert hosted.posted == []


def test_what_a_person_does_not_know_can_still_be_sent_by_hand() -> None:
    hosted = HostedPage("verify", pin=PIN)
    customer = agent(hosted)
    refused = customer.submit(customer.open(URL), {"csrf": "forged", "pin": PIN})
    assert (refused.status, refused.text) == (403, "Refused.")
    assert hosted.posted[0]["csrf"] == "forged"


def test_a_given_page_is_filled_by_what_its_fields_are_for() -> None:
    pages = Recorded(form(text("code", "PIN")), page("Done"))
    customer = agent(pages)
    customer.fill(customer.open(URL), pin=PIN)
    assert sent(pages.requests[1]) == {"code": PIN}


def test_a_new_pin_can_be_repeated_otherwise() -> None:
    hidden = '<input type="hidden" name="to" value="1">'
    pages = Recorded(form(secret("new_pin") + secret("new_pin_again") + hidden), page("Done"))
    customer = agent(pages)
    customer.fill(customer.open(URL), new_pin=PIN, repeated=WRONG, others={"to": "2"})
    assert sent(pages.requests[1]) == {"new_pin": PIN, "new_pin_again": WRONG, "to": "2"}


def test_a_page_that_asks_for_something_else_is_not_filled() -> None:
    customer = agent(form(secret("new_pin") + secret("new_pin_again")))
    with pytest.raises(PageError, match="asks for new_pin and new_pin_again; expected: a PIN"):
        customer.fill(customer.open(URL), pin=PIN)
    over = agent(page("Done"))
    with pytest.raises(PageError, match="has no form"):
        over.fill(over.open(URL), pin=PIN)


def test_steps_are_told_apart_by_their_fields_where_nothing_names_them() -> None:
    server = Recorded(form(secret("old", "Old PIN")), form(secret("a") + secret("b")), page("done"))
    assert agent(server).change_pin(URL, PIN, NEW_PIN).text == "done"
    assert [sent(request) for request in server.requests[1:]] == [{"old": PIN}, {"a": NEW_PIN, "b": NEW_PIN}]


def test_an_answer_that_no_form_can_carry_is_sent_as_far_as_it_can() -> None:
    server = Recorded(form(text("answer_1")), page("done"))
    agent(server).reset_pin(URL, ("Re\ud800x",), NEW_PIN)
    assert sent(server.requests[1]) == {"answer_1": "Re?x"}


def test_a_page_that_asks_without_end_is_left() -> None:
    numbers = iter(range(100))

    def ask(_request: httpx.Request) -> httpx.Response:
        return form(f"<input type=hidden name=step value={next(numbers)}>{secret('pin')}")

    with pytest.raises(PageError, match="step number 11 in a row; expected: at most 10"):
        agent(ask).authorize(URL, PIN)
    assert next(numbers) == 11


# -------------------------------------------------------------------------------------------------- what is read


def test_a_page_says_what_it_shows() -> None:
    seen = agent(
        page(
            """<style>p { color: red }</style><h1>Provisioning&nbsp;new
            <em>wal</em>lets</h1><p>ETH &amp; BTC<p>for <b>Shop</b>.</p>Now.<!-- <form> --><button>Close</button>
            <script>let a = "<p>none</p>"</script><template><form><p>none</p></form></template>
            <input type=hidden name=step value=over>"""
        )
    ).open(URL)
    assert (seen.url, seen.opened, seen.status, seen.title) == (URL, URL, 200, "PIN — Shop")
    assert seen.text == "Provisioning new wallets ETH & BTC for Shop. Now. Close"
    assert (seen.step, seen.form, seen.returned_to) == (None, None, None)


def test_a_form_is_read_as_a_browser_would() -> None:
    found = (
        agent(
            form(
                """<input type="hidden" name="a" value="1 &lt; 2"><INPUT NAME=b VALUE=x TYPE=TEXT value=y>
                <label for="p">The <b>PIN</b></label><input id="p" type="password" name="pin" aria-label="no">
                <p id="what">What <b>it</b></p><em id="is">is</em>
                <input name="l" aria-labelledby="what is" aria-label="no">
                <input name="c" aria-label="C"><input name="d" placeholder="D"><input name="off" value="y" disabled>
                <input type="checkbox" name="e"><input type="checkbox" name="f" checked><input value="without a name">
                <label>Which <select name="g"><option value="1">One<option selected>Two &amp; 2<option disabled>3
                </select></label><select name="h"><option selected>first<option selected>second</select>
                <select name="i"></select>
                <textarea name="j">\nsome &lt;words></textarea>""",
                buttons="""<input type=submit value=Send name=s><button type=button>no</button>
                <button name=action value=go>Go <i>on</i></button><button disabled>no</button><input type=reset>""",
            )
        )
        .open(URL)
        .form
    )
    assert found is not None
    assert (found.action, found.method) == (URL, "POST")
    assert list(found.fields.items()) == [
        ("a", "1 < 2"),
        ("b", "x"),
        ("pin", ""),
        ("l", ""),
        ("c", ""),
        ("d", ""),
        ("f", "on"),
        ("g", "Two & 2"),
        ("h", "second"),
        ("i", ""),
        ("j", "some <words>"),
    ]
    assert (found.kinds["a"], found.kinds["b"], found.kinds["e"]) == ("hidden", "text", "checkbox")
    assert (found.kinds["g"], found.kinds["j"]) == ("select", "textarea")
    assert [found.labels[name] for name in ("pin", "c", "d", "g", "h")] == ["The PIN", "C", "D", "Which", ""]
    assert found.labels["l"] == "What it is"
    assert found.choices == {"g": ["1", "Two & 2"], "h": ["first", "second"], "i": []}
    assert list(found.buttons) == [Button("s", "Send", "Send"), Button("action", "go", "Go on")]


def test_unclosed_tags_end_where_the_next_of_their_kind_begins() -> None:
    shown = agent(
        httpx.Response(
            200,
            headers={"Content-Type": "Text/HTML;charset=utf-8"},
            content="""<button>No</button><form method=post><p><label for=a>First<input id=a name=answer_1><p>
            <label for=b>Second<input id=b name=answer_2></label><select name=question_1><option>A<option>B
            <input type=hidden name=step value=s>one<select name=question_2><option>C</select>two
            <template><form></form></template><button name=action value=continue>Go
            <button name=action value=cancel>Stop<form method=get><label for=c>Third<input id=c name=answer_3></form>
            three""",
        )
    ).open(URL)
    assert shown.form is not None
    assert (shown.form.method, shown.step) == ("POST", "s")
    assert [shown.form.labels[f"answer_{number}"] for number in (1, 2, 3)] == ["First", "Second", "Third"]
    assert shown.form.choices == {"question_1": ["A", "B"], "question_2": ["C"]}
    assert [(button.value, button.label) for button in shown.form.buttons] == [("continue", "Go"), ("cancel", "Stop")]
    assert shown.text == "No First Second one two Go Stop Third three"


def test_only_a_hidden_field_tells_the_step() -> None:
    assert agent(form("<input name=step value=verify>")).open(URL).step is None


def test_a_form_for_browsers_without_scripts_is_filled() -> None:
    server = Recorded(
        page(f"<script></script><noscript><form method=post>{secret('pin')}<button>Go</button></form></noscript>"),
        page("done"),
    )
    assert agent(server).authorize(URL, PIN).text == "done"
    assert sent(server.requests[1]) == {"pin": PIN}


def test_the_text_of_other_encodings_is_read() -> None:
    latin = httpx.Response(200, headers={"Content-Type": "text/html; charset=ISO-8859-1"}, content=b"<p>Zo\xeb")
    assert agent(latin).open(URL).text == "Zoë"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (httpx.Response(200), "is empty; expected: HTML"),
        (httpx.Response(500, html=" \n"), "answered 500, but this page"),
        (httpx.Response(303), "is empty"),
        (httpx.Response(404, json={"success": False}), "is application/json; expected: HTML"),
        (httpx.Response(200, content=b"<p>hello"), "is without a Content-Type"),
        (httpx.Response(200, html="<p>" + "a" * 131_070), "has 131,073 bytes; expected: at most 131,072"),
        (page("<div id=root></div>", head="<script src=app.js></script>"), "shows nothing but by a script"),
        (page("<noscript>Switch scripts on.</noscript><script></script>"), "shows nothing but by a script"),
        (page(secret("pin") + "<button>Go</button>"), "has fields but no form that sends them"),
        (page("<form method=post></form><form method=post></form>"), "has 2 forms; expected: one"),
        (page("<form></form><form method=post><input type=tel name=a><input name=b></form>"), "has 2 forms; expected"),
        (page("<form></form><form method=post><input name=a aria-label='A PIN'><input name=b></form>"), "has 2 forms"),
        (form(secret("pin"), ""), "sends its form with GET"),
        (form(secret("pin"), "method=dialog"), "sends its form with DIALOG"),
        (form(secret("pin"), "method=post enctype=multipart/form-data"), "sends its form as multipart/form-data"),
        (form(secret("pin") + secret("pin")), "has several fields named pin"),
        (form(secret("pin"), buttons="<button formaction='https://evil.example'>Go</button>"), "in its own way"),
        (
            httpx.Response(200, headers={"Content-Type": "text/html; charset=hex"}, content=b"<p>hello"),
            "is written in hex; expected: UTF-8",
        ),
        (
            httpx.Response(200, headers={"Content-Type": "text/html; charset=nonsense"}, content=b"<p>hello"),
            "is written in nonsense; expected: UTF-8",
        ),
    ],
)
def test_a_page_that_needs_more_than_html_is_refused(answer: httpx.Response, message: str) -> None:
    with pytest.raises(PageError) as caught:
        agent(answer).open(URL)
    assert message in str(caught.value)
    assert CANNOT in str(caught.value)
    assert caught.value.response is answer


@pytest.mark.parametrize(
    "action",
    [
        "https://evil.example/gateway/challenges/x",
        "//evil.example/gateway/challenges/x",
        "http://gateway.example/gateway/challenges/x",
        f"{ORIGIN}:8443/gateway/challenges/x",
        f"{ORIGIN}.evil.example/gateway/challenges/x",
        "https://gateway.example@evil.example/gateway/challenges/x",
        "/gateway/challenges-of-another/x",
        "../../../etc",
        "javascript:alert(1)",
        "http://[",
        "https://gateway.example:port/",
    ],
)
def test_a_form_that_is_sent_elsewhere_is_refused(action: str) -> None:
    server = Recorded(form(secret("pin"), f'method=post action="{action}"'))
    with pytest.raises(PageError, match="sends its form to"):
        agent(server).authorize(URL, PIN)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("head", "attributes", "action"),
    [
        ("", "", URL),
        ("", 'action=""', URL),
        ("", 'action="?a=1"', f"{URL}?a=1"),
        ("", 'action="next"', f"{ORIGIN}/gateway/challenges/next"),
        ("", 'action="./x/../next"', f"{ORIGIN}/gateway/challenges/next"),
        ("", f'action="{ORIGIN}:443/gateway/challenges/next"', f"{ORIGIN}/gateway/challenges/next"),
        ('<base href="deeper/">', 'action="next"', f"{ORIGIN}/gateway/challenges/deeper/next"),
        ('<base href="https://evil.example/">', "", URL),
        ("<base>", 'action="next"', f"{ORIGIN}/gateway/challenges/next"),
    ],
)
def test_a_form_is_sent_where_it_says(head: str, attributes: str, action: str) -> None:
    server = Recorded(page(f"<form method=post {attributes}>{secret('pin')}<button>Go</button></form>", head=head))
    server.answers.append(page("done"))
    assert agent(server).authorize(URL, PIN).text == "done"
    assert str(server.requests[1].url) == action


def test_a_base_elsewhere_takes_the_form_elsewhere() -> None:
    server = Recorded(
        page("<form method=post action=next>", head='<base href="https://evil.example/gateway/challenges/">')
    )
    with pytest.raises(PageError, match=r"sends its form to https://evil\.example/gateway/challenges/next"):
        agent(server).open(URL)


@example("<form method=post><![odd[</form>")
@given(st.lists(st.sampled_from(SOUP), max_size=12).map("".join))
def test_no_soup_of_tags_breaks_it(soup: str) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, html=soup)

    with suppress(PageError):
        assert agent(answer).authorize(URL, PIN).returned_to is None


# ------------------------------------------------------------------------------------------- fields by other names


@pytest.mark.parametrize(
    ("fields", "filled"),
    [
        (secret("x"), {"x": PIN}),
        (text("x", "6-digit PIN code"), {"x": PIN}),
        (text("userPin"), {"userPin": PIN}),
        (secret("x", "Your new PIN"), {"x": NEW_PIN}),
        (secret("x") + secret("y"), {"x": NEW_PIN, "y": NEW_PIN}),
        (secret("x", "Current PIN") + secret("y"), {"x": PIN, "y": NEW_PIN}),
        (secret("x") + secret("oldPin") + secret("z"), {"x": NEW_PIN, "oldPin": PIN, "z": NEW_PIN}),
        (text("x", "First pet?") + text("answerTwo"), {"x": "Rex", "answerTwo": "Łódź"}),
        (secret("x", "First pet?") + secret("y", "Teacher?"), {"x": "Rex", "y": "Łódź"}),
        (
            "<select name=x><option>A<option>B</select>" + text("y", "Your answer") + "<select name=z><option>A"
            "<option>B</select>" + text("w", "Your answer"),
            {"x": "A", "y": "Rex", "z": "B", "w": "Łódź"},
        ),
        ("<select name=lang><option value=''>en<option>de</select>" + secret("x"), {"lang": "", "x": PIN}),
        (
            "<select name=lang><option>en<option>de</select>" + text("x", "Pet?") + text("y", "Town?") + "<select "
            "name=zone><option>1<option>2</select><select name=unit><option>m</select>",
            {"lang": "en", "x": "Rex", "y": "Łódź", "zone": "1", "unit": "m"},
        ),
        ("<input name=note value=n>", {"note": "n"}),
        ("<input type=checkbox name=remember>" + secret("x"), {"x": PIN}),
        ("", {}),
        (text("answer_2") + text("answer_1"), {"answer_2": "Łódź", "answer_1": "Rex"}),
        (secret("new_pin") + secret("pin"), {"new_pin": NEW_PIN, "pin": PIN}),
        (secret("pin", "Choose a PIN") + secret("confirm", "Confirm it"), {"pin": NEW_PIN, "confirm": NEW_PIN}),
        (
            secret("current", "Current PIN") + secret("pin", "New PIN") + secret("confirm", "Confirm it"),
            {"current": PIN, "pin": NEW_PIN, "confirm": NEW_PIN},
        ),
        (
            secret("x", "PIN") + secret("y", "New PIN") + secret("z", "Repeat the new PIN"),
            {"x": PIN, "y": NEW_PIN, "z": NEW_PIN},
        ),
        (text("a", "First pet?") + secret("pin", "New PIN") + secret("b"), {"a": "Rex", "pin": NEW_PIN, "b": NEW_PIN}),
    ],
)
def test_fields_are_told_by_name_type_and_label(fields: str, filled: dict[str, str]) -> None:
    server = Recorded(form(fields), page("done"))
    customer = agent(server)
    if "Rex" in filled.values():
        customer.reset_pin(URL, ("Rex", "Łódź"), NEW_PIN)
    else:
        customer.change_pin(URL, PIN, NEW_PIN)
    assert sent(server.requests[1]) == filled


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (text("otp", "Code from the e-mail"), "asks for Code from the e-mail in otp"),
        (text("otp"), "asks for something without a label in otp"),
        (secret("pin") + text("captcha"), "asks for something without a label in captcha"),
        (secret("a") + secret("b") + secret("c"), "without a label in a"),
        (secret("a") + secret("b") + secret("c") + secret("d"), "without a label in a"),
        (text("question_1") + text("answer_1"), "offers nothing to choose in question_1"),
        ("<select name=question_1><option value=''>Choose</select>" + text("answer_1"), "nothing to choose"),
    ],
)
def test_fields_that_leave_doubt_are_not_filled(fields: str, message: str) -> None:
    server = Recorded(form(fields))
    with pytest.raises(PageError) as caught:
        agent(server).set_up(URL, PIN)
    assert message in str(caught.value)
    assert len(server.requests) == 1


def test_fewer_answers_than_questions_are_not_sent() -> None:
    server = Recorded(form(text("answer_1") + text("answer_2")))
    assert agent(server).reset_pin(URL, ("Rex",), NEW_PIN).form is not None
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("buttons", "action", "pressed"),
    [
        ("<button>Confirm</button>", "continue", {}),
        ("<button>Cancel</button><button name=b value=1>Confirm</button>", "continue", {"b": "1"}),
        ("<button value=skip>Later</button><input type=submit name=b value=OK>", "continue", {"b": "OK"}),
        ("<button name=b value=1>Cancel this</button><button>Confirm</button>", "cancel", {"b": "1"}),
        ("<button name=b value=skip>Later</button><button>Confirm</button>", "skip", {"b": "skip"}),
        ("<button name=b value=0>Decline</button><button name=b value=1>Approve</button>", "continue", {"b": "1"}),
        ("<button name=b value=0>Decline</button><button name=b value=1>Approve</button>", "cancel", {"b": "0"}),
        ("<button name=b value=2>Not now</button><button>Next</button>", "skip", {"b": "2"}),
        ("<button name=b value=no>Continue</button><button name=b value=continue>Yes</button>", "continue", "continue"),
    ],
)
def test_the_button_that_says_so_is_pressed(buttons: str, action: str, pressed: dict[str, str] | str) -> None:
    server = Recorded(form(secret("pin"), buttons=buttons), page("done"))
    customer = agent(server)
    customer.submit(customer.open(URL), {"pin": PIN}, action=action)
    wanted = {"b": pressed} if isinstance(pressed, str) else pressed
    assert sent(server.requests[1]) == {"pin": PIN, **wanted}


@pytest.mark.parametrize(
    ("buttons", "action", "message"),
    [
        ("", "continue", "has the buttons: none; expected: one that says continue"),
        ("<button disabled>Go</button>", "continue", "has the buttons: none"),
        ("<button>Yes</button><button>Sure</button>", "continue", "has the buttons: Yes, Sure"),
        ("<button>Go</button>", "cancel", "has the buttons: Go; expected: one that says cancel"),
        ("<button>Cancel</button>", "continue", "has the buttons: Cancel"),
    ],
)
def test_a_form_without_that_one_button_is_refused(buttons: str, action: str, message: str) -> None:
    customer = agent(form(secret("pin"), buttons=buttons))
    shown = customer.open(URL)
    with pytest.raises(UnfamiliarPageError) as caught:
        customer.submit(shown, action=action)
    assert message in str(caught.value)


def test_only_what_is_on_the_page_is_filled() -> None:
    customer = agent(form(secret("pin") + text("b")))
    with pytest.raises(PageError, match="has no field new_pin; expected: one of pin, b"):
        customer.submit(customer.open(URL), {"pin": PIN, "new_pin": PIN})
    over = agent(page("done"))
    with pytest.raises(PageError, match="has no form"):
        over.submit(over.open(URL), {"pin": PIN})


# -------------------------------------------------------------------------------------------- where the browser goes


@pytest.mark.parametrize(
    ("location", "requested"),
    [
        (URL, URL),
        ("", URL),
        ("next", f"{ORIGIN}/gateway/challenges/next"),
        ("?step=2", f"{URL}?step=2"),
        ("/gateway/challenges/next", f"{ORIGIN}/gateway/challenges/next"),
        (f"{ORIGIN}:443/gateway/challenges/next", f"{ORIGIN}/gateway/challenges/next"),
        ("HTTPS://GATEWAY.example/gateway/challenges/next", f"{ORIGIN}/gateway/challenges/next"),
    ],
)
def test_a_redirect_within_the_hosted_page_is_followed(location: str, requested: str) -> None:
    server = Recorded(form(secret("pin")), httpx.Response(303, headers={"Location": location}), page("<p>Second step"))
    end = agent(server).authorize(URL, PIN)
    assert (end.text, end.returned_to, end.url) == ("Second step", None, requested)
    assert (server.requests[2].method, str(server.requests[2].url)) == ("GET", requested)
    assert server.requests[2].content == b""
    assert [each.status_code for each in end.response.history] == [303]


@pytest.mark.parametrize(
    ("location", "returned_to"),
    [
        (RETURN, RETURN),
        (f"{ORIGIN}/done?a=%2F&b=1+2#end", f"{ORIGIN}/done?a=%2F&b=1+2#end"),
        ("/done", f"{ORIGIN}/done"),
        ("../../done", f"{ORIGIN}/done"),
        ("/gateway/challenges/../../done", f"{ORIGIN}/done"),
        (f"{ORIGIN}:8443/gateway/challenges/next", f"{ORIGIN}:8443/gateway/challenges/next"),
        ("http://gateway.example/gateway/challenges/next", "http://gateway.example/gateway/challenges/next"),
        ("//app.example/gateway/challenges/next", "https://app.example/gateway/challenges/next"),
        ("shop://done?user=7", "shop://done?user=7"),
        ("/gateway/challenges", f"{ORIGIN}/gateway/challenges"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_elsewhere_is_told_and_never_requested(location: str, returned_to: str, status: int) -> None:
    server = Recorded(form(secret("pin")), httpx.Response(status, headers={"Location": location}))
    end = agent(server).authorize(URL, PIN)
    assert (end.returned_to, end.status, end.form, end.step, end.text) == (returned_to, status, None, None, "")
    assert len(server.requests) == 2


def test_the_hosted_page_is_what_lies_beside_the_url_that_was_opened() -> None:
    server = Recorded(
        httpx.Response(302, headers={"Location": "deeper/first"}),
        form(secret("pin")),
        httpx.Response(303, headers={"Location": "/gateway/challenges/last"}),
        page("done"),
    )
    assert agent(server).authorize(URL, PIN).text == "done"
    assert [request.url.path for request in server.requests] == [
        "/gateway/challenges/4f6c0a9be1d3",
        "/gateway/challenges/deeper/first",
        "/gateway/challenges/deeper/first",
        "/gateway/challenges/last",
    ]


def test_a_form_is_sent_again_where_the_redirect_says_so() -> None:
    server = Recorded(form(secret("pin")), httpx.Response(307, headers={"Location": "again"}), page("done"))
    assert agent(server).authorize(URL, PIN).text == "done"
    assert (server.requests[2].method, sent(server.requests[2])) == ("POST", {"pin": PIN})


def test_five_redirects_are_followed_and_no_sixth() -> None:
    five = [httpx.Response(303, headers={"Location": URL}) for _ in range(5)]
    assert agent(Recorded(*five, page("done"))).open(URL).text == "done"
    loop = Recorded(*[httpx.Response(303, headers={"Location": URL}) for _ in range(9)])
    with pytest.raises(PageError, match="redirect number 6 in a row"):
        agent(loop).open(URL)
    assert len(loop.requests) == 6


@pytest.mark.parametrize(
    "location", ["https://[::1/", "https://app.example:port/", "https://app.example/\x7f", "shop:done"]
)
def test_a_redirect_that_no_browser_can_follow_is_refused(location: str) -> None:
    with pytest.raises(PageError, match=r"gateway\.example/gateway/\S+ gave an answer that a browser cannot follow"):
        agent(httpx.Response(303, headers={"Location": location})).open(URL)


@pytest.mark.parametrize("url", ["", "/gateway/x", "ftp://gateway.example/x", "https://", "mailto:a@b", "http://a:b"])
def test_what_is_no_url_of_a_page_is_not_opened(url: str) -> None:
    server = Recorded()
    with pytest.raises(PageError, match="A page cannot be opened at"):
        agent(server).open(url)
    assert server.requests == []


def test_a_page_that_does_not_answer_is_no_page_error() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(httpx.ConnectError):
        agent(refuse).open(URL)


def test_cookies_are_kept_from_one_challenge_to_the_next_where_they_belong() -> None:
    first = page("one")
    first.headers = httpx.Headers(
        [
            ("Content-Type", "text/html"),
            ("Set-Cookie", "visit=v1; HttpOnly; SameSite=Strict; Path=/gateway"),
            ("Set-Cookie", "other=o; Path=/elsewhere"),
        ]
    )
    server = Recorded(first, page("two"), page("three"))
    customer = agent(server)
    customer.open(URL)
    customer.open(f"{ORIGIN}/gateway/challenges/another")
    customer.open("https://stranger.example/gateway/challenges/another")
    assert [request.headers.get("Cookie") for request in server.requests] == [None, "visit=v1", None]


def test_every_request_carries_the_extensions_it_was_given() -> None:
    server = Recorded(form(secret("pin")), httpx.Response(303, headers={"Location": "next"}), page("done"))
    with PinAgent(httpx.MockTransport(server), extensions={"conformance.breaks": frozenset({"a"})}) as customer:
        customer.authorize(URL, PIN)
    assert [request.extensions["conformance.breaks"] for request in server.requests] == [{"a"}] * 3


def test_what_the_transport_adds_to_an_answer_stays_with_the_page() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, html="<p>done", extensions={"conformance.exchange": "number 1"})

    assert agent(answer).open(URL).response.extensions["conformance.exchange"] == "number 1"


def test_a_customer_can_wait_at_two_pages_at_once() -> None:
    server = Recorded(form(secret("pin")), form(secret("pin")), page("first"), page("second"))
    customer = agent(server)
    one, two = customer.open(URL), customer.open("https://other.example/pages/1")
    assert customer.submit(one, {"pin": PIN}).text == "first"
    assert customer.submit(two, {"pin": PIN}).text == "second"
    assert [str(request.url) for request in server.requests[2:]] == [URL, "https://other.example/pages/1"]


# ---------------------------------------------------------------------------------------------------- no PIN is told


def test_a_pin_is_in_no_message_and_no_url_even_if_the_page_puts_it_there() -> None:
    server = Recorded(
        form(secret("pin")),
        httpx.Response(303, headers={"Location": f"?pin={PIN}"}),
        form(f'<input name=pin value="{PIN}"><p>{PIN}</p>', buttons=""),
    )
    customer = agent(server)
    shown = customer.submit(customer.open(URL), {"pin": PIN})
    assert PIN in shown.text
    assert shown.form is not None
    assert PIN not in repr(shown)
    assert PIN not in repr(shown.form)
    with pytest.raises(PageError) as caught:
        customer.submit(shown, {"pin": PIN})
    assert PIN not in str(caught.value)


def test_a_pin_leaves_in_the_body_alone() -> None:
    hosted = HostedPage("verify", pin=PIN)
    agent(hosted).authorize(URL, PIN)
    asked, told = hosted.requests
    assert PIN.encode() not in asked.content
    assert all(PIN not in f"{request.url}{request.headers}" for request in (asked, told))
    assert told.headers["Accept-Encoding"] == "identity"
    assert told.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(told.content.decode())["pin"] == [PIN]


def digits(names: Sequence[str], label: str = "", attributes: str = "maxlength=1") -> str:
    fields = "".join(
        f'<input type="tel" name="{name}" {attributes} aria-label="Digit {n}">' for n, name in enumerate(names)
    )
    return f"<fieldset><legend>{label}</legend>{fields}</fieldset>"


def numbered(name: str) -> list[str]:
    return [name.format(number) for number in range(1, 7)]


class Once:
    """A page with one form, and what was sent by it."""

    def __init__(self, form: str) -> None:
        self.shown = page(f'<form method="post">{form}<button>Go on</button></form>')
        self.sent: list[tuple[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return self.shown
        self.sent = parse_qsl(request.content.decode(), keep_blank_values=True)
        return page("<p>Thank you.")


@pytest.mark.parametrize(
    "names",
    [
        numbered("pin_{}"),
        numbered("digit-{}"),
        numbered("code[{}]"),
        ["pin"] * 6,
        ["otp[]"] * 6,
        [f"p{letter}" for letter in "123456"],
    ],
    ids=lambda names: names[0],
)
@pytest.mark.parametrize("attributes", ["maxlength=1", "size=1 maxlength=1", "maxlength=1 pattern=[0-9] value=''"])
def test_a_pin_is_entered_digit_by_digit_where_there_is_a_box_for_each(names: list[str], attributes: str) -> None:
    gateway = Once('<input type="hidden" name="csrf" value="x">' + digits(names, "Your PIN", attributes))
    with PinAgent(httpx.MockTransport(gateway)) as agent:
        agent.authorize(URL, PIN)
    assert gateway.sent == [("csrf", "x"), *zip(names, PIN, strict=True)]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        pytest.param(
            digits(numbered("new_{}"), "New PIN") + digits(numbered("again_{}"), "New PIN again"),
            NEW_PIN + NEW_PIN,
            id="names",
        ),
        pytest.param(
            digits(numbered("d{}"), "Choose a PIN") + digits(numbered("d1{}"), "Repeat the PIN"),
            NEW_PIN * 2,
            id="groups",
        ),
        pytest.param(digits([f"box{number}" for number in range(12)], "Choose a PIN, twice"), NEW_PIN * 2, id="twelve"),
        pytest.param(
            digits(numbered("a{}"), "Current PIN")
            + digits(numbered("b{}"), "New PIN")
            + digits(numbered("c{}"), "Again"),
            PIN + NEW_PIN * 2,
            id="change",
        ),
    ],
)
def test_several_pins_have_boxes_of_their_own(form: str, expected: str) -> None:
    gateway = Once(form)
    with PinAgent(httpx.MockTransport(gateway)) as agent:
        agent.change_pin(URL, PIN, NEW_PIN)
    assert "".join(value for _, value in gateway.sent) == expected


@pytest.mark.parametrize(("pin", "held"), [("4829", "4829,,"), ("48291355", "4,8,2,9,1,355"), ("", ",,,,,")])
def test_what_is_too_short_or_too_long_for_the_boxes_is_sent_all_the_same(pin: str, held: str) -> None:
    gateway = Once(digits(["pin"] * 6))
    with PinAgent(httpx.MockTransport(gateway)) as agent:
        agent.fill(agent.open(URL), pin=pin)
    found = [value for _, value in gateway.sent]
    assert len(found) == 6
    assert "".join(found) == pin
    assert ",".join(found) == held if len(pin) != 4 else found[:4] == list(pin)


def test_three_letters_side_by_side_are_no_pin() -> None:
    gateway = Once("".join(f'<input name="initial_{n}" maxlength=1>' for n in range(3)) + secret("pin"))
    with PinAgent(httpx.MockTransport(gateway)) as agent:
        form = agent.open(URL).form
    assert form is not None
    assert list(form.boxes) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<main id=app></main><script src=app.js></script>", "shows nothing but by a script"),
        ("<main>Loading</main><script src=app.js></script>", "has a script and asks for nothing without it"),
        ("<input maxlength=1><script></script>", "has fields but no form that sends them"),
        (
            f"<form method=post>{'<input maxlength=1>' * 6}<input type=hidden name=pin></form><script></script>",
            "has a field without a name, which a script alone can send",
        ),
    ],
)
def test_a_page_that_works_by_a_script_alone_needs_a_browser(body: str, found: str) -> None:
    with PinAgent(httpx.MockTransport(lambda _: page(body))) as agent, pytest.raises(ScriptNeededError) as caught:
        agent.authorize(URL, PIN)
    assert caught.value.found == found
    assert CANNOT in str(caught.value)


def test_a_page_that_is_done_may_have_a_script() -> None:
    hosted = HostedPage("verify", pin=PIN)
    done = page("<p>Done.<script></script>")
    with PinAgent(httpx.MockTransport(lambda sent: done if hosted.ended else hosted(sent))) as agent:
        agent.authorize(URL, PIN)
        assert agent.open(URL).is_scripted


SEARCH = "<form><input name=q><button>Search</button></form>"
FEEDBACK = "<form method=post action=/feedback><label>Tell us <input name=text></label><button>Send</button></form>"
OPINION = "<form method=post><label>What do you think? <input name=text></label><button>Send</button></form>"


@pytest.mark.parametrize(
    ("fields", "beside", "filled"),
    [
        (secret("pin"), OPINION, {"pin": PIN}),
        (secret("pin"), FEEDBACK, {"pin": PIN}),
        ("<input type=hidden name=token value=t>", FEEDBACK, {"token": "t"}),
    ],
)
def test_of_several_forms_the_one_that_belongs_to_the_challenge_is_filled(
    fields: str, beside: str, filled: dict[str, str]
) -> None:
    body = f"{SEARCH}<form method=post action={URL}/next>{fields}<button>Go</button></form>{beside}"
    server = Recorded(page(body), page("done"))
    assert agent(server).authorize(URL, PIN).text == "done"
    assert (server.requests[1].url.path, sent(server.requests[1])) == (f"{httpx.URL(URL).path}/next", filled)


def test_forms_that_have_nothing_to_do_with_the_challenge_are_none() -> None:
    assert agent(page(SEARCH + FEEDBACK)).open(URL).form is None


def test_a_pin_beside_what_nobody_knows_is_not_passed_over() -> None:
    asking = f"<form method=post>{secret('pin')}{text('captcha', 'What stands there')}<button>Go</button></form>"
    with pytest.raises(PageError, match="has 2 forms; expected: one"):
        agent(page(SEARCH + asking)).open(URL)


def test_two_forms_that_ask_for_a_pin_are_refused() -> None:
    asking = f"<form method=post>{secret('pin')}<button>Go</button></form>"
    with pytest.raises(PageError, match="has 2 forms; expected: one"):
        agent(page(asking * 2)).open(URL)


def test_pages_before_the_pin_are_gone_through() -> None:
    server = Recorded(form("<input type=hidden name=at value=review>"), form(secret("code")), page("done"))
    assert agent(server).fill(agent(server).open(URL), pin=PIN).text == "done"
    assert [sent(request) for request in server.requests[1:]] == [{"at": "review"}, {"code": PIN}]


@pytest.mark.parametrize("again", [form(secret("code", "PIN")), form(secret("repeat_code", "Repeat it"))])
def test_a_new_pin_is_repeated_on_a_page_of_its_own(again: httpx.Response) -> None:
    server = Recorded(form(secret("code", "PIN")), again, form(text("reply", "Your answer")))
    customer = agent(server)
    after = customer.fill(customer.open(URL), new_pin=PIN, repeated=NEW_PIN)
    assert [list(sent(request).values()) for request in server.requests[1:]] == [[PIN], [NEW_PIN]]
    assert after.form is not None
    assert list(after.form.kinds) == ["reply"]


def test_a_first_pin_is_repeated_on_a_page_that_looks_the_same() -> None:
    asking = form(secret("code", "PIN"))
    server = Recorded(asking, asking, page("done"))
    assert agent(server).set_up(URL, PIN).text == "done"
    assert [sent(request) for request in server.requests[1:]] == [{"code": PIN}] * 2


def test_a_changed_pin_is_repeated_on_a_page_of_its_own() -> None:
    labels = ("PIN", "New PIN", "New PIN again")
    server = Recorded(*(form(secret("code", label)) for label in labels), page("done"))
    assert agent(server).change_pin(URL, PIN, NEW_PIN).text == "done"
    assert [list(sent(request).values()) for request in server.requests[1:]] == [[PIN], [NEW_PIN], [NEW_PIN]]


def test_a_wrong_pin_is_entered_once() -> None:
    asking = form(secret("code", "PIN"))
    server = Recorded(asking, asking)
    assert agent(server).authorize(URL, WRONG).form is not None
    assert len(server.requests) == 2


class Waited(SystemClock):
    """Lets no time pass, and says how much would have."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def advance(self, duration: timedelta) -> None:
        self.seconds += duration.total_seconds()


def refreshing(content: str) -> httpx.Response:
    return page("<p>One moment", head=f'<meta http-equiv=Refresh content="{content}">')


@pytest.mark.parametrize("content", [f"2; url={URL}/working", f"2;URL='{URL}/working'", f"2, {URL}/working"])
def test_a_page_that_another_one_follows_by_itself_is_waited_for(content: str) -> None:
    clock = Waited()
    server = Recorded(form(secret("pin")), refreshing(content), httpx.Response(302, headers={"Location": RETURN}))
    with PinAgent(httpx.MockTransport(server), clock=clock) as customer:
        assert customer.authorize(URL, PIN).returned_to == RETURN
    assert str(server.requests[2].url) == f"{URL}/working"
    assert clock.seconds == 2


def test_a_page_may_lead_back_by_itself() -> None:
    server = Recorded(form(secret("pin")), refreshing(f"0; url={RETURN}"))
    assert agent(server).authorize(URL, PIN).returned_to == RETURN
    assert len(server.requests) == 2


@pytest.mark.parametrize("seconds", [0, 5, 9999])
def test_a_page_that_follows_itself_for_ever_is_left(seconds: int) -> None:
    clock = Waited()
    with PinAgent(httpx.MockTransport(lambda _: refreshing(str(seconds))), clock=clock) as customer:
        assert customer.open(URL).text == "One moment"
    assert clock.seconds <= 30


def test_it_brings_nothing_of_the_suite_with_it() -> None:
    agent_imports, page_imports, forms_imports = (
        re.findall(r"^\s*(?:from|import) (conformance\b[\w.]*)", inspect.getsource(module), re.MULTILINE)
        for module in (pin_agent, pages, html_forms)
    )
    assert sorted({*agent_imports, *page_imports}) == [
        "conformance.bounds.transport",
        "conformance.bounds.urls",
        "conformance.clock",
        "conformance.planbok.digit_boxes",
        "conformance.planbok.html_forms",
        "conformance.planbok.page_words",
        "conformance.planbok.pages",
        "conformance.speed.http_client",
    ]
    assert forms_imports == []
