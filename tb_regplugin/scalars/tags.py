"""What a scalar's tag says: its split, its aggregation, and whether it may be a part of a loss."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tb_regplugin.scalars.trainers import trainer_of

Role = Literal["data", "penalty"]

_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev"), "validation"),
    "test": "test",
}
_AGGREGATIONS = frozenset({"step", "epoch", "batch", "iteration"})
_MEANS = frozenset({"mean", "avg", "average"})
_TOTALS = frozenset(
    {"loss", "losses", "total", "total_loss", "loss_total", "total_cost", "cost", "objective"}
)
_SUM_WORDS = frozenset(
    {"total", "overall", "aggregated", "combined", "sum", "all", "full", "joint", "final"}
)
_PENALTY_NAMES = frozenset(
    {"penalty", "penalties", "reg", "regularization", "regularizer", "regularisation"}
)
# Often parts of a loss, often only metrics: they count where the numbers are exact.
_OFTEN_PARTS = frozenset(
    {
        "kl", "kld", "nll", "elbo", "nelbo", "bce", "ce", "mse", "mae", "rec", "recon",
        "reconstruction", "aux", "auxiliary", "dice", "focal", "hinge", "huber", "tv",
        "entropy", "commitment", "quant", "quantization", "perceptual", "lpips", "ssim",
        "l1", "l2", "squared", "absolute", "crossentropy", "xent",
    }
)  # fmt: skip
_WEIGHTS = frozenset(
    {
        "weight", "weights", "coef", "coeff", "coefficient", "factor", "lambda", "beta",
        "alpha", "gamma", "scale", "scaling", "coeffs", "coefs",
    }
)  # fmt: skip
_PENALTY_ROLES = _PENALTY_NAMES | frozenset(
    {
        "l2", "decay", "kl", "kld", "aux", "auxiliary", "balancing", "balance",
        "balanced", "z", "entropy", "tv", "distortion", "interlevel", "orthogonal",
        "orthogonality", "commit", "commitment", "quant", "quantization", "r1", "pl",
        "prior", "sparsity", "smoothness",
    }
)  # fmt: skip
# Players of one game have a loss each, and so have actors and critics.
_PLAYERS = {
    **dict.fromkeys(("d", "disc", "discriminator", "netd"), "discriminator"),
    **dict.fromkeys(("g", "gen", "generator", "netg"), "generator"),
    **dict.fromkeys(("actor",), "actor"),
    **dict.fromkeys(("critic", "qf", "qf1", "qf2", "td"), "critic"),
    **dict.fromkeys(("coef", "alpha", "temp", "temperature"), "temperature"),
}
_OF_ACTOR = frozenset({"policy", "entropy", "value"})
_POLICIES = frozenset({"policy", "surrogate", "actor", "pg", "pi", "ppo"})
_ADVERSARIAL = frozenset({"adv", "adversarial", "gan", "fake"})
_OF_ALL = ("", "generator", "discriminator")
# Of these there are several, each with the same loss.
_SEVERAL = frozenset(
    {"dataloader", "rank", "fold", "worker", "gpu", "replica", "device", "node", "bin"}
)
_BONUSES = frozenset({"entropy", "bonus"})
_LOSSES = frozenset({"loss", "cross"})
_BOXES = frozenset({"box", "bbox", "boxes"})
_NEVER = re.compile(
    r"unscaled|vs_samples|(?:^|_)(?:ema|best|lowest|prev|previous)(?:_|$)|mov(ing)?_av|smoothed|normali[sz]ed|grad_norm|gradient_norm|_ntk$"
    r"|per_\w*tokens$|(?:^|_)(?:ppl|perplexity|psnr|acc|accuracy|std|min|max)$"
)
# Not of a tag whose last segment speaks of a loss: "loss_giou" is one. Squared and absolute errors
# are losses.
_METRICS = re.compile(
    r"(?:^|_)(?:lr|learning_rate|accuracy|acc|iou|miou|giou|psnr|ssim|ppl|perplexity|err|time|sec"
    r"|error(?<!squared_error)(?<!absolute_error)|fps|sps|epoch|steps?|memory|approx_kl"
    r"|clip_?frac(?:tion)?|explained_variance|scores?|signs?|logits?|norm|momentum|throughput|eta"
    r"|reward|return|out|values|advantages?|ratio|precision|recall|map\d*|f1|auc|std|num|count|points|size)(?:_|$)"
)
# One of these is in what may be proposed. Looking for them takes a fifth of what a pattern takes.
_IN_PROPOSED = (
    "loss", "total", "cost", "objective", "penalt", "reg", "/g_", "/d_", "/netg_", "/netd_",
)  # fmt: skip
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")
# "1.train_loss" comes first among the cards.
_ORDINAL = re.compile(r"^\d+[.)] ?(?=[A-Za-z])")
_BETWEEN_WORDS = re.compile(r"[^0-9a-z]+")
_VERSUS_ITERATIONS = re.compile(r"evaluation_(.+)_vs_iterations")


@dataclass(frozen=True)
class Tag:
    """A scalar's tag, taken apart.

    Attributes:
      name: The tag as it was logged.
      split: ``"train"``, ``"validation"``, ``"test"``, or empty.
      aggregation: What a value is the mean of: ``"step"``, ``"epoch"``, ``"batch"``,
        ``"iteration"``; ``"mean"`` where only that is said; or empty.
      namespace: What is before its last slash, without the split.
      words: The words of its last segment, without split and aggregation.
      is_total: Whether it is called as totals are.
      is_part: Whether it is called as parts of a loss are.
      may_be_part: Whether it is, or is called as parts and metrics are.
      is_weight: Whether it is called as the weights of parts are.
      is_metric: Whether it is called as metrics and settings are.
      player: Whose loss it is, of those that are trained against or beside each other; of tags
        that the table of trainers has, the trainer.
    """

    name: str
    split: str = ""
    aggregation: str = ""
    namespace: str = ""
    words: tuple[str, ...] = ()
    is_total: bool = False
    is_part: bool = False
    may_be_part: bool = False
    is_weight: bool = False
    is_metric: bool = False
    player: str = ""

    @property
    def is_one_of_several(self) -> bool:
        """Whether it is the same loss on one of several devices, or of several data sets."""
        return not _SEVERAL.isdisjoint(self.words)

    @property
    def is_letter(self) -> bool:
        """Whether it is the loss of a network called by a letter, as c_loss and p_loss are."""
        return all(len(word) == 1 for word in self.words if word != "loss")

    @property
    def place(self) -> tuple[str, str]:
        """Its split and namespace."""
        return self.split, self.namespace

    @property
    def may_be_alone(self) -> bool:
        """Whether parts like this one are of one loss where no total was logged."""
        return self.player in _OF_ALL or trainer_of(self.name) is not None

    @property
    def may_be_bonus(self) -> bool:
        """Whether it may count against the rest of a loss, as a policy's entropy does."""
        return not _BONUSES.isdisjoint(self.words) and _LOSSES.isdisjoint(self.words)

    @property
    def is_bare(self) -> bool:
        """Whether it is called a generator's loss, and which one is not said: it may be all."""
        rest = {word for word in self.words if word not in _PLAYERS}
        return self.player == "generator" and rest == {"loss"}

    @property
    def role(self) -> Role:
        """What a part of this name is taken for, until somebody says otherwise."""
        words = set(self.words)
        # A detector's regression of boxes.
        if not words.isdisjoint(_BOXES):
            words.discard("reg")
        return "data" if _PENALTY_ROLES.isdisjoint(words) else "penalty"

    def goes_with(self, other: Tag) -> bool:
        """Whether both can be of the same sum: neither of other splits nor aggregated otherwise."""
        splits, aggregations = (
            {own, others} - {""}
            for own, others in (
                (self.split, other.split),
                (self.aggregation, other.aggregation),
            )
        )
        return len(splits) < 2 and len(aggregations) < 2


