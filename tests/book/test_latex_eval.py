"""LaTeX means what a reader takes it to mean, or is refused."""

import mpmath
import pytest
from latex_eval import Display, Indexed, OutOfRange, Unreadable
from latex_tokens import name

VALUES = {
    **{
        "a": 2,
        "b": 3,
        "c": 5,
        "x": 0.5,
        "y": -1.5,
        "n": 4,
        r"\delta": 0.7,
        r"\beta_1": 0.9,
        r"\hat y": 7,
        "m_{t-1}": 11,
    },
    **{r"v^{\max}_t": 1, r"v^\star_t": 2},
    "z": Indexed([1.0, 2.0, 4.0]),
    "q": Indexed([0.25, 0.75, 0.0]),
    "u": Indexed([3.0, -4.0]),
    "K": [(1,), (3,)],
    "T": [(1, 2), (3, 1)],
}
log, exp = mpmath.log, mpmath.exp
MEANINGS = [
    ("a + b c - a", 15),
    ("-a^2", -4),
    ("a b^2", 18),
    ("2a", 4),
    ("12.5 a", 25),
    (r"a \cdot b / c", 1.2),
    (r"\frac{a}{b} c", 10 / mpmath.mpf(3)),
    (r"\tfrac12 c", 2.5),
    (r"a^{b}", 8),
    (r"10^2", 100),
    (r"(a + b)^2 (c)", 125),
    (r"\left[a + b\right]^2", 25),
    (r"\bigl(a + b\bigr) c", 25),
    (r"\sqrt{a + b + 4}", 3),
    (r"|y|", 1.5),
    (r"|y| |x|", 0.75),
    (r"2|y| + a|x|", 4),
    (r"\left|y\right|^2", 2.25),
    (r"\lvert y \rvert", 1.5),
    (r"\max(a, b, c)", 5),
    (r"\min\{a, b\}", 2),
    (r"\max\left(0, y\right)", 0),
    (r"\lfloor c/a \rfloor", 2),
    (r"\left\lceil c/a \right\rceil", 3),
    (r"\operatorname{sign}(y)", -1),
    (r"e^{-x}", exp(-0.5)),
    (r"\exp(-x)", exp(-0.5)),
    (r"\log a \, b", None),
    (r"\log(a) b", 3 * log(2)),
    (r"\log a + b", log(2) + 3),
    (r"a \log b", 2 * log(3)),
    (r"\log^2 b", log(3) ** 2),
    (r"\log{\left(b \right)}^2", log(3) ** 2),
    (r"\cos(\pi)", -1),
    (r"\hat y - \hat{y}", 0),
    (r"\beta_1 m_{t-1} + (1 - \beta_1)", mpmath.mpf("0.9") * 11 + mpmath.mpf("0.1")),
    (r"v_t^{\max} + v_{t}^\star", 3),
    (r"z_2", 2),
    (r"z_{b-1}", 2),
    (r"\sum_{k=1}^{3} z_k", 7),
    (r"\sum_k z_k q_k + a", 3.75),
    (r"\sum_{k \ne 1} z_k", 6),
    (r"\sum_{k \in K} z_k + a", 7),
    (r"\max_{(i, j) \in T} (z_i - z_j)", 3),
    (r"\frac1n \sum_{i=1}^{n} i^2", 7.5),
    (r"\log \sum_k e^{z_k}", log(exp(1) + exp(2) + exp(4))),
    (r"\max_k z_k", 4),
    (r"\lVert u \rVert_1", 7),
    (r"\|u\|_2^2", 25),
    (r"\|u\|", 5),
    (r"\mathbb{1}[a < b] + \mathbb{1}[a = b]", 1),
    (r"\begin{cases} 1 & y > 0 \\ -1 & \text{otherwise} \end{cases}", -1),
    (r"\begin{cases} 1, & \text{if } 0 \le x \le 1 \text{ and } a < b \\ 2, & \text{else} \end{cases}", 1),
    (r"\begin{cases} \log y & y > 0 \\ 0 & y \le 0 \end{cases} + a", 2),
    (r"a + (b - \begin{cases} 1 & (a > b) \vee (a < c) \\ 0 & \text{otherwise} \end{cases})", 4),
]


@pytest.mark.parametrize(("tex", "value"), MEANINGS, ids=[tex for tex, _ in MEANINGS])
def test_the_value_is_that_of_the_reading(tex, value):
    if value is None:
        with pytest.raises(Unreadable, match="two things"):
            Display(f"f = {tex}").value(VALUES)
    else:
        assert mpmath.almosteq(Display(f"f = {tex}").value(VALUES), value, rel_eps=1e-12, abs_eps=1e-14)


