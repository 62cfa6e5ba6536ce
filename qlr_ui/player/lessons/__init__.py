"""What the player can show: a lesson on a surface, of small networks, or of recorded runs."""
