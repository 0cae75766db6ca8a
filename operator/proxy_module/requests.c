/* What happens to requests by REST and gRPC-Web once Envoy has selected their route. */
#include "http_filter.h"
#include "json_bodies.h"

/* Names of routes (resource_names.py); no service can have them. */
static const struct text NO_METHOD = {"~", 1};
static const struct text SPLIT = {"~split", 6};
static const struct text REST_SCOPE = {"~rest/", 6};

static const struct text SCOPE = {"x-grpc-operator-scope", 21};

enum { LONGEST_KEY = 512, NOT_ALLOWED = 405, UNSUPPORTED_MEDIA_TYPE = 415 };

/* Envoy's filter of gRPC-Web compares content types byte by byte, while letters have no case and
 * parameters may follow (RFC 9110, 8.3.1). It knows no others.
 */
static const struct text MEDIA_TYPES[] = {
    {"application/grpc-web", 20},
    {"application/grpc-web+proto", 26},
    {"application/grpc-web-text", 25},
    {"application/grpc-web-text+proto", 31},
};
enum { FIRST_OF_TEXT = 2 };

static bool is_media_type(struct text value, struct text known) {
  if (!starts_with_in_any_case(value, known)) {
    return false;
  }
  size_t at = known.length;
  while (at < value.length && (value.bytes[at] == ' ' || value.bytes[at] == '\t')) {
    at++;
  }
  return at == value.length || value.bytes[at] == ';';
}

/* Writes a media type as the filter of gRPC-Web knows it. Returns whether it is base64. */
static bool normalize(void *filter, struct text name) {
  struct text given = header_of(filter, REQUEST_HEADERS, name);
  for (size_t at = 0; at < sizeof MEDIA_TYPES / sizeof *MEDIA_TYPES; at++) {
    if (is_media_type(given, MEDIA_TYPES[at])) {
      if (!equal(given, MEDIA_TYPES[at])) {
        envoy_dynamic_module_callback_http_set_header(filter, REQUEST_HEADERS, name,
                                                      MEDIA_TYPES[at]);
      }
      return at >= FIRST_OF_TEXT;
    }
  }
  return false;
}

/* Notes the compressions that a client accepts: the filter of gRPC-Web replaces the header. */
static void note_accepted(void *filter) {
  struct text accepted = header_of(filter, REQUEST_HEADERS, TEXT("grpc-accept-encoding"));
  if (accepted.length > 0 && !equal(accepted, TEXT("identity"))) {
    envoy_dynamic_module_callback_http_set_dynamic_metadata_string(filter, RESPONSE, ACCEPTS,
                                                                   accepted);
  }
}

/* The filter holds back what is not a multiple of four bytes of base64. The router would then get a
 * second time what it has kept for a retry, so calls in base64 are never retried. The router removes
 * the header, and clients cannot send it (request_headers.c).
 */
enum next grpc_web_request_headers(void *filter) {
  bool is_text = normalize(filter, TEXT("content-type"));
  normalize(filter, TEXT("accept"));
  if (is_text) {
    envoy_dynamic_module_callback_http_set_header(filter, REQUEST_HEADERS,
                                                  TEXT("x-envoy-max-retries"), TEXT("0"));
  }
  note_accepted(filter);
  if (header_of(filter, REQUEST_HEADERS, TEXT("x-grpc-web")).length == 0) {
    envoy_dynamic_module_callback_http_set_header(filter, REQUEST_HEADERS, TEXT("x-grpc-web"),
                                                  TEXT("1"));
  }
  return CONTINUE;
}

/* Ends a request for a path that matches no method of any service: with its verbs, if it has any. */
static enum next refuse(void *filter) {
  const struct route_configuration *known =
      envoy_dynamic_module_callback_get_most_specific_route_config(filter);
  char body[sizeof "this path has " + LONGEST_VERBS];
  if (known == NULL) {
    return CONTINUE;
  }
  size_t start = 0;
  append(body, &start, sizeof body, TEXT("this path has "));
  size_t length =
      allowed_verbs(&known->paths, header_of(filter, REQUEST_HEADERS, TEXT(":method")),
                    header_of(filter, REQUEST_HEADERS, TEXT(":path")), body + start);
  if (length == 0) {
    return CONTINUE;
  }
  struct header allow = {TEXT("allow"), {body + start, length}};
  envoy_dynamic_module_callback_http_send_response(filter, NOT_ALLOWED, &allow, 1,
                                                   (struct text){body, start + length},
                                                   TEXT("verb_not_allowed"));
  return STOP_ITERATION;
}

static void note(void *filter, struct text key, struct text value) {
  envoy_dynamic_module_callback_http_set_dynamic_metadata_string(filter, REST_REQUEST, key, value);
}

/* Changes the header that selects the route table, so that Envoy selects the route again: in the
 * REST scope of a service, or of the revision that Envoy has chosen.
 */
