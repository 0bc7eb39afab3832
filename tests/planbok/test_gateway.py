"""Each step of the hosted page has the fields and buttons that it should, and what comes from elsewhere stays text."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.planbok.gateway import QUESTIONS, Step, View, headers, render, stylesheet

NOON = datetime(2026, 1, 15, 12, 15, tzinfo=UTC)
RETURN_URL = "https://shop.example/back?step=verify&page=2"
FIELDS = {
    Step.SET_PIN: ["new_pin", "new_pin_again"],
    Step.SET_RECOVERY: ["question_1", "answer_1", "question_2", "answer_2"],
    Step.VERIFY: ["pin"],
    Step.CHANGE_PIN: ["pin", "new_pin", "new_pin_again"],
    Step.ANSWER: ["answer_1", "answer_2"],
    Step.RESET_PIN: ["new_pin", "new_pin_again"],
}
ENDS = [step for step in Step if step not in FIELDS]
VOID = {"input", "link", "meta"}
REFERENCES = ("for", "aria-describedby")

Attributes = dict[str, str | None]


class Document(HTMLParser):
    """The elements of a page in their order, each with its attributes, and its text.

    Raises:
        AssertionError: If elements are not nested as they should be, or one names an attribute twice.
    """

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attributes]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(page.decode())
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        assert len(named) == len(attributes), f"{tag} names an attribute twice"
        self.elements.append((tag, named))
        if tag not in VOID:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in self._open:
            self.texts[tag][-1] += data

    def all(self, *tags: str) -> Iterator[Attributes]:
        """The attributes of each element of these kinds."""
        return (attributes for tag, attributes in self.elements if tag in tags)

    @property
    def fields(self) -> list[Attributes]:
        """The attributes of what a customer fills in."""
        return [each for each in self.all("input", "select") if each.get("type") != "hidden"]

    @property
    def shape(self) -> list[tuple[str, list[str]]]:
        """The elements, and which attributes each has."""
        return [(tag, list(attributes)) for tag, attributes in self.elements]


def view(step: Step) -> View:
    """A page of this step about which nothing is left unsaid."""
    questions = {Step.SET_RECOVERY: QUESTIONS, Step.ANSWER: QUESTIONS[2:4]}
    return View(
        step,
        "Provisioning new wallets",
        "first",
        authorized=("Ethereum Sepolia (ETH-SEPOLIA)", "Bitcoin Testnet (BTC-TESTNET)"),
        csrf="c0ffee",
        error="That is not your PIN.",
        tries_left=3,
        questions=questions.get(step, ()),
        chosen=(QUESTIONS[1], QUESTIONS[4]),
        locked_until=NOON + timedelta(minutes=15) if step is Step.LOCKED else None,
        expires_at=NOON,
        return_url=RETURN_URL,
        skippable=True,
    )


def bare(step: Step) -> View:
    """A page of this step about which as little is said as can be."""
    return View(step, "Provisioning new wallets", "first", questions=view(step).questions)


def shown(step: Step) -> Document:
    return Document(render(view(step)))


# ------------------------------------------------------------------------------------------------------- every page


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("made", [view, bare])
def test_it_is_a_well_formed_page_with_one_heading_that_its_title_repeats(
    made: Callable[[Step], View], step: Step
) -> None:
    page = render(made(step))
    assert page.startswith(b'<!DOCTYPE html>\n<html lang="en">\n')
    document = Document(page)
    (heading,) = document.texts["h1"]
    (title,) = document.texts["title"]
    assert title.removeprefix("Error: ") == f"{heading} - Planbok reference sandbox"
    assert [len(document.texts[landmark]) for landmark in ("header", "main", "footer")] == [1, 1, 1]


@pytest.mark.parametrize("step", Step)
def test_what_elements_refer_to_is_there_once(step: Step) -> None:
    for document in (shown(step), Document(render(bare(step)))):
        ids = [str(attributes["id"]) for _, attributes in document.elements if "id" in attributes]
        assert len(set(ids)) == len(ids)
        referred = [each[name] or "" for _, each in document.elements for name in REFERENCES if name in each]
        assert {name for names in referred for name in names.split()} <= set(ids)
        assert [each["id"] for each in document.fields] == [each["for"] for each in document.all("label")]


@pytest.mark.parametrize("step", Step)
def test_it_brings_no_script_no_style_and_nothing_from_elsewhere(step: Step) -> None:
    document = shown(step)
    assert not list(document.all("script", "style", "img", "iframe", "object", "base"))
    for _, attributes in document.elements:
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "action"}]
    assert [each["href"] for each in document.all("link")] == ["../page.css"]


@pytest.mark.parametrize("step", Step)
def test_it_says_what_is_asked_and_by_whom_before_anything_can_be_entered(step: Step) -> None:
    main = render(view(step)).decode().partition("<main")[2]
    before = main.partition("<form")[0]
    assert "Provisioning new wallets" in before
    assert ">first<" in before


@pytest.mark.parametrize("step", Step)
def test_it_says_that_the_sandbox_sees_the_pin(step: Step) -> None:
    (footer,) = shown(step).texts["footer"]
    assert "reference sandbox" in footer
    assert "sees what you enter" in footer


# -------------------------------------------------------------------------------------------------------- the forms


@pytest.mark.parametrize("step", FIELDS)
def test_a_step_has_one_form_with_its_fields_and_the_hidden_ones(step: Step) -> None:
    document = shown(step)
    assert list(document.all("form")) == [{"method": "post"}]
    assert [each["name"] for each in document.fields] == FIELDS[step]
    assert all("required" in each for each in document.fields)
    hidden = {each["name"]: each["value"] for each in document.all("input") if each["type"] == "hidden"}
    assert hidden == {"csrf": "c0ffee", "step": step.value}


@pytest.mark.parametrize("step", FIELDS)
def test_the_first_button_continues_and_the_last_cancels_whatever_is_filled_in(step: Step) -> None:
    buttons = list(Document(render(bare(step))).all("button"))
    assert buttons == [
        {"name": "action", "value": "continue"},
        {"name": "action", "value": "cancel", "formnovalidate": None},
    ]


@pytest.mark.parametrize("step", FIELDS)
def test_only_recovery_can_be_left_for_later_and_only_where_that_is_allowed(step: Step) -> None:
    allowed = [each["value"] for each in shown(step).all("button")]
    assert allowed == (["continue", "skip", "cancel"] if step is Step.SET_RECOVERY else ["continue", "cancel"])


@pytest.mark.parametrize("step", FIELDS)
def test_a_pin_is_six_digits_that_nobody_reads_along(step: Step) -> None:
    pins = [each for each in shown(step).fields if "pin" in str(each["name"])]
    assert len(pins) == sum("pin" in name for name in FIELDS[step])
    for each in pins:
        assert (each["type"], each["inputmode"], each["maxlength"]) == ("password", "numeric", "6")
        assert each["pattern"] == "[0-9]{6}"
        assert each["autocomplete"] == ("off" if each["name"] == "pin" else "new-password")


@pytest.mark.parametrize("step", FIELDS)
def test_nothing_that_was_entered_is_written_back(step: Step) -> None:
    entered = [each for each in shown(step).all("input") if each["type"] != "hidden"]
    assert entered
    assert not [each for each in entered if "value" in each]


def test_a_customer_is_asked_their_own_questions() -> None:
    assert shown(Step.ANSWER).texts["label"] == list(QUESTIONS[2:4])


def test_recovery_offers_every_question_twice_and_keeps_what_was_chosen() -> None:
    options = list(shown(Step.SET_RECOVERY).all("option"))
    offered = ["", *QUESTIONS]
    assert [each["value"] for each in options] == [*offered, *offered]
    assert [each["value"] for each in options if "selected" in each] == [QUESTIONS[1], QUESTIONS[4]]


@pytest.mark.parametrize("chosen", [(), ("Why?", '"><script>')])
def test_a_question_that_is_not_offered_is_not_chosen(chosen: tuple[str, ...]) -> None:
    page = render(replace(bare(Step.SET_RECOVERY), chosen=chosen))
    assert not [each for each in Document(page).all("option") if "selected" in each]
    assert b"Why?" not in page


def test_the_questions_to_choose_from_differ() -> None:
    assert len(set(QUESTIONS)) == len(QUESTIONS) >= 4


@pytest.mark.parametrize("step", FIELDS)
def test_it_says_what_the_pin_authorizes_and_until_when(step: Step) -> None:
    assert shown(step).texts["dt"] == ["Request", "From", "Your PIN authorizes", "Open until"]
    assert shown(step).texts["dd"][2:] == [*view(step).authorized, "15 January 2026, 12:15:00 UTC"]
    assert Document(render(bare(step))).texts["dt"] == ["Request", "From"]


# --------------------------------------------------------------------------------------------------- after a mistake


@pytest.mark.parametrize("step", FIELDS)
def test_a_mistake_is_announced_and_every_field_points_to_it(step: Step) -> None:
    document = shown(step)
    assert document.texts["title"][0].startswith("Error: ")
    (alert,) = [each for _, each in document.elements if each.get("role") == "alert"]
    assert alert["id"] == "trouble"
    assert ">That is not your PIN. 3 tries left.</p>" in render(view(step)).decode()
    for each in document.fields:
        assert each["aria-invalid"] == "true"
        assert "trouble" in str(each["aria-describedby"]).split()


@pytest.mark.parametrize("step", FIELDS)
def test_the_first_field_has_the_focus_and_so_says_the_request(step: Step) -> None:
    first, *others = Document(render(bare(step))).fields
    assert "autofocus" in first
    assert first["aria-describedby"] == "request"
    assert not [each for each in others if "autofocus" in each or "aria-describedby" in each]


@pytest.mark.parametrize("step", Step)
def test_nothing_is_announced_where_nothing_was_wrong(step: Step) -> None:
    document = Document(render(bare(step)))
    assert not [each for _, each in document.elements if "role" in each or "aria-invalid" in each]


@pytest.mark.parametrize(("left", "said"), [(0, "0 tries left."), (1, "1 try left."), (2, "2 tries left.")])
def test_the_tries_left_are_said_even_before_a_mistake(left: int, said: str) -> None:
    page = render(replace(bare(Step.VERIFY), tries_left=left)).decode()
    assert f'role="alert">{said}</p>' in page
    assert "aria-invalid" not in page


# ------------------------------------------------------------------------------------------------------ how it ends


@pytest.mark.parametrize("step", ENDS)
def test_a_page_that_ended_has_no_form_and_leads_back(step: Step) -> None:
    document = shown(step)
    assert not list(document.all("form", "input", "select", "button"))
    assert list(document.all("a")) == [{"href": RETURN_URL}]
    assert document.texts["a"] == ["Return to first"]


@pytest.mark.parametrize("step", ENDS)
@pytest.mark.parametrize("return_url", [None, "", "javascript:alert(1)", "data:text/html,x", "//x", "https://a b/"])
def test_it_leads_nowhere_but_to_an_address_on_the_web(step: Step, return_url: str | None) -> None:
    assert not list(Document(render(replace(bare(step), return_url=return_url))).all("a"))


@pytest.mark.parametrize("step", FIELDS)
def test_a_form_is_left_by_its_buttons_alone(step: Step) -> None:
    assert not list(shown(step).all("a"))


@pytest.mark.parametrize("step", ENDS)
def test_only_what_was_done_is_called_authorized(step: Step) -> None:
    assert ("Authorized" in shown(step).texts["dt"]) is (step is Step.DONE)


def test_it_says_why_it_is_refused() -> None:
    refused = replace(bare(Step.REFUSED), error="Recovery is not set up.")
    assert 'role="alert">Recovery is not set up.</p>' in render(refused).decode()


def test_a_link_that_nobody_knows_shows_no_request() -> None:
    assert not list(Document(render(View(Step.REFUSED, "", "", error="Nobody knows this link."))).all("dl", "dt", "dd"))


def test_it_says_how_long_a_customer_is_locked_out_in_utc() -> None:
    until = datetime(2026, 2, 3, 1, 30, 5, tzinfo=timezone(timedelta(hours=2)))
    document = Document(render(replace(bare(Step.LOCKED), locked_until=until)))
    assert document.texts["dt"][-1] == "Locked until"
    assert document.texts["time"] == ["2 February 2026, 23:30:05 UTC"]
    assert list(document.all("time")) == [{"datetime": "2026-02-02T23:30:05+00:00"}]


def test_it_says_until_when_an_expired_challenge_was_open() -> None:
    assert shown(Step.EXPIRED).texts["dt"][-1] == "Open until"
    assert shown(Step.EXPIRED).texts["time"] == ["15 January 2026, 12:15:00 UTC"]


# --------------------------------------------------------------------------------------------------------- escaping


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
MARKUP = st.sampled_from(
    ["</p><script>alert(1)</script>", '" autofocus onfocus="alert(1)', "&quot;&amp;", "$csrf ${csrf} $$"]
)


@given(st.sampled_from(list(Step)), TEXT | MARKUP)
def test_whatever_is_said_stays_text(step: Step, text: str) -> None:
    said = replace(
        view(step),
        purpose=text,
        organization=text,
        authorized=(text, text),
        csrf=text,
        error=text,
        questions=(text, text),
        chosen=(),
    )
    document = Document(render(said))
    assert document.shape == Document(render(replace(view(step), questions=("a", "b"), chosen=()))).shape
    assert document.texts["dd"][:2] == [text, text]


def test_a_callers_address_stays_an_address() -> None:
    url = 'https://shop.example/?a="><script>alert(1)</script>&lt;'
    document = Document(render(replace(view(Step.DONE), return_url=url)))
    assert list(document.all("a")) == [{"href": url}]
    assert document.shape == shown(Step.DONE).shape


# ------------------------------------------------------------------------------------------ headers and stylesheet


def policy(return_url: str | None) -> dict[str, str]:
    """The directives of the content security policy."""
    directives = dict(headers(return_url))["Content-Security-Policy"].split("; ")
    return {name: value for name, _, value in (directive.partition(" ") for directive in directives)}


@pytest.mark.parametrize(
    ("return_url", "targets"),
    [
        (None, "'self'"),
        (RETURN_URL, "'self' https://shop.example"),
        ("HTTP://me:pw@Shop.Example:8080/x#y", "'self' http://shop.example:8080"),
        ("https://bücher.example/", "'self' https://xn--bcher-kva.example"),
        ("http://127.0.0.1:3000", "'self' http://127.0.0.1:3000"),
        ("http://[::1]:3000/back", "'self' http:"),
        ("javascript:alert(1)", "'self'"),
        ("app://back", "'self'"),
        ("https://*/", "'self'"),
        ("https://a;script-src", "'self'"),
        ("https://a,b", "'self'"),
        ("https://\0/", "'self'"),
        ("https:", "'self'"),
        ("", "'self'"),
    ],
)
def test_a_form_leads_to_the_page_itself_and_to_the_callers_origin(return_url: str | None, targets: str) -> None:
    assert policy(return_url) == {
        "default-src": "'none'",
        "style-src": "'self'",
        "form-action": targets,
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }


@given(st.text() | st.text().map("https://{}".format))
def test_no_address_changes_another_part_of_the_policy(return_url: str) -> None:
    found = policy(return_url)
    assert found.pop("form-action").startswith("'self'")
    assert found == {name: value for name, value in policy(None).items() if name != "form-action"}
    assert all(value.isascii() and value.isprintable() for _, value in headers(return_url))


def test_the_page_is_neither_framed_nor_stored_nor_told_of() -> None:
    sent = dict(headers(RETURN_URL))
    assert sent["Content-Type"] == "text/html; charset=utf-8"
    assert sent["X-Frame-Options"] == "DENY"
    assert sent["X-Content-Type-Options"] == "nosniff"
    assert sent["Referrer-Policy"] == "no-referrer"
    assert sent["Cache-Control"] == "no-store"
    assert "camera=()" in sent["Permissions-Policy"]


def test_the_stylesheet_fetches_nothing_moves_nothing_and_knows_the_dark() -> None:
    css = stylesheet().decode()
    assert "@media (prefers-color-scheme: dark)" in css
    assert not re.findall(r"url\(|@import|transition|animation", css)
