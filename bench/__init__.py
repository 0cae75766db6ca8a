"""Benchmarks of the gateway: what a call costs, and how fast a changed route is served."""
