"""Builds the images of the project: run with ``python -m images``."""