@functools.lru_cache(maxsize=2**14)
def parse(name: str) -> Tag:
    """Takes a tag apart.

    Example:
      >>> tag = parse("train/kl_loss_epoch")
      >>> tag.split, tag.aggregation, tag.words, tag.is_part, tag.role
      ('train', 'epoch', ('kl', 'loss'), True, 'penalty')
    """
    segments = [_words(segment) for segment in name.split("/")]
    split = aggregation = ""
    last = "_".join(segments[-1])
    if match := _VERSUS_ITERATIONS.fullmatch(last):
        split, aggregation, segments[-1] = "validation", "iteration", match[1].split("_")
    for words in segments:
        for end in (0, -1):
            if words and words[end] in _SPLITS:
                split = split or _SPLITS[words[end]]
                del words[end]
    # "Loss/train" is the loss of a split.
    segments = [words for words in segments if words]
    if not segments:
        return Tag(name, split)
    words = segments.pop()
    # "loss_kl/batch" is the loss of a batch.
    if segments and len(words) == 1 and words[0] in _AGGREGATIONS | _MEANS:
        aggregation = words[0] if words[0] in _AGGREGATIONS else "mean"
        words = segments.pop()
    for end in (0, -1):
        if len(words) > 1 and words[end] in _AGGREGATIONS:
            aggregation = aggregation or words[end]
            del words[end]
    stem, namespace = "_".join(words), "/".join(map("_".join, segments))
    says_loss, in_losses = "loss" in stem, "loss" in namespace
    holds_weights = bool(segments) and not _WEIGHTS.isdisjoint(segments[-1])
    is_weight = holds_weights or words[-1] in _WEIGHTS or words[0] == "lambda"
    path = f"{namespace}_{stem}".replace("/", "_")
    is_none = bool(_NEVER.search(path)) or (not says_loss and bool(_METRICS.search(path)))
    names_sum = not _SUM_WORDS.isdisjoint(words)
    is_total = stem in _TOTALS or (names_sum and (says_loss or in_losses))
    is_part = says_loss or in_losses or not _PENALTY_NAMES.isdisjoint(words)
    trainer = trainer_of(name)
    is_part = is_part or trainer is not None
    placed = [*namespace.replace("/", "_").split("_"), *words]
    player = next((_PLAYERS[word] for word in reversed(placed) if word in _PLAYERS), "")
    if is_none or holds_weights or (is_weight and not in_losses):
        found = Tag(name, split, aggregation, namespace, tuple(words))
        return replace(found, is_weight=is_weight, is_metric=True)
    return Tag(
        name,
        split,
        aggregation,
        namespace,
        tuple(words),
        is_total,
        is_part,
        is_part or not _OFTEN_PARTS.isdisjoint(words),
        is_weight,
        player=player if trainer is None or trainer.logs_total else trainer.name,
    )


