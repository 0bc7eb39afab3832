"""A newer copy of a document is compared with its statements: what changed, moved, vanished or is new."""

from collections.abc import Callable

import pytest

from conformance.catalogue import Catalogue, Document
from conformance.drift.documents import compare
from conformance.drift.form import Change, NotComparableError
from conformance.drift.html_text import as_text
from conformance.statements.table import Statement
from conformance.statements.text import split

PAGE = """Making a thing
A thing is made by a request. It is answered with 201. The thing has an id.
Its life
A thing lives for one hour. After that it is gone.
namestringRequired
The name of the thing.
Example: a

201
Made

{
  "id": "t-1",
  "name": "a"
}

What comes next
A thing can be sold.
"""
STATEMENTS = {
    f"guide.s{number}": Statement(f"guide.s{number}", f"line {passage.line}", passage.digest, f"Says {number}.")
    for number, passage in enumerate(split(PAGE))
}
CATALOGUE = Catalogue("toy", (), {"guide": Document("document", "Guide", "https://toy.example/guide")}, STATEMENTS)
HOUR = next(name for name, each in STATEMENTS.items() if each.digest == split("A thing lives for one hour.")[0].digest)
CITING = {HOUR: (("toy.thing.lives-an-hour",), ("toy/thing/it_is_gone",))}


def changes(text: str) -> list[Change]:
    return list(compare(text.encode(), "page.txt", "toy", CATALOGUE, CITING).changes)


def test_the_same_page_is_no_drift() -> None:
    assert changes(PAGE) == []


@pytest.mark.parametrize(
    "write",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace(" ", "  ").replace("'", "\u2019"),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: "\ufeff" + text,
        lambda text: "".join(f"<p>{line}</p>" for line in text.splitlines()),
        lambda text: (
            f"<!DOCTYPE html><html><head><title>x</title><script>let a = 1;</script></head><body><main><ul>"
            f"{''.join(f'<li>{line}</li>' for line in text.splitlines())}</ul></main></body></html>"
        ),
        lambda text: "<div>" + "<br>".join(text.replace("201.", "<code>2</code>01.").splitlines()) + "</div>",
    ],
    ids=["line ends", "blanks", "empty lines", "mark", "paragraphs", "page", "breaks"],
)
def test_another_form_of_the_page_is_no_drift(write: Callable[[str], str]) -> None:
    assert changes(write(PAGE)) == []


def test_a_changed_sentence_names_its_rules_and_tests() -> None:
    (told,) = changes(PAGE.replace("one hour", "30 minutes"))
    assert (told.kind, told.impact) == ("statement-changed", "risky")
    assert told.after == "A thing lives for 30 minutes."
    assert told.rules == ("toy.thing.lives-an-hour",)
    assert told.tests == ("toy/thing/it_is_gone",)


def test_a_sentence_that_is_gone_is_told() -> None:
    (told,) = changes(PAGE.replace("A thing lives for one hour. ", ""))
    assert (told.kind, told.impact, told.after) == ("statement-vanished", "risky", "")


def test_a_sentence_that_is_new_is_told() -> None:
    (told,) = changes(PAGE + "A sold thing is gone.\n")
    assert (told.kind, told.impact, told.after) == ("statement-new", "harmless", "A sold thing is gone.")


def test_a_sentence_that_moved_is_harmless() -> None:
    moved = PAGE.replace("A thing lives for one hour. ", "") + "A thing lives for one hour.\n"
    assert {(each.kind, each.impact) for each in changes(moved)} == {("statement-moved", "harmless")}


def test_a_changed_block_of_code_is_told() -> None:
    (told,) = changes(PAGE.replace('"id": "t-1"', '"thingId": "t-1"'))
    assert told.kind == "statement-changed"
    assert "thingId" in told.after


def test_a_sentence_across_other_lines_is_found() -> None:
    assert changes(PAGE.replace("A thing is made by a request.", "A thing is made\nby a request.")) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"Something else. Entirely.", "has hardly a sentence of Guide"), (b"\xff\xfe\x00", "no text")],
)
def test_what_is_no_copy_of_a_document_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(NotComparableError, match=said):
        compare(content, "page.txt", "toy", CATALOGUE, CITING)


def test_scripts_and_styles_are_no_text() -> None:
    assert as_text("<p>a <b>b</b>&amp;c</p><style>p {}</style><script>x</script>").split() == ["a", "b&c"]
