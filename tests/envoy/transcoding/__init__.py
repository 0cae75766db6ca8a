"""A corpus of ``google.api.http``: requests, and what real Envoy makes of them."""
