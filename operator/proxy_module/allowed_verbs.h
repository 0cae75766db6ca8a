/* Which verbs a REST path has: for 405 and Allow (RFC 9110, sections 10.2.1 and 15.5.6). */
#ifndef GRPC_OPERATOR_ALLOWED_VERBS_H
#define GRPC_OPERATOR_ALLOWED_VERBS_H

#include "text.h"

enum {
  /* Paths with more segments, or with "**", are in the first group. */
  MOST_SEGMENTS = 32,
  LONGEST_VERBS = 512,
};

/* Known paths; all texts point into the configuration. */
struct paths {
  /* Custom verbs, each between spaces. */
  struct text custom_verbs;
  /* Lines by number of segments, so that a path is compared with few of them. */
  struct text lines[MOST_SEGMENTS + 1];
};

/* Reads the paths of a service.
 *
 * configuration: a line of custom verbs, each between spaces; then for each group a line with its
 *     number, and lines like "GET :verb /v1/users/STAR", with a colon alone for no custom verb.
 * Returns whether it is well-formed.
 */
bool read_paths(struct text configuration, struct paths *found);

/* Writes the verbs of a path, sorted, with commas between them.
 *
 * own: verb of the request. path: with its query.
 * found: room for LONGEST_VERBS bytes.
 * Returns the number of bytes; 0 if the path has no verb, or that of the request.
 */
size_t allowed_verbs(const struct paths *known, struct text own, struct text path, char *found);

#endif
