"""Tests of the operator, its chart and its tools. Layout: one folder a kind of test."""
