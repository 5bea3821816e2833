"""What was used: writing it, attributing it, estimating its cost, and knowing which days were read."""
