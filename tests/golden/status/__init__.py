"""Golden cases: what is observed -> the status that is reported."""
