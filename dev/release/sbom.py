"""What the chart installs, as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/).

BuildKit writes the SBOMs of the images themselves.
"""

import json
import uuid
from typing import Any
from urllib.parse import quote

_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # of URLs, RFC 9562 section 6.6


def chart_sbom(version: str, envoy: str) -> str:
    """Returns the SBOM of the chart.

    Args:
        version: Of the chart, and of the operator's image.
        envoy: NAME:TAG@sha256:DIGEST of the proxies.
    """
    chart = f"pkg:helm/grpc-operator@{version}"
    name, _, rest = envoy.partition(":")
    tag, _, digest = rest.partition("@")
    proxy = _image(name, tag, digest)
    proxy["hashes"] = [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}]
    components = [_image("ghcr.io/grpc-operator/grpc-operator", version), proxy]
    sbom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, chart + envoy)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": chart,
                "name": "grpc-operator",
                "version": version,
                "purl": chart,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": chart, "dependsOn": [part["bom-ref"] for part in components]}],
    }
    return json.dumps(sbom, indent=2) + "\n"


def _image(name: str, tag: str, digest: str = "") -> dict[str, Any]:
    registry, _, path = name.partition("/")
    short = path.rpartition("/")[2]
    version = quote(digest, safe="") or tag
    purl = f"pkg:oci/{short}@{version}?repository_url={registry}/{path}&tag={tag}"
    return {"type": "container", "bom-ref": purl, "name": name, "version": tag, "purl": purl}
