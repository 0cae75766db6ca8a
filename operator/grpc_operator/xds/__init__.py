"""The incremental xDS server: what the proxies of a gateway hold, and what they say to it."""
