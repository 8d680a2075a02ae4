#include "parallel.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace hplaws {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPollInterval = std::chrono::milliseconds(50);

}  // namespace

bool run_units(int64_t units, int threads, const std::function<void(int64_t, int)>& work,
               const Poll& poll) {
    std::atomic<int64_t> next{0};
    std::atomic<bool> stop{false};
    std::mutex mutex;
    std::condition_variable finished;
    std::exception_ptr error;
    int running = 0;
    bool cancelled = false;

    // No exception may pass the threads that still run: it would end the process.
    const auto keep_exception = [&] {
        const std::lock_guard<std::mutex> lock(mutex);
        if (!error) error = std::current_exception();
        stop = true;
    };
    auto next_poll = Clock::now() + kPollInterval;
    const auto poll_if_due = [&] {
        if (!poll || stop || Clock::now() < next_poll) return;
        try {
            if (!poll()) cancelled = stop = true;
        } catch (...) {
            keep_exception();
        }
        next_poll = Clock::now() + kPollInterval;
    };
    const auto drain = [&](int worker) {
        try {
            while (!stop.load(std::memory_order_relaxed)) {
                const int64_t unit = next.fetch_add(1, std::memory_order_relaxed);
                if (unit >= units) break;
                work(unit, worker);
                if (worker == 0) poll_if_due();
            }
        } catch (...) {
            keep_exception();
        }
    };

    std::vector<std::thread> helpers;
    helpers.reserve(static_cast<size_t>(std::max(threads, 1)));  // emplace_back shall not throw
    for (int worker = 1; worker < threads && worker < units; ++worker) {
        {
            const std::lock_guard<std::mutex> lock(mutex);
            ++running;
        }
        try {
            helpers.emplace_back([&, worker] {
                drain(worker);
                const std::lock_guard<std::mutex> lock(mutex);
                --running;
                finished.notify_one();
            });
        } catch (const std::system_error&) {
            // The system grants no more threads; those that run do all the work.
            const std::lock_guard<std::mutex> lock(mutex);
            --running;
            break;
        }
    }
    drain(0);
    {
        std::unique_lock<std::mutex> lock(mutex);
        while (running > 0) {
            finished.wait_for(lock, kPollInterval);
            lock.unlock();
            poll_if_due();
            lock.lock();
        }
    }
    for (std::thread& helper : helpers) helper.join();
    if (error) std::rethrow_exception(error);
    return !cancelled;
}

}  // namespace hplaws
