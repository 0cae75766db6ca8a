"""GrpcServices and their descriptors -> what Envoy is told.

Pure, in three steps: ``attach`` says what one GrpcService asks for (or what is wrong with it),
``merge`` decides who gets what, ``xds`` makes Envoy's messages of that. ``ir`` and ``snapshot`` are
the values between them; ``endpoints`` reads EndpointSlices.
"""
