"""How each framework spells each formula, and what it does otherwise.

A spelling is the framework's own call, in which ``pred`` and ``target`` (or what else a loss takes; ``w`` for a
penalty, ``params`` for an optimizer, ``t`` or the ``optimizer`` for a schedule) are objects of that framework. The
tests run every spelling that is said to be equal against lossref.
"""

from __future__ import annotations

from lossref._formula import Formula
from lossref.conventions import (
    classification,
    contrast,
    counts,
    divergence,
    joint,
    margin,
    metric,
    optimizers,
    overlap,
    ranking,
    regression,
    regularizers,
    schedules,
)
from lossref.conventions.spelling import Spelling
from lossref.registry import path

#: By what one writes after ``lossref.`` to get the formula.
SPELLINGS: dict[str, tuple[Spelling, ...]] = {
    **regression.SPELLINGS,
    **counts.SPELLINGS,
    **classification.SPELLINGS,
    **overlap.SPELLINGS,
    **margin.SPELLINGS,
    **divergence.SPELLINGS,
    **ranking.SPELLINGS,
    **joint.SPELLINGS,
    **metric.SPELLINGS,
    **contrast.SPELLINGS,
    **regularizers.SPELLINGS,
    **optimizers.SPELLINGS,
    **schedules.SPELLINGS,
}


def spellings(formula: type[Formula]) -> tuple[Spelling, ...]:
    """The frameworks' ways to write a formula.

    Examples
    --------
    >>> import lossref
    >>> from lossref.conventions import spellings
    >>> [spelling.framework for spelling in spellings(lossref.Huber)]
    ['PyTorch', 'Keras', 'optax']
    """
    return SPELLINGS.get(path(formula), ())


def translate(formula: Formula, to: str) -> str:
    """Write a formula, with its settings, as a call of another framework.

    Parameters
    ----------
    formula : Formula
        A loss, penalty, optimizer or schedule of lossref.
    to : str
        The framework: "PyTorch", "Keras", "optax", "JAX" or "scikit-learn", in any case.

    Returns
    -------
    str
        An expression of that framework in the names of the loss's arrays (``pred`` and ``target`` for most), ``w``,
        ``params``, ``t`` or ``optimizer``.

    Raises
    ------
    ValueError
        If the framework has no equal for it, or none with these settings.

    Examples
    --------
    >>> import lossref
    >>> from lossref.conventions import translate
    >>> translate(lossref.Huber(delta=2.0), to="PyTorch")
    "torch.nn.functional.huber_loss(pred, target, delta=2.0, reduction='mean')"
    """
    equals = [spelling for spelling in spellings(type(formula)) if spelling.equal]
    known = [spelling for spelling in equals if spelling.framework.lower() == to.lower()]
    for spelling in known:
        if spelling.fits(formula):
            return spelling.write(formula)
    if known:
        wanted = " or ".join(", ".join(f"{name}={value!r}" for name, value in spelling.needs) for spelling in known)
        raise ValueError(f"translate: {known[0].framework} has no equal of {formula!r}; it has one with {wanted}")
    names = ", ".join(dict.fromkeys(spelling.framework for spelling in equals)) or "no framework"
    raise ValueError(f"translate: {to} has no equal of {type(formula).__name__}; there is one in: {names}")
