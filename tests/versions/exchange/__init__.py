"""Small models written and read by each version, in its own environment."""
