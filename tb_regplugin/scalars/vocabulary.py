"""The words that tags are made of: what losses, parts, weights, metrics and players are called."""

from __future__ import annotations

import re

SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev"), "validation"),
    "test": "test",
}
AGGREGATIONS = frozenset({"step", "epoch", "batch", "iteration"})
MEANS = frozenset({"mean", "avg", "average"})
TOTALS = frozenset(
    {
        "loss", "losses", "total", "total_loss", "loss_total", "total_cost", "cost", "objective",
        "tot", "tot_loss", "loss_tot",
    }
)  # fmt: skip
SUM_WORDS = frozenset(
    {"total", "overall", "aggregated", "combined", "sum", "all", "full", "joint", "final"}
)
PENALTY_NAMES = frozenset(
    {"penalty", "penalties", "reg", "regularization", "regularizer", "regularisation"}
)
# Often parts of a loss, often only metrics: they count where the numbers are exact.
OFTEN_PARTS = frozenset(
    {
        "kl", "kld", "nll", "elbo", "nelbo", "bce", "ce", "mse", "mae", "rec", "recon",
        "reconstruction", "aux", "auxiliary", "dice", "focal", "hinge", "huber", "tv",
        "entropy", "commitment", "quant", "quantization", "perceptual", "lpips", "ssim",
        "l1", "l2", "squared", "absolute", "crossentropy", "xent", "gp", "error",
    }
)  # fmt: skip
# What is within a place of this name is a weight, whatever else it is called.
PLACES_OF_WEIGHTS = frozenset(
    {"weight", "weights", "coef", "coefs", "coeff", "coeffs", "coefficients"}
)
WEIGHTS = PLACES_OF_WEIGHTS | frozenset(
    {"coefficient", "factor", "lambda", "beta", "alpha", "gamma", "scale", "scaling", "ratio"}
)
PENALTY_ROLES = PENALTY_NAMES | frozenset(
    {
        "l2", "decay", "kl", "kld", "aux", "auxiliary", "balancing", "balance",
        "balanced", "z", "entropy", "tv", "distortion", "interlevel", "orthogonal",
        "orthogonality", "commit", "commitment", "quant", "quantization", "r1", "pl",
        "prior", "sparsity", "smoothness", "gp",
    }
)  # fmt: skip
# Players of one game have a loss each, and so have actors and critics.
PLAYERS = {
    **dict.fromkeys(
        ("d", "dis", "disc", "discriminator", "discriminators", "netd"), "discriminator"
    ),
    **dict.fromkeys(("g", "gen", "generator", "generators", "netg"), "generator"),
    **dict.fromkeys(("actor",), "actor"),
    **dict.fromkeys(("critic", "qf", "qf1", "qf2", "td"), "critic"),
    **dict.fromkeys(("coef", "alpha", "temp", "temperature"), "temperature"),
    **dict.fromkeys(("curiosity", "rnd", "gail", "icm"), "explorer"),
}
OF_ACTOR = frozenset({"policy", "entropy", "value"})
POLICIES = frozenset({"policy", "surrogate", "actor", "pg", "pi", "ppo"})
ADVERSARIAL = frozenset({"adv", "adversarial", "gan", "fake"})
OF_ALL = ("", "generator", "discriminator")
# Of these there are several, each with the same loss.
SEVERAL = frozenset(
    {"dataloader", "rank", "fold", "worker", "gpu", "replica", "device", "node", "bin", "chan"}
)
BONUSES = frozenset({"entropy", "bonus"})
BOXES = frozenset({"box", "bbox", "boxes"})
NEVER = re.compile(
    r"unscaled|vs_samples|mov(ing)?_av|smoothed|(?<!locally_)normali[sz]ed(?!_cross)|grad_norm|gradient_norm|_ntk$"
    r"|(?:^|_)(?:ema|best|lowest|prev|previous|gap|delta|items|(?<!kl_)divergence)(?:_|$)"
    r"|per_\w*tokens$|(?:^|_)(?:ppl|perplexity|psnr|acc|accuracy|std|min|max)$"
)
# Not of a tag whose last segment speaks of a loss: "loss_giou" is one. Squared and absolute errors
# are losses.
METRICS = re.compile(
    r"(?:^|_)(?:lr|learning_rate|accuracy|acc|iou|miou|giou|psnr|ssim|ppl|perplexity|err|time|sec"
    r"|rate|fps|sps|epoch|steps?|memory|approx_kl"
    r"|clip_?frac(?:tion)?|explained_variance|scores?|signs?|logits?|norm|momentum|throughput|eta"
    r"|reward|return|out|values|advantages?|ratio|precision|recall|map\d*|f1|auc|std|num|count"
    r"|points|size)(?:_|$)"
)
# One of these is in what may be proposed. Looking for them takes a fifth of what a pattern takes.
IN_PROPOSED = (
    "loss", "total", "cost", "objective", "penalt", "reg", "/g_", "/d_", "/netg_", "/netd_",
)  # fmt: skip
