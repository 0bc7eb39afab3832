"""The operators of code mutants: what each changes, and what none does."""

import pytest

from conformance.mutants.operators import OPERATORS, edits


def changed(source: str, operator: str) -> list[str]:
    return [edit.applied(source) for edit in edits(source) if edit.operator == operator]


def in_function(*lines: str) -> str:
    return "def f(a, b, c):\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("operator", "line", "expected"),
    [
        ("comparison", "g(a == b)", ["g(a != b)"]),
        ("comparison", "g(a not in b)", ["g(a in b)"]),
        ("comparison", "g(a is b)", ["g(a is not b)"]),
        ("comparison", "g(a < b)", ["g(a >= b)"]),
        ("boundary", "g(a < b)", ["g(a <= b)"]),
        ("boundary", "g(a >= b)", ["g(a > b)"]),
        ("boolean", "g(a and b)", ["g(a)", "g(b)", "g(a or b)"]),
        ("boolean", "g(not a)", ["g(a)"]),
        ("boolean", "g(True)", ["g(False)"]),
        ("boolean", "g(a if b else c)", ["g(a if not (b) else c)"]),
        ("constant", "g(7)", ["g(8)", "g(6)"]),
        ("constant", "g(0)", ["g(1)"]),
        ("constant", "g(0.5)", ["g(1.5)"]),
        ("constant", 'g("name")', ['g("namex")']),
        ("constant", 'g(b"name")', ['g(b"namex")']),
        ("string-case", 'g("name")', ['g("NAME")']),
        ("string-case", 'g("POST")', ['g("post")']),
        ("string-case", 'g(f"id={a}")', ['g(f"ID={a}")']),
        ("arithmetic", "g(a + b)", ["g(a - b)"]),
        ("arithmetic", "g(-a)", ["g(a)"]),
        ("arithmetic", "a += b", ["a -= b"]),
        ("slice", "g(a[1:b])", ["g(a[:b])", "g(a[1:])"]),
        ("dropped-statement", "g(a)", ["pass"]),
        ("dropped-statement", "a.name = b", ["pass"]),
        ("dropped-statement", "raise a", ["pass"]),
        ("dropped-call", "c = a.lower()", ["c = a"]),
        ("dropped-call", "c = sorted(a)", ["c = (a)"]),
        ("swapped-argument", "g(a, b, c)", ["g(b, a, c)"]),
    ],
)
def test_an_operator_changes_what_it_is_named_by(operator: str, line: str, expected: list[str]) -> None:
    assert sorted(changed(in_function(line, "return c"), operator)) == sorted(
        in_function(other, "return c") for other in expected
    )


def test_a_guard_is_dropped_whole() -> None:
    source = in_function("if a:", "    raise b", "return c")
    assert in_function("pass", "return c") in changed(source, "dropped-statement")


def test_a_condition_is_turned_round() -> None:
    assert changed(in_function("while a:", "    g()"), "boolean") == [in_function("while not (a):", "    g()")]


def test_a_function_returns_before_it_does_anything() -> None:
    source = 'def f(a) -> bool:\n    """Say."""\n    g(a)\n    return a\n'
    expected = [f'def f(a) -> bool:\n    """Say."""\n    return {value}\n' for value in ("True", "False")]
    assert changed(source, "early-return") == expected


def test_an_exception_is_swallowed() -> None:
    source = in_function("try:", "    g()", "except ValueError as error:", "    raise a from error")
    expected = in_function("try:", "    g()", "except ValueError as error:", "    pass")
    assert changed(source, "swallowed-exception") == [expected]


def test_a_default_is_changed_and_counts_where_the_function_runs() -> None:
    (edit,) = (edit for edit in edits("def f(a=True):\n    g()\n    return a\n") if edit.operator == "changed-default")
    assert edit.applied("def f(a=True):\n    g()\n    return a\n").startswith("def f(a=False):")
    assert edit.executes == (2, 3)


def test_what_takes_effect_at_the_import_says_what_it_defines() -> None:
    first, second = edits("LONGEST = 20\n")
    assert (first.executes, first.names, first.function) == (None, ("LONGEST",), "<module>")
    assert (first.number, second.number) == (1, 2)


@pytest.mark.parametrize(
    "source",
    [
        '"""A module."""\n',
        "from a import b\n",
        "@cache(5)\ndef f(): ...\n",
        'def f(a: Literal["x"]): ...\n',
        '__all__ = ["name"]\n',
        'TEXT = "This is for people."\n',
        'IDS = ids.child("customers")\n',
    ],
)
def test_what_no_behaviour_depends_on_is_left_as_it_is(source: str) -> None:
    assert edits(source) == []


@pytest.mark.parametrize("line", ['raise WrongEntry("no")', 'raise Refused(Reason.BODY, "no" + str(b))'])
def test_the_text_of_a_message_is_left_as_it_is(line: str) -> None:
    changes = {edit.operator for edit in edits(in_function(line))}
    assert changes <= {"dropped-statement", "dropped-call", "early-return"}


def test_what_is_no_text_beside_a_message_is_changed() -> None:
    assert in_function('return problem(404, "no", a)') not in changed(
        in_function('return problem(404, "no", a)'), "constant"
    )
    assert len(changed(in_function('return problem(404, "no", a)'), "constant")) == 2


def test_a_change_is_told_by_its_line_before_and_after() -> None:
    source = in_function("return a == b")
    (edit,) = (edit for edit in edits(source) if edit.operator == "comparison")
    assert edit.told(source) == "return a == b → return a != b"


def test_every_operator_is_tried_here() -> None:
    source = in_function(
        "try:", "    a = b[1:] == -c", "except ValueError:", "    a = b < c and g(b, 'x').lower()", "return not a"
    )
    made = {edit.operator for edit in edits(source + "def g(d=1):\n    raise d\n")}
    assert made == set(OPERATORS)
