"""Scalars as trainers log them, tag for tag, from what their sources say.

Each function returns the values by tag and step of one run, and what is true of it. Values are
float32, as trainers have them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2

from tb_regplugin.scalars.composition import Series, Weight
from tests.logs import write_events

Values = npt.NDArray[np.float32]


class Truth(NamedTuple):
    """One composition of a log.

    Attributes:
      total: Its total's tag.
      parts: Its parts' tags, each with its weight.
      status: How far it adds up.
    """

    total: str | None
    parts: Mapping[str, Weight]
    status: str


class ScalarLog(NamedTuple):
    """What one run logs, and what is true of it."""

    series: dict[str, Series]
    truths: Sequence[Truth]


class Curves:
    """Losses that fall, with noise."""

    def __init__(self, steps: int, every: int = 1) -> None:
        self.steps = np.arange(steps, dtype=np.int64) * every
        self._random = np.random.default_rng(steps)

    def loss(self, level: float = 1.0) -> Values:
        """Returns one that begins near a level."""
        progress = np.linspace(0, 3, len(self.steps))
        noise = self._random.normal(1, 0.1, len(self.steps))
        return (level * (0.2 + np.exp(-progress)) * noise).astype(np.float32)

    def series(self, values: Mapping[str, Values]) -> dict[str, Series]:
        """Returns them with their steps."""
        return {tag: (self.steps, each.astype(np.float64)) for tag, each in values.items()}


def equal(tags: Sequence[str]) -> dict[str, Weight]:
    """Returns parts that have the weight 1."""
    return dict.fromkeys(tags, 1.0)


def object_detection() -> ScalarLog:
    """TensorFlow models, research/object_detection/model_lib_v2.py: ``tf.add_n`` of the losses."""
    curves = Curves(200, every=100)
    parts = [f"Loss/{name}_loss" for name in ("classification", "localization", "regularization")]
    values = {tag: curves.loss(level) for tag, level in zip(parts, (2, 1, 0.4), strict=True)}
    total = np.sum(list(values.values()), axis=0)
    values |= {"Loss/total_loss": total, "Loss/normalized_total_loss": total / 4}
    values["learning_rate"] = curves.loss(0.01)
    return ScalarLog(curves.series(values), [Truth("Loss/total_loss", equal(parts), "adds up")])


def centernet() -> ScalarLog:
    """The same with center_net_meta_arch.py: parts that are not called losses."""
    curves = Curves(200, every=100)
    parts = ["Loss/object_center", "Loss/box/scale", "Loss/box/offset", "Loss/keypoint/heatmap"]
    values = {tag: curves.loss() for tag in parts}
    values["Loss/total_loss"] = np.sum(list(values.values()), axis=0)
    return ScalarLog(curves.series(values), [Truth("Loss/total_loss", equal(parts), "adds up")])


def detectron2() -> ScalarLog:
    """Detectron2, utils/events.py: the median of 20 steps of each loss, and of their sum."""
    curves, every_step = Curves(200, every=20), Curves(4_000)
    parts = ["loss_cls", "loss_box_reg", "loss_mask", "loss_rpn_cls", "loss_rpn_loc"]
    steps = {tag: every_step.loss() for tag in parts}
    steps["total_loss"] = np.sum(list(steps.values()), axis=0)
    values = {tag: np.median(each.reshape(-1, 20), axis=1) for tag, each in steps.items()}
    truth = Truth("total_loss", equal(parts), "adds up roughly (the logger smooths)")
    return ScalarLog(curves.series(values | {"lr": curves.loss()}), [truth])


def detr() -> ScalarLog:
    """DETR: weighted and unweighted losses, of training and test in one run."""
    curves = Curves(60)
    values: dict[str, Values] = {"epoch": curves.steps.astype(np.float32)}
    truths = []
    for split in ("train", "test"):
        parts = [f"{split}_loss_{name}" for name in ("ce", "bbox", "giou", "ce_0", "bbox_0")]
        own = {tag: curves.loss(5) for tag in parts}
        values |= own | {f"{tag}_unscaled": each / np.float32(5) for tag, each in own.items()}
        values[f"{split}_loss"] = np.sum(list(own.values()), axis=0)
        values[f"{split}_class_error"] = curves.loss(90)
        truths.append(Truth(f"{split}_loss", equal(parts), "adds up"))
    return ScalarLog(curves.series(values), truths)


def vqgan() -> ScalarLog:
    """taming-transformers, modules/losses/vqperceptual.py: a product of logged weights."""
    curves = Curves(500)
    parts = ["train/nll_loss", "train/quant_loss", "train/g_loss"]
    values = {tag: curves.loss() for tag in parts}
    values |= {"train/d_weight": curves.loss(0.8)}
    values["train/disc_factor"] = (curves.steps > 250).astype(np.float32)
    weight = values["train/d_weight"] * values["train/disc_factor"]
    values["train/total_loss"] = (
        values["train/nll_loss"] + values["train/quant_loss"] + weight * values["train/g_loss"]
    )
    values |= {"train/p_loss": curves.loss(0.7), "train/disc_loss": curves.loss()}
    values |= {"train/logits_real": curves.loss()}
    weights = equal(parts) | {"train/g_loss": ("train/d_weight", "train/disc_factor")}
    truth = Truth("train/total_loss", weights, "adds up with logged weights")
    return ScalarLog(curves.series(values), [truth])


def jaxpi() -> ScalarLog:
    """jaxpi, evaluator.py: a weight and a gradient's norm beside each loss."""
    curves = Curves(200)
    names = ("ics", "res", "bcs")
    values = {f"{name}_{kind}": curves.loss() for name in names for kind in ("loss", "weight")}
    values["loss"] = np.sum([values[f"{n}_loss"] * values[f"{n}_weight"] for n in names], axis=0)
    values |= {f"{name}_grad_norm": curves.loss() for name in names}
    weights: dict[str, Weight] = {f"{name}_loss": (f"{name}_weight",) for name in names}
    return ScalarLog(curves.series(values), [Truth("loss", weights, "adds up with logged weights")])


