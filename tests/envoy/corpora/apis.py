"""The APIs: where they come from, and the services that they define."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from grpc_operator.descriptor import Descriptor, load
from tests.envoy.corpora import descriptors, packages

_GAX = "google-gax@6.17.0"
_OF_GOOGLE = ("cloud.google.com/go/iam@v1.15.1", "cloud.google.com/go/longrunning@v1.5.0")
_PROTOS = "build/protos"


@dataclass(frozen=True)
class Api:
    """One API.

    Attributes:
        package: The Go module, or the npm package (without a slash before ``@v``).
        under: Prefix of the .proto files, or of the full names of services, that belong to it.
        more: Go modules with what it imports.
        root: Folder of the .proto files in the package; without, Go files are read.
    """

    name: str
    package: str
    under: str = ""
    more: tuple[str, ...] = ()
    root: str = ""

    @property
    def is_npm(self) -> bool:
        """Whether it is in an npm package."""
        return self.root == _PROTOS


APIS = (
    Api("etcd", "go.etcd.io/etcd/api/v3@v3.7.3"),
    Api("Temporal", "go.temporal.io/api@v1.64.3"),
    Api("OpenFGA", "github.com/openfga/api/proto@v0.0.0-20260319214821-f153694bfc20"),
    Api("AuthZed", "github.com/authzed/authzed-go@v1.11.0"),
    Api("CRI", "k8s.io/cri-api@v0.37.2"),
    Api(
        "Cosmos SDK",
        "github.com/cosmos/cosmos-sdk@v0.50.13",
        "cosmos.",
        ("github.com/cometbft/cometbft@v0.38.12",),
    ),
    Api(
        "a_bit_of_everything",
        "github.com/grpc-ecosystem/grpc-gateway/v2@v2.33.0",
        "examples/internal/proto/examplepb/a_bit_of_everything.proto",
        root=".",
    ),
    Api(
        "response_body_service",
        "github.com/grpc-ecosystem/grpc-gateway/v2@v2.33.0",
        "examples/internal/proto/examplepb/response_body_service.proto",
        root=".",
    ),
    Api("Logging", "cloud.google.com/go/logging@v1.21.1", "google.logging."),
    Api("Spanner", "cloud.google.com/go/spanner@v1.96.1", "google.spanner."),
    Api("Storage", "cloud.google.com/go/storage@v1.70.0", "google.storage."),
    *(
        Api(name, package, under, root=_PROTOS)
        for name, package, under in (
            ("Pub/Sub", "@google-cloud/pubsub@6.3.2", "google/pubsub/"),
            ("KMS", "@google-cloud/kms@6.3.0", "google/cloud/kms/v1/"),
            ("Monitoring", "@google-cloud/monitoring@6.1.1", "google/monitoring/v3/"),
            ("Container", "@google-cloud/container@7.2.0", "google/container/"),
            ("Bigtable Admin", "@google-cloud/bigtable@7.2.0", "google/bigtable/admin/v2/"),
            ("Firestore", "@google-cloud/firestore@9.4.1", "google/firestore/"),
            (
                "Dialogflow CX",
                "@google-cloud/dialogflow-cx@5.8.2",
                "google/cloud/dialogflow/cx/v3/",
            ),
            (
                "Discovery Engine",
                "@google-cloud/discoveryengine@2.9.0",
                "google/cloud/discoveryengine/v1/",
            ),
            ("AI Platform", "@google-cloud/aiplatform@7.4.0", "google/cloud/aiplatform/v1/"),
            ("Compute Engine", "@google-cloud/compute@7.8.0", "google/cloud/compute/v1/"),
            ("Google Ads", "google-ads-node@25.1.0", "google/ads/"),
        )
    ),
)


@dataclass(frozen=True)
class Schema:
    """What a GrpcService would be given.

    Attributes:
        data: The serialised FileDescriptorSet.
        services: Full names of its services.
    """

    data: bytes
    services: tuple[str, ...]


@cache
def schema(api: Api) -> Schema:
    """Returns the schema of an API."""
    if not api.root:
        own = [*descriptors.from_go(packages.go(api.package))]
        services = [name for name in _services(own) if name.startswith(api.under)]
        more = [
            file
            for each in (*api.more, *_OF_GOOGLE)
            for file in descriptors.from_go(packages.go(each))
        ]
        return Schema(descriptors.joined(own, [*more, *_standard()]), tuple(sorted(set(services))))
    root = _folder(api)
    names = [str(path.relative_to(root)) for path in sorted(root.rglob("*.proto"))]
    wanted = [name for name in names if name.startswith(api.under)]
    includes = [_npm()[_GAX] / _PROTOS] if api.is_npm else []
    files = descriptors.from_protos(root, wanted, includes)
    own = [file for file in files if FileDescriptorProto.FromString(file).name in wanted]
    return Schema(descriptors.joined(files), tuple(sorted(_services(own))))


@cache
def loaded(api: Api) -> Descriptor:
    """Returns the descriptor that the operator makes of an API."""
    return load(schema(api).data, schema(api).services)


def _folder(api: Api) -> Path:
    package = _npm()[api.package] if api.is_npm else packages.go(api.package)
    return package / api.root


@cache
def _npm() -> dict[str, Path]:
    return dict(packages.npm([_GAX, *(api.package for api in APIS if api.is_npm)]))


@cache
def _standard() -> tuple[bytes, ...]:
    return tuple(descriptors.standard())


def _services(files: Iterable[bytes]) -> Iterator[str]:
    for data in files:
        file = FileDescriptorProto.FromString(data)
        yield from (f"{file.package}.{service.name}" for service in file.service)
