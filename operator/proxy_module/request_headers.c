/* See docs/adr/0056. Pure functions over the headers of a request; nothing is allocated.
 *
 * Limits of metadata: grpc/grpc, PROTOCOL-HTTP2.md and compression.md; gRFC A6.
 */
#include "request_headers.h"

static const struct text OF_ENVOY = {"x-envoy-", 8};
static const struct text BINARY = {"-bin", 4};
static const struct text GRPC = {"application/grpc", 16};

enum { LONGEST_NAME = 64, LONGEST_NUMBER = 9, DIGITS_OF_A_GROUP = 4 };

/* Words that only proxies may say: servers believe them of the proxy in front of them. This one
 * says x-forwarded-for and x-forwarded-proto itself. Then those of gRPC that only servers and load
 * balancers say, but which gRPC's core parses wherever they stand (grpc/grpc, metadata_batch.h).
 * Last the header that says why a request is refused.
 */
static const char *const REMOVED[] = {
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-server",
    "x-real-ip",
    "endpoint-load-metrics-bin",
    "grpc-internal-encoding-request",
    "grpc-message",
    "grpc-retry-pushback-ms",
    "grpc-server-stats-bin",
    "grpc-status",
    "grpc-status-details-bin",
    "grpclb_client_stats",
    "lb-cost-bin",
    "lb-token",
    "x-grpc-operator-malformed",
};

static bool is_lower(char byte) { return byte >= 'a' && byte <= 'z'; }
static bool is_upper(char byte) { return byte >= 'A' && byte <= 'Z'; }
static bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

/* Media types have no case (RFC 9110, 8.3.1). */
static bool is_grpc(struct text content_type) {
  return starts_with_in_any_case(content_type, GRPC);
}

static bool is_number(struct text value, size_t longest) {
  for (size_t at = 0; at < value.length; at++) {
    if (!is_digit(value.bytes[at])) {
      return false;
    }
  }
  return value.length > 0 && value.length <= longest;
}

static bool is_timeout(struct text value) {
  if (value.length == 0 || value.length > LONGEST_NUMBER ||
      strchr("HMSmun", value.bytes[value.length - 1]) == NULL ||
      value.bytes[value.length - 1] == '\0') {
    return false;
  }
  return is_number((struct text){value.bytes, value.length - 1}, LONGEST_NUMBER - 1);
}

/* Padding is optional, but must be right. */
static bool is_base64(struct text value) {
  size_t digits = value.length;
  while (digits > 0 && value.bytes[digits - 1] == '=') {
    digits--;
  }
  for (size_t at = 0; at < digits; at++) {
    char byte = value.bytes[at];
    if (!is_lower(byte) && !is_upper(byte) && !is_digit(byte) && byte != '+' && byte != '/') {
      return false;
    }
  }
  size_t padding = value.length - digits;
  size_t rest = digits % DIGITS_OF_A_GROUP;
  return rest != 1 && (padding == 0 || (rest != 0 && padding == DIGITS_OF_A_GROUP - rest));
}

static bool is_compression(struct text value) {
  return equal(value, TEXT("identity")) || equal(value, TEXT("gzip")) ||
         equal(value, TEXT("deflate"));
}

static bool is_name(struct text name) {
  size_t start = name.length > 0 && name.bytes[0] == ':' ? 1 : 0;
  for (size_t at = start; at < name.length; at++) {
    char byte = name.bytes[at];
    if (!is_lower(byte) && !is_digit(byte) && byte != '-' && byte != '_' && byte != '.') {
      return false;
    }
  }
  return name.length > start;
}

static const char *problem_of(struct text name, struct text value) {
  if (equal(name, TEXT("grpc-timeout"))) {
    return is_timeout(value) ? NULL : "it must be like 100m";
  }
  if (equal(name, TEXT("grpc-encoding"))) {
    return is_compression(value) ? NULL : "it must be identity, deflate or gzip";
  }
  if (equal(name, TEXT("grpc-previous-rpc-attempts"))) {
    return is_number(value, LONGEST_NUMBER) ? NULL : "it must be a number";
  }
  if (ends_with(name, BINARY)) {
    return is_base64(value) ? NULL : "it must be base64";
  }
  return is_name(name) ? NULL : "it is not the name of metadata";
}

/* Sets the first problem that is found; routes read its first word. */
static void refuse(struct verdict *found, bool unsupported, struct text name, const char *why) {
  if (found->problem_length > 0) {
    return;
  }
  const struct text parts[] = {
      unsupported ? TEXT("unsupported ") : TEXT("malformed "),
      {name.bytes, name.length < LONGEST_NAME ? name.length : LONGEST_NAME},
      TEXT(": "),
      {why, strlen(why)},
  };
  for (size_t at = 0; at < sizeof parts / sizeof *parts; at++) {
    append(found->problem, &found->problem_length, LONGEST_PROBLEM, parts[at]);
  }
}

static bool is_removed(struct text name) {
  if (starts_with(name, OF_ENVOY)) {
    return true;
  }
  for (size_t at = 0; at < sizeof REMOVED / sizeof *REMOVED; at++) {
    if (equal(name, (struct text){REMOVED[at], strlen(REMOVED[at])})) {
      return true;
    }
  }
  return false;
}

/* A name that comes twice is removed once: the removal frees what its second one points to. */
static void remove_once(struct verdict *found, struct text name) {
  for (size_t at = 0; at < found->removed_count; at++) {
    if (equal(name, found->removed[at])) {
      return;
    }
  }
  found->removed[found->removed_count++] = name;
}

/* The first segment of the path. One that is too long has no scope, rather than that of its
 * beginning.
 */
static void select_scope(struct verdict *found, struct text listener, struct text path) {
  size_t end = path.length > 0 ? 1 : 0;
  while (end < path.length && path.bytes[end] != '/' && path.bytes[end] != '?') {
    end++;
  }
  append(found->scope, &found->scope_length, LONGEST_SCOPE, listener);
  if (end <= LONGEST_SCOPE - found->scope_length) {
    append(found->scope, &found->scope_length, LONGEST_SCOPE, (struct text){path.bytes, end});
  }
}

void judge(const struct header *headers, size_t count, struct text listener,
           struct verdict *found) {
  struct text path = TEXT("");
  struct text method = TEXT("");
  bool of_grpc = false;
  found->removed_count = found->scope_length = found->problem_length = 0;
  for (size_t at = 0; at < count; at++) {
    struct text name = headers[at].name;
    struct text value = headers[at].value;
    if (is_removed(name)) {
      remove_once(found, name);
      continue;
    }
    if (equal(name, TEXT(":path"))) {
      path = value;
    } else if (equal(name, TEXT(":method"))) {
      method = value;
    } else if (equal(name, TEXT("content-type"))) {
      of_grpc = is_grpc(value);
    }
    const char *problem = problem_of(name, value);
    if (problem != NULL) {
      refuse(found, of_grpc && equal(name, TEXT("grpc-encoding")), name, problem);
    }
  }
  if (of_grpc && !equal(method, TEXT("POST"))) {
    refuse(found, true, TEXT(":method"), "it must be POST");
  }
  select_scope(found, listener, path);
}
