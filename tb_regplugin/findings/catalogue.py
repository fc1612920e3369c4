"""All rules: their severity, thresholds and texts, as ``docs/findings.md`` shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from tb_regplugin.finding import Finding, Severity


@dataclass(frozen=True)
class Thresholds:
    """From which numbers on something is a finding; ``docs/findings.md`` says why.

    Attributes:
      min_rows: Rules on how curves develop wait for so many recorded steps.
      residual_share: Of the larger of total and parts, from where a total doesn't add up.
      residual_rows: Of the steps, how many don't add up where it is a finding.
      dominating_share: Of the loss, from where penalties outweigh the data loss.
      dominating_rows: Of the steps, how many are "for long".
      stuck_improvement: A data loss that improved by less than this part of its start is stuck.
      collapsed_penalty: Of their start, under what penalties are driven to zero.
      settled_band: Of its final level, how near to it a data loss counts as being there.
      negligible_share: Of the loss, what penalties must reach to matter to its value.
      one_term_share: Of all penalties, from where one term carries most of them.
      falling_total: Of its start, how much a total must fall to be called falling.
      flat_data: Of the total's fall, what the data loss may contribute and still be called flat.
      rise: Of its lowest level, how much a curve must rise to be called rising.
      rise_in_deviations: How many standard errors of its level that rise must be.
      jump: The factor between two neighbouring steps that no training step makes.
      spike: How many times further than any other value a spike sticks out of its neighbours.
      spike_of_level: Of the level around it, how far that must be.
    """

    min_rows: int = 100
    residual_share: float = 1e-3
    residual_rows: float = 0.01
    dominating_share: float = 0.5
    dominating_rows: float = 0.25
    stuck_improvement: float = 0.1
    collapsed_penalty: float = 0.01
    settled_band: float = 0.02
    negligible_share: float = 1e-3
    one_term_share: float = 0.9
    falling_total: float = 0.1
    flat_data: float = 0.02
    rise: float = 0.2
    rise_in_deviations: float = 6.0
    jump: float = 2.0
    spike: float = 10.0
    spike_of_level: float = 0.5

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0 or value == float("inf"):
                raise ValueError(
                    f"The threshold {field.name} is {value!r}; it must be positive and finite."
                )


@dataclass(frozen=True)
class Rule:
    """What is known of a rule apart from how it is applied.

    Attributes:
      severity: Of its findings.
      title: What it says, in a few words.
      fix: What to do, or what would decide it.
      thresholds: The names of its thresholds.
      implied_by: Rules whose findings say the same, and more.
      keras_fix: What to do where penalties are entries of ``model.losses``, or of no collection, if
        that is another.
    """

    severity: Severity
    title: str
    fix: str
    thresholds: tuple[str, ...] = ()
    implied_by: tuple[str, ...] = ()
    keras_fix: str = ""


CATALOGUE = {
    # Of curves.
    "not_finite": Rule(
        "error",
        "A term or the data loss became NaN or infinite",
        "Look at the steps just before, at the part named first. A lower learning rate or "
        "gradient clipping keeps weights from diverging.",
    ),
    "collapse": Rule(
        "error",
        "The penalties drove the weights to zero, and the data loss never improved",
        "Try smaller strengths, a factor of 10 apart, and compare the data loss on validation "
        "data.",
        ("min_rows", "dominating_share", "stuck_improvement", "collapsed_penalty", "settled_band"),
    ),
    "penalty_dominates": Rule(
        "warning",
        "The penalties make up most of the loss for a long time, and the data loss doesn't improve",
        "Train once with strength 0: if the data loss then improves, the penalties hold it back; "
        "if not, look for another cause.",
        ("min_rows", "dominating_share", "dominating_rows", "stuck_improvement"),
        implied_by=("collapse",),
    ),
    "does_not_add_up": Rule(
        "warning",
        "The terms don't add up to the total",
        "Look for a term that is added twice, scaled twice or never added, and for a part of the "
        "loss that isn't recorded. Keras' own compute_loss already adds sum(model.losses). "
        "Writer's total_loss= is the loss that is minimised, penalties included.",
        ("residual_share", "residual_rows"),
    ),
    "total_falls_by_penalty": Rule(
        "warning",
        "The total falls almost only through the penalties",
        "Judge progress by the data loss. If it should be falling, check the learning rate and "
        "the data, and compare with a run of strength 0.",
        ("min_rows", "falling_total", "flat_data"),
        implied_by=("collapse", "penalty_dominates"),
    ),
    "penalty_rises_with_data": Rule(
        "warning",
        "The penalties and the data loss rise together",
        "Both parts of the loss get worse: the steps are too large, or the data changed. Compare "
        "with a lower learning rate.",
        ("min_rows", "rise", "rise_in_deviations"),
    ),
    "dead_term": Rule(
        "warning",
        "A term is zero at every step",
        "Check that the model uses the variables concerned, and that no strength, weight or mask "
        "of zero lies on the way.",
        ("min_rows",),
    ),
    "constant_term": Rule(
        "warning",
        "A term never changes",
        "Check that the variables concerned are trainable and that the optimiser updates them. "
        "The penalty of a frozen variable only shifts the loss.",
        ("min_rows",),
    ),
    "equal_terms": Rule(
        "warning",
        "Penalties that should differ are equal at every step",
        "Check which variable each of them reads. A lambda made in a loop reads the loop's last "
        "variable when it is called: write lambda layer=layer: penalty(layer.kernel).",
    ),
    "strength_changed": Rule(
        "info",
        "A strength changed during training",
        "Compare the penalties before and after by their norms, not by their values in the loss.",
    ),
    "penalty_jumped": Rule(
        "info",
        "A penalty jumped from one step to the next",
        "Training steps don't do this: look for a schedule of the strength, a restored "
        "checkpoint or replaced weights.",
        ("min_rows", "jump"),
    ),
    "spike": Rule(
        "info",
        "A part of the loss spikes at a single step",
        "Look at what was special about this step: its batch, or a value that was read at "
        "another moment. If it happens again, gradient clipping limits the harm.",
        ("min_rows", "spike", "spike_of_level", "negligible_share", "dominating_share"),
    ),
    "term_appeared": Rule(
        "info",
        "A term appeared during training",
        "Layers that are unfrozen or built late do this. The totals before and after are sums of "
        "different terms.",
    ),
    "term_vanished": Rule(
        "info",
        "A term vanished during training",
        "Layers that are frozen do this. The totals before and after are sums of different terms.",
    ),
    "penalty_negligible": Rule(
        "info",
        "The penalties are a negligible part of the loss throughout",
        "A small value can still have an effect: before you remove them, compare with a run of "
        "strength 0, or look at the gradients.",
        ("min_rows", "negligible_share"),
    ),
    "one_term_carries": Rule(
        "info",
        "One term makes up most of the penalties",
        "Look at this term first: its strength, what it was at first, and whether it should be "
        "penalised at all.",
        ("min_rows", "one_term_share", "negligible_share"),
    ),
    "decoupled_decay": Rule(
        "info",
        "The optimiser applies weight decay that is not in the loss",
        "Nothing to fix. Variables that also have an L2 penalty shrink twice.",
    ),
    # Of the layers of a Keras model, as it trains.
    "regularizer_without_effect": Rule(
        "warning",
        "A layer's regulariser adds nothing to the loss",
        "Set a weight's regulariser before its layer is built. If the model is built already: "
        "clone = keras.models.clone_model(model), clone.set_weights(model.get_weights()), and "
        "compile the clone. If a wrapper drops an activity regulariser, put an "
        "ActivityRegularization layer after it.",
    ),
    # Of graphs, by ``audit``.
    "not_in_loss": Rule(
        "warning",
        "A penalty term was collected but is not in the loss",
        "Add to the loss what is missing: get_regularization_loss() returns the sum of the "
        "collected terms.",
        keras_fix="Add to the loss that is minimised what is missing, once. In Keras that is "
        "sum(model.losses), which Keras' own compute_loss adds.",
    ),
    "scaled_again": Rule(
        "warning",
        "Penalties that already have a strength are multiplied by another factor",
        "Add them to the loss as they are, or give every regulariser the strength 1 and keep the "
        "factor.",
    ),
    "counted_twice": Rule(
        "warning",
        "A penalty term is added to the loss more than once",
        "Add the collection only once: get_regularization_loss(), get_total_loss() and "
        "apply_regularization() each add or collect all of it.",
        keras_fix="Leave out sum(model.losses): Keras' own compute_loss has already added them.",
    ),
    "raw_variable": Rule(
        "error",
        "A variable was collected instead of its penalty",
        "Pass regularizer= to get_variable(), or collect regularizer(variable): as it is, the "
        "weights themselves are added to the loss.",
    ),
    "penalty_of_penalty": Rule(
        "warning",
        "A regulariser was applied to penalties instead of weights",
        "Pass the variables to apply_regularization(), not get_regularization_losses().",
    ),
    "uncollected_penalty": Rule(
        "info",
        "The loss contains a penalty that was not collected",
        "Nothing to fix if all penalties are written by hand. If some are collected too, check "
        "that no variable is penalised twice.",
    ),
    "duplicate_entry": Rule(
        "warning",
        "A penalty term was collected more than once",
        "Collect each term once: apply_regularization() and regularizer= already collect the "
        "terms they make.",
    ),
    "rule_failed": Rule(
        "info",
        "A rule could not be applied to a recording",
        "All other rules were applied. This is a bug in tb_regplugin: please report it with the "
        "recording.",
    ),
}


def found(
    code: str,
    sentence: str,
    terms: Sequence[str] = (),
    first_step: int | None = None,
    last_step: int | None = None,
    severity: Severity | None = None,
    keras: bool = False,
) -> Finding:
    """Returns a finding of the rule with this name, and of its severity unless another is given.

    Penalties that are entries of ``model.losses`` have an advice of their own.
    """
    rule = CATALOGUE[code]
    last = first_step if last_step is None else last_step
    severity = severity or rule.severity
    fix = (keras and rule.keras_fix) or rule.fix
    return Finding(code, severity, sentence, tuple(terms), first_step, last, fix)
