"""Which digit a photo shows, by a network whose weights were kept."""
