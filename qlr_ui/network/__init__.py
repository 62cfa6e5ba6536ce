"""The lab of optimizers on small networks."""