def vits() -> ScalarLog:
    """VITS, train.py: many parts of two players, those of one beside its total's place."""
    curves = Curves(400, every=200)
    generator = [f"loss/g/{name}" for name in ("fm", "mel", "dur", "kl", *range(6))]
    discriminator = [f"loss/d_{kind}/{number}" for kind in "rg" for number in range(6)]
    values: dict[str, Values] = {}
    truths = []
    for total, parts in {"loss/g/total": generator, "loss/d/total": discriminator}.items():
        own = {tag: curves.loss() for tag in parts}
        values |= own | {total: np.sum(list(own.values()), axis=0)}
        truths.append(Truth(total, equal(parts), "adds up"))
    return ScalarLog(curves.series(values), truths)


def model_garden() -> ScalarLog:
    """TensorFlow models, official/vision/tasks/maskrcnn.py: nested sums, a penalty never logged."""
    curves = Curves(150, every=100)
    parts = ["rpn_score_loss", "rpn_box_loss", "frcnn_cls_loss", "frcnn_box_loss", "mask_loss"]
    values = {tag: curves.loss() for tag in parts}
    values["model_loss"] = np.sum(list(values.values()), axis=0)
    values["total_loss"] = values["model_loss"] + curves.loss(0.6)
    values["training_loss"] = values["total_loss"]
    truth = Truth("total_loss", equal(parts), "leaves a rest that nobody logged")
    return ScalarLog(curves.series(values), [truth])


