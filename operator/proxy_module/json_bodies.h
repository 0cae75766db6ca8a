/* Whether the body of a request by REST is plain JSON (docs/adr/0022).
 *
 * Envoy's transcoder reads any body as JSON. A page of another site can send one without asking first
 * as long as its type is one of a form (Fetch standard, "CORS-safelisted request-header").
 */
#ifndef GRPC_OPERATOR_JSON_BODIES_H
#define GRPC_OPERATOR_JSON_BODIES_H

#include "text.h"

/* A header that may be missing. */
struct optional {
  bool is_present;
  struct text value;
};

struct body_headers {
  struct text method;
  struct optional type;
  struct optional length;
  struct optional encoding;
};

/* Returns why a request is refused; empty if it is not.
 *
 * Without content-length, nothing says yet whether a body follows; then a verb that usually has one
 * needs a right type, or none, which no page can send.
 */
struct text problem_of_body(const struct body_headers *headers);

#endif
