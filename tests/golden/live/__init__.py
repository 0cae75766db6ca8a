"""What commands print about a running cluster."""
