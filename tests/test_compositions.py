"""What logged losses are found to be made of, and how far that is said to add up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.data.provider import ScalarDatum

from tb_regplugin.scalars.composition import STATUSES, Composition, Part, Series
from tb_regplugin.scalars.compositions import find_compositions
from tb_regplugin.scalars.series import joined, series_of_data
from tb_regplugin.scalars.tags import is_likely
from tests.scalar_logs import LOGS, ScalarLog, object_detection, vqgan
from tests.unusual_scalar_logs import UNUSUAL_LOGS, dreamer

ADDING_UP = ("adds up", "adds up with logged weights")


@pytest.mark.parametrize("log", [*LOGS, *UNUSUAL_LOGS], ids=lambda log: log.__name__)
def test_a_trainers_losses_are_found(log: Callable[[], ScalarLog]) -> None:
    """Total, parts, weights and status, and nothing else."""
    series, truths = log()
    found = [
        (each.total, {part.tag: part.weight for part in each.parts}, each.status)
        for each in find_compositions(series)
    ]
    expected = [(truth.total, dict(truth.parts), truth.status) for truth in truths]
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    assert is_likely(series) == bool(truths)


def test_the_weight_of_two_that_are_the_same_is_said_to_be_of_both() -> None:
    """Numbers cannot tell them apart."""
    (found,) = find_compositions(dreamer().series)
    assert found.note == (
        "rep_loss is dyn_loss times a constant, so the weight may be that of both."
    )


def test_the_statuses_are_words() -> None:
    """As the command line and the dashboard show them."""
    assert STATUSES == (
        "adds up",
        "adds up with logged weights",
        "adds up roughly (the logger smooths)",
        "would add up with these weights",
        "leaves a rest that nobody logged",
        "does not add up",
        "no total is logged",
    )


def test_penalties_are_told_from_data_losses_by_name() -> None:
    """Until somebody says otherwise."""
    (found,) = find_compositions(object_detection().series)
    assert [part.role for part in found.parts] == ["data", "data", "penalty"]


_WORDS = ["loss", "total", "kl", "weight", "g", "fake", "entropy", "elbo", "actor", "1.", "/", "_"]


@settings(deadline=None, max_examples=150)
@given(
    names=st.lists(
        st.lists(st.sampled_from(_WORDS), min_size=1, max_size=5).map("_".join),
        max_size=12,
        unique=True,
    ),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_scalars_end_the_look(names: list[str], seed: int) -> None:
    """Whatever they are called, and whatever of steps and values they share."""
    random = np.random.default_rng(seed)

    def column() -> Series:
        steps = np.sort(random.choice(60, random.choice([1, 2, 10, 40]), replace=False))
        values = random.uniform(-3, 3, len(steps)) * 10.0 ** random.choice([-38, 0, 38])
        values[random.random(len(steps)) < 0.1] = random.choice([0, np.nan, np.inf])
        return steps.astype(np.int64), values

    for found in find_compositions({name: column() for name in names}):
        assert found.parts


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    columns=st.integers(1, 14),
    steps=st.integers(1, 60),
    shape=st.sampled_from(["smooth", "noisy", "small integers", "constant"]),
)
def test_noise_never_adds_up(seed: int, columns: int, steps: int, shape: str) -> None:
    """However many sums there are, and however few steps."""
    random, at = np.random.default_rng(seed), np.arange(steps, dtype=np.float64)

    def column() -> Series:
        smooth = random.uniform(0, 2) + random.uniform(0.01, 5) * np.exp(
            -at / random.uniform(5, 200)
        )
        values = {
            "smooth": smooth,
            "noisy": smooth * random.normal(1, 0.1, steps),
            "small integers": random.integers(0, 4, steps),
            "constant": np.full(steps, round(random.uniform(0, 3))),
        }[shape]
        return at.astype(np.int64), np.asarray(values, np.float32).astype(np.float64)

    tags = ["loss", "d_weight", "a_weight", *(f"{i}_loss" for i in range(columns))]
    for found in find_compositions({tag: column() for tag in tags}):
        assert found.status not in ADDING_UP
        assert found.status != "would add up with these weights"


@settings(deadline=None, max_examples=100)
@given(seed=st.integers(0, 2**32 - 1), parts=st.integers(2, 15), others=st.integers(0, 4))
def test_what_is_a_sum_is_found(seed: int, parts: int, others: int) -> None:
    """Among other losses, with the error that NumPy gets."""
    random, steps = np.random.default_rng(seed), np.arange(100)
    values = {
        f"{i}_loss": random.uniform(0.5, 2) * random.uniform(0.5, 1, 100).astype(np.float32)
        for i in range(parts + others)
    }
    summed = list(values)[:parts]
    total = np.sum([values[tag] for tag in summed], axis=0, dtype=np.float32)
    series = {tag: (steps, np.asarray(each, np.float64)) for tag, each in values.items()}
    series["loss"] = steps, np.asarray(total, np.float64)
    (found,) = [each for each in find_compositions(series) if each.total]
    assert [part.tag for part in found.parts] == summed
    missed = np.abs(series["loss"][1] - sum(series[tag][1] for tag in summed))
    assert found.error == pytest.approx(float((missed / series["loss"][1]).max()), rel=1e-6)


def test_steps_are_compared_where_both_are() -> None:
    """Sampled alike, a sum stays exact; nothing is interpolated."""
    series, truths = vqgan()
    kept = np.sort(np.random.default_rng(0).choice(500, 100, replace=False))
    sampled = {tag: (steps[kept], values[kept]) for tag, (steps, values) in series.items()}
    (found,) = find_compositions(sampled)
    assert {part.tag: part.weight for part in found.parts} == truths[0].parts
    assert found.error is not None
    assert found.error < 1e-6


def test_a_part_at_other_steps_is_not_contained() -> None:
    """A rest is left that is as large as what it would have been."""
    series, _ = object_detection()
    steps, values = series["Loss/regularization_loss"]
    series["Loss/regularization_loss"] = steps[::4], values[::4]
    (found,) = find_compositions(series)
    assert "Loss/regularization_loss" not in [part.tag for part in found.parts]
    assert found.status == "leaves a rest that nobody logged"
    total = series["Loss/total_loss"][1]
    assert found.rest == pytest.approx(float(np.median(values / total)), rel=1e-5)


def test_weights_that_nobody_logged_are_offered() -> None:
    """They are not applied: the status says so."""
    series, _ = object_detection()
    steps, values = series["Loss/localization_loss"]
    series["Loss/localization_loss"] = steps, 4 * values
    (found,) = find_compositions(series)
    assert found.status == "would add up with these weights"
    weights = {part.tag: part.weight for part in found.parts}
    assert weights["Loss/localization_loss"] == pytest.approx(0.25, rel=1e-5)


def test_a_weight_may_be_logged_more_often() -> None:
    """scvi-tools: the weight at each step, losses at the last step of each epoch."""
    steps, epochs, random = np.arange(200), np.arange(4, 200, 5), np.random.default_rng(0)
    weight, (data, kl) = steps / 200, random.uniform(0.5, 2, (2, 40))
    (found,) = find_compositions(
        {
            "kl_weight": (steps, weight),
            "train_loss": (epochs, data + weight[epochs] * kl),
            "reconstruction_loss_train": (epochs, data),
            "kl_local_train": (epochs, kl),
        }
    )
    assert found.status == "adds up with logged weights"
    weights = {part.tag: part.weight for part in found.parts}
    assert weights == {"reconstruction_loss_train": 1.0, "kl_local_train": ("kl_weight",)}


def test_weights_are_told_whoever_a_name_may_speak_of() -> None:
    """PINA with weights: D is a domain there, and no discriminator."""
    steps, (inside, left, right) = np.arange(60), np.random.default_rng(0).uniform(0.5, 2, (3, 60))
    series = {"D_loss": (steps, inside), "left_loss": (steps, left), "right_loss": (steps, right)}
    (found,) = find_compositions(series | {"train_loss": (steps, inside + 50 * left + 20 * right)})
    weights = {part.tag: part.weight for part in found.parts}
    assert weights == {"D_loss": 1.0, "left_loss": 50.0, "right_loss": 20.0}


def test_weights_do_not_take_up_a_penalty() -> None:
    """Of losses that fall smoothly they nearly could: Keras' two outputs, one counted by half."""
    epochs = np.arange(15)
    price, risk, penalty = (
        level * np.exp(-epochs / fall) for level, fall in ((4, 40), (1.5, 80), (0.1, 100))
    )
    found = find_compositions(
        {
            "epoch_loss": (epochs, price + 0.5 * risk + penalty),
            "epoch_price_loss": (epochs, price),
            "epoch_risk_loss": (epochs, risk),
        }
    )
    assert [each.status for each in found] == ["does not add up"]


