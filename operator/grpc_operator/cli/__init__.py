"""``grpcop``: the command line around GrpcServices.

- ``commands``: one file a command, with its arguments; it imports what does the work when it runs
- ``manifests``, ``objects``, ``protos``: what users give: YAML with lines, objects, descriptors
- ``output``, ``errors``: tables and documents out, exit codes
- ``connection``: the cluster, for the commands that read one

The other packages do the work; each is named after its command. They call the pure packages of the
operator: ``render`` prints what the operator applies because it is built in the same way.
"""
