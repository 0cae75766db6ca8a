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

/* Whether a text starts with lower-case letters, which it may have in upper case. */
static inline bool starts_with_in_any_case(struct text text, struct text start) {
  if (text.length < start.length) {
    return false;
  }
  for (size_t at = 0; at < start.length; at++) {
    char byte = text.bytes[at];
    if ((byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte) != start.bytes[at]) {
      return false;
    }
  }
  return true;
}

/* Everything before the first of some byte; the whole text if it has none. */
static inline struct text before(struct text text, char end) {
  const char *at = text.length > 0 ? memchr(text.bytes, end, text.length) : NULL;
  return (struct text){text.bytes, at == NULL ? text.length : (size_t)(at - text.bytes)};
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
