"""``make demo``: from nothing to answered calls."""
