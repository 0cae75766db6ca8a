/* What happens to responses before gRPC-Web and the transcoder change them. */
#include <stdlib.h>

#include "http_filter.h"

/* Names of status codes, as Envoy writes them (%GRPC_STATUS(CAMEL_STRING)%). */
static const struct text CODES[] = {
    {"OK", 2},
    {"Canceled", 8},
    {"Unknown", 7},
    {"InvalidArgument", 15},
    {"DeadlineExceeded", 16},
    {"NotFound", 8},
    {"AlreadyExists", 13},
    {"PermissionDenied", 16},
    {"ResourceExhausted", 17},
    {"FailedPrecondition", 18},
    {"Aborted", 7},
    {"OutOfRange", 10},
    {"Unimplemented", 13},
    {"Internal", 8},
    {"Unavailable", 11},
    {"DataLoss", 8},
    {"Unauthenticated", 15},
};
static const struct text UNKNOWN_CODE = {"InvalidCode", 11};

enum {
  BASE = 10,
  MOST_DIGITS = 20,
  COMPRESSED = 1, /* flag of a gRPC message (grpc/grpc, PROTOCOL-HTTP2.md) */
  LONGEST_REASON = LONGEST_VERBS + 64,
};

static struct text name_of(struct text code) {
  size_t number = 0;
  if (code.length == 0 || code.length > 2 || (code.length == 2 && code.bytes[0] == '0')) {
    return UNKNOWN_CODE;
  }
  for (size_t at = 0; at < code.length; at++) {
    if (code.bytes[at] < '0' || code.bytes[at] > '9') {
      return UNKNOWN_CODE;
    }
    number = number * BASE + (size_t)(code.bytes[at] - '0');
  }
  return number < sizeof CODES / sizeof *CODES ? CODES[number] : UNKNOWN_CODE;
}

/* The transcoder replaces the status of a call by an HTTP status, and the filter of gRPC-Web moves
 * it into the body: so it is noted for the access log.
 */
static bool note_status(void *filter, enum header_kind kind) {
  struct text code = TEXT("");
  if (!envoy_dynamic_module_callback_http_get_header(filter, kind, TEXT("grpc-status"), &code, 0,
                                                     NULL)) {
    return false;
  }
  envoy_dynamic_module_callback_http_set_dynamic_metadata_string(
      filter, RESPONSE, TEXT("grpc_status"), name_of(code));
  return true;
}

/* Whether a name is in a list with commas. */
static bool is_listed(struct text name, struct text list) {
  size_t begin = 0;
  for (size_t at = 0; at <= list.length; at++) {
    if (at < list.length && list.bytes[at] != ',') {
      continue;
    }
    struct text each = {list.bytes + begin, at - begin};
    while (each.length > 0 && each.bytes[0] == ' ') {
      each = (struct text){each.bytes + 1, each.length - 1};
    }
    while (each.length > 0 && each.bytes[each.length - 1] == ' ') {
      each.length--;
    }
    if (equal(each, name)) {
      return true;
    }
    begin = at + 1;
  }
  return false;
}

static bool is_by_rest(void *filter, struct text *method, struct text *path) {
  return envoy_dynamic_module_callback_http_get_metadata_string(
             filter, DYNAMIC_METADATA, REST_REQUEST, TEXT("method"), method) &&
         envoy_dynamic_module_callback_http_get_metadata_string(
             filter, DYNAMIC_METADATA, REST_REQUEST, TEXT("path"), path);
}

/* Neither the transcoder nor clients of gRPC-Web without grpc-accept-encoding can read a compressed
 * message. A stream is refused by its headers, before any of it is sent, because it could only be
 * cut later; of a unary call, the first byte says whether it is compressed. The transcoder itself
 * refuses compressed messages.
 */
static void refuse_compressed(void *filter, struct stream *stream) {
  struct text encoding = header_of(filter, RESPONSE_HEADERS, TEXT("grpc-encoding"));
  struct text accepted = TEXT(""), method, path;
  bool is_stream = false;
  if (encoding.length == 0 || equal(encoding, TEXT("identity"))) {
    return;
  }
  envoy_dynamic_module_callback_http_get_metadata_string(filter, DYNAMIC_METADATA, RESPONSE,
                                                         ACCEPTS, &accepted);
  if (is_listed(encoding, accepted)) {
    return;
  }
  envoy_dynamic_module_callback_http_get_metadata_bool(filter, ROUTE_METADATA, RESPONSE,
                                                       TEXT("streams"), &is_stream);
  if (is_stream) {
    envoy_dynamic_module_callback_http_set_header(
        filter, RESPONSE_HEADERS, TEXT("x-grpc-operator-compressed"), TEXT("1"));
    return;
  }
  stream->may_be_compressed = !is_by_rest(filter, &method, &path);
}

/* Makes 405 of 404 if the path has other verbs; the headers wait for the body that says so. */
static enum next explain_verbs(void *filter, struct stream *stream, bool end) {
  struct text method, path;
  const struct route_configuration *known =
      envoy_dynamic_module_callback_get_most_specific_route_config(filter);
  if (known == NULL || !is_by_rest(filter, &method, &path)) {
    return CONTINUE;
  }
  char *verbs = malloc(LONGEST_VERBS);
  size_t length = verbs == NULL ? 0 : allowed_verbs(&known->paths, method, path, verbs);
  if (length == 0) {
    free(verbs);
    return CONTINUE;
  }
  free(stream->verbs);
  stream->verbs = verbs;
  stream->verbs_length = length;
  struct text names = {verbs, length};
  envoy_dynamic_module_callback_http_set_header(filter, RESPONSE_HEADERS, TEXT(":status"),
                                                TEXT("405"));
  envoy_dynamic_module_callback_http_set_header(filter, RESPONSE_HEADERS, TEXT("allow"), names);
  envoy_dynamic_module_callback_http_set_header(filter, RESPONSE_HEADERS, TEXT("grpc-status"),
                                                TEXT("12"));
  return end ? CONTINUE : STOP_ITERATION;
}

