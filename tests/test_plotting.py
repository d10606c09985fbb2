"""The drawing functions draw what the library computes, and hide nothing of it."""

import io
import re
import xml.etree.ElementTree

import numpy as np
import pytest

import lossref
from lossref import plotting
from lossref.landscapes import Himmelblau, Ravine, Saddle

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def line(panel, label):
    return next(drawn for drawn in panel.lines if drawn.get_label() == label)


def test_a_curve_is_the_loss_of_each_prediction():
    value, slope, curvature = plotting.curve(lossref.Huber(delta=2.0), show=("value", "slope", "curvature")).axes
    r = line(value, "Huber").get_xdata()
    each = lossref.Huber(delta=2.0, reduction="sum")
    np.testing.assert_array_equal(line(value, "Huber").get_ydata(), each.values(r, np.zeros_like(r)))
    np.testing.assert_array_equal(line(slope, "Huber").get_ydata(), each.grad(r, np.zeros_like(r)))
    bends = line(curvature, "Huber").get_ydata()
    assert set(bends[np.isfinite(bends)]) == {0.0, 1.0}


def test_a_curve_does_not_depend_on_the_reduction():
    mean, summed = (plotting.read(lossref.MSE(reduction=r), "slope", [1.0, 2.0], 0.0) for r in ("mean", "sum"))
    np.testing.assert_array_equal(mean, summed)
    np.testing.assert_array_equal(mean, [2.0, 4.0])


def test_no_line_is_drawn_through_a_jump():
    (panel,) = plotting.curve(lossref.MAE(), show=["slope"]).axes
    slopes = line(panel, "MAE").get_ydata()
    assert np.isnan(slopes).sum() == 2  # before and after the kink
    assert line(panel, "_kink").get_ydata().tolist() == [0.0]


def test_a_smooth_curve_is_left_whole():
    (panel,) = plotting.curve(lossref.BinaryCrossEntropy(), show=["slope"], target=1.0).axes
    assert np.isfinite(line(panel, "BinaryCrossEntropy").get_ydata()).all()


def test_a_picture_of_penalties_shows_value_slope_and_proximal_map():
    value, slope, prox = plotting.penalties([lossref.L1(lam=0.5), lossref.L2(lam=0.5)], step=2.0).axes
    w = line(value, "L2").get_xdata()
    np.testing.assert_allclose(line(value, "L2").get_ydata(), [lossref.L2(lam=0.5)([x]) for x in w])
    np.testing.assert_array_equal(line(prox, "L1").get_ydata(), lossref.L1(lam=0.5).prox(w, 2.0))
    assert np.isnan(line(slope, "L1").get_ydata()).any()


def test_a_path_is_walked_by_the_optimizer():
    points = plotting.descend(lossref.SGD(lr=0.1), Ravine(curvature=5.0), (1.0, 2.0), 3)
    by_hand = np.array([1.0, 2.0]) * (1 - 0.1 * np.array([1.0, 5.0])) ** np.arange(4)[:, None]
    np.testing.assert_allclose(points, by_hand)
    figure = plotting.path([lossref.SGD(lr=0.1)] * 3, Ravine(), start=(1.0, 0.5), steps=5)
    assert len(figure.axes) == 3
    for surface in (Saddle(), Himmelblau()):
        (panel,) = plotting.path(lossref.SGD(lr=0.01), surface, steps=5).axes
        assert tuple(panel.lines[0].get_xydata()[0]) == surface.start
        assert (panel.get_xlim(), panel.get_ylim()) == surface.span
        assert [tuple(star.get_xydata()[0]) for star in panel.lines[2:]] == list(surface.minima)


def test_a_ramp_jumps_only_where_the_schedule_stands_still_between():
    schedules = [lossref.StepDecay(initial=1.0, every=10), lossref.Cosine(peak=1.0, steps=50)]
    (panel,) = plotting.ramp(schedules, steps=50).axes
    assert line(panel, "StepDecay").get_drawstyle() == "steps-post"
    assert line(panel, "Cosine").get_drawstyle() == "default"
    np.testing.assert_array_equal(line(panel, "Cosine").get_ydata(), schedules[1](np.arange(50)))


@pytest.mark.parametrize("places", [[], [0.3], [0.5, 0.5, 0.5], [0.0, 1.0], [0.2, 0.1, 0.15, 0.9]])
def test_names_are_kept_apart_and_in_order(places):
    moved = plotting.spread(places, 0.1)
    assert np.diff(np.sort(moved)).min(initial=1) >= 0.1 - 1e-12
    assert np.argsort(moved, kind="stable").tolist() == np.argsort(places, kind="stable").tolist()
    assert moved.sum() == pytest.approx(sum(places))  # nobody moves more than all together must


def test_names_stay_beside_their_panel():
    assert plotting.spread([0.0, 0.5, 0.0, 0.01], 0.1, within=(0, 1)) == pytest.approx([0.0, 0.5, 0.1, 0.2])
    assert plotting.spread([1.0, 0.3, 0.99], 0.1, within=(0, 1)) == pytest.approx([1.0, 0.3, 0.9])


