"""What a loss is made of, found by walking the graph that computes it."""
