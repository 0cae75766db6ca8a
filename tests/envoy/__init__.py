"""Tests against real Envoy processes, and the harness they share."""
