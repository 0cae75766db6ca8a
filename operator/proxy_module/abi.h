/* The part of the ABI of Envoy's dynamic modules that this module uses.
 *
 * Own declarations of what Envoy 1.40 documents in source/extensions/dynamic_modules/abi/abi.h.
 * Versions are compatible with the next minor one.
 */
#ifndef GRPC_OPERATOR_ABI_H
#define GRPC_OPERATOR_ABI_H

#include <stdbool.h>
#include <stddef.h>

#include "request_headers.h"

#define ENVOY_ABI_VERSION "v0.2.0"

/* Functions of Envoy for new requests. */
size_t envoy_dynamic_module_callback_early_header_mutation_get_headers_size(void *request);
bool envoy_dynamic_module_callback_early_header_mutation_get_headers(void *request,
                                                                     struct header *headers);
bool envoy_dynamic_module_callback_early_header_mutation_set_header(void *request,
                                                                    struct text name,
                                                                    struct text value);
bool envoy_dynamic_module_callback_early_header_mutation_remove_header(void *request,
                                                                       struct text name);

/* Functions of Envoy for HTTP filters. */
enum header_kind { REQUEST_HEADERS, REQUEST_TRAILERS, RESPONSE_HEADERS, RESPONSE_TRAILERS };
enum body_kind { RECEIVED_REQUEST, BUFFERED_REQUEST, RECEIVED_RESPONSE, BUFFERED_RESPONSE };
enum metadata_source { DYNAMIC_METADATA, ROUTE_METADATA };
enum attribute { ROUTE_NAME = 61 };

bool envoy_dynamic_module_callback_http_get_header(void *filter, enum header_kind kind,
                                                   struct text name, struct text *value,
                                                   size_t index, size_t *count);
bool envoy_dynamic_module_callback_http_set_header(void *filter, enum header_kind kind,
                                                   struct text name, struct text value);
size_t envoy_dynamic_module_callback_http_get_body_size(void *filter, enum body_kind kind);
size_t envoy_dynamic_module_callback_http_get_body_chunks_size(void *filter, enum body_kind kind);
bool envoy_dynamic_module_callback_http_get_body_chunks(void *filter, enum body_kind kind,
                                                        struct text *chunks);
bool envoy_dynamic_module_callback_http_drain_body(void *filter, enum body_kind kind,
                                                   size_t bytes);
bool envoy_dynamic_module_callback_http_append_body(void *filter, enum body_kind kind,
                                                    struct text bytes);
bool envoy_dynamic_module_callback_http_get_metadata_string(void *filter,
                                                            enum metadata_source source,
                                                            struct text space, struct text key,
                                                            struct text *value);
bool envoy_dynamic_module_callback_http_get_metadata_bool(void *filter,
                                                          enum metadata_source source,
                                                          struct text space, struct text key,
                                                          bool *value);
void envoy_dynamic_module_callback_http_set_dynamic_metadata_string(void *filter,
                                                                    struct text space,
                                                                    struct text key,
                                                                    struct text value);
void envoy_dynamic_module_callback_http_set_dynamic_metadata_bool(void *filter, struct text space,
                                                                  struct text key, bool value);
bool envoy_dynamic_module_callback_http_filter_get_attribute_string(void *filter,
                                                                    enum attribute attribute,
                                                                    struct text *value);
bool envoy_dynamic_module_callback_http_get_cluster_name(void *filter, struct text *name);
const void *envoy_dynamic_module_callback_get_most_specific_route_config(void *filter);
void envoy_dynamic_module_callback_http_clear_route_cache(void *filter);
void envoy_dynamic_module_callback_http_send_response(void *filter, unsigned status,
                                                      struct header *headers, size_t count,
                                                      struct text body, struct text details);

/* What Envoy does next with headers or a body. */
enum next { CONTINUE, STOP_ITERATION };

#define HOOK __attribute__((visibility("default")))

/* Functions of the module, which Envoy calls. */
HOOK const char *envoy_dynamic_module_on_program_init(void);
HOOK const void *envoy_dynamic_module_on_early_header_mutation_config_new(
    void *envoy, struct text name, struct text config);
HOOK void envoy_dynamic_module_on_early_header_mutation_config_destroy(const void *configuration);
HOOK bool envoy_dynamic_module_on_early_header_mutation_mutate(const void *configuration,
                                                               void *request);

HOOK const void *envoy_dynamic_module_on_http_filter_config_new(void *envoy, struct text name,
                                                                struct text config);
HOOK void envoy_dynamic_module_on_http_filter_config_destroy(const void *configuration);
HOOK const void *envoy_dynamic_module_on_http_filter_per_route_config_new(struct text name,
                                                                          struct text config);
HOOK void envoy_dynamic_module_on_http_filter_per_route_config_destroy(const void *configuration);
HOOK const void *envoy_dynamic_module_on_http_filter_new(const void *configuration, void *filter);
HOOK void envoy_dynamic_module_on_http_filter_destroy(const void *stream);
HOOK enum next envoy_dynamic_module_on_http_filter_request_headers(void *filter,
                                                                   const void *stream, bool end);
HOOK enum next envoy_dynamic_module_on_http_filter_request_body(void *filter, const void *stream,
                                                                bool end);
HOOK enum next envoy_dynamic_module_on_http_filter_request_trailers(void *filter,
                                                                    const void *stream);
HOOK enum next envoy_dynamic_module_on_http_filter_response_headers(void *filter,
                                                                    const void *stream, bool end);
HOOK enum next envoy_dynamic_module_on_http_filter_response_body(void *filter, const void *stream,
                                                                 bool end);
HOOK enum next envoy_dynamic_module_on_http_filter_response_trailers(void *filter,
                                                                     const void *stream);
HOOK void envoy_dynamic_module_on_http_filter_stream_complete(void *filter, const void *stream);

/* Envoy loads no filter without these, but calls them only for what this module never begins. */
HOOK void envoy_dynamic_module_on_http_filter_http_callout_done(void);
HOOK void envoy_dynamic_module_on_http_filter_http_stream_headers(void);
HOOK void envoy_dynamic_module_on_http_filter_http_stream_data(void);
HOOK void envoy_dynamic_module_on_http_filter_http_stream_trailers(void);
HOOK void envoy_dynamic_module_on_http_filter_http_stream_complete(void);
HOOK void envoy_dynamic_module_on_http_filter_http_stream_reset(void);
HOOK void envoy_dynamic_module_on_http_filter_scheduled(void);
HOOK void envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(void);
HOOK void envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(void);

#endif