def test_a_loss_that_heads_a_family_is_its_total() -> None:
    """As pix2pix' forks log it; nothing is claimed where it may hold what nobody logged."""
    steps, random = np.arange(50), np.random.default_rng(0)
    gan, distance, level = random.random((3, 50))
    series = {"loss_G_GAN": (steps, gan), "loss_G_L1": (steps, distance)}
    (found,) = find_compositions(series | {"loss_G": (steps, gan + distance)})
    assert (found.total, found.status) == ("loss_G", "adds up")
    (found,) = find_compositions(series | {"loss_G": (steps, gan + 100 * distance)})
    assert (found.total, found.status) == ("loss_G", "would add up with these weights")
    assert find_compositions(series | {"loss_G": (steps, level)}) == []


def test_one_scalar_of_nans_hides_no_other() -> None:
    """It is no part of what is finite."""
    series, truths = object_detection()
    series["Loss/broken_loss"] = series["Loss/total_loss"][0], np.full(200, np.nan)
    (found,) = find_compositions(series)
    assert (found.status, len(found.parts)) == ("adds up", len(truths[0].parts))


def test_a_nan_ends_no_composition() -> None:
    """What is not finite is compared with nothing."""
    series, truths = object_detection()
    for tag in ("Loss/total_loss", "Loss/classification_loss"):
        series[tag][1][-1] = np.nan
    (found,) = find_compositions(series)
    assert (found.status, len(found.parts)) == ("adds up", len(truths[0].parts))