@pytest.mark.parametrize(
    ("tex", "complaint"),
    [
        ("f = a / b c", "two things"),
        (r"f = \log a b", "two things"),
        (r"f = \log(a)^2", "two things"),
        (r"f = \cos^{-1} x", "two things"),
        (r"f = ||a| b|", "bars within bars"),
        (r"f = w", "w has no value"),
        (r"f = z", "stands here without"),
        (r"f = z_4", "outside"),
        (r"f = z_x", "not whole"),
        (r"f = \foo", "Undefined control sequence"),
        (r"f = a \approx b", "approx"),
        (r"f = \arg\min x", "arg is not known"),
        (r"f = \sum_{k=1} z_k", "both bounds"),
        (r"f = \sum_k a", "not clear"),
        (r"f = \int a", "int"),
        (r"f = \binom{a}{b}", "binomial"),
        (r"f = \sqrt[3]{a}", "index"),
        (r"f = \begin{cases} 1 & x < 0 \end{cases}", "none of the cases"),
        (r"f = \begin{cases} 1 \\ 2 \end{cases}", "condition"),
        (r"f = a \text{ if you like}", "if you like"),
        (r"f = a +", "missing"),
        (r"f = (a + b", "closed"),
        (r"f = a + b)", "read on"),
        (r"f = a = b", "sides differ"),
        (r"f = g, \quad g = g + 1", "defined by itself"),
        (r"f = g, \quad g = 1, \quad g = 2", "twice"),
        (r"f = a, \quad a = 1", "given and defined"),
        ("a + b", "name = expression"),
    ],
)
def test_what_has_no_one_meaning_is_refused(tex, complaint):
    with pytest.raises(Unreadable, match=complaint):
        Display(tex).value(VALUES)


def test_later_statements_define_letters_in_any_order():
    display = Display(r"\ell(\hat y, y) = \tfrac12 r^2 + s, \qquad s = 2 r \quad\text{where}\quad r = \hat y - y.")
    assert display.value({r"\hat y": 5, "y": 2}) == 10.5


def test_a_definition_with_an_index_serves_every_index():
    softmax = r"p_c = \frac{e^{z_c}}{\sum_{j=1}^{3} e^{z_j}}"
    one = Display(rf"\ell = -\log p_2, \qquad {softmax}").value(VALUES)
    all_of_them = Display(rf"\ell = -\sum_{{k=1}}^3 q_k \log p_k, \qquad {softmax}")
    hot = all_of_them.value({**VALUES, "q": Indexed([0, 1, 0])})
    assert mpmath.almosteq(one, hot)
    assert mpmath.almosteq(one, log(exp(1) + exp(2) + exp(4)) - 2)


def test_a_definition_with_arguments_is_a_function():
    display = Display(r"\ell = a\,\sigma(x) + \sigma(-x), \qquad \sigma(u) = \frac{1}{1 + e^{-u}}")
    assert mpmath.almosteq(display.value(VALUES), 2 / (1 + exp(-0.5)) + 1 / (1 + exp(0.5)))


def test_a_function_may_be_given():
    warmup = Display(
        r"\eta(t) = \begin{cases} f(0)\, t / w & t < w \\ f(t - w) & t \ge w \end{cases}", f=lambda u: 2 - u
    )
    assert [warmup.value({"t": t, "w": 2}) for t in (0, 1, 2, 3)] == [0, 1, 2, 1]


def test_a_condition_limits_the_letters():
    display = Display(r"\eta(t) = 1 - t / T, \qquad 0 \le t \le T")
    assert display.value({"t": 1, "T": 4}) == 0.75
    with pytest.raises(OutOfRange):
        display.value({"t": 5, "T": 4})


def test_the_lines_of_an_update_rule_are_executed_in_order():
    rule = Display(
        r"""\begin{aligned}
            m_t &= \beta m_{t-1} + (1 - \beta) g_t \\
            \hat m_t &= \frac{m_t}{1 - \beta^t} \\
            \theta_t &= \theta_{t-1} - \eta \hat m_t
        \end{aligned}"""
    )
    values = {r"\beta": 0.5, "m_{t-1}": 0, "g_t": 4, "t": 1, r"\theta_{t-1}": 3, r"\eta": 0.25}
    assert rule.run(values) == {"m_{t}": 2, r"\hat{m}_{t}": 4, r"\theta_{t}": 2}


def test_an_arrow_changes_the_letter_for_the_lines_below_it():
    rule = Display(r"\begin{aligned} v &\leftarrow \beta v + g \\ \theta &\leftarrow \theta - \eta v \end{aligned}")
    assert rule.run({"v": 2, r"\beta": 0.5, "g": 1, r"\theta": 10, r"\eta": 2}) == {"v": 2, r"\theta": 6}


def test_names_have_one_spelling():
    assert name(r"\hat y") == name(r"\hat{y}")
    assert name(r"\eta_{\max}") == name(r"\eta_{\!\max}")


def test_a_display_knows_its_letters():
    assert Display(r"\ell = \lambda_1 |w_j| + r, \quad r = b").letters == {r"\lambda_{1}", "w_{j}", "j", "r", "b"}


def test_what_was_found_wrong_on_a_famous_page_is_found_here():
    adam = {r"\alpha": 0.1, r"\hat m_t": 0.3, r"\hat v_t": 0.04}
    printed = Display(r"\Delta_t = \alpha \cdot \frac{\hat m_t}{\hat v_t}").value(adam)
    right = Display(r"\Delta_t = \alpha \cdot \frac{\hat m_t}{\sqrt{\hat v_t}}").value(adam)
    assert abs(printed - right) > 0.5