def allennlp() -> ScalarLog:
    """AllenNLP, gradient_descent_trainer.py: the penalty is logged, the data loss is the rest."""
    curves = Curves(200)
    penalty = curves.loss(0.3)
    values = {"loss/batch_loss": curves.loss(3) + penalty, "loss/batch_reg_loss": penalty}
    values["loss/batch_loss_mov_avg"] = curves.loss(3)
    truth = Truth(
        "loss/batch_loss", equal(["loss/batch_reg_loss"]), "leaves a rest that nobody logged"
    )
    return ScalarLog(curves.series(values), [truth])


def slim() -> ScalarLog:
    """tf_slim's walkthrough: summaries of the losses that ``tf.losses`` collects."""
    curves = Curves(100, every=20)
    parts = [f"losses/{name}" for name in ("mean_squared_error", "huber", "regularization")]
    values = {tag: curves.loss() for tag in parts}
    values["losses/total"] = np.sum(list(values.values()), axis=0)
    return ScalarLog(curves.series(values), [Truth("losses/total", equal(parts), "adds up")])


def imitation() -> ScalarLog:
    """imitation, algorithms/bc.py: one part has a name that says nothing, others are raw."""
    curves = Curves(160)
    parts = ["bc/neglogp", "bc/ent_loss", "bc/l2_loss"]
    values = {tag: curves.loss() for tag in parts}
    values["bc/loss"] = np.sum(list(values.values()), axis=0)
    values |= {"bc/entropy": -100 * values["bc/ent_loss"], "bc/prob_true_act": curves.loss()}
    values |= {"bc/l2_norm": 1000 * values["bc/l2_loss"], "bc/samples_so_far": curves.loss(5)}
    return ScalarLog(curves.series(values), [Truth("bc/loss", equal(parts), "adds up")])


def pina() -> ScalarLog:
    """PINA, condition_aggregator_mixin.py: parts that don't say of which split they are."""
    curves = Curves(60)
    parts = ["D_loss", "left_loss", "right_loss"]
    values = {tag: curves.loss() for tag in parts}
    values["train_loss"] = np.sum(list(values.values()), axis=0)
    return ScalarLog(curves.series(values), [Truth("train_loss", equal(parts), "adds up")])


def catalyst() -> ScalarLog:
    """Catalyst, loggers/tensorboard.py: by batch and by epoch, which a last segment says."""
    series: dict[str, Series] = {}
    truths = []
    for end, curves in (("batch", Curves(96, every=32)), ("epoch", Curves(12))):
        parts = [f"loss_ae/{end}", f"loss_kld/{end}"]
        values = {tag: curves.loss() for tag in parts}
        values[f"loss/{end}"] = np.sum(list(values.values()), axis=0)
        series |= curves.series(values)
        truths.append(Truth(f"loss/{end}", equal(parts), "adds up"))
    return ScalarLog(series, truths)


def stylegan() -> ScalarLog:
    """StyleGAN2-ADA, training/loss.py: lazy regularisation of two players, raw and weighted."""
    curves, path, r1 = Curves(640), Curves(160, every=4), Curves(40, every=16)
    series = curves.series({"Loss/G/loss": curves.loss(), "Loss/D/loss": curves.loss()})
    for lazy, player, raw in ((path, "G", "pl"), (r1, "D", "r1")):
        penalty = lazy.loss()
        values = {f"Loss/{player}/reg": 2 * penalty, f"Loss/{raw}_penalty": penalty}
        series |= lazy.series(values)
    series |= curves.series({"Loss/scores/fake": curves.loss(), "Loss/signs/real": curves.loss()})
    pairs = [["Loss/G/loss", "Loss/G/reg"], ["Loss/D/loss", "Loss/D/reg"]]
    return ScalarLog(series, [Truth(None, equal(pair), "no total is logged") for pair in pairs])


