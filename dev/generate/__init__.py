"""Generators of committed files: run with ``python -m generate``."""
