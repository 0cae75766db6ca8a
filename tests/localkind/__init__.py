"""Tests of localkind: its parts, and real clusters that it makes and removes."""
