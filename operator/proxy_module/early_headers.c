/* The hooks by which Envoy calls this module (Envoy, "Dynamic modules"; abi.h). */
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "request_headers.h"

static const struct text SCOPE = {"x-grpc-operator-scope", 21};
static const struct text MALFORMED = {"x-grpc-operator-malformed", 25};

/* Name of the listener; never changed, so that all worker threads can read it. */
struct configuration {
  size_t length;
  char listener[];
};

const char *envoy_dynamic_module_on_program_init(void) { return ENVOY_ABI_VERSION; }

const void *envoy_dynamic_module_on_early_header_mutation_config_new(
    void *envoy, struct text name, struct text config) {
  (void)envoy;
  (void)name;
  struct configuration *made = malloc(sizeof *made + config.length);
  if (made == NULL) {
    return NULL;
  }
  made->length = config.length;
  memcpy(made->listener, config.bytes, config.length);
  return made;
}

void envoy_dynamic_module_on_early_header_mutation_config_destroy(const void *configuration) {
  free((void *)configuration);
}

bool envoy_dynamic_module_on_early_header_mutation_mutate(const void *configuration,
                                                          void *request) {
  const struct configuration *given = configuration;
  struct header headers[MOST_HEADERS];
  size_t count = envoy_dynamic_module_callback_early_header_mutation_get_headers_size(request);
  if (count > MOST_HEADERS) {
    /* Without a scope, the request ends with "not found". */
    envoy_dynamic_module_callback_early_header_mutation_remove_header(request, SCOPE);
    return true;
  }
  envoy_dynamic_module_callback_early_header_mutation_get_headers(request, headers);
  struct verdict found;
  judge(headers, count, (struct text){given->listener, given->length}, &found);
  for (size_t at = 0; at < found.removed_count; at++) {
    envoy_dynamic_module_callback_early_header_mutation_remove_header(request, found.removed[at]);
  }
  struct text scope = {found.scope, found.scope_length};
  envoy_dynamic_module_callback_early_header_mutation_set_header(request, SCOPE, scope);
  if (found.problem_length > 0) {
    struct text problem = {found.problem, found.problem_length};
    envoy_dynamic_module_callback_early_header_mutation_set_header(request, MALFORMED, problem);
  }
  return true;
}
