"""The λ sweep: one network, four strengths of L2, and what they do to its loss."""
