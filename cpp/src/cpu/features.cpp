#include "features.hpp"

#include <atomic>
#include <stdexcept>

#if defined(HPLAWS_X86) && defined(_MSC_VER)
#include <intrin.h>
#elif defined(HPLAWS_X86)
#include <cpuid.h>
#endif

namespace hplaws {
namespace {

struct X86Features {
    bool avx2_fma = false, avx512f = false;
};

#if defined(HPLAWS_X86)

struct Registers {
    unsigned eax, ebx, ecx, edx;
};

Registers cpuid(unsigned leaf, unsigned subleaf) {
#if defined(_MSC_VER)
    int r[4];
    __cpuidex(r, static_cast<int>(leaf), static_cast<int>(subleaf));
    return {unsigned(r[0]), unsigned(r[1]), unsigned(r[2]), unsigned(r[3])};
#else
    Registers r{};
    __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
    return r;
#endif
}

// The register states the operating system saves (XCR0): a CPU with AVX under
// an OS that does not save ymm would corrupt them at the first context switch.
unsigned long long saved_states() {
#if defined(_MSC_VER)
    return _xgetbv(0);
#else
    unsigned lo, hi;
    __asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (static_cast<unsigned long long>(hi) << 32) | lo;
#endif
}

X86Features detect() {
    X86Features found;
    if (cpuid(0, 0).eax < 7) return found;
    const Registers one = cpuid(1, 0), seven = cpuid(7, 0);
    const bool osxsave = one.ecx >> 27 & 1;
    if (!osxsave) return found;
    const unsigned long long states = saved_states();
    const bool ymm = (states & 0x6) == 0x6, zmm = (states & 0xe6) == 0xe6;
    const bool fma = one.ecx >> 12 & 1, avx2 = seven.ebx >> 5 & 1, avx512f = seven.ebx >> 16 & 1;
    found.avx2_fma = ymm && fma && avx2;
    found.avx512f = found.avx2_fma && zmm && avx512f;
    return found;
}

#else

X86Features detect() { return {}; }

#endif

struct Candidate {
    const Kernels* kernels;
    bool runs;
};

const std::vector<Candidate>& candidates() {
    static const std::vector<Candidate> list = [] {
        [[maybe_unused]] const X86Features cpu = detect();
        std::vector<Candidate> built{{&baseline::kernels, true}};
#if defined(HPLAWS_HAVE_AVX2)
        built.push_back({&avx2::kernels, cpu.avx2_fma});
#endif
#if defined(HPLAWS_HAVE_AVX512)
        built.push_back({&avx512::kernels, cpu.avx512f});
#endif
        return built;
    }();
    return list;
}

const Kernels* widest() {
    const Kernels* best = nullptr;
    for (const Candidate& c : candidates()) best = c.runs ? c.kernels : best;
    return best;
}

std::atomic<const Kernels*>& active() {
    static std::atomic<const Kernels*> kernels{widest()};
    return kernels;
}

}  // namespace

std::vector<std::string> built_isas() {
    std::vector<std::string> names;
    for (const Candidate& c : candidates()) names.push_back(c.kernels->name);
    return names;
}

std::vector<std::string> supported_isas() {
    std::vector<std::string> names;
    for (const Candidate& c : candidates())
        if (c.runs) names.push_back(c.kernels->name);
    return names;
}

const Kernels& active_kernels() { return *active(); }

void select_isa(const std::string& name) {
    for (const Candidate& c : candidates()) {
        if (name == c.kernels->name && c.runs) {
            active() = c.kernels;
            return;
        }
    }
    throw std::invalid_argument("instruction set '" + name + "' is not available here");
}

}  // namespace hplaws