enum next response_headers(void *filter, struct stream *stream, bool end) {
  if (equal(header_of(filter, RESPONSE_HEADERS, TEXT(":status")), TEXT("404"))) {
    stream->has_noted_status = true;
    return explain_verbs(filter, stream, end);
  }
  stream->has_noted_status = note_status(filter, RESPONSE_HEADERS);
  if (!stream->has_noted_status) {
    refuse_compressed(filter, stream);
  }
  return CONTINUE;
}

/* Writes a text in which the first occurrence of another one is replaced. */
static struct text replaced(struct text in, struct text old, struct text by, char *room,
                            size_t most) {
  size_t at = 0, length = 0;
  while (at < in.length && !starts_with((struct text){in.bytes + at, in.length - at}, old)) {
    at++;
  }
  append(room, &length, most, (struct text){in.bytes, at});
  if (at < in.length) {
    append(room, &length, most, by);
    at += old.length;
    append(room, &length, most, (struct text){in.bytes + at, in.length - at});
  }
  return (struct text){room, length};
}

static void set_content_length(void *filter, size_t length) {
  char digits[MOST_DIGITS];
  size_t at = sizeof digits;
  for (size_t rest = length; rest > 0; rest /= BASE) {
    digits[--at] = (char)('0' + rest % BASE);
  }
  envoy_dynamic_module_callback_http_set_header(filter, RESPONSE_HEADERS, TEXT("content-length"),
                                                (struct text){digits + at, sizeof digits - at});
}

/* Replaces the body by one that names the verbs.
 *
 * room: twice the bytes of `most`, which the new body never exceeds.
 */
static void rewrite(void *filter, const struct stream *stream, const struct chunks *chunks,
                    char *room, size_t most) {
  char reason[LONGEST_REASON];
  size_t reason_length = 0, length = 0;
  append(reason, &reason_length, sizeof reason, TEXT("this path has "));
  append(reason, &reason_length, sizeof reason,
         (struct text){stream->verbs, stream->verbs_length});
  for (size_t at = 0; at < chunks->count; at++) {
    append(room, &length, most, chunks->all[at]);
  }
  envoy_dynamic_module_callback_http_drain_body(filter, RECEIVED_RESPONSE, length);
  struct text made = replaced((struct text){room, length}, TEXT("\"code\":5"),
                              TEXT("\"code\":12"), room + most, most);
  made = replaced(made, stream->configuration->nothing_here,
                  (struct text){reason, reason_length}, room, most);
  envoy_dynamic_module_callback_http_append_body(filter, RECEIVED_RESPONSE, made);
  set_content_length(filter, made.length);
}

/* Of the gateway's own response, which comes in one piece. */
static void write_verbs(void *filter, const struct stream *stream) {
  struct chunks chunks;
  if (!read_chunks(filter, RECEIVED_RESPONSE, &chunks)) {
    return;
  }
  size_t most = LONGEST_REASON;
  for (size_t at = 0; at < chunks.count; at++) {
    most += chunks.all[at].length;
  }
  char *room = malloc(2 * most);
  if (room != NULL) {
    rewrite(filter, stream, &chunks, room, most);
  }
  free(room);
  free_chunks(&chunks);
}

static bool begins_compressed(void *filter) {
  struct chunks chunks;
  if (!read_chunks(filter, RECEIVED_RESPONSE, &chunks)) {
    return true;
  }
  size_t at = 0;
  while (at < chunks.count && chunks.all[at].length == 0) {
    at++;
  }
  bool found = at < chunks.count && chunks.all[at].bytes[0] == COMPRESSED;
  free_chunks(&chunks);
  return found;
}

enum next response_body(void *filter, struct stream *stream, bool end) {
  if (stream->verbs != NULL && end) {
    write_verbs(filter, stream);
    return CONTINUE;
  }
  if (!stream->may_be_compressed && !stream->is_compressed) {
    return CONTINUE;
  }
  size_t size = envoy_dynamic_module_callback_http_get_body_size(filter, RECEIVED_RESPONSE);
  if (stream->may_be_compressed && size > 0) {
    stream->may_be_compressed = false;
    stream->is_compressed = begins_compressed(filter);
  }
  if (stream->is_compressed) {
    envoy_dynamic_module_callback_http_drain_body(filter, RECEIVED_RESPONSE, size);
  }
  return CONTINUE;
}

enum next response_trailers(void *filter, struct stream *stream) {
  if (stream->is_compressed) {
    envoy_dynamic_module_callback_http_set_header(filter, RESPONSE_TRAILERS, TEXT("grpc-status"),
                                                  TEXT("13"));
    envoy_dynamic_module_callback_http_set_header(
        filter, RESPONSE_TRAILERS, TEXT("grpc-message"),
        TEXT("the server compressed its response, which the client does not accept"));
    envoy_dynamic_module_callback_http_set_header(
        filter, RESPONSE_TRAILERS, TEXT("grpc-status-details-bin"), (struct text){NULL, 0});
  }
  if (!stream->has_noted_status) {
    note_status(filter, RESPONSE_TRAILERS);
  }
  return CONTINUE;
}
