#include "simulation/planted_bugs.hpp"

namespace vkhost::planted {
namespace {

thread_local Bug planted_here = Bug::None;

}  // namespace

void plant(Bug bug) noexcept { planted_here = bug; }
bool is_planted(Bug bug) noexcept { return planted_here == bug; }

}  // namespace vkhost::planted
