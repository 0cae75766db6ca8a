"""What is done for an object, step by step."""
