// Schedule: one run from one seed. First everybody acts in any order: users, watch, engine, back end,
// troubles; then nothing goes wrong any more, and the cluster has to come to rest as it should, within
// bounded time; then all pods are deleted, and nothing may be left.
#pragma once

#include "simulation/world.hpp"

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>

namespace vkhost::simulation {

// What was violated, or empty. Writes what happens to `trace` if there is one.
[[nodiscard]] std::string run_schedule(std::uint64_t seed, std::ostream* trace);

// One thing that happens, whatever it is.
void take_step(World& world);

// Everything works from now on: what is due is done until nothing moves and all agree.
void come_to_rest(World& world);
// Then users delete everything.
void leave_nothing(World& world);

}  // namespace vkhost::simulation
