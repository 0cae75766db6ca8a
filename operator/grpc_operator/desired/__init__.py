"""Owners -> Kubernetes objects: one file an object, a folder a kind of owner.

Pure: no cluster, clock, randomness or environment. ``service`` and ``gateway`` build what a
GrpcService and a GrpcGateway own; ``overlay`` merges ``spec.podTemplate``; ``common`` is what the
objects of both share. Every call makes fresh dictionaries that share nothing. No value is ever
null, and no map or list is empty unless a user's overlay says so: server-side apply would own the
emptiness.
"""
