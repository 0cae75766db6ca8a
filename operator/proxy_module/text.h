/* Bytes that somebody else owns, valid during one call; not terminated by zero. */
#ifndef GRPC_OPERATOR_TEXT_H
#define GRPC_OPERATOR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Laid out as Envoy's ABI has it (abi.h). */
struct text {
  const char *bytes;
  size_t length;
};

#define TEXT(constant) ((struct text){(constant), sizeof(constant) - 1})

/* The bytes of an empty text may be nowhere, and memcmp must not get those. */
static inline bool equal(struct text one, struct text other) {
  return one.length == other.length &&
         (one.length == 0 || memcmp(one.bytes, other.bytes, one.length) == 0);
}

static inline bool starts_with(struct text text, struct text start) {
  return text.length >= start.length && equal((struct text){text.bytes, start.length}, start);
}

static inline bool ends_with(struct text text, struct text end) {
  return text.length >= end.length &&
         equal((struct text){text.bytes + text.length - end.length, end.length}, end);
}

/* Appends as much as there is room for. */
static inline void append(char *to, size_t *length, size_t most, struct text text) {
  size_t room = most - *length;
  size_t taken = text.length < room ? text.length : room;
  if (taken == 0) {
    return;
  }
  memcpy(to + *length, text.bytes, taken);
  *length += taken;
}

#endif
