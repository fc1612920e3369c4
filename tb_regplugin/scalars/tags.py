"""What a scalar's tag says: its split, its aggregation, and whether it may be a part of a loss."""

from __future__ import annotations

import functools
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tb_regplugin.scalars import vocabulary
from tb_regplugin.scalars.trainers import trainer_of

Role = Literal["data", "penalty"]

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
        return not vocabulary.SEVERAL.isdisjoint(
            {*self.words, *self.namespace.replace("/", "_").split("_")}
        )

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
        return self.player in vocabulary.OF_ALL or trainer_of(self.name) is not None

    @property
    def may_be_bonus(self) -> bool:
        """Whether it may count against the rest of a loss, as a policy's entropy does."""
        return not vocabulary.BONUSES.isdisjoint(self.words) and "cross" not in self.words

    @property
    def is_bare(self) -> bool:
        """Whether it is called a player's loss, and which one is not said: it may be all."""
        rest = {word for word in self.words if word not in vocabulary.PLAYERS}
        is_loss = rest == {"loss"} or (not rest and "loss" in self.namespace)
        return self.player in ("generator", "discriminator") and is_loss

    @property
    def role(self) -> Role:
        """What a part of this name is taken for, until somebody says otherwise."""
        words = set(self.words)
        # A detector's regression of boxes.
        if not words.isdisjoint(vocabulary.BOXES):
            words.discard("reg")
        return "data" if vocabulary.PENALTY_ROLES.isdisjoint(words) else "penalty"

    def goes_with(self, other: Tag) -> bool:
        """Whether both can be of the same sum: neither of other splits nor aggregated otherwise.

        Of the same name, one is the other on another split.
        """
        if (self.words, self.namespace) == (other.words, other.namespace):
            return False
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
            if words and words[end] in vocabulary.SPLITS:
                split = split or vocabulary.SPLITS[words[end]]
                del words[end]
    # Keras puts them before all: "epoch_loss/dice".
    if len(segments) > 1 and len(segments[0]) > 1 and segments[0][0] in ("epoch", "batch"):
        aggregation = aggregation or segments[0].pop(0)
    # "Loss/train" is the loss of a split.
    segments = [words for words in segments if words]
    if not segments:
        return Tag(name, split)
    words = segments.pop()
    # "loss_kl/batch" is the loss of a batch.
    if segments and len(words) == 1 and words[0] in vocabulary.AGGREGATIONS | vocabulary.MEANS:
        aggregation = words[0] if words[0] in vocabulary.AGGREGATIONS else "mean"
        words = segments.pop()
    for end in (0, -1):
        if len(words) > 1 and words[end] in vocabulary.AGGREGATIONS:
            aggregation = aggregation or words[end]
            del words[end]
    stem, namespace = "_".join(words), "/".join(map("_".join, segments))
    says_loss, in_losses = "loss" in stem, "loss" in namespace
    holds_weights = bool(segments) and segments[-1][-1] in vocabulary.PLACES_OF_WEIGHTS
    is_weight = holds_weights or words[-1] in vocabulary.WEIGHTS or words[0] == "lambda"
    path = f"{namespace}_{stem}".replace("/", "_")
    is_none = bool(vocabulary.NEVER.search(path)) or (
        not says_loss and bool(vocabulary.METRICS.search(path))
    )
    names_sum = not vocabulary.SUM_WORDS.isdisjoint(words)
    is_total = stem in vocabulary.TOTALS or (names_sum and (says_loss or in_losses))
    is_part = says_loss or in_losses or not vocabulary.PENALTY_NAMES.isdisjoint(words)
    trainer = trainer_of(name)
    is_part = is_part or trainer is not None
    placed = [*namespace.replace("/", "_").split("_"), *words]
    player = next(
        (vocabulary.PLAYERS[word] for word in reversed(placed) if word in vocabulary.PLAYERS), ""
    )
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
        is_part or not vocabulary.OFTEN_PARTS.isdisjoint(words),
        is_weight,
        player=player if trainer is None or trainer.logs_total else trainer.name,
    )


