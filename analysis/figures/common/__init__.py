"""What the figures share: looks, scales, marks, placement of labels, words, data."""
