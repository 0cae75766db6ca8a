"""Every linter of the repository: run with ``python -m lint``."""
