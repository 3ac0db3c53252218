"""Charts: round numbers on axes, points where they belong, text that cannot break out."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isosoma.serve.chart import (
    Panel,
    axes,
    band,
    document,
    heading,
    line,
    mark,
    nice_range,
    point,
    shade,
    text,
    ticks,
)  # fmt: skip

FINITE = st.floats(-1e9, 1e9)
PANEL = Panel(10.0, 20.0, 100.0, 50.0, (0.0, 10.0), (0.0, 5.0))


@settings(deadline=None)
@given(FINITE, st.floats(1e-6, 1e9), st.integers(2, 8))
def test_ticks_are_round_inside_and_few(low, span, most):
    high = low + span
    marks = ticks(low, high, most)
    assert len(marks) <= most + 1
    slack = 1e-6 * max(abs(low), abs(high), span)
    assert all(low - slack <= m <= high + slack for m in marks)
    if len(marks) > 2:
        assert np.allclose(np.diff(marks), marks[1] - marks[0], rtol=1e-3, atol=slack)


def test_ticks_as_a_person_would_write_them():
    assert ticks(0.0, 10.0) == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    assert ticks(60.0, 100.0, 4) == [60.0, 70.0, 80.0, 90.0, 100.0]
    assert ticks(5.0, 5.0) == []
    assert ticks(math.nan, 1.0) == []


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=20), st.floats(0.1, 100.0))
def test_a_range_holds_every_value(values, least):
    low, high = nice_range(values, least)
    assert low <= min(values)
    assert high >= max(values)
    assert high - low >= least * 0.999


def test_a_range_stays_inside_its_bounds_and_bears_no_data():
    assert nice_range([96.0, 97.0], 8.0, ceiling=100.0)[1] <= 100.0
    assert nice_range([2.0, 110.0], 40.0, floor=0.0)[0] == 0.0
    low, high = nice_range([math.nan], 1.0)
    assert high > low


def test_a_point_stands_where_its_value_is():
    assert (PANEL.at_x(0.0), PANEL.at_x(10.0)) == (10.0, 110.0)
    assert (PANEL.at_y(0.0), PANEL.at_y(5.0)) == (70.0, 20.0)
    assert 'd="M10.0 70.0L110.0 20.0"' in line(PANEL, [0.0, 10.0], [0.0, 5.0], "red")


def test_gaps_break_a_line_and_what_is_beyond_is_cut_at_the_edge():
    drawn = line(PANEL, [0.0, 1.0, 2.0, 3.0], [1.0, math.nan, 1.0, 99.0], "red")
    assert drawn.count("M") == 2
    assert "L40.0 20.0" in drawn


def test_words_cannot_break_out_of_the_picture():
    evil = '</text><script>alert("x")</script>&'
    page = document(10, 10, evil, evil, [text(0, 0, evil), *axes(PANEL, evil, evil, evil, evil)])
    root = ET.fromstring(page)
    assert not [e for e in root.iter() if e.tag.endswith("script")]
    assert root.find("{http://www.w3.org/2000/svg}title").text == evil


def test_a_document_is_whole_and_named_for_those_who_listen():
    y = np.array([1.0, 2.0])
    parts = [*axes(PANEL, "Flow", "L/min", "s", "time"), band(PANEL, y, y, y + 1.0, "fill-red"),
             mark(PANEL, 3.0, 1e9), mark(PANEL, 2.0)]  # fmt: skip
    root = ET.fromstring(document(200, 100, "A title", "what it shows", parts))
    assert root.get("role") == "img"
    assert root.get("viewBox") == "0 0 200 100"
    words = "".join(root.itertext())
    assert "prefers-color-scheme: dark" in words
    assert "[L/min]" in words
    assert "time [s]" in words
    shade = next(e for e in root.iter() if e.get("class") == "span")
    assert float(shade.get("x")) + float(shade.get("width")) == pytest.approx(110.0)


def test_a_reading_stands_at_its_value_with_its_noise_cut_at_the_edge():
    drawn = point(PANEL, 5.0, 2.0, 3.0, 99.0, "red", "fill-red")
    assert 'class="point red fill-red"' in drawn
    assert 'd="M60.0 20.0V50.0"' in drawn
    assert 'cx="60.0" cy="40.0"' in drawn


def test_a_shade_lies_inside_the_panel():
    assert 'x="10.0" y="20.0" width="50.0"' in shade(PANEL, -7.0, 5.0, "stale")
    assert 'width="0.0"' in shade(PANEL, 20.0, 30.0, "stale")


def test_a_heading_says_what_it_is_of_and_what_it_is_not():
    root = ET.fromstring(document(9, 9, "t", "d", heading("A & B", "of <p>", "STAMP", 0.0, 900.0)))
    assert [e.text for e in root if e.tag.endswith("text")] == ["A & B", "of <p>", "STAMP"]
