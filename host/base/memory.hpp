// What the process asks of the system's memory.
#pragma once

namespace vkhost {

// Few heaps for all threads: each has gaps of its own, and threads that come and go leave them behind.
// With 2,000 pods that is an eighth of what is resident. What the operator has set in
// MALLOC_ARENA_MAX, see mallopt(3), counts more. [startup]
void share_heaps();

// Gives back what the process holds and does not need at present: freed heap, and the pages of
// programs and libraries that only its start has touched. What is needed after all comes back from
// the page cache by itself, so this changes figures and not behaviour. A few milliseconds.
// [any-thread]
void release_unused_memory();

}  // namespace vkhost
