// The element-wise functions, each with its columns: in[i][k] -> out[j][k].
//
// A Target holds the output columns by name, so that a loop over k knows their
// addresses before it starts. Everything here has internal linkage, like HPLAWS_HD:
// each instruction set compiles its own copy.
#pragma once

#include <hplaws/bound.hpp>
#include <hplaws/critical_batch.hpp>
#include <hplaws/cubic.hpp>
#include <hplaws/optimum.hpp>
#include <hplaws/theorems.hpp>

namespace hplaws {
namespace {

struct OneValue {
    double* x;

    HPLAWS_INLINE explicit OneValue(double* const* out) : x(out[0]) {}
    HPLAWS_INLINE void put(int64_t k, double value) const { x[k] = value; }
};

// ---- Functions of numbers: at(in, k) ---------------------------------------------

struct PositiveCubicRoot {
    static constexpr int kInputs = 3, kOutputs = 1;
    static constexpr bool kOfBound = false;
    using Target = OneValue;
    HPLAWS_HD double at(const double* const* in, int64_t k) {
        return positive_cubic_root(in[0][k], in[1][k], in[2][k]);
    }
};

struct Roots {
    double *r0, *r1, *r2;

    HPLAWS_INLINE explicit Roots(double* const* out) : r0(out[0]), r1(out[1]), r2(out[2]) {}
    HPLAWS_INLINE void put(int64_t k, const RealRoots& x) const {
        r0[k] = x.r0;
        r1[k] = x.r1;
        r2[k] = x.r2;
    }
};

struct CubicRoots {
    static constexpr int kInputs = 4, kOutputs = 3;
    static constexpr bool kOfBound = false;
    using Target = Roots;
    HPLAWS_HD RealRoots at(const double* const* in, int64_t k) {
        return cubic_roots(in[0][k], in[1][k], in[2][k], in[3][k]);
    }
};

struct Eigenvalues {
    double *re1, *im1, *re2, *im2;

    HPLAWS_INLINE explicit Eigenvalues(double* const* out)
        : re1(out[0]), im1(out[1]), re2(out[2]), im2(out[3]) {}
    HPLAWS_INLINE void put(int64_t k, const Spectrum& x) const {
        re1[k] = x.re1;
        im1[k] = x.im1;
        re2[k] = x.re2;
        im2[k] = x.im2;
    }
};

struct StabilitySpectrum {
    static constexpr int kInputs = 4, kOutputs = 4;
    static constexpr bool kOfBound = false;
    using Target = Eigenvalues;
    HPLAWS_HD Spectrum at(const double* const* in, int64_t k) {
        return stability_spectrum(in[0][k], in[1][k], in[2][k], in[3][k]);
    }
};

// ---- Functions of a bound, whose coefficients are columns 0 to 6: at(c, in, k) ------

HPLAWS_HD Coefficients coefficients(const double* const* in, int64_t k) {
    return {in[0][k], in[1][k], in[2][k], in[3][k], in[4][k], in[5][k], in[6][k]};
}

struct Points {
    double *eta, *alpha, *b, *K, *T, *risk;

    HPLAWS_INLINE explicit Points(double* const* out)
        : eta(out[0]), alpha(out[1]), b(out[2]), K(out[3]), T(out[4]), risk(out[5]) {}
    HPLAWS_INLINE void put(int64_t k, const StationaryPoint& p) const {
        eta[k] = p.eta;
        alpha[k] = p.alpha;
        b[k] = p.b;
        K[k] = p.K;
        T[k] = p.T;
        risk[k] = p.risk;
    }
};

struct Risk {
    static constexpr int kInputs = 11, kOutputs = 1;
    static constexpr bool kOfBound = true;
    using Target = OneValue;
    HPLAWS_HD double at(const Coefficients& c, const double* const* in, int64_t k) {
        return risk(c, in[7][k], in[8][k], in[9][k], in[10][k]);
    }
};

struct Theorem1Tokens {
    static constexpr int kInputs = 9, kOutputs = 6;
    static constexpr bool kOfBound = true;
    using Target = Points;
    HPLAWS_HD StationaryPoint at(const Coefficients& c, const double* const* in, int64_t k) {
        return theorem1(c, in[7][k], in[8][k]);
    }
};

struct Theorem1Steps {
    static constexpr int kInputs = 10, kOutputs = 6;
    static constexpr bool kOfBound = true;
    using Target = Points;
    HPLAWS_HD StationaryPoint at(const Coefficients& c, const double* const* in, int64_t k) {
        return theorem1_steps(c, in[7][k], in[8][k], in[9][k]);
    }
};

struct Theorem2 {
    static constexpr int kInputs = 9, kOutputs = 6;
    static constexpr bool kOfBound = true;
    using Target = Points;
    HPLAWS_HD StationaryPoint at(const Coefficients& c, const double* const* in, int64_t k) {
        return theorem2(c, in[7][k], in[8][k]);
    }
};

struct Theorem3 {
    static constexpr int kInputs = 8, kOutputs = 6;
    static constexpr bool kOfBound = true;
    using Target = Points;
    HPLAWS_HD StationaryPoint at(const Coefficients& c, const double* const* in, int64_t k) {
        return theorem3(c, in[7][k]);
    }
};

struct Theorem3Asymptotic {
    static constexpr int kInputs = 9, kOutputs = 6;
    static constexpr bool kOfBound = true;
    using Target = Points;
    HPLAWS_HD StationaryPoint at(const Coefficients& c, const double* const* in, int64_t k) {
        return theorem3_asymptotic(c, in[7][k], in[8][k]);
    }
};

struct BoxedPoints : Points {
    double *eta_limit, *alpha_limit, *b_limit;

    HPLAWS_INLINE explicit BoxedPoints(double* const* out)
        : Points(out), eta_limit(out[6]), alpha_limit(out[7]), b_limit(out[8]) {}
    HPLAWS_INLINE void put(int64_t k, const BoxedOptimum& o) const {
        Points::put(k, {o.eta, o.alpha, o.b, o.K, o.T, o.risk});
        eta_limit[k] = o.eta_limit;
        alpha_limit[k] = o.alpha_limit;
        b_limit[k] = o.b_limit;
    }
};

struct Optimum {
    static constexpr int kInputs = 15, kOutputs = 9;
    static constexpr bool kOfBound = true;
    using Target = BoxedPoints;
    HPLAWS_HD BoxedOptimum at(const Coefficients& c, const double* const* in, int64_t k) {
        const Box box = {{in[8][k], in[9][k]}, {in[10][k], in[11][k]}, {in[12][k], in[13][k]}};
        return boxed_optimum(c, box, in[7][k], in[14][k]);
    }
};

}  // namespace
}  // namespace hplaws
