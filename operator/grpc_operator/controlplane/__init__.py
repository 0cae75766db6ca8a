"""The control plane of the gateways, on every replica: from cluster state to xDS snapshots."""
