"""The invented town is a town: connected streets, bridges, beats in districts."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from apps.demo import basemap, town
from apps.demo.plane import MIDDLE, to_degrees
from apps.demo.roads import network


def test_it_has_a_few_hundred_streets_and_a_river(tmp_path: Path) -> None:
    basemap.write(tmp_path / "basemap.geojson")
    features = json.loads((tmp_path / "basemap.geojson").read_text())["features"]
    classes = [feature["properties"]["class"] for feature in features]
    assert len(features) > 180
    assert {"motorway", "primary", "secondary", "residential", "water", "park"} == set(classes)
    assert all(feature["properties"]["name"] for feature in features)


def test_it_lies_around_its_middle_in_degrees() -> None:
    bounds = shapely.total_bounds([town.in_degrees(area.polygon) for area in town.districts()])
    assert bounds[0] < MIDDLE[0] < bounds[2]
    assert bounds[1] < MIDDLE[1] < bounds[3]
    assert bounds[2] - bounds[0] < 0.12


def test_a_hundred_meters_east_are_a_hundred_meters_on_the_map() -> None:
    a, b = to_degrees(np.array([[0.0, 0.0], [100.0, 0.0]]))
    assert (b[0] - a[0]) * 111_195 * np.cos(np.radians(MIDDLE[1])) == pytest.approx(100)


def test_every_district_has_four_beats_inside_it() -> None:
    districts = {district.name[0]: district.polygon for district in town.districts()}
    inside = [beat.name for beat in town.beats() if districts[beat.name[0]].buffer(1).covers(beat.polygon)]
    assert len(inside) == 16
    assert sorted(districts) == ["1", "2", "3", "4"]


def test_every_crossing_is_reached_from_every_other() -> None:
    roads = network()
    reached, waiting = {0}, [0]
    while waiting:
        for block in roads.leaving[waiting.pop()]:
            if block.end not in reached:
                reached.add(block.end)
                waiting.append(block.end)
    assert len(reached) == len(roads.crossings) > 700


def test_the_river_is_crossed_by_bridges_only() -> None:
    river = next(area.polygon for area in town.areas() if area.name == "Caney River").buffer(-5)
    over = {block.kind for block in town.blocks() if block.line.crosses(river)}
    assert over
    assert "residential" not in over


def test_a_way_is_made_of_blocks_that_follow_each_other() -> None:
    roads = network()
    way = roads.way(3, 700)
    assert way[0].start == 3
    assert way[-1].end == 700
    assert all(first.end == second.start for first, second in itertools.pairwise(way))
    assert roads.way(5, 5) == []


def test_a_place_on_a_block_heads_along_it() -> None:
    block = next(block for block in network().leaving[0] if block.length_m > 50)
    x0, y0, _ = block.place(0)
    x1, y1, heading = block.place(min(20.0, block.distances[1] / 2))
    assert heading == pytest.approx(np.degrees(np.arctan2(x1 - x0, y1 - y0)) % 360)