def parse_all(names: Iterable[str]) -> list[Tag]:
    """Takes the tags of a run apart, each in the light of the others."""
    return _among_players([parse(name) for name in names])


def _among_players(tags: list[Tag]) -> list[Tag]:
    """Says whose loss a tag is where that is told by whether there is an opponent."""
    if not any(
        tag.player == "generator" or not vocabulary.ADVERSARIAL.isdisjoint(tag.words)
        for tag in tags
    ):
        return [replace(tag, player="") if tag.player == "discriminator" else tag for tag in tags]
    if {"real", "fake"} <= {word for tag in tags for word in tag.words}:
        # They are what a discriminator tells apart.
        tags = [
            replace(tag, player=tag.player or "discriminator")
            if tag.is_part and not {"real", "fake"}.isdisjoint(tag.words)
            else tag
            for tag in tags
        ]
    # Where nothing is called a loss, all that begins with a player's name is one: G_GAN, D_fake.
    if any("loss" in tag.name.lower() for tag in tags):
        return tags
    return [
        replace(tag, is_part=True, may_be_part=True)
        if tag.words and tag.words[0] in vocabulary.PLAYERS and not tag.is_metric
        else tag
        for tag in tags
    ]


def groups_alone(tags: Sequence[Tag], totals: Container[Tag] = ()) -> list[list[Tag]]:
    """Returns what can be the parts of losses of which no total was logged.

    Those of a group have their split, namespace and player in common. Without numbers that tell,
    little is taken for a part, and nothing that has an optimiser of its own.

    Args:
      tags: The run's.
      totals: Those that are parts, whatever they are called.
    """
    losses = [tag for tag in tags if tag.is_part and not tag.is_metric]
    in_losses = [tag for tag in losses if "loss" in tag.namespace]
    trained = {tag.words for tag in losses if tag.split in ("", "train")}
    policies = {tag.place for tag in losses if not vocabulary.POLICIES.isdisjoint(tag.words)}
    actors = {tag.place for tag in losses if tag.player in ("actor", "critic")}
    alone = [
        tag
        for tag in in_losses or losses
        if tag.may_be_alone
        and (not tag.is_total or tag in totals)
        # What only a validation has are losses on several data sets.
        and (not trained or tag.words in trained)
        and not tag.is_one_of_several
        # Beside an actor or a critic, policy, value and entropy have an optimiser each, too; and
        # a value's loss without a policy's is a critic's.
        and (tag.place not in actors or vocabulary.OF_ACTOR.isdisjoint(tag.words))
        and (tag.place in policies or "value" not in tag.words)
    ]
    groups: dict[tuple[str, ...], list[Tag]] = {}
    for tag in alone:
        groups.setdefault((*tag.place, tag.player), []).append(tag)
    return [group for group in groups.values() if not all(tag.is_letter for tag in group)]


def is_likely(names: Iterable[str]) -> bool:
    """Whether a run with scalars of these names may have a composition, told by names alone.

    Takes some 5 µs for 50 names that were seen before.
    """
    proposed = _among_players([tag for tag in map(_proposed, names) if tag is not None])
    tags = [tag for tag in proposed if tag.is_total or tag.is_part]
    # Two parts make a loss where no total was logged.
    if any(len(group) > 1 for group in groups_alone(tags)):
        return True
    totals = {tag.split for tag in tags if tag.is_total}
    splits = {tag.split for tag in tags if tag.may_be_alone and not tag.is_total}
    return not totals.isdisjoint(splits) or (bool(totals and splits) and "" in totals | splits)


@functools.lru_cache(maxsize=2**16)
def _proposed(name: str) -> Tag | None:
    """Returns a total, a part or a player's; None of any other name, mostly without parsing it."""
    lowered = f"/{name.lower()}"
    if not any(word in lowered for word in vocabulary.IN_PROPOSED) and trainer_of(name) is None:
        return None
    tag = parse(name)
    return tag if tag.is_total or tag.is_part or tag.player else None


def _words(segment: str) -> list[str]:
    segment = _ORDINAL.sub("", segment)
    return [word for word in _BETWEEN_WORDS.split(_CAMEL.sub("_", segment).lower()) if word]
