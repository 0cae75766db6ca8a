#include "message_sizes.h"

/* Reads a byte of a string. */
static void read_string(struct message_sizes *sizes, char byte) {
  if (sizes->after_backslash) {
    sizes->after_backslash = false;
  } else if (byte == '\\') {
    sizes->after_backslash = true;
  } else if (byte == '"') {
    sizes->in_string = false;
  }
}

/* Reads a byte of structure. Returns whether it ends a message. */
static bool ends_message(struct message_sizes *sizes, char byte) {
  switch (byte) {
    case '"':
      sizes->in_string = true;
      return false;
    case '[':
    case '{':
      if (sizes->depth == 0) {
        sizes->outer = byte == '[' ? 1 : 0;
      }
      sizes->depth++;
      return false;
    case ']':
    case '}':
      sizes->depth--;
      return sizes->depth <= sizes->outer;
    default:
      return false;
  }
}

bool is_too_large(struct message_sizes *sizes, struct text bytes) {
  size_t begin = 0;
  for (size_t at = 0; at < bytes.length; at++) {
    if (sizes->in_string) {
      read_string(sizes, bytes.bytes[at]);
    } else if (ends_message(sizes, bytes.bytes[at])) {
      if (sizes->size + (at + 1 - begin) > sizes->limit) {
        return true;
      }
      sizes->size = 0;
      begin = at + 1;
    }
  }
  sizes->size += bytes.length - begin;
  return sizes->size > sizes->limit;
}
