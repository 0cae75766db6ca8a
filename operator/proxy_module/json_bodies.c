#include "json_bodies.h"

static const struct text COMPRESSED = {"a body must not be compressed: no content-encoding", 50};
static const struct text WRONG_TYPE = {"a body must be JSON: content-type application/json", 50};

static char lower(char byte) { return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte; }

static bool equal_in_any_case(struct text given, struct text wanted) {
  return given.length == wanted.length && starts_with_in_any_case(given, wanted);
}

static bool is_of_type_name(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
         byte == '.' || byte == '+' || byte == '_';
}

/* Whether a media type, without parameters, is application/json or application/...+json (RFC 6839). */
static bool is_json(struct text type) {
  const struct text begin = TEXT("application/"), end = TEXT("json");
  if (type.length < begin.length + end.length ||
      !starts_with_in_any_case(type, begin) ||
      !equal_in_any_case((struct text){type.bytes + type.length - end.length, end.length}, end)) {
    return false;
  }
  struct text middle = {type.bytes + begin.length, type.length - begin.length - end.length};
  for (size_t at = 0; at < middle.length; at++) {
    if (!is_of_type_name(lower(middle.bytes[at]))) {
      return false;
    }
  }
  return middle.length == 0 || (middle.length > 1 && middle.bytes[middle.length - 1] == '+');
}

static struct text without_parameters(struct text type) {
  size_t length = before(type, ';').length;
  while (length > 0 && (type.bytes[length - 1] == ' ' || type.bytes[length - 1] == '\t')) {
    length--;
  }
  return (struct text){type.bytes, length};
}

struct text problem_of_body(const struct body_headers *headers) {
  if (headers->encoding.is_present &&
      !equal_in_any_case(headers->encoding.value, TEXT("identity"))) {
    return COMPRESSED;
  }
  bool is_right =
      headers->type.is_present && is_json(without_parameters(headers->type.value));
  if (is_right) {
    return TEXT("");
  }
  if (headers->length.is_present) {
    return equal(headers->length.value, TEXT("0")) ? TEXT("") : WRONG_TYPE;
  }
  bool sends_body = equal(headers->method, TEXT("POST")) || equal(headers->method, TEXT("PUT")) ||
                    equal(headers->method, TEXT("PATCH"));
  return headers->type.is_present && sends_body ? WRONG_TYPE : TEXT("");
}
