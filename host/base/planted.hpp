// VKHOST_PLANTED(Bug): a place where the simulation (tests/simulation) plants a bug, to see that it
// finds it; it compiles the pod engine anew with a macro of its own. In the product it is the word
// `false`, and nothing is left of it.
#pragma once

#ifndef VKHOST_PLANTED
#define VKHOST_PLANTED(bug) false
#endif
