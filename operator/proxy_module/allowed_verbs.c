#include "allowed_verbs.h"

static const struct text ANY = {"*", 1};
static const struct text DEEP = {"**", 2};
static const struct text ALL_VERBS = {"DELETE, GET, OPTIONS, PATCH, POST, PUT", 38};

enum { MOST_VERBS = 32, BASE = 10 };

struct verbs {
  struct text names[MOST_VERBS];
  size_t count;
};

/* Takes everything before a byte from the front, and the byte; all if there is no such byte. */
static struct text take(struct text *from, char end) {
  struct text taken = before(*from, end);
  size_t used = taken.length + (taken.length < from->length ? 1 : 0);
  *from = (struct text){from->bytes + used, from->length - used};
  return taken;
}

/* Takes the last segment with the slash before it; the path begins with one. */
static struct text take_last(struct text *path) {
  size_t begin = path->length;
  while (begin > 0 && path->bytes[begin - 1] != '/') {
    begin--;
  }
  struct text taken = {path->bytes + begin, path->length - begin};
  path->length = begin > 0 ? begin - 1 : 0;
  return taken;
}

/* Takes the first segment with the slash before it. */
static struct text take_first(struct text *path) {
  *path = (struct text){path->bytes + 1, path->length - 1};
  size_t end = 0;
  while (end < path->length && path->bytes[end] != '/') {
    end++;
  }
  struct text taken = {path->bytes, end};
  *path = (struct text){path->bytes + end, path->length - end};
  return taken;
}

static bool is_segment(struct text given, struct text wanted) {
  return equal(wanted, ANY) ? given.length > 0 : equal(given, wanted);
}

static bool ends_like(struct text path, struct text pattern) {
  while (pattern.length > 0) {
    if (path.length == 0 || !is_segment(take_last(&path), take_last(&pattern))) {
      return false;
    }
  }
  return true;
}

static bool matches(struct text path, struct text pattern) {
  while (pattern.length > 0) {
    struct text wanted = take_first(&pattern);
    if (equal(wanted, DEEP)) {
      return ends_like(path, pattern);
    }
    if (path.length == 0 || !is_segment(take_first(&path), wanted)) {
      return false;
    }
  }
  return path.length == 0;
}

static bool is_before(struct text one, struct text other) {
  size_t shorter = one.length < other.length ? one.length : other.length;
  int order = memcmp(one.bytes, other.bytes, shorter);
  return order < 0 || (order == 0 && one.length < other.length);
}

/* Keeps the names sorted, each once. */
static void add(struct verbs *found, struct text name) {
  size_t at = found->count;
  for (size_t each = 0; each < found->count; each++) {
    if (equal(found->names[each], name)) {
      return;
    }
  }
  if (found->count == MOST_VERBS) {
    return;
  }
  for (; at > 0 && is_before(name, found->names[at - 1]); at--) {
    found->names[at] = found->names[at - 1];
  }
  found->names[at] = name;
  found->count++;
}

static void add_matching(struct verbs *found, struct text lines, struct text custom,
                         struct text path) {
  while (lines.length > 0) {
    struct text pattern = take(&lines, '\n');
    struct text verb = take(&pattern, ' ');
    if (equal(take(&pattern, ' '), custom) && matches(path, pattern)) {
      add(found, verb);
    }
  }
}

static bool is_listed(struct text word, struct text list) {
  while (list.length > 0) {
    if (equal(take(&list, ' '), word)) {
      return true;
    }
  }
  return false;
}

/* Takes the custom verb with its colon from the end of a path, if it is a known one. */
static struct text take_custom(const struct paths *known, struct text *path) {
  for (size_t at = path->length; at > 0 && path->bytes[at - 1] != '/'; at--) {
    if (path->bytes[at - 1] != ':') {
      continue;
    }
    struct text verb = {path->bytes + at, path->length - at};
    if (verb.length == 0 || !is_listed(verb, known->custom_verbs)) {
      break;
    }
    path->length = at - 1;
    return (struct text){verb.bytes - 1, verb.length + 1};
  }
  return TEXT(":");
}

static size_t segments(struct text path) {
  size_t count = 0;
  for (size_t at = 0; at < path.length; at++) {
    count += path.bytes[at] == '/';
  }
  return count;
}

bool read_paths(struct text configuration, struct paths *found) {
  memset(found, 0, sizeof *found);
  found->custom_verbs = take(&configuration, '\n');
  struct text *group = NULL;
  while (configuration.length > 0) {
    struct text line = take(&configuration, '\n');
    if (memchr(line.bytes, ' ', line.length) != NULL) {
      if (group == NULL) {
        return false;
      }
      group->length = (size_t)(configuration.bytes - group->bytes);
      continue;
    }
    size_t number = 0;
    for (size_t at = 0; at < line.length && number <= MOST_SEGMENTS; at++) {
      if (line.bytes[at] < '0' || line.bytes[at] > '9') {
        return false;
      }
      number = number * BASE + (size_t)(line.bytes[at] - '0');
    }
    if (line.length == 0 || number > MOST_SEGMENTS) {
      return false;
    }
    group = &found->lines[number];
    *group = (struct text){configuration.bytes, 0};
  }
  return true;
}

size_t allowed_verbs(const struct paths *known, struct text own, struct text path, char *found) {
  path = before(path, '?');
  while (path.length > 0 && path.bytes[path.length - 1] == '/') {
    path.length--;
  }
  if (path.length == 0 || path.bytes[0] != '/') {
    return 0;
  }
  struct text custom = take_custom(known, &path);
  size_t group = segments(path);
  struct verbs verbs = {.count = 0};
  if (group > 0 && group <= MOST_SEGMENTS) {
    add_matching(&verbs, known->lines[group], custom, path);
  }
  add_matching(&verbs, known->lines[0], custom, path);
  size_t length = 0;
  for (size_t at = 0; at < verbs.count; at++) {
    if (equal(verbs.names[at], ANY)) {
      length = 0;
      append(found, &length, LONGEST_VERBS, equal(own, TEXT("HEAD")) ? ALL_VERBS : TEXT(""));
      return length;
    }
    if (equal(verbs.names[at], own)) {
      return 0;
    }
  }
  for (size_t at = 0; at < verbs.count; at++) {
    struct text separator = at > 0 ? TEXT(", ") : TEXT("");
    if (length + separator.length + verbs.names[at].length > LONGEST_VERBS) {
      break;
    }
    append(found, &length, LONGEST_VERBS, separator);
    append(found, &length, LONGEST_VERBS, verbs.names[at]);
  }
  return length;
}
