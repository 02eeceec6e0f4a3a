"""A wrong parameter is named with what was expected."""

from datetime import UTC, datetime

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from apps.layers.parameters import FEATURES, BadParameter, read_wanted, require_known, write_cursor
from apps.layers.queries import Wanted


def test_it_reads_everything() -> None:
    wanted = read_wanted(
        {"bbox": "-96,29,-95,30", "agency": "metro", "at": "2026-03-01T06:00:00-06:00", "known": "2026-03-01T13:00:00Z",
         "limit": "20", "cursor": "12"}
    )  # fmt: skip
    assert wanted.bbox == (-96, 29, -95, 30)
    assert wanted.agency == "metro"
    assert wanted.at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert wanted.known == datetime(2026, 3, 1, 13, tzinfo=UTC)
    assert (wanted.limit, wanted.after) == (20, (0, 12))


def test_what_is_not_asked_has_its_default() -> None:
    wanted = read_wanted({})
    assert (wanted.bbox, wanted.at, wanted.known, wanted.agency) == (None, None, None, None)
    assert (wanted.after, wanted.limit) == ((0, 0), 1000)


def test_a_plus_that_became_a_space_is_still_an_offset() -> None:
    assert read_wanted({"at": "2026-03-01T12:00:00 00:00"}).at == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_box_may_cross_the_antimeridian() -> None:
    assert read_wanted({"bbox": "170,-10,-170,10"}).bbox == (170, -10, -170, 10)


def test_a_cursor_is_read_as_it_was_written() -> None:
    assert read_wanted({"cursor": write_cursor((7, 9), past=False)}).after == (7, 9)
    assert read_wanted({"cursor": write_cursor((0, 9), past=True), "at": "2026-03-01T12:00:00Z"}).after == (0, 9)


def test_a_cursor_of_the_past_does_not_go_on_in_the_present_nor_the_other_way_round() -> None:
    with pytest.raises(BadParameter, match="that page was of the past, with its at and known"):
        read_wanted({"cursor": write_cursor((0, 9), past=True)})
    with pytest.raises(BadParameter, match="that page was of the present, without at and known"):
        read_wanted({"cursor": write_cursor((7, 9), past=False), "known": "2026-03-01T12:00:00Z"})


def test_a_parameter_that_there_is_not_and_one_given_twice_are_named() -> None:
    require_known(QueryDict("at=1&bbox=2"), FEATURES)
    with pytest.raises(BadParameter, match='At is "1", expected one of agency, bbox, at, known, limit, cursor'):
        require_known(QueryDict("At=1"), FEATURES)
    with pytest.raises(BadParameter, match='at is "1, 2", expected one value'):
        require_known(QueryDict("at=1&at=2"), FEATURES)
    with pytest.raises(BadParameter, match='x is "", expected no parameter'):
        require_known(QueryDict("x="), ())


def test_a_long_value_is_not_repeated_in_full() -> None:
    with pytest.raises(BadParameter) as told:
        read_wanted({"bbox": "1" * 9000})
    assert len(str(told.value)) < 300


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bbox", "1,2,3"),
        ("bbox", "1,2,3,four"),
        ("bbox", "nan,0,1,1"),
        ("bbox", "-181,0,1,1"),
        ("bbox", "0,10,1,9"),
        ("bbox", "0,0,1,91"),
        ("bbox", ""),
        ("agency", ""),
        ("agency", "a\x00"),
        ("agency", "metro police"),
        ("at", "yesterday"),
        ("at", "2026-03-01T12:00:00"),
        ("at", "0001-01-01T00:00:00+14:00"),
        ("known", "1"),
        ("limit", "0"),
        ("limit", "5001"),
        ("limit", "-3"),
        ("limit", "٣"),
        ("cursor", "7"),
        ("cursor", "7.9; DROP"),
        ("cursor", "99999999999999999999.1"),
        ("cursor", "9223372036854775808.1"),
        ("cursor", "12"),
        ("bbox", "1_0,0,1_1,1"),
        ("bbox", "٣,0,4,1"),
        ("bbox", "0,0,1e999,1"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(BadParameter) as told:
        read_wanted({name: value})
    assert told.value.name == name
    assert str(told.value).startswith(f'{name} is "{value}", expected ')


@given(st.dictionaries(st.sampled_from(["agency", "bbox", "at", "known", "limit", "cursor"]), st.text(max_size=30)))
def test_any_text_is_read_or_refused(query: dict[str, str]) -> None:
    """Nothing but BadParameter is raised, and what is read can be given to the database."""
    told = read_or_refusal(query)
    if isinstance(told, BadParameter):
        assert told.name in query
    else:
        assert 1 <= told.limit <= 5000
        assert max(told.after) < 2**63


def read_or_refusal(query: dict[str, str]) -> Wanted | BadParameter:
    try:
        return read_wanted(query)
    except BadParameter as error:
        return error
