"""What both labs share: what a visitor asks for, its controls, its link, and turns at computing it."""
