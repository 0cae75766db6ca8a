"""Checks the GitHub workflows by actionlint: run with ``python -m actionlint``.

PyPI has no package of it that carries the program, so it is built from its Go module, once.
"""
