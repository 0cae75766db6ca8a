"""What people would pick instead: built, and configured, by its own means."""
