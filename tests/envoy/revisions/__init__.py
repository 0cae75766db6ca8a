"""Several revisions of a service behind a real Envoy."""
