"""Takes a loss apart into data loss and penalty terms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from tb_regplugin.capture.graph.additive_walk import Addend, Hyperparameters, walk
from tb_regplugin.capture.graph.collected import Collected, CollectedEntry
from tb_regplugin.capture.graph.contribution import Contribution
from tb_regplugin.capture.graph.operations import constant, is_opaque, single_element, strip
from tb_regplugin.capture.graph.parts import Decomposition, Part
from tb_regplugin.capture.graph.penalties import Penalties, merge_l1_and_l2, with_own_names
from tb_regplugin.capture.graph.sources import Sources
from tb_regplugin.capture.graph.structure import Structure

# More data losses than this are one column: nobody tells so many curves apart.
_MAX_DATA_PARTS = 8

_UNEXPLAINED = "unexplained"


def decompose(
    total_loss: Any, collection: Iterable[Any] | None = None, variables: Iterable[Any] = ()
) -> Decomposition:
    """Takes a loss apart.

    Additions, differences, products with constants and hyperparameters, and sums and means of
    scalars are followed back from the loss. What reaches a placeholder, an iterator or chance
    is data loss; what reaches only variables is a penalty term, and so is every entry of the
    collection. What lies in a ``tf.cond``, a ``tf.while_loop``, a ``tf.function`` or under a
    custom gradient is one part called "unexplained".

    Takes time in proportion to the number of operations, once; adds none to the graph.

    Args:
      total_loss: What the optimiser minimises: a scalar tensor of a TF1 graph, or of the graph
        of a ``tf.function``.
      collection: What was collected; the graph's REGULARIZATION_LOSSES when left out.
      variables: The variables that a ``tf.function`` uses, to name them. TF1 graphs need none.

    Returns:
      Its parts. It never raises: a loss that cannot be taken apart is one unexplained part.

    Example:
      >>> import tensorflow as tf
      >>> with tf.Graph().as_default():
      ...     x = tf.compat.v1.placeholder(tf.float32, [None])
      ...     w = tf.compat.v1.get_variable("w", [3])
      ...     loss = tf.reduce_mean(x) + 0.1 * tf.nn.l2_loss(w)
      ...     for part in decompose(loss).parts:
      ...         print(part.role, part.name, part.kind, part.strength, part.coefficient)
      data data None None None
      penalty w l2 0.1 0.05
    """
    try:
        return _Decomposer(total_loss, collection, variables).decompose()
    except Exception as error:  # noqa: BLE001 - no graph of a user's may stop a training
        note = f"The loss could not be taken apart ({type(error).__name__}: {error})."
        return Decomposition(total_loss, [_whole(total_loss, note)], warnings=[note])


def _whole(total: Any, note: str) -> Part:
    return Part(_UNEXPLAINED, "unexplained", [Contribution(total, [(1.0, ())])], note=note)


class _Decomposer:
    def __init__(
        self, total: Any, collection: Iterable[Any] | None, variables: Iterable[Any]
    ) -> None:
        self.total = total
        graph = total.graph
        if collection is None:
            collection = graph.get_collection(tf.compat.v1.GraphKeys.REGULARIZATION_LOSSES)
        self.structure = Structure()
        self.sources = Sources(variables)
        self.hyperparameters = Hyperparameters(self.sources.is_hyperparameter)
        with graph.as_default():
            self.collected = Collected(collection, self.structure)
        self.penalties = Penalties(self.sources, self.hyperparameters)

    def decompose(self) -> Decomposition:
        if not single_element(self.total):
            note = (
                f"The loss has the shape {self.total.shape}, so it is no sum of scalars. "
                "Optimisers minimise the sum of its elements."
            )
            parts = [_whole(self.total, note)]
            return self._result(parts, [note])
        for entry in self.collected.entries:
            entry.holds_entries = self._holds_entries(entry)
        met, terms = walk(
            self.total,
            lambda tensor: (
                (entry := self.collected.find(tensor)) is not None and not entry.holds_entries
            ),
            self.hyperparameters,
        )
        self._find_entries(met)
        loose = [term for term in terms if self.collected.find(term.tensor) is None]
        data, penalties, opaque = self._sort(loose)
        for entry in self.collected.entries:
            if not entry.holds_entries:
                penalties.extend(self._parts_of(entry))
        parts = [*_data_parts(data, self.hyperparameters), *merge_l1_and_l2(penalties)]
        with_own_names(parts)
        if opaque:
            parts.append(_unexplained(opaque, self.hyperparameters))
        return self._result(parts, [])

    def _holds_entries(self, entry: CollectedEntry) -> bool:
        met, _ = walk(entry.tensor, lambda _: False, self.hyperparameters)
        # The first one is the entry.
        return any(self.collected.find(addend.tensor) is not None for addend in met[1:])

    def _find_entries(self, met: list[Addend]) -> None:
        for addend in met:
            entry = self.collected.find(addend.tensor)
            if entry is not None:
                entry.found.append(addend)
                entry.uses += addend.uses
                for product, weight in addend.weight.items():
                    entry.weight[product] = entry.weight.get(product, 0.0) + weight

    def _sort(self, terms: list[Addend]) -> tuple[list[Addend], list[Part], list[Addend]]:
        """Tells data losses, penalties that were not collected, and what is neither apart."""
        data: list[Addend] = []
        without_data: list[Addend] = []
        opaque: list[Addend] = []
        for term in terms:
            if is_opaque(term.tensor.op):
                opaque.append(term)
            elif constant(term.tensor) == 0.0:
                continue
            elif term.tensor.op.type == "Const" or self.sources.reaches_data(term.tensor):
                data.append(term)
            else:
                without_data.append(term)
        penalties: list[Part] = []
        # Where nothing brings data in, data came as constants.
        data_are_constants = not data
        for term in without_data:
            part = self.penalties.describe(term)
            if data_are_constants and part.kind == "custom":
                data.append(term)
            else:
                penalties.append(part)
        return data, penalties, opaque

    def _parts_of(self, entry: CollectedEntry) -> list[Part]:
        if entry.found:
            return [
                part for addend in entry.found for part in self.penalties.of_entry(entry, addend)
            ]
        if not hasattr(self, "_is_foreign"):
            self._is_foreign = self.sources.foreign_to(self.total)
        if self._is_foreign(entry.tensor):
            return []
        return self.penalties.of_entry(entry, None)

    def _result(self, parts: list[Part], warnings: list[str]) -> Decomposition:
        raw = self.collected.raw_variables
        if raw:
            warnings = [*warnings, _raw_variables_warning(raw)]
        visited = self.structure.visited.keys() | self.sources.visited.keys()
        return Decomposition(self.total, parts, self.collected.entries, raw, warnings, len(visited))


def _raw_variables_warning(names: list[str]) -> str:
    return (
        f"REGULARIZATION_LOSSES holds the variable{'s' * (len(names) > 1)} "
        f"{', '.join(map(repr, names))} instead of penalties: get_regularization_loss() would add "
        "the weights themselves to the loss. Pass regularizer= to get_variable(), or collect "
        "regularizer(variable). They are not recorded as terms."
    )


def _data_parts(data: list[Addend], hyperparameters: Hyperparameters) -> list[Part]:
    contributions = [hyperparameters.contribution(term) for term in data]
    if not 1 < len(data) <= _MAX_DATA_PARTS:
        return [Part("data", "data", contributions)] if data else []
    return [
        Part(term.tensor.op.name, "data", [contribution])
        for term, contribution in zip(data, contributions, strict=True)
    ]


def _unexplained(opaque: list[Addend], hyperparameters: Hyperparameters) -> Part:
    names = ", ".join(f"{strip(term.tensor).op.name} ({term.tensor.op.type})" for term in opaque)
    return Part(
        _UNEXPLAINED,
        "unexplained",
        [hyperparameters.contribution(term) for term in opaque],
        note=f"A branch, loop, function or custom gradient hides what this is: {names}.",
    )
