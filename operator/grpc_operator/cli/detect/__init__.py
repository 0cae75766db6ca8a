"""``grpcop init``: the gRPC servers of a source tree, and a GrpcService for each.

- ``walk``: the files, bounded; ``source``: their text without comments
- ``languages``: what a server looks like in Go, Python, Node, Rust and Java
- ``projects``: go.mod, package.json and the like, and Dockerfiles; ``proto_files``: services
- ``servers``: which of all that is one server; ``services``: what is written for it
"""
