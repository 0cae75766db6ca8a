"""Tests of the operator as a process against a real API server."""
