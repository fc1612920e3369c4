"""From which numbers on something is a finding."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Thresholds:
    """Every rule's numbers. ``docs/findings.md`` says why they are what they are.

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

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0 or value == float("inf"):
                raise ValueError(f"The threshold {field.name} is {value!r}; it must be positive.")
