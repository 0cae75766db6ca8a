/* The hooks by which Envoy calls this module as an HTTP filter (Envoy, "Dynamic modules"; abi.h). */
#include "http_filter.h"

#include <stdlib.h>

static const struct text NAMES[] = {
    {"grpc_web_requests", 17},
    {"rest_requests", 13},
    {"responses", 9},
};

enum { BASE = 10, MOST_DIGITS = 18 };

struct text header_of(void *filter, enum header_kind kind, struct text name) {
  struct text value = TEXT("");
  envoy_dynamic_module_callback_http_get_header(filter, kind, name, &value, 0, NULL);
  return value;
}

bool read_chunks(void *filter, enum body_kind kind, struct chunks *found) {
  found->count = envoy_dynamic_module_callback_http_get_body_chunks_size(filter, kind);
  bool are_few = found->count <= sizeof found->few / sizeof *found->few;
  found->all = are_few ? found->few : calloc(found->count, sizeof *found->all);
  if (found->all == NULL) {
    return false;
  }
  if (found->count > 0 &&
      !envoy_dynamic_module_callback_http_get_body_chunks(filter, kind, found->all)) {
    found->count = 0;
  }
  return true;
}

void free_chunks(struct chunks *chunks) {
  if (chunks->all != chunks->few) {
    free(chunks->all);
  }
}

const void *envoy_dynamic_module_on_http_filter_config_new(void *envoy, struct text name,
                                                           struct text config) {
  (void)envoy;
  for (size_t at = 0; at < sizeof NAMES / sizeof *NAMES; at++) {
    if (!equal(name, NAMES[at])) {
      continue;
    }
    struct configuration *made = malloc(sizeof *made + config.length);
    if (made == NULL) {
      return NULL;
    }
    size_t length = 0;
    append(made->bytes, &length, config.length, config);
    made->kind = (enum kind)at;
    made->nothing_here = (struct text){made->bytes, length};
    return made;
  }
  return NULL;
}

void envoy_dynamic_module_on_http_filter_config_destroy(const void *configuration) {
  free((void *)configuration);
}

static bool read_number(struct text digits, uint64_t *number) {
  *number = 0;
  for (size_t at = 0; at < digits.length; at++) {
    if (digits.bytes[at] < '0' || digits.bytes[at] > '9') {
      return false;
    }
    *number = *number * BASE + (uint64_t)(digits.bytes[at] - '0');
  }
  return digits.length > 0 && digits.length <= MOST_DIGITS;
}

static bool read_route(struct text name, struct text config, struct route_configuration *made) {
  if (equal(name, TEXT("largest_message"))) {
    return read_number(config, &made->largest_message);
  }
  made->any_body = equal(name, TEXT("any_body"));
  return made->any_body || (equal(name, TEXT("paths")) && read_paths(config, &made->paths));
}

const void *envoy_dynamic_module_on_http_filter_per_route_config_new(struct text name,
                                                                     struct text config) {
  struct route_configuration *made = calloc(1, sizeof *made + config.length);
  if (made == NULL) {
    return NULL;
  }
  size_t length = 0;
  append(made->bytes, &length, config.length, config);
  struct text copy = {made->bytes, length};
  if (!read_route(name, copy, made)) {
    free(made);
    return NULL;
  }
  return made;
}

void envoy_dynamic_module_on_http_filter_per_route_config_destroy(const void *configuration) {
  free((void *)configuration);
}

const void *envoy_dynamic_module_on_http_filter_new(const void *configuration, void *filter) {
  (void)filter;
  struct stream *made = calloc(1, sizeof *made);
  if (made != NULL) {
    made->configuration = configuration;
  }
  return made;
}

void envoy_dynamic_module_on_http_filter_destroy(const void *stream) {
  struct stream *ended = (struct stream *)stream;
  free(ended->verbs);
  free(ended);
}

enum next envoy_dynamic_module_on_http_filter_request_headers(void *filter, const void *stream,
                                                              bool end) {
  (void)end;
  struct stream *known = (struct stream *)stream;
  switch (known->configuration->kind) {
    case GRPC_WEB_REQUESTS:
      return grpc_web_request_headers(filter);
    case REST_REQUESTS:
      return rest_request_headers(filter, known);
    default:
      return CONTINUE;
  }
}

enum next envoy_dynamic_module_on_http_filter_request_body(void *filter, const void *stream,
                                                           bool end) {
  (void)end;
  struct stream *known = (struct stream *)stream;
  return known->sizes.limit > 0 ? rest_request_body(filter, known) : CONTINUE;
}

enum next envoy_dynamic_module_on_http_filter_request_trailers(void *filter, const void *stream) {
  (void)filter;
  (void)stream;
  return CONTINUE;
}

enum next envoy_dynamic_module_on_http_filter_response_headers(void *filter, const void *stream,
                                                               bool end) {
  struct stream *known = (struct stream *)stream;
  bool is_ours = known->configuration->kind == RESPONSES;
  return is_ours ? response_headers(filter, known, end) : CONTINUE;
}

enum next envoy_dynamic_module_on_http_filter_response_body(void *filter, const void *stream,
                                                            bool end) {
  return response_body(filter, (struct stream *)stream, end);
}

enum next envoy_dynamic_module_on_http_filter_response_trailers(void *filter, const void *stream) {
  struct stream *known = (struct stream *)stream;
  bool is_ours = known->configuration->kind == RESPONSES;
  return is_ours ? response_trailers(filter, known) : CONTINUE;
}

void envoy_dynamic_module_on_http_filter_stream_complete(void *filter, const void *stream) {
  (void)filter;
  (void)stream;
}

void envoy_dynamic_module_on_http_filter_http_callout_done(void) {}
void envoy_dynamic_module_on_http_filter_http_stream_headers(void) {}
void envoy_dynamic_module_on_http_filter_http_stream_data(void) {}
void envoy_dynamic_module_on_http_filter_http_stream_trailers(void) {}
void envoy_dynamic_module_on_http_filter_http_stream_complete(void) {}
void envoy_dynamic_module_on_http_filter_http_stream_reset(void) {}
void envoy_dynamic_module_on_http_filter_scheduled(void) {}
void envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(void) {}
void envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(void) {}
