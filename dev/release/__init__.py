"""Prepares and packages releases: run with ``python -m release``. CONTRIBUTING.md has the steps."""
