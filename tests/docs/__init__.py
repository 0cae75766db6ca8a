"""The documentation tells the truth: what it names exists, and what exists is named."""
