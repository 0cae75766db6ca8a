"""Commands that read a running cluster."""
