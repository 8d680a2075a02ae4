// Spectrum of the critical-batch model's stability matrix M(B) (CB 6.1).
//
// With r = B/B_crit, F the Fisher matrix and H the Hessian,
//
//   M = [ -eta F   eta H ]
//       [   -H     -r F  ]
//
// Where F and H commute, M splits into one 2x2 block per common eigenvector, of
// the eigenvalues f and h:  -(A + C)/2 +- sqrt((A - C)^2/4 - G^2)  with A = eta f,
// C = r f, G^2 = eta h^2.
//
// That M is stable whenever F is positive definite: S^-1 M S with
// S = diag(1, eta^(-1/2)) is
//
//   [    -eta F      sqrt(eta) H ]
//   [ -sqrt(eta) H      -r F     ]
//
// with the symmetric part -diag(eta F, r F), because H is symmetric. A real part
// of an eigenvalue lies among the eigenvalues of the symmetric part (Bendixson),
// so all are at most -min(eta, r) times the least eigenvalue of F, whatever H is.
#pragma once

#include "bound.hpp"

namespace hplaws {

// Two eigenvalues, ascending by real part, then by imaginary part.
struct Spectrum {
    double re1, im1, re2, im2;
};

// x 2^e for e <= 1023, with e raised to -1000 to stay in the range of power_of_two.
HPLAWS_HD Pair scale(Pair x, double e) {
    const double s = power_of_two(e > -1000.0 ? e : -1000.0);
    return {x.hi * s, x.lo * s};
}

// y 2^e for |e| <= 3000: one factor alone would leave the range before the result does.
HPLAWS_HD double unscale(double y, double e) {
    const double third = nearest_integer(e * (1.0 / 3.0));
    return y * power_of_two(third) * power_of_two(third) * power_of_two(e - third - third);
}

// The eigenvalues of [[-eta f, eta h], [-h, -r f]]; NaN unless eta and r are positive
// and finite, f and h finite.
//
// The discriminant is formed in Pairs, good to 2^-100 of (A - C)^2: in doubles its
// square root would lose half its digits near a double eigenvalue. Of two real
// eigenvalues the one farther from zero is a sum without cancellation, the other is
// the determinant A C + G^2, another such sum, divided by it. So every part is
// within 1 ulp while the eigenvalues differ by more than 2^-22 |A - C| and eta/r is
// between 2^-900 and 2^900; closer ones are still good to 2^-49 |A - C|.
HPLAWS_HD Spectrum stability_spectrum(double eta, double f, double h, double r) {
    const bool valid = positive_finite(eta) & positive_finite(r) & is_finite(f) & is_finite(h);
    const Split se = split(eta), sf = split(f), sh = split(h), sr = split(r);
    const double significand_f = f == 0.0 ? 0.0 : sf.significand;
    const double significand_h = h == 0.0 ? 0.0 : sh.significand;

    // Everything is divided by 2^k, which brings the largest of A, C and G near 1.
    // A zero must not win: -4000 is below every exponent there is.
    const double exponent_a = f == 0.0 ? -4000.0 : se.exponent + sf.exponent;
    const double exponent_c = f == 0.0 ? -4000.0 : sr.exponent + sf.exponent;
    const double exponent_g = h == 0.0 ? -4000.0 : se.exponent + 2.0 * sh.exponent;  // of G^2
    const double larger = exponent_a > exponent_c ? exponent_a : exponent_c;
    const double k = nearest_integer(larger > 0.5 * exponent_g ? larger : 0.5 * exponent_g);

    const Pair a = scale(two_product(se.significand, significand_f), exponent_a - k);
    const Pair c = scale(two_product(sr.significand, significand_f), exponent_c - k);
    const Pair square_h = two_product(significand_h, significand_h);
    const Pair g = scale(multiply(square_h, se.significand), exponent_g - 2.0 * k);

    const Pair difference = add(a, negate(c));
    const Pair discriminant = add(multiply(difference, difference), {-4.0 * g.hi, -4.0 * g.lo});
    const bool real = discriminant.hi >= 0.0;
    const Pair positive_root = square_root(real ? discriminant : negate(discriminant));
    const bool twin = discriminant.hi == 0.0;
    const Pair root = {twin ? 0.0 : positive_root.hi, twin ? 0.0 : positive_root.lo};

    const Pair total = add(a, c);
    const Pair far = add(total, total.hi < 0.0 ? negate(root) : root);  // -2 lambda
    const Pair near = divide(add(multiply(a, c), g), far);              // -lambda/2
    const double x = unscale(-0.5 * far.hi, k);
    const double y = far.hi == 0.0 ? 0.0 : unscale(-2.0 * near.hi, k);

    // Of a complex pair: not from the scaled A + C, which may be lost beside G.
    const Pair half_sum = two_sum(0.5 * eta, 0.5 * r);
    const double re = 0.0 - std::fma(half_sum.hi, f, half_sum.lo * f);
    const double im = unscale(0.5 * root.hi, k);

    const double nan = not_a_number();
    return {valid ? (real ? (y < x ? y : x) + 0.0 : re) : nan, valid ? (real ? 0.0 : -im) : nan,
            valid ? (real ? (y < x ? x : y) + 0.0 : re) : nan, valid ? (real ? 0.0 : im) : nan};
}

}  // namespace hplaws
