"""What a loss is made of in logs of plain scalars: names propose, numbers decide."""
