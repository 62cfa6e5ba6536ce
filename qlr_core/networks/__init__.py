"""Small networks on data of two inputs or of small images: what all runs of a lab share, their steps, and pictures of them."""
