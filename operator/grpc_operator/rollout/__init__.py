"""Rollouts of revisions: which one gets which share of the calls, and when.

Pure: no cluster, clock, randomness or environment.
"""
