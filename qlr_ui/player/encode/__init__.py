"""From a lesson to the bytes that the player decodes."""
