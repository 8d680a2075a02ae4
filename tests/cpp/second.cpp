#include <hplaws/bound.hpp>

double risk_from_second_unit(double eta, double alpha, double b, double T) {
    const hplaws::Coefficients c = {1.0, 2.0, 3.5, 2.0, 1.0, 0.25, 0.3};
    return hplaws::risk(c, eta, alpha, b, T);
}