def parse_all(names: Iterable[str]) -> list[Tag]:
    """Takes the tags of a run apart, each in the light of the others."""
    return _among_players([parse(name) for name in names])


def _among_players(tags: list[Tag]) -> list[Tag]:
    """Says whose loss a tag is where that is told by whether there is an opponent."""
    if not any(tag.player == "generator" or not _ADVERSARIAL.isdisjoint(tag.words) for tag in tags):
        return [replace(tag, player="") if tag.player == "discriminator" else tag for tag in tags]
    # Where nothing is called a loss, all that begins with a player's name is one: G_GAN, D_fake.
    if any("loss" in tag.name.lower() for tag in tags):
        return tags
    return [
        replace(tag, is_part=True, may_be_part=True)
        if tag.words and tag.words[0] in _PLAYERS and not tag.is_metric
        else tag
        for tag in tags
    ]


def parts_alone(tags: Sequence[Tag]) -> list[Tag]:
    """Returns what can be a part of a loss of which no total was logged.

    Without numbers that tell, that is little, and none of what has an optimiser of its own.
    """
    losses = [tag for tag in tags if tag.is_part and not tag.is_metric]
    in_losses = [tag for tag in losses if "loss" in tag.namespace]
    trained = {tag.words for tag in losses if tag.split in ("", "train")}
    policies = {tag.place for tag in losses if not _POLICIES.isdisjoint(tag.words)}
    actors = {tag.place for tag in losses if tag.player in ("actor", "critic")}
    return [
        tag
        for tag in in_losses or losses
        if tag.may_be_alone
        # What only a validation has are losses on several data sets.
        and (not trained or tag.words in trained)
        and not tag.is_one_of_several
        # Beside an actor or a critic, policy, value and entropy have an optimiser each, too; and
        # a value's loss without a policy's is a critic's.
        and (tag.place not in actors or _OF_ACTOR.isdisjoint(tag.words))
        and (tag.place in policies or "value" not in tag.words)
    ]


def is_likely(names: Iterable[str]) -> bool:
    """Whether a run with scalars of these names may have a composition, told by names alone.

    Takes some 5 µs for 50 names that were seen before.
    """
    proposed = _among_players([tag for tag in map(_proposed, names) if tag is not None])
    tags = [tag for tag in proposed if tag.is_total or tag.is_part]
    totals = {tag.split for tag in tags if tag.is_total}
    alone = [(tag.split, tag.player) for tag in parts_alone(tags) if not tag.is_total]
    # Two parts make a loss where no total was logged.
    if len(set(alone)) < len(alone):
        return True
    splits = {split for split, _ in alone}
    return not totals.isdisjoint(splits) or (bool(totals and splits) and "" in totals | splits)


@functools.lru_cache(maxsize=2**16)
def _proposed(name: str) -> Tag | None:
    """Returns a total, a part or a player's; None of any other name, mostly without parsing it."""
    lowered = f"/{name.lower()}"
    if not any(word in lowered for word in _IN_PROPOSED) and trainer_of(name) is None:
        return None
    tag = parse(name)
    return tag if tag.is_total or tag.is_part or tag.player else None


def _words(segment: str) -> list[str]:
    segment = _ORDINAL.sub("", segment)
    return [word for word in _BETWEEN_WORDS.split(_CAMEL.sub("_", segment).lower()) if word]
