"""A test that cannot fail is a defect: with kernels that lie, every law must notice one lie or another."""

import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sabotage

HERE = Path(__file__).parent
FILES = [
    "test_loss_laws.py",
    "test_penalty_laws.py",
    "test_structured_laws.py",
    "test_loss_properties.py",
    "test_rowwise_laws.py",
    "test_paired_laws.py",
    "test_embedding_laws.py",
    "test_batch_laws.py",
    "test_bits.py",
    "test_golden.py",
]

#: What runs no kernel, or one that has nothing to return, and so cannot notice.
WITHOUT_KERNELS = {
    "test_the_proximal_formula_is_the_argmin_of_its_definition",
    "test_differentiable_is_what_has_one_slope_everywhere",
    "test_the_repr_rebuilds_the_loss",
    "test_the_repr_rebuilds_the_penalty",
    "test_losses_are_equal_when_their_settings_are_and_cannot_be_changed",
    "test_penalties_are_equal_when_their_settings_are_and_cannot_be_changed",
    "test_settings_are_given_by_name_only",
    "test_a_notebook_shows_the_formula",
    "test_more_or_fewer_arrays_are_refused_by_name",
    "test_what_is_no_label_is_named_before_anything_is_written",
    "test_one_nan_or_infinity_makes_all_nan",
    "test_wrong_arrays_are_refused_by_name",
    "test_a_place_for_results_that_is_none_is_refused_before_it_is_written",
    "test_mine_refuses_by_name",
    "test_no_triplets_are_an_empty_list",
    "test_there_is_no_curvature_and_the_class_says_why",
}


def outcomes(way, files):
    """The test functions that passed and those that failed under a sabotage, a few settings of each."""
    environment = os.environ | {"LOSSREF_BACKEND": "numpy", "LOSSREF_NUM_THREADS": "1"}
    options = ["-q", "-rA", "--tb=no", "--show-capture=no", "-p", "no:cacheprovider", "--no-header"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--sample=3", f"--sabotage={way}", *(str(HERE / f) for f in files)],
        cwd=HERE.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found = {"PASSED": set(), "FAILED": set()}
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word in found:
            found[word].add(rest.split("::")[1].split("[")[0].split(" ")[0])
    assert found["FAILED"], done.stdout + done.stderr
    return found


@pytest.mark.exhaustive
def test_every_law_notices_some_lie():
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda way: outcomes(way, FILES), sabotage.WAYS))
    failed = set().union(*(each["FAILED"] for each in found))
    blind = set().union(*(each["PASSED"] for each in found)) - failed
    assert blind == WITHOUT_KERNELS


@pytest.mark.parametrize("way", ["zeros", "scale"])
def test_the_formula_finds_every_lie_in_every_digit(way):
    """Against the truth, a kernel of zeros and one that is wrong in the sixth digit fail in each setting."""
    environment = os.environ | {"LOSSREF_BACKEND": "numpy"}
    laws = "formula_to_the_last_digits and not curvature and not 0.0"
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", "-k", laws, "--sample=24"]
    done = subprocess.run(
        [*command, f"--sabotage={way}", *(str(HERE / file) for file in FILES[:2])],
        cwd=HERE.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    summary = done.stdout.splitlines()[-1]
    assert " failed" in summary, done.stdout + done.stderr
    assert " passed" not in summary
