"""The λ sweep: one network, six strengths of L2, and what they do to its loss."""
