"""What tests of services need: real databases, and polling with a deadline."""
