"""What a scalar's tag says."""

from __future__ import annotations

import pytest

from tb_regplugin.scalars.tags import parse


@pytest.mark.parametrize(
    ("tag", "split", "aggregation", "words"),
    [
        ("epoch_kl_loss", "", "epoch", "kl loss"),
        ("train_loss_step", "train", "step", "loss"),
        ("evaluation_loss_vs_iterations", "validation", "iteration", "loss"),
        ("Loss/test", "test", "", "loss"),
        ("val/box_loss", "validation", "", "box loss"),
        ("kl_local_validation", "validation", "", "kl local"),
        ("Train Loss Dict/rgb_loss", "train", "", "rgb loss"),
        ("valLoss", "validation", "", "loss"),
        ("loss_kld/batch", "", "batch", "loss kld"),
        ("update/vf_loss/mean", "", "mean", "vf loss"),
    ],
)
def test_a_tag_is_taken_apart(tag: str, split: str, aggregation: str, words: str) -> None:
    """Whichever way its trainer writes it."""
    found = parse(tag)
    assert (found.split, found.aggregation) == (split, aggregation)
    assert found.words == tuple(words.split())


@pytest.mark.parametrize(
    "tag",
    [
        "train_loss_ce_unscaled",
        "lm loss vs samples",
        "loss/batch_loss_mov_avg",
        "Loss/normalized_total_loss",
        "losses/approx_kl",
        "update/vf_loss/max",
        "Loss/scores/fake",
        "lm loss validation ppl",
        "learning_rate",
        "train/loss_grad_norm",
        "kl_weight",
        "",
        "/",
    ],
)
def test_what_is_no_part_is_none(tag: str) -> None:
    """Also where it is called a loss."""
    found = parse(tag)
    assert not found.is_part
    assert not found.is_total


@pytest.mark.parametrize(
    "tag",
    [
        *("loss_giou", "Loss/box/scale", "losses/entropy", "l1_reg", "G_A"),
        "losses/mean_squared_error",
    ],
)
def test_what_may_be_a_part_is_one(tag: str) -> None:
    """Also where its name ends like a metric's or a weight's."""
    assert parse(tag).is_part


@pytest.mark.parametrize(
    ("tag", "role"),
    [
        ("Loss/regularization_loss", "penalty"),
        ("train/kl_loss", "penalty"),
        ("router_z_loss", "penalty"),
        ("train/load balancing loss", "penalty"),
        ("l1_loss", "data"),
        ("cls_loss", "data"),
        ("loss_rpn_box_reg", "data"),
    ],
)
def test_a_name_tells_the_role(tag: str, role: str) -> None:
    """Until somebody says otherwise."""
    assert parse(tag).role == role
