/* The parts of the HTTP filter; each gets Envoy's filter, and what is known of the stream. */
#ifndef GRPC_OPERATOR_HTTP_FILTER_H
#define GRPC_OPERATOR_HTTP_FILTER_H

#include "abi.h"
#include "allowed_verbs.h"
#include "message_sizes.h"

enum kind { GRPC_WEB_REQUESTS, REST_REQUESTS, RESPONSES };

/* Configuration of a filter; never changed, so that all worker threads can read it. */
struct configuration {
  enum kind kind;
  /* What a response with 404 says; it is replaced if the path has verbs. */
  struct text nothing_here;
  char bytes[];
};

/* Configuration of a filter on a route or virtual host. */
struct route_configuration {
  /* Largest message of a stream of requests by REST in bytes; 0 if they are not limited. */
  uint64_t largest_message;
  /* A body need not be JSON. */
  bool any_body;
  struct paths paths;
  char bytes[];
};

/* What is known of one stream. */
struct stream {
  const struct configuration *configuration;
  struct message_sizes sizes;
  /* A message is too large, so that the rest of the request is replaced. */
  bool too_large;
  /* The first byte of the response says whether it is compressed. */
  bool may_be_compressed;
  bool is_compressed;
  bool has_noted_status;
  size_t verbs_length;
  /* Verbs of the path of a response with 404, LONGEST_VERBS bytes; NULL otherwise. */
  char *verbs;
};

/* Dynamic metadata. */
#define REST_REQUEST TEXT("grpc_operator.rest_request")
#define RESPONSE TEXT("grpc_operator.response")
#define ACCEPTS TEXT("accepts")

/* A body as it lies in memory. */
struct chunks {
  struct text few[16];
  struct text *all;
  size_t count;
};

/* Reads a body; free_chunks releases it. Returns whether there is memory for the list. */
bool read_chunks(void *filter, enum body_kind kind, struct chunks *found);
void free_chunks(struct chunks *chunks);

struct text header_of(void *filter, enum header_kind kind, struct text name);

enum next rest_request_headers(void *filter, struct stream *stream);
enum next rest_request_body(void *filter, struct stream *stream);
enum next grpc_web_request_headers(void *filter);
enum next response_headers(void *filter, struct stream *stream, bool end);
enum next response_body(void *filter, struct stream *stream, bool end);
enum next response_trailers(void *filter, struct stream *stream);

#endif
