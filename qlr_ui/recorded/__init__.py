"""The page of recorded runs: their charts, and training from the page."""
