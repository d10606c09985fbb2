"""The drawing functions draw what the library computes, and hide nothing of it."""

import numpy as np
import pytest

import lossref
from lossref import plotting
from lossref.landscapes import Ravine

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
