"""The clusters here are localkind's: where real kind is used instead, they are not collected."""

from localkind import provider

if provider.real_kind():
    collect_ignore = ["test_control_plane.py", "test_interrupted.py", "test_node.py"]
