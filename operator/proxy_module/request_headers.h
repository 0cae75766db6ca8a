/* What is done to the headers of a new request, before Envoy selects a route. */
#ifndef GRPC_OPERATOR_REQUEST_HEADERS_H
#define GRPC_OPERATOR_REQUEST_HEADERS_H

#include "text.h"

/* Laid out as Envoy's ABI has it (abi.h). */
struct header {
  struct text name;
  struct text value;
};

enum {
  /* Envoy accepts 100 headers by default (max_headers_count). */
  MOST_HEADERS = 256,
  LONGEST_SCOPE = 1024,
  LONGEST_PROBLEM = 128,
};

/* What is to be done to a request. */
struct verdict {
  /* Names of headers that are removed: they point into the headers, or are constants. */
  struct text removed[MOST_HEADERS];
  size_t removed_count;
  /* Value of the header that selects the route table. */
  char scope[LONGEST_SCOPE];
  size_t scope_length;
  /* Why the request is refused; empty if it is not. */
  char problem[LONGEST_PROBLEM];
  size_t problem_length;
};

/* Reads the headers of a request.
 *
 * headers, count: all of them, in order, at most MOST_HEADERS.
 * listener: name of the listener, the first key of the scope.
 * found: gets everything that is to be done.
 */
void judge(const struct header *headers, size_t count, struct text listener, struct verdict *found);

#endif
