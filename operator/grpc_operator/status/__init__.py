"""Observed state -> conditions: pure, ordered, small checks."""
