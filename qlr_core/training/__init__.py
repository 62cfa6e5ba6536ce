"""Training a full task: what is to be trained, for how many seeds, on which devices, and how good it is."""
