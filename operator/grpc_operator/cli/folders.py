"""Folders that have the files of others."""

INSTALLED = frozenset({"node_modules", "vendor", "venv", "__pycache__", "target", "dist"})
"""Names of folders with installed packages or built files, which are not the user's to give."""