def cyclegan() -> ScalarLog:
    """pytorch-CycleGAN-and-pix2pix, models/cycle_gan_model.py: only the table knows these names."""
    curves = Curves(200)
    parts = ["G_A", "G_B", "cycle_A", "cycle_B", "idt_A", "idt_B"]
    values = {tag: curves.loss() for tag in (*parts, "D_A", "D_B")}
    return ScalarLog(curves.series(values), [Truth(None, equal(parts), "no total is logged")])


def gaussian_splatting() -> ScalarLog:
    """gaussian-splatting, train.py: ``0.8 * l1 + 0.2 * (1 - ssim)``, of which only l1 is logged."""
    curves = Curves(600, every=10)
    l1 = curves.loss(0.2)
    values = {"train_loss_patches/l1_loss": l1, "total_points": curves.loss(1e5)}
    values["train_loss_patches/total_loss"] = np.float32(0.8) * l1 + curves.loss(0.1)
    truth = Truth(
        "train_loss_patches/total_loss",
        {"train_loss_patches/l1_loss": 0.8},
        "leaves a rest that nobody logged",
    )
    return ScalarLog(curves.series(values), [truth])


def ppo() -> ScalarLog:
    """CleanRL, ppo.py: losses without a total, beside what only lies in their place."""
    curves = Curves(200)
    parts = ["losses/value_loss", "losses/policy_loss", "losses/entropy"]
    others = ["losses/approx_kl", "losses/clipfrac", "losses/explained_variance", "charts/SPS"]
    values = {tag: curves.loss() for tag in (*parts, *others)}
    return ScalarLog(curves.series(values), [Truth(None, equal(parts), "no total is logged")])


def soft_actor_critic() -> ScalarLog:
    """Stable-Baselines3, sac/sac.py: an optimiser for each loss, so no composition."""
    curves = Curves(200)
    tags = ["train/actor_loss", "train/critic_loss", "train/ent_coef", "train/ent_coef_loss"]
    return ScalarLog(curves.series({tag: curves.loss() for tag in tags}), [])


def policy_and_critic() -> ScalarLog:
    """skrl, sac.py: the same under names that PPO has, too."""
    curves = Curves(200)
    tags = [f"Loss / {name} loss" for name in ("Policy", "Critic", "Entropy")]
    return ScalarLog(curves.series({tag: curves.loss() for tag in tags}), [])


def plain() -> ScalarLog:
    """PyTorch's tutorial: one loss of each split."""
    curves = Curves(200)
    tags = ["Loss/train", "Loss/test", "Accuracy/train", "Accuracy/test"]
    return ScalarLog(curves.series({tag: curves.loss() for tag in tags}), [])


LOGS: Sequence[Callable[[], ScalarLog]] = (
    object_detection,
    centernet,
    detectron2,
    detr,
    vqgan,
    jaxpi,
    vits,
    model_garden,
    allennlp,
    slim,
    imitation,
    pina,
    catalyst,
    stylegan,
    cyclegan,
    gaussian_splatting,
    ppo,
    soft_actor_critic,
    policy_and_critic,
    plain,
)


def write_scalars(directory: Path, series: Mapping[str, Series], form: str = "simple") -> Path:
    """Writes an event file of scalars.

    Args:
      directory: The run's.
      series: Its values.
      form: ``"simple"`` as TensorFlow 1 and PyTorch write them, ``"content"`` or ``"float"`` as
        TensorFlow 2 and NumPy do.
    """
    events = []
    for tag, (steps, values) in series.items():
        for step, number in zip(steps.tolist(), values.tolist(), strict=True):
            value = summary_pb2.Summary.Value(tag=tag)
            value.metadata.plugin_data.plugin_name = "scalars"
            if form == "simple":
                value.simple_value = number
            else:
                tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, tensor_shape={})
                if form == "content":
                    tensor.tensor_content = np.float32(number).tobytes()
                else:
                    tensor.float_val.append(number)
                value.tensor.CopyFrom(tensor)
            events.append(event_pb2.Event(step=step, wall_time=1e9, summary={"value": [value]}))
    return write_events(directory, events)
