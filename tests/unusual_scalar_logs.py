"""Scalars of trainers whose totals, parts or weights are called by no usual name.

As in ``tests.scalar_logs``, tag for tag from what their sources say.
"""

from __future__ import annotations

import numpy as np

from tb_regplugin.scalars.composition import Weight
from tests.scalar_logs import Curves, ScalarLog, Truth, equal


def rllib() -> ScalarLog:
    """Ray, rllib/algorithms/ppo/ppo_torch_policy.py: a bonus, and a weight that is adapted."""
    curves = Curves(119)
    place = "ray/tune/info/learner/default_policy/learner_stats"
    policy, value, kl, entropy = (curves.loss(level) for level in (0.05, 6, 0.01, 1.5))
    coefficient = np.where(curves.steps < 40, 0.2, 0.1).astype(np.float32)
    values = {
        "total_loss": policy + value + coefficient * kl - np.float32(0.01) * entropy,
        "policy_loss": policy,
        "vf_loss": value,
        "kl": kl,
        "entropy": entropy,
        "cur_kl_coeff": coefficient,
        "entropy_coeff": np.full_like(kl, 0.01),
        "vf_explained_var": curves.loss(0.1),
        "grad_gnorm": curves.loss(),
    }
    parts: dict[str, Weight] = {
        f"{place}/policy_loss": 1.0,
        f"{place}/vf_loss": 1.0,
        f"{place}/kl": (f"{place}/cur_kl_coeff",),
        f"{place}/entropy": (-1.0, f"{place}/entropy_coeff"),
    }
    series = curves.series({f"{place}/{name}": each for name, each in values.items()})
    return ScalarLog(series, [Truth(f"{place}/total_loss", parts, "adds up with logged weights")])


def openfold() -> ScalarLog:
    """OpenFold, openfold/utils/loss.py: weights from a configuration, and parts by their names."""
    curves = Curves(200, every=5)
    weights = {"distogram": 0.3, "fape": 1.0, "plddt_loss": 0.01, "masked_msa": 2.0}
    values = {f"train/{name}": curves.loss() for name in weights}
    parts = {f"train/{name}": weight for name, weight in weights.items()}
    total = sum(np.float32(weight) * values[tag] for tag, weight in parts.items())
    # What has no weight before the fine-tuning, and a metric.
    values |= {"train/violation": curves.loss(0.001), "train/lddt_ca": 1 - curves.loss(0.3)}
    values["train/loss"] = np.asarray(total)
    truth = Truth("train/loss", parts, "would add up with these weights")
    return ScalarLog(curves.series(values), [truth])


def dreamer() -> ScalarLog:
    """NM512/dreamerv3-torch, models.py: a model's loss among those of an actor and a critic."""
    curves = Curves(150, every=10)
    weights = {"image_loss": 1.0, "reward_loss": 1.0, "cont_loss": 1.0, "dyn_loss": 0.5}
    values = {tag: curves.loss() for tag in weights}
    total = sum(np.float32(weight) * values[tag] for tag, weight in weights.items())
    # The same value, of which another part has the gradient.
    values["rep_loss"] = values["dyn_loss"]
    values["model_loss"] = np.asarray(total) + np.float32(0.1) * values["rep_loss"]
    values |= {"actor_loss": -curves.loss(), "value_loss": curves.loss(), "kl": curves.loss()}
    told = weights | {"dyn_loss": 0.6}
    truth = Truth("model_loss", told, "would add up with these weights")
    return ScalarLog(curves.series(values), [truth])


def pytorch_vae() -> ScalarLog:
    """AntixK/PyTorch-VAE, models/vanilla_vae.py: ``'KLD': -kld_loss.detach()``."""
    curves = Curves(150)
    reconstruction, divergence = curves.loss(), curves.loss(10)
    values = {
        "Reconstruction_Loss": reconstruction,
        "KLD": -divergence,
        "loss": reconstruction + np.float32(0.025) * divergence,
    }
    parts = {"Reconstruction_Loss": 1.0, "KLD": -0.025}
    return ScalarLog(
        curves.series(values), [Truth("loss", parts, "would add up with these weights")]
    )


def pix2pix_hd() -> ScalarLog:
    """NVIDIA/pix2pixHD, train.py: nothing is called a loss."""
    curves = Curves(100)
    generator, discriminator = ["G_GAN", "G_GAN_Feat", "G_VGG"], ["D_real", "D_fake"]
    values = {tag: curves.loss() for tag in (*generator, *discriminator)}
    truths = [Truth(None, equal(tags), "no total is logged") for tags in (generator, discriminator)]
    return ScalarLog(curves.series(values), truths)


def fixmatch() -> ScalarLog:
    """kekmodel/FixMatch-pytorch, train.py: numbered, for the order of cards."""
    curves = Curves(100)
    labelled, unlabelled = curves.loss(), curves.loss()
    values = {
        "train/1.train_loss": labelled + unlabelled,
        "train/2.train_loss_x": labelled,
        "train/3.train_loss_u": unlabelled,
        "test/1.test_acc": curves.loss(),
        "test/2.test_loss": curves.loss(),
    }
    parts = equal(["train/2.train_loss_x", "train/3.train_loss_u"])
    return ScalarLog(curves.series(values), [Truth("train/1.train_loss", parts, "adds up")])


def d_is_a_domain() -> ScalarLog:
    """mathLab/PINA: the residual in the domain D, and no discriminator."""
    curves = Curves(60)
    parts = ["D_loss", "left_loss", "right_loss"]
    values = {tag: curves.loss() for tag in parts}
    values["train_loss"] = np.sum(list(values.values()), axis=0)
    return ScalarLog(curves.series(values), [Truth("train_loss", equal(parts), "adds up")])


def several_loaders() -> ScalarLog:
    """Lightning with two validation sets: each has the same loss."""
    curves = Curves(40)
    tags = ["train_loss", "val_loss/dataloader_idx_0", "val_loss/dataloader_idx_1"]
    return ScalarLog(curves.series({tag: curves.loss() for tag in tags}), [])


def several_data_sets() -> ScalarLog:
    """Hugging Face's Trainer with a dictionary of evaluation sets."""
    curves = Curves(40)
    tags = ["train/loss", "eval/wiki_loss", "eval/news_loss"]
    return ScalarLog(curves.series({tag: curves.loss() for tag in tags}), [])


def several_networks() -> ScalarLog:
    """keras.io, contrastive pretraining: the encoder's and the probe's, an optimiser each."""
    curves = Curves(30)
    tags = ["epoch_c_loss", "epoch_p_loss", "epoch_c_acc", "epoch_p_acc"]
    return ScalarLog(curves.series({tag: curves.loss() for tag in tags}), [])


def smoothed() -> ScalarLog:
    """A loss beside its moving average, its best value, and the scale of mixed precision."""
    curves = Curves(100)
    tags = ["train/loss", "train/loss_ema", "train/loss_best", "train/loss_scale"]
    return ScalarLog(curves.series({tag: curves.loss() for tag in tags}), [])


def value_without_policy() -> ScalarLog:
    """sb3-contrib, TRPO: the policy is found by a line search, the value by an optimiser."""
    curves = Curves(60)
    tags = ["train/kl_divergence_loss", "train/value_loss", "train/policy_objective"]
    return ScalarLog(curves.series({tag: curves.loss() for tag in tags}), [])


UNUSUAL_LOGS = (
    rllib,
    openfold,
    dreamer,
    pytorch_vae,
    pix2pix_hd,
    fixmatch,
    d_is_a_domain,
    several_loaders,
    several_data_sets,
    several_networks,
    smoothed,
    value_without_policy,
)
