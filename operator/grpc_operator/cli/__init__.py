"""``grpcop``: the command line around GrpcServices.

- ``commands``: one file a command, with its arguments; it imports what does the work when it runs
- ``manifests``, ``objects``, ``protos``, ``fields``: what users give: YAML with lines, objects,
  descriptors, and where a field is
- ``output``, ``errors``: tables and documents out, exit codes
- ``connection``: the cluster, for the commands that read one

- ``rendering``, ``differences``, ``schema_sets``: ``render``, ``diff``, ``descriptor``
- ``schema``, ``lint``: what the API server and the operator refuse, and the common mistakes
- ``importing``, ``detect``, ``export``, ``cost``: from and to other platforms
- ``live``, ``check``, ``call``: running clusters and services

They call the pure packages of the operator: ``render`` prints what the operator applies because it
is built in the same way.
"""
