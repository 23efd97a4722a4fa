// Gives back to the system what the process holds and does not need at present: freed heap, and the
// pages of programs and libraries that only its start has touched. What is needed after all comes
// back from the page cache by itself, so this changes figures and not behaviour. A few milliseconds.
// [any-thread]
#pragma once

namespace vkhost {

void release_unused_memory();

}  // namespace vkhost
