// VKHOST_FAILURE_POINT(Name): a place between two steps that others can see, where the crash tests
// (tests/crashing) end the process; they compile the rooms in question anew with macros of their own.
// In the product there is nothing of it, not even the name. VKHOST_FAILURE_POINT_IF: where `condition`
// holds.
#pragma once

#ifndef VKHOST_FAILURE_POINT
#define VKHOST_FAILURE_POINT(name) static_cast<void>(0)
#define VKHOST_FAILURE_POINT_IF(condition, name) static_cast<void>(0)
#endif
