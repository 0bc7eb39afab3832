"""A document is split into the statements that a reader finds in it, whatever browser it was copied from."""

import pytest

from conformance.statements.text import normalised, split

PAGE = """Creating Toys
  • 🏠 Home
  • Toys
    • Creating Toys

Once you have a toy box, you can create toys. Use /toys for it! Is that all? It is
toyBoxId that counts.
colour: One of the colours of the box.size: Only small as yet.
toy.created: Sent at once.

1. Ask for a Toy
Body
colourstring · enumRequired

Colour of the toy

Example: red
sizestringOptional

Responses
201
Successful operation
application/json
400
Invalid request
post
POST /v1/toys HTTP/1.1
Host: toys.test
Content-Type: application/json

{
  "colour": "a { that closes nothing",
  "parts": [1, 2]
}
[!NOTE] Toys break.
"""
STATEMENTS = [
    (1, "Creating Toys"),
    (2, "Home Toys Creating Toys"),
    (6, "Once you have a toy box, you can create toys."),
    (6, "Use /toys for it!"),
    (6, "Is that all?"),
    (6, "It is toyBoxId that counts."),
    (8, "colour: One of the colours of the box."),
    (8, "size: Only small as yet."),
    (9, "toy.created: Sent at once."),
    (11, "1. Ask for a Toy"),
    (12, "Body"),
    (13, "colourstring enumRequired Colour of the toy Example: red"),
    (18, "sizestringOptional"),
    (20, "Responses"),
    (21, "201 Successful operation application/json"),
    (24, "400 Invalid request"),
    (26, "post"),
    (27, "POST /v1/toys HTTP/1.1 Host: toys.test Content-Type: application/json"),
    (31, "{ colour: a { that closes nothing, parts: [1, 2] }"),
    (35, "[!NOTE] Toys break."),
]


def texts(document: str) -> list[str]:
    return [passage.text for passage in split(document)]


def test_every_statement_stands_alone_with_its_line() -> None:
    assert [(passage.line, passage.text) for passage in split(PAGE)] == STATEMENTS


@pytest.mark.parametrize(
    "copy",
    [
        PAGE.replace("\n", "\r\n"),
        PAGE.replace("🏠", "πŸ "),
        PAGE.replace(" · ", " \u0392\u00b7 "),
        PAGE.replace("colours of the box", "colours  of\u00a0the box"),
        PAGE.replace("break.", "“break”."),
        "\ufeff" + PAGE,
        PAGE + "\n\n",
    ],
    ids=["line ends", "mangled picture", "mangled dot", "blanks", "quotation marks", "byte order mark", "end"],
)
def test_two_copies_of_a_page_have_the_same_statements(copy: str) -> None:
    assert texts(copy) == texts(PAGE)


@pytest.mark.parametrize(
    ("before", "after"),
    [("Invalid request", "Wrong request"), ("/v1/toys", "/v2/toys"), ("[1, 2]", "[1, 3]"), ("Use /toys", "Use /toy")],
)
def test_a_changed_word_changes_one_digest(before: str, after: str) -> None:
    then, now = split(PAGE), split(PAGE.replace(before, after))
    assert sum(one.digest != other.digest for one, other in zip(then, now, strict=True)) == 1


def test_a_body_that_is_cut_off_goes_on_to_the_end() -> None:
    assert texts('Say\n{"a": [\n1,\n\n2') == ["Say", "{a: [ 1, 2"]


def test_nothing_is_no_statement() -> None:
    assert split("") == split(" \n\n\u2192\n") == ()


def test_normalising_twice_changes_nothing() -> None:
    assert normalised(normalised(PAGE)) == normalised(PAGE)
