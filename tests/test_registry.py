"""Each formula has a name of its own: for its kernel and its page, and for whoever calls it."""

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


def test_a_class_outside_of_lossref_goes_by_its_name():
    assert registry.path(type("Huber", (), {"__module__": "__main__"})) == "Huber"