def test_names_stand_at_the_ends_of_their_lines():
    _, (panel,) = plotting.panels()
    panel.plot([0, 0.8, 2], [0, 0.8, 2], label="rises", color=plotting.PALETTE[0])
    panel.plot([0, 2], [0.5, 0.5], label="stays", color=plotting.PALETTE[1])
    panel.set(xlim=(0, 2), ylim=(0, 1))
    plotting.name_lines(panel)
    above, beside = panel.texts[::-1]
    assert (above.get_text(), beside.get_text()) == ("rises", "stays")
    assert above.xy == pytest.approx((0.5, 1.0))
    assert beside.xy == pytest.approx((1.0, 0.5))


def test_a_band_goes_from_the_tenth_to_the_ninetieth_percentile():
    _, (panel,) = plotting.panels()
    runs = np.arange(11.0)[:, None] + np.zeros(3)
    assert plotting.band(panel, [0, 1, 2], runs, 0, "runs").get_ydata().tolist() == [5.0, 5.0, 5.0]
    edges = panel.collections[0].get_paths()[0].vertices[:, 1]
    assert (edges.min(), edges.max()) == (1.0, 9.0)


@pytest.mark.parametrize("alt", ["", "A chart.", "x" * 301])
def test_a_description_must_say_something_and_end(alt):
    figure, _ = plotting.panels()
    with pytest.raises(ValueError, match="60 to 300 characters"):
        plotting.describe(figure, alt)


def walked(lines):
    """A figure with lines that are walked along."""
    figure, (panel,) = plotting.panels()
    panel.set(xlim=(0, 3), ylim=(0, 3))
    plotting.animate([panel.plot(*points)[0] for points in lines], seconds=4.0)
    return figure


def test_a_walk_passes_the_vertices_of_its_line_in_equal_times():
    figure = walked([([0, 1, 2, 3], [0, 2, 0, 1]), ([1, 1, 1.001], [0, 1, 2]), np.linspace((0, 0), (3, 3), 300).T])
    figure.canvas.draw()
    drawing = plotting.svg(figure)
    xml.etree.ElementTree.fromstring(drawing)
    for index, count in ((0, 4), (1, 3), (2, 300)):
        drawn = re.search(rf'<g id="walk-{index}">\s*<path d="([^"]*)"', drawing)[1]
        vertices = [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", drawn)]
        frames = re.search(rf"@keyframes walker-{index} {{(.*)}}\n", drawing)[1]
        stops = re.findall(r"(\S+)% {transform: translate\((\S+)px, (\S+)px\)}", frames)
        np.testing.assert_allclose([[float(x), float(y)] for _, x, y in stops], vertices, atol=0.006)
        np.testing.assert_allclose([float(time) for time, _, _ in stops], np.linspace(0, 100, count), atol=1e-3)
        left = [float(x) for x in re.findall(r"dashoffset: (\S+)px", drawing.split(f"trail-{index} {{")[1])[:count]]
        lengths = np.hypot(*np.diff(vertices, axis=0).T)
        np.testing.assert_allclose(left, lengths.sum() - np.append(0, np.cumsum(lengths)), atol=0.01)


def test_nothing_moves_but_where_motion_is_welcome_and_for_five_seconds_at_most():
    drawing = plotting.svg(walked([([0, 1], [0, 1])]))
    before, _, after = drawing.partition("@media (prefers-reduced-motion: no-preference) {")
    assert "animation" not in before
    assert "animation: 4s linear both" in after
    assert "infinite" not in after
    assert "<script" not in drawing
    assert ".trail, .walker {display: none}" in before


def test_a_figure_without_a_walk_is_drawn_as_ever():
    figure, (panel,) = plotting.panels()
    panel.plot([0, 1], [0, 1])
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    assert plotting.svg(figure) == stream.getvalue()


def test_what_cannot_be_walked_along_is_refused():
    _, (panel,) = plotting.panels()
    for seconds in (0, -1, 5.1, float("nan")):
        with pytest.raises(ValueError, match=r"^animate: seconds must be above 0 and at most 5, got"):
            plotting.animate(panel.plot([0, 1], [0, 1]), seconds=seconds)
    with pytest.raises(ValueError, match=r"^animate: there are no lines to walk along$"):
        plotting.animate([])
    for line, look in (([0, 900, 1, 900, 2], "-"), ([0, 1, 2, 1, 0], "--"), ([0, 1, 2, 1, 0], " ")):
        figure, (panel,) = plotting.panels()
        panel.set(xlim=(0, 3), ylim=(0, 3))
        plotting.animate(panel.plot(np.arange(5), line, linestyle=look))
        with pytest.raises(
            ValueError, match=r"^svg: line number 0 cannot be walked along; it must be solid and inside"
        ):
            plotting.svg(figure)
