"""Each formula has a name of its own: for its kernel and its page, and for whoever calls it."""

import inspect
import operator

import pytest

import lossref
from lossref import registry

FORMULAS = registry.formulas()


def test_no_two_formulas_share_a_kernel_or_a_page():
    kernels = [formula.name + form for formula in FORMULAS for form in formula.forms]
    assert len(set(kernels)) == len(kernels) >= len(FORMULAS)


@pytest.mark.parametrize("formula", FORMULAS, ids=registry.path)
def test_what_one_writes_after_lossref_is_the_formula(formula):
    assert operator.attrgetter(registry.path(formula))(lossref) is formula


#: What one calls, and what the author of a formula writes or reads.
CALLED = {
    *("values", "grad", "value_and_grad", "curvature", "counts", "prox", "envelope", "envelope_grad"),
    *("init", "step", "rate_at", "with_groups", "with_warmup", "evaluation_point"),
}
WRITTEN = {
    *("formula", "prox_formula", "reference", "reference_prox", "reference_curvature"),
    *("expression", "expression_at", "arguments", "hyperparameters", "range_of", "letters", "lengths", "latex"),
    *("predictions", "target_spread", "parts", "parameters_shown", "check_parameters", "flattened"),
    *("buffers", "fresh", "family", "scalars"),
}


def test_what_helps_a_formula_from_inside_has_a_name_that_says_so():
    found = {
        name
        for formula in FORMULAS
        for parent in formula.__mro__[:-1]
        for name, member in vars(parent).items()
        if inspect.isroutine(member) or isinstance(member, property | staticmethod | classmethod)
        if not name.startswith("_")
    }
    assert found == CALLED | WRITTEN


def test_a_class_outside_of_lossref_goes_by_its_name():
    assert registry.path(type("Huber", (), {"__module__": "__main__"})) == "Huber"
