"""Near misses differ from the right value, fit into its place, and are of every sort."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.ids import Ids
from conformance.values import near

SECRET = "64ec977db2e585887c80ed62fe9997994aed8093"
KEY = "d04953b7-5878-4fd0-8970-0a5f77fbce59"
KINDS = [near.TEXT, near.FIELD, near.UUID, near.HEX, near.PIN, near.BASE64]


@pytest.mark.parametrize(
    ("right", "kind"),
    [(SECRET, near.TEXT), (KEY, near.UUID), ("048213", near.PIN), ("RK/0qy18MlBSVnWgjwz6lZEWjP8=", near.BASE64)],
)
def test_a_near_miss_is_another_value_that_fits_and_is_there_once(right: str, kind: near.Kind) -> None:
    found = near.misses(right, kind, others=[right[::-1]])
    folded = [kind.folded(miss.value) for miss in found]
    assert kind.folded(right) not in folded
    assert len(set(folded)) == len(folded)
    assert all(kind.fits(miss.value) for miss in found)
    assert len(found) > 15


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=20), st.sampled_from(KINDS))
def test_a_near_miss_of_any_text_is_another_value(right: str, kind: near.Kind) -> None:
    assert all(
        kind.folded(miss.value) != kind.folded(right) and kind.fits(miss.value) for miss in near.misses(right, kind)
    )


def test_near_misses_of_a_secret_are_of_every_sort() -> None:
    found = near.misses(SECRET, others=["0" * 40], former=["1" * 40])
    assert {miss.sort for miss in found} == {
        "start",
        "end",
        "case",
        "last",
        "first",
        "middle",
        "order",
        "length",
        "blanks",
        "another",
        "joined",
        "script",
        "number",
        "encoding",
        "pattern",
    }
    assert len({miss.sort for miss in found[:14]}) == 14, "the sorts take turns"


@pytest.mark.parametrize("length", [4, 8, 16, 32])
def test_a_near_miss_is_the_same_in_what_a_comparison_may_stop_after(length: int) -> None:
    values = {miss.name: miss.value for miss in near.misses(SECRET)}
    start, end = (
        values[f"the same in its first {length} characters"],
        values[f"the same in its last {length} characters"],
    )
    assert start[:length] == SECRET[:length]
    assert all(one != other for one, other in zip(start[length:], SECRET[length:], strict=True))
    assert end[-length:] == SECRET[-length:]
    assert all(one != other for one, other in zip(end[:-length], SECRET[:-length], strict=True))


def test_a_uuid_stays_one_of_its_version_and_variant() -> None:
    for miss in near.misses(KEY, near.UUID):
        assert miss.value[14] == "4"
        assert miss.value[19] in "89ab"


def test_a_kindred_uuid_differs_in_the_digit_of_its_version_or_variant_alone() -> None:
    found = [miss.value for miss in near.kindred_uuids(KEY)]
    places = [[place for place in range(36) if value[place] != KEY[place]] for value in found]
    assert places == [[14], [19]]
    assert all(near.UUID.fits(value) and value[19] in "89ab" for value in found)
    assert near.kindred_uuids(SECRET) == []


def test_letter_case_makes_no_near_miss_where_it_does_not_count() -> None:
    assert "case" in {miss.sort for miss in near.misses(SECRET)}
    assert "case" not in {miss.sort for miss in near.misses(SECRET, near.HEX)}
    assert "case" not in {miss.sort for miss in near.misses(KEY, near.UUID)}


def test_blanks_and_other_digits_make_no_near_miss_of_a_pin() -> None:
    assert not {miss.sort for miss in near.misses("048213", near.PIN)} & {"blanks"}
    values = {near.PIN.folded(same.value) for same in near.decimal_digits("048213")}
    assert values == {"048213"}


def test_a_near_miss_says_whether_it_has_the_form_of_the_right_value() -> None:
    forms = {miss.name: miss.same_form for miss in near.misses(SECRET)}
    assert forms["with another last character"]
    assert not forms["without its last character"]
    assert not forms["with a zero-width space behind it"]


def test_padding_and_pad_bits_make_no_near_miss_of_bytes_but_the_same_value() -> None:
    right = "RK/0qy18MlBSVnWgjwz6lZEWjP8="
    values = {miss.value for miss in near.misses(right, near.BASE64)}
    same = near.sequences_of_bytes(right)
    assert [each.value for each in same] == ["RK/0qy18MlBSVnWgjwz6lZEWjP8", "RK/0qy18MlBSVnWgjwz6lZEWjP9="]
    assert not values & {each.value for each in same}


def test_what_is_the_same_names_its_clause() -> None:
    found = [
        *near.uuids(KEY),
        *near.schemes("Bearer abc"),
        *near.field_names("Idempotency-Key"),
        *near.hexadecimal("0xAb"),
    ]
    assert [each.value for each in near.schemes("Bearer abc")] == ["bearer abc", "BEARER abc", "Bearer  abc"]
    assert [each.value for each in near.hexadecimal("0xAb")] == ["0xab", "0xAB"]
    assert all(each.clause for each in found)


def test_some_are_chosen_always_and_others_by_the_seed() -> None:
    found = near.misses(SECRET)
    drawn = [near.chosen(found, Ids("seed", number), core=5, more=3) for number in range(20)]
    assert all(each[:5] == found[:5] and len(each) == 8 for each in drawn)
    assert len({miss.name for each in drawn for miss in each}) > 20
    assert near.chosen(found[:4], Ids("seed"), core=5, more=3) == found[:4]


def test_what_is_almost_a_uuid_has_not_its_form_and_libraries_read_it_or_not() -> None:
    almost, respelt = near.almost_uuids(KEY), near.respelt_uuids(KEY)
    assert not any(near.UUID.fits(miss.value) for miss in [*almost, *respelt])
    assert [_read_as_uuid(miss.value) for miss in almost] == [None, None]
    assert [_read_as_uuid(miss.value) for miss in respelt] == [KEY] * 4


def _read_as_uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
