"""What ``render`` prints: what the operator would apply, and what proxies would be sent."""
