"""Estimates of costs."""
