// A call's threads: spawned for it, joined before it returns.
//
// No pool and no OpenMP: nothing survives a call that a fork could lose, and
// nothing competes with another runtime's workers. Units are taken from one
// counter; results never depend on who takes which (see argmin.hpp).
#pragma once

#include <cstdint>
#include <functional>

namespace hplaws {

// Called on the calling thread, about every 50 ms; false cancels the call.
using Poll = std::function<bool()>;

// Runs work(unit, worker) for every unit in [0, units), worker in [0, threads).
// Returns false if poll cancelled it. Rethrows the first exception of any worker.
bool run_units(int64_t units, int threads, const std::function<void(int64_t, int)>& work,
               const Poll& poll);

}  // namespace hplaws
