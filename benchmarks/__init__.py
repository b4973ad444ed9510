"""What performance is measured with: paired runs against named peers, as ratios."""
