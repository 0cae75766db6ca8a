"""The incremental xDS server of the gateways' proxies."""
