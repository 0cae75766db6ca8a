"""Target ``envoy``: one file with everything that Envoy needs, without a control plane.

The configuration is what the operator would send to its proxies, made of the same intermediate
representation; ``static`` has what differs.
"""