def test_a_penalty_that_is_zero_stays_a_part() -> None:
    """As of strength 0, also where the total then is the data loss."""
    steps, data = np.arange(50), np.random.default_rng(0).random(50)
    series = {"loss": (steps, data), "data_loss": (steps, data)}
    (found,) = find_compositions(series | {"reg_loss": (steps, np.zeros(50))})
    assert [part.tag for part in found.parts] == ["data_loss", "reg_loss"]
    assert found.status == "adds up"


def test_a_part_with_a_small_weight_leaves_no_rest() -> None:
    """The total moves less than it does: what it leaves of the total is not the rest."""
    steps, random = np.arange(300), np.random.default_rng(0)
    data, penalty = 3 + random.random(300), random.random(300)
    for weight, status in ((1.0, "leaves a rest that nobody logged"), (0.02, "does not add up")):
        series = {"loss": (steps, data + weight * penalty), "aux_loss": (steps, penalty)}
        (found,) = find_compositions(series)
        assert (found.status, [part.tag for part in found.parts]) == (status, ["aux_loss"])


def test_weights_that_leave_a_steady_rest_are_noted() -> None:
    """As Keras logs two outputs with weights, and nothing of the L2 penalty."""
    steps, random = np.arange(90), np.random.default_rng(0)
    price, risk = 1 + random.random((2, 90))
    penalty = 0.0906 - 5e-5 * steps
    series = {
        "batch_loss": (steps, price + 0.5 * risk + penalty),
        "batch_price_loss": (steps, price),
        "batch_risk_loss": (steps, risk),
    }
    (found,) = find_compositions(series)
    assert found.status == "does not add up"
    assert found.note == (
        "With 1 × batch_price_loss + 0.5 × batch_risk_loss it would leave a steady rest of "
        "0.0861 to 0.0906, such as a penalty that nobody logged."
    )


def test_what_was_stored_takes_the_place_of_what_was_found() -> None:
    """With what the numbers say of it."""
    series, _ = object_detection()
    parts = (Part("Loss/classification_loss"), Part("Loss/localization_loss", 1.0, "penalty"))
    stored = Composition("Loss/total_loss", parts, stored=True)
    (found,) = find_compositions(series, [stored])
    assert (found.parts, found.stored) == (parts, True)
    assert found.status == "leaves a rest that nobody logged"


def test_add_scalars_is_one_composition() -> None:
    """Of one tag in several child runs, as PyTorch and tensorboardX write them."""
    steps, random = np.arange(50), np.random.default_rng(0)
    kl, data = random.random(50), random.random(50)
    for child in ("losses_{}", "losses/{}"):
        runs = {
            "a": {"loss": (steps, kl + data)},
            "a/" + child.format("kl"): {"losses": (steps, kl)},
            "a/" + child.format("data"): {"losses": (steps, data)},
        }
        (found,) = find_compositions(joined(runs)["a"])
        assert [part.tag for part in found.parts] == ["losses/kl", "losses/data"]
        assert found.status == "adds up"


def test_a_restarts_last_value_of_a_step_stands() -> None:
    """As the DataProvider gives both."""
    data = [ScalarDatum(step, 0.0, value) for step, value in ((0, 1.0), (1, 2.0), (1, 3.0))]
    steps, values = series_of_data({"loss": data})["loss"]
    assert (steps.tolist(), values.tolist()) == ([0, 1], [1.0, 3.0])


def test_the_tab_is_not_offered_for_a_loss_without_parts() -> None:
    """As Keras' own callback logs it."""
    assert not is_likely(["epoch_loss", "epoch_accuracy", "evaluation_loss_vs_iterations"])
    assert is_likely(["epoch_loss", "epoch_a_loss"])
