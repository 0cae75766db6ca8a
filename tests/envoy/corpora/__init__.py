"""Descriptors of real APIs, from the packages of their projects."""
