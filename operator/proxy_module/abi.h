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

/* Functions of Envoy. */
size_t envoy_dynamic_module_callback_early_header_mutation_get_headers_size(void *request);
bool envoy_dynamic_module_callback_early_header_mutation_get_headers(void *request,
                                                                     struct header *headers);
bool envoy_dynamic_module_callback_early_header_mutation_set_header(void *request,
                                                                    struct text name,
                                                                    struct text value);
bool envoy_dynamic_module_callback_early_header_mutation_remove_header(void *request,
                                                                       struct text name);

#define HOOK __attribute__((visibility("default")))

/* Functions of the module, which Envoy calls. */
HOOK const char *envoy_dynamic_module_on_program_init(void);
HOOK const void *envoy_dynamic_module_on_early_header_mutation_config_new(
    void *envoy, struct text name, struct text config);
HOOK void envoy_dynamic_module_on_early_header_mutation_config_destroy(const void *configuration);
HOOK bool envoy_dynamic_module_on_early_header_mutation_mutate(const void *configuration,
                                                               void *request);

#endif
