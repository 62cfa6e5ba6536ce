"""A training recorded on disk: its folder, its checkpoints, how it goes on where it was killed, and what runs say together."""
