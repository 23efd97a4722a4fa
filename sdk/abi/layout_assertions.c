/* The ABI as it was agreed, line by line: a struct, member, type or constant that moved or changed
 * stops the build here. The list is sdk/abi/layout.inc. */
#include <vkhost/provider.h>

#include <stddef.h>
#include <stdint.h>

#define CONSTANT(name, value) \
  _Static_assert((uint64_t)(name) == (uint64_t)(value), #name " changed its value");
#define TEXT(name, value) _Static_assert(sizeof(name) == sizeof(value), #name " changed its text");
#define STRUCT(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " changed its size");
#define MEMBER(type, member, offset, bytes, ...)                                           \
  _Static_assert(offsetof(type, member) == (offset), #type "." #member " moved");          \
  _Static_assert(sizeof(((type*)0)->member) == (bytes), #type "." #member " has resized"); \
  _Static_assert(_Generic(((type*)0)->member, __VA_ARGS__: 1, default: 0),                 \
                 #type "." #member " changed its type");

#include "layout.inc"

/* A file must declare something. */
extern const int vkhost_layout_is_asserted;
const int vkhost_layout_is_asserted = 1;
