"""Clients of three languages that know only a service's client ConfigMap."""
