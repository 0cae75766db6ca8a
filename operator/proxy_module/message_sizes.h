/* The size of each JSON message in a stream of requests (docs/adr/0022).
 *
 * Envoy's transcoder parses a message as it arrives, and holds it until it is complete, uncounted.
 * So the bytes between the ends of messages are counted: elements of the array that a stream is, or
 * whole values where it is none.
 */
#ifndef GRPC_OPERATOR_MESSAGE_SIZES_H
#define GRPC_OPERATOR_MESSAGE_SIZES_H

#include <stdint.h>

#include "text.h"

/* What is known of the messages that have arrived so far; zero but for the limit at first. */
struct message_sizes {
  /* Largest message in bytes. */
  uint64_t limit;
  /* Bytes since the end of the last message. */
  uint64_t size;
  /* Arrays and objects that are open, and that of the stream itself among them. */
  int64_t depth;
  int64_t outer;
  bool in_string;
  bool after_backslash;
};

/* Reads the next bytes. Returns whether a message is too large; nothing is known of what follows. */
bool is_too_large(struct message_sizes *sizes, struct text bytes);

#endif
