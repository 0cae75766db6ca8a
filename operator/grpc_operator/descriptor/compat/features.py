"""What a syntax or edition, and the options ``features``, say about presence, encoding and JSON."""

from typing import NamedTuple

from google.protobuf.descriptor_pb2 import (
    Edition,
    EnumOptions,
    FeatureSet,
    FieldOptions,
    FileDescriptorProto,
    FileOptions,
    MessageOptions,
)

_Options = EnumOptions | FieldOptions | FileOptions | MessageOptions


class Features(NamedTuple):
    """The features that the rules need (``FeatureSet`` of descriptor.proto)."""

    field_presence: int
    message_encoding: int
    json_format: int

    def merged(self, options: _Options) -> "Features":
        """Returns the features of what has these options, inside of what has these features."""
        if not options.HasField("features"):
            return self
        given = options.features
        presence = given.HasField("field_presence")
        encoding = given.HasField("message_encoding")
        json = given.HasField("json_format")
        return Features(
            given.field_presence if presence else self.field_presence,
            given.message_encoding if encoding else self.message_encoding,
            given.json_format if json else self.json_format,
        )


_PROTO2 = Features(FeatureSet.EXPLICIT, FeatureSet.LENGTH_PREFIXED, FeatureSet.LEGACY_BEST_EFFORT)
_PROTO3 = Features(FeatureSet.IMPLICIT, FeatureSet.LENGTH_PREFIXED, FeatureSet.ALLOW)
_EDITIONS = Features(FeatureSet.EXPLICIT, FeatureSet.LENGTH_PREFIXED, FeatureSet.ALLOW)


def of_file(file: FileDescriptorProto) -> Features:
    """Returns the features of a file: the defaults of its syntax or edition, and its own."""
    if file.syntax == "proto3" or file.edition == Edition.EDITION_PROTO3:
        return _PROTO3
    if file.syntax != "editions" or file.edition == Edition.EDITION_PROTO2:
        return _PROTO2
    return _EDITIONS.merged(file.options)


def lost_json(old: Features, new: Features) -> bool:
    """Returns whether ``json_format`` was ALLOW, and is not any more."""
    return old.json_format == FeatureSet.ALLOW != new.json_format
