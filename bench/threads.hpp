// Plain threads for one call: what hplaws uses too.
#pragma once

#include <thread>
#include <vector>

// work(t) for t in [0, threads), work(0) on the caller's thread.
template <class Work>
void on_threads(int threads, Work work) {
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t) others.emplace_back(work, t);
    work(0);
    for (std::thread& other : others) other.join();
}
