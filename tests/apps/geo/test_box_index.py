"""The grid answers exactly what a comparison of every point with every box answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.geo.box_index import BoxIndex

coordinate = st.floats(-180, 180, allow_nan=False)
corner = st.tuples(coordinate, st.floats(-90, 90))


def boxes_of(corners: list[tuple[tuple[float, float], tuple[float, float]]]) -> np.ndarray:
    both = np.array(corners, float).reshape(-1, 2, 2)
    return np.hstack([both.min(axis=1), both.max(axis=1)])


@given(st.lists(st.tuples(corner, corner), max_size=20), st.lists(corner, max_size=30))
def test_it_finds_what_a_full_comparison_finds(corners: list, points: list) -> None:
    boxes, xy = boxes_of(corners), np.array(points, float).reshape(-1, 2)
    on_edges = np.vstack([xy, boxes[:, :2], boxes[:, 2:]])
    x, y = on_edges[:, 0].copy(), on_edges[:, 1].copy()
    found = BoxIndex.build(boxes).candidates(x, y)
    west, south, east, north = boxes.T
    inside = (x[:, None] >= west) & (x[:, None] <= east) & (y[:, None] >= south) & (y[:, None] <= north)
    assert set(zip(*(part.tolist() for part in found), strict=True)) == set(
        zip(*(part.tolist() for part in np.nonzero(inside)), strict=True)
    )


def test_points_come_in_their_order() -> None:
    index = BoxIndex.build(np.array([[0.0, 0, 2, 2], [1.0, 1, 3, 3]]))
    points, boxes = index.candidates(np.array([1.5, 9.0, 0.5]), np.array([1.5, 9.0, 0.5]))
    assert points.tolist() == [0, 0, 2]
    assert sorted(boxes[:2].tolist()) == [0, 1]


def test_it_refuses_a_box_that_is_not_finite() -> None:
    with pytest.raises(ValueError, match="not finite"):
        BoxIndex.build(np.array([[0, 0, np.nan, 1]]))
