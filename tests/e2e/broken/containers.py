"""Containers that cannot be created or started, or that end."""

from grpc_operator.resources import Manifest
from tests.e2e.broken.base import (
    Broken,
    container,
    env_from,
    init,
    manifest,
    pod,
    python,
    volume,
)

_RESTRICTED = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
IMAGES = (
    Broken("image-name", init(image="localhost/Bad:1"), "InvalidImageName", ("localhost/Bad:1",)),
    Broken(
        "image-missing", {"image": "localhost/none:1"}, "ImagePullBackOff", ("localhost/none:1",)
    ),
    Broken(
        "image-pull-secret",
        {"image": "localhost/none:2", "imagePullSecrets": [{"name": "none"}]},
        "ImagePullBackOff",
        ("localhost/none:2",),
    ),
    Broken(
        "image-never",
        {"image": "localhost/none:3", "imagePullPolicy": "Never"},
        "ErrImageNeverPull",
        ("localhost/none:3",),
    ),
)
_CONFIG = "CreateContainerConfigError"
PRESENT = manifest("v1", "ConfigMap", "present", data={"a": "b"})
_SECRET = manifest("v1", "Secret", "present", stringData={"a": "b"})
CONFIGURATION = (
    Broken(
        "secret", env_from(secretKeyRef={"name": "none", "key": "a"}), _CONFIG, ('secret "none"',)
    ),
    Broken(
        "secret-key",
        env_from(secretKeyRef={"name": "present", "key": "none"}),
        _CONFIG,
        ("none", "Secret"),
        (_SECRET,),
    ),
    Broken(
        "config-map",
        env_from(configMapKeyRef={"name": "none", "key": "a"}),
        _CONFIG,
        ('configmap "none"',),
    ),
    Broken(
        "config-map-key",
        env_from(configMapKeyRef={"name": "present", "key": "none"}),
        _CONFIG,
        ("none", "ConfigMap"),
        (PRESENT,),
    ),
    Broken(
        "env-from",
        {"envFrom": [{"configMapRef": {"name": "none"}}]},
        _CONFIG,
        ('configmap "none"',),
    ),
    Broken(
        "root",
        container(securityContext={"runAsUser": 0}),
        _CONFIG,
        ("runAsUser", "non-root"),
    ),
)


def claim(name: str, class_: str, mode: str) -> Manifest:
    """Returns a PersistentVolumeClaim."""
    return manifest(
        "v1",
        "PersistentVolumeClaim",
        name,
        spec={
            "accessModes": [mode],
            "storageClassName": class_,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    )


VOLUMES = (
    Broken(
        "volume-secret", volume(secret={"secretName": "none"}), "FailedMount", ('secret "none"',)
    ),
    Broken(
        "volume-config-map",
        volume(configMap={"name": "none"}),
        "FailedMount",
        ('configmap "none"',),
    ),
    Broken(
        "volume-projected",
        volume(projected={"sources": [{"secret": {"name": "none"}}]}),
        "FailedMount",
        ('secret "none"',),
    ),
    Broken("volume-csi", volume(csi={"driver": "none.example"}), "FailedMount", ("none.example",)),
    Broken(
        "volume-host-path",
        volume(hostPath={"path": "/none", "type": "Directory"}),
        "FailedMount",
        ("hostPath type check failed",),
    ),
    Broken(
        "claim",
        volume(persistentVolumeClaim={"claimName": "none"}),
        "Unschedulable",
        ('"none" not found',),
    ),
    Broken(
        "claim-pending",
        volume(persistentVolumeClaim={"claimName": "pending"}),
        "Unschedulable",
        ("unbound", "pending"),
        (claim("pending", "none", "ReadWriteOnce"),),
    ),
    Broken("mount-path", volume("/etc/passwd", emptyDir={}), "RunContainerError", ("/etc/passwd",)),
    Broken(
        "sub-path",
        pod(
            volumes=[{"name": "data", "configMap": {"name": "present"}}],
            containers=[
                {
                    "name": "grpc",
                    "volumeMounts": [
                        {"name": "data", "mountPath": "/mnt/a", "subPathExpr": "$(NONE)"}
                    ],
                }
            ],
        ),
        _CONFIG,
        ("NONE",),
    ),
)
START = (
    Broken("command", {"command": ["/none"]}, "RunContainerError", ("/none", "no such file")),
    Broken(
        "command-mode",
        {"command": ["/etc/hosts"]},
        "RunContainerError",
        ("/etc/hosts", "permission denied"),
    ),
    Broken(
        "read-only",
        python("open('/app/file', 'w')"),
        "CrashLoopBackOff",
        ("Read-only file system", "exit code 1"),
    ),
    Broken(
        "crash",
        python("import sys; print('no database', file=sys.stderr); sys.exit(3)"),
        "CrashLoopBackOff",
        ("no database", "exit code 3"),
    ),
    Broken(
        "crash-later",
        python("import sys, time; time.sleep(4); print('lost', time.time()); sys.exit('lost it')"),
        "CrashLoopBackOff",
        ("lost it", "exit code 1"),
    ),
    Broken("ends", python("print('done')"), "CrashLoopBackOff", ("exit code 0",)),
    Broken(
        "memory",
        python(
            "x=[]\nwhile True: x.append(bytearray(8<<20))", resources={"limits": {"memory": "64Mi"}}
        ),
        "OOMKilled",
        ("64Mi",),
    ),
    Broken(
        "hook",
        container(
            lifecycle={"postStart": {"exec": {"command": ["python", "-c", "raise SystemExit(5)"]}}}
        ),
        "PostStartHookError",
        ("postStart",),
    ),
    Broken(
        "init",
        init(
            command=["python", "-c", "raise SystemExit('no schema')"], securityContext=_RESTRICTED
        ),
        "CrashLoopBackOff",
        ("init container migrate", "no schema"),
    ),
    Broken(
        "init-endless",
        init(
            command=["python", "-c", "import time; time.sleep(9999)"], securityContext=_RESTRICTED
        ),
        "WaitingForInitContainer",
        ("init container migrate",),
    ),
    Broken(
        "sidecar",
        init(
            command=["python", "-c", "raise SystemExit('no proxy')"],
            restartPolicy="Always",
            securityContext=_RESTRICTED,
        ),
        "CrashLoopBackOff",
        ("sidecar container migrate", "no proxy"),
    ),
)
