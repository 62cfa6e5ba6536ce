"""The lab of optimizers on a function of two numbers."""
