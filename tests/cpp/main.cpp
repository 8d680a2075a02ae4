// Prints results of the headers as hexadecimal floats, one a line: the Python
// side compares them with its own, bit for bit.
#include <cstdio>

#include <hplaws/bound.hpp>
#include <hplaws/cubic.hpp>
#include <hplaws/pruned.hpp>
#include <hplaws/theorems.hpp>

double risk_from_second_unit(double eta, double alpha, double b, double T);

int main() {
    const hplaws::Coefficients c = {1.0, 2.0, 3.5, 2.0, 1.0, 0.25, 0.3};
    std::printf("%a\n", hplaws::risk(c, 1e-3, 0.1, 48.0, 1e7));
    std::printf("%a\n", risk_from_second_unit(1e-3, 0.1, 48.0, 1e7));
    std::printf("%a\n", hplaws::positive_cubic_root(3.0, 5.0, 7.0));

    const hplaws::RealRoots roots = hplaws::cubic_roots(1.0, -6.0, 11.0, -6.125);
    std::printf("%a\n%a\n%a\n", roots.r0, roots.r1, roots.r2);

    const hplaws::Coefficients proxy = {1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.5};
    const hplaws::StationaryPoint best = hplaws::theorem3(proxy, 1e12);
    std::printf("%a\n%a\n%a\n%a\n", best.eta, best.alpha, best.b, best.risk);

    const double eta[] = {1e-8, 1e-7, 1e-6, 1e-5}, alpha[] = {1e-5, 1e-4, 1e-3},
                 b[] = {1.0, 8.0, 64.0};
    hplaws::PrunedSearch search = {};
    search.bound = proxy;
    search.eta = {eta, nullptr, 4};
    search.alpha = {alpha, nullptr, 3};
    search.b = {b, nullptr, 3};
    search.row_stride = 3;
    search.budget = 1e12;
    const hplaws::Winner winner = hplaws::pruned_argmin(search);
    std::printf("%a\n%d\n%d\n", winner.risk, static_cast<int>(winner.row),
                static_cast<int>(winner.eta));
    return 0;
}