static bool redirect(void *filter, struct text service) {
  char scope[LONGEST_KEY];
  size_t length = 0;
  if (equal(service, SPLIT) &&
      !envoy_dynamic_module_callback_http_get_cluster_name(filter, &service)) {
    return false;
  }
  if (service.length > sizeof scope - REST_SCOPE.length) {
    return false;
  }
  append(scope, &length, sizeof scope, REST_SCOPE);
  append(scope, &length, sizeof scope, service);
  for (size_t at = REST_SCOPE.length; at < length; at++) {
    if (scope[at] == '/') {
      scope[at] = '~';
    }
  }
  envoy_dynamic_module_callback_http_set_header(filter, REQUEST_HEADERS, SCOPE,
                                                (struct text){scope, length});
  envoy_dynamic_module_callback_http_clear_route_cache(filter);
  return true;
}

/* A header that comes several times is what its values are with commas between them: of those that
 * are asked for here, none is right then.
 */
static struct optional optional_header(void *filter, struct text name) {
  struct optional found = {false, TEXT("")};
  size_t count = 0;
  found.is_present = envoy_dynamic_module_callback_http_get_header(filter, REQUEST_HEADERS, name,
                                                                   &found.value, 0, &count);
  if (count > 1) {
    found.value = TEXT(",");
  }
  return found;
}

/* Ends a request whose body is not plain JSON. Others end anyway: those of gRPC, which have no method
 * in a REST scope, and HEAD.
 */
static bool refuse_body(void *filter) {
  struct body_headers headers = {
      .method = header_of(filter, REQUEST_HEADERS, TEXT(":method")),
      .type = optional_header(filter, TEXT("content-type")),
      .length = optional_header(filter, TEXT("content-length")),
      .encoding = optional_header(filter, TEXT("content-encoding")),
  };
  if (starts_with(headers.type.value, TEXT("application/grpc")) ||
      equal(headers.method, TEXT("HEAD"))) {
    return false;
  }
  struct text problem = problem_of_body(&headers);
  if (problem.length == 0) {
    return false;
  }
  envoy_dynamic_module_callback_http_send_response(filter, UNSUPPORTED_MEDIA_TYPE, NULL, 0, problem,
                                                   TEXT("body_not_json"));
  return true;
}

enum next rest_request_headers(void *filter, struct stream *stream) {
  struct text service = TEXT("");
  envoy_dynamic_module_callback_http_filter_get_attribute_string(filter, ROUTE_NAME, &service);
  /* A name with a slash is that of a method: a call by gRPC whose path begins like one by REST. */
  if (service.length == 0 || memchr(service.bytes, '/', service.length) != NULL) {
    return CONTINUE;
  }
  if (equal(service, NO_METHOD)) {
    return refuse(filter);
  }
  note(filter, TEXT("method"), header_of(filter, REQUEST_HEADERS, TEXT(":method")));
  note(filter, TEXT("path"), before(header_of(filter, REQUEST_HEADERS, TEXT(":path")), '?'));
  if (!redirect(filter, service)) {
    return CONTINUE;
  }
  const struct route_configuration *arrived =
      envoy_dynamic_module_callback_get_most_specific_route_config(filter);
  stream->sizes.limit = arrived == NULL ? 0 : arrived->largest_message;
  bool any_body = arrived != NULL && arrived->any_body;
  return !any_body && refuse_body(filter) ? STOP_ITERATION : CONTINUE;
}

/* Counts the messages in what has arrived. Returns whether one is too large. */
static bool has_too_large(void *filter, struct stream *stream) {
  struct chunks chunks;
  if (!read_chunks(filter, RECEIVED_REQUEST, &chunks)) {
    return true;
  }
  bool found = false;
  for (size_t at = 0; at < chunks.count && !found; at++) {
    found = is_too_large(&stream->sizes, chunks.all[at]);
  }
  free_chunks(&chunks);
  return found;
}

/* A message that is too large goes on with a byte that no JSON has, so that the transcoder ends the
 * request.
 */
enum next rest_request_body(void *filter, struct stream *stream) {
  size_t size = envoy_dynamic_module_callback_http_get_body_size(filter, RECEIVED_REQUEST);
  if (size == 0) {
    return CONTINUE;
  }
  if (!stream->too_large && has_too_large(filter, stream)) {
    stream->too_large = true;
    envoy_dynamic_module_callback_http_set_dynamic_metadata_bool(
        filter, REST_REQUEST, TEXT("message_too_large"), true);
  }
  if (stream->too_large) {
    envoy_dynamic_module_callback_http_drain_body(filter, RECEIVED_REQUEST, size);
    envoy_dynamic_module_callback_http_append_body(filter, RECEIVED_REQUEST,
                                                   (struct text){"\0", 1});
  }
  return CONTINUE;
}
