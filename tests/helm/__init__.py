"""Tests of the Helm chart: what it renders, and what it refuses."""
