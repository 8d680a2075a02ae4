"""CriticalBatch (the critical-batch model): its formulas by hand, its spectra against
50-digit arithmetic and LAPACK, and where its conclusions fail."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from hplaws import _backend
from hplaws.critical_batch import CriticalBatch, Stability
from reference import mp, ulp_error

FIELDS = ("P_max", "nu0", "trace_fisher", "T0", "k_B")
METHODS = (
    "effective_temperature", "power", "effective_power", "info_rate", "learning_time",
    "loss_improvement", "info_per_energy",
)  # fmt: skip
# b_power = 100 and b_info = sqrt(400)/1 = 20 = b_crit
MODEL = CriticalBatch(P_max=100, nu0=0.5, trace_fisher=2, T0=4)
# b_crit = 1, so that B is B/b_crit
UNIT = CriticalBatch(P_max=1, nu0=1, trace_fisher=1, T0=1)


def log_uniform(rng, low, high, size=None):
    return 10 ** rng.uniform(low, high, size)


# ---- the formulas ------------------------------------------------------------------


def test_critical_batch_sizes_by_hand():
    assert (MODEL.b_power, MODEL.b_info, MODEL.b_crit) == (100.0, 20.0, 20.0)
    cold = dataclasses.replace(MODEL, k_B=0.125)
    assert (cold.b_power, cold.b_info, cold.b_crit) == (100.0, 160.0, 100.0)


def test_formulas_by_hand():
    B = [5.0, 20.0, 80.0]
    assert MODEL.effective_temperature(B).tolist() == [0.8, 0.2, 0.05]
    assert MODEL.power(B).tolist() == [5.0, 20.0, 80.0]
    assert MODEL.effective_power(B).tolist() == [100.0, 100.0, 25.0]
    assert MODEL.info_rate(B).tolist() == [1.0, 1.0, 0.5]
    assert MODEL.learning_time(B).tolist() == [1.0, 1.0, 2.0]
    assert MODEL.learning_time(B, t_opt=[3.0, 4.0, 5.0]).tolist() == [3.0, 4.0, 10.0]
    assert MODEL.loss_improvement(B).tolist() == [math.log(4.0), 0.0, 0.0]
    # 1/sqrt(100*0.8), 1/sqrt(100*0.2), 1/sqrt(25*0.05)
    np.testing.assert_allclose(
        MODEL.info_per_energy(B), [80**-0.5, 20**-0.5, 1.25**-0.5], rtol=1e-15
    )


def test_formulas_against_50_digits():
    rng = np.random.default_rng(0)
    fields = log_uniform(rng, -6, 6, (5, 300))
    model, B = CriticalBatch(*fields), log_uniform(rng, -8, 16, 300)
    results = [getattr(model, name)(B) for name in METHODS]
    for k, (batch, *values) in enumerate(zip(B, *fields, strict=True)):
        b, (P, nu, trace, T0, k_B) = mp.mpf(batch), map(mp.mpf, values)
        crit = min(P / (nu * trace), mp.sqrt(P * T0) / (k_B * nu * trace))
        P_eff = P * min(1, crit / b)
        exact = (
            T0 / b, nu * b * trace, P_eff, mp.sqrt(min(1, crit / b)), max(1, mp.sqrt(b / crit)),
            -mp.log(min(1, b / crit)), 1 / mp.sqrt(P_eff * T0 / b),
        )  # fmt: skip
        for result, value in zip(results, exact, strict=True):
            assert abs(result[k] - value) <= 2e-15 * max(abs(value), mp.mpf(10) ** -300)


# ---- what the model claims ---------------------------------------------------------


def test_b_crit_depends_on_the_unit_of_power():
    in_watts = CriticalBatch(P_max=100, nu0=1, trace_fisher=1, T0=1)
    in_kilowatts = CriticalBatch(P_max=0.1, nu0=0.001, trace_fisher=1, T0=1)
    assert in_watts.b_power == in_kilowatts.b_power == 100.0
    assert in_watts.b_crit == 10.0
    assert in_kilowatts.b_crit == 100.0


@pytest.mark.parametrize("model", [MODEL, dataclasses.replace(MODEL, k_B=0.125)])
def test_info_per_energy_has_no_maximum(model):
    x = np.logspace(-3, 3, 601)
    y = np.log(model.info_per_energy(model.b_crit * x))
    slope = np.diff(y) / np.diff(np.log(x))
    np.testing.assert_allclose(slope[:300], 0.5, rtol=1e-9)
    np.testing.assert_allclose(slope[300:], 1.0, rtol=1e-9)


def test_power_times_time_is_below_its_claimed_bound():
    x = np.logspace(0.01, 6, 100)
    B = MODEL.b_crit * x
    product = MODEL.effective_power(B) / MODEL.P_max * MODEL.learning_time(B)
    np.testing.assert_allclose(product, x**-0.5, rtol=1e-14)
    assert (product < 1).all()


# ---- stability: closed form --------------------------------------------------------


def exact_pair(eta, f, h, r):
    """The roots of z**2 + (eta + r) f z + eta (r f**2 + h**2), ascending by real part."""
    eta, f, h, r = (mp.mpf(float(x)) for x in (eta, f, h, r))
    with mp.workdps(2000):  # the discriminant of doubles, exactly
        root = mp.sqrt((eta - r) ** 2 * f**2 - 4 * eta * h**2)
        pair = [(-(eta + r) * f + sign * root) / 2 for sign in (-1, 1)]
    return sorted(pair, key=lambda z: (mp.re(z), mp.im(z)))


def largest_ulp_error(backend, eta, f, h, r):
    got = np.empty((f.size, 2), complex)
    for k, arguments in enumerate(zip(r, eta, f, h, strict=True)):
        got[k] = UNIT.stability(*arguments, backend=backend).eigenvalues
    worst = 0.0
    for row, point in zip(got, zip(eta, f, h, r, strict=True), strict=True):
        for z, exact in zip(row, exact_pair(*point), strict=True):
            worst = max(worst, ulp_error(z.real, mp.re(exact)), ulp_error(z.imag, mp.im(exact)))
    return worst


@pytest.mark.parametrize("decades", [1, 8, 60])
def test_pairs_within_1_ulp(backend, decades):
    rng = np.random.default_rng(decades)
    size = 150
    eta, f, h, r = log_uniform(rng, -decades, decades, (4, size))
    f *= rng.choice([1, 1, 1, -1], size)  # not a Fisher matrix's, but M has a spectrum
    h *= rng.choice([1, -1], size)
    assert largest_ulp_error(backend, eta, f, h, r) <= 1


def test_pairs_within_1_ulp_near_the_ends_of_the_range(backend):
    rng = np.random.default_rng(4)
    size = 100
    eta, r = log_uniform(rng, -130, 130, (2, size))
    scale = log_uniform(rng, -150, 150, size)
    f, h = scale, scale * log_uniform(rng, -20, 20, size)
    assert largest_ulp_error(backend, eta, f, h, r) <= 1
    # The squares leave the range of a double, the eigenvalues do not.
    huge = UNIT.stability(1.0, 1.0, 3e200, 4e200, backend=backend).eigenvalues
    assert huge.tolist() == [complex(-3e200, -4e200), complex(-3e200, 4e200)]
    tiny = UNIT.stability(4.0, 1.0, 2e-200, 0.0, backend=backend).eigenvalues
    assert tiny.tolist() == [-8e-200, -2e-200]


def test_pairs_that_nearly_coincide(backend):
    """(eta - r) f = 2 sqrt(eta) h at h = 3, eta = 1, r = 4, f = 2. One ulp beside that the
    eigenvalues differ by 1e-7, where a formula in doubles would have few right digits."""
    assert UNIT.stability(4, 1, 2, 3, backend=backend).eigenvalues.tolist() == [-5, -5]
    for h in (np.nextafter(3, 0), np.nextafter(3, 4), 3 - 1e-10, 3 + 1e-10):
        got = UNIT.stability(4, 1, 2, h, backend=backend).eigenvalues
        for z, exact in zip(got, exact_pair(1, 2, h, 4), strict=True):
            assert abs(z - complex(exact)) <= 1e-15 * 5
            assert abs(z.imag - mp.im(exact)) <= 1e-12 * abs(mp.im(exact))


def test_pairs_by_hand(backend):
    def spectrum(*arguments):
        return UNIT.stability(*arguments, backend=backend).eigenvalues.tolist()

    assert spectrum(1, 1, 3, 4) == [-3 - 4j, -3 + 4j]
    assert spectrum(1, 1, 3, -4) == [-3 - 4j, -3 + 4j]
    assert spectrum(3, 1, 2, 0) == [-6, -2]
    assert spectrum(1, 4, 0, 3) == [-6j, 6j]
    assert spectrum(1, 4, 0, 0) == [0, 0]
    assert spectrum(3, 1, -2, 0) == [2, 6]
    # lambda**2 + 10 lambda + 16 = 0
    np.testing.assert_allclose(spectrum(4, 1, 2, 0), [-8, -2])


def test_spectra_are_those_of_the_block_matrix(backend):
    rng = np.random.default_rng(5)
    n = 6
    f, h = log_uniform(rng, -1, 1, n), rng.normal(size=n)
    B, eta = log_uniform(rng, -1, 1, (3, 1)), log_uniform(rng, -1, 1, 2)
    result = MODEL.stability(B * MODEL.b_crit, eta, f, h, backend=backend)
    assert result.eigenvalues.shape == (3, 2, 2 * n)
    assert result.stable.shape == (3, 2)
    for i, j in np.ndindex(3, 2):
        M = np.block(
            [[-eta[j] * np.diag(f), eta[j] * np.diag(h)], [-np.diag(h), -B[i, 0] * np.diag(f)]]
        )
        for k in range(n):
            block = M[np.ix_([k, n + k], [k, n + k])]
            pair = result.eigenvalues[i, j, 2 * k : 2 * k + 2]
            np.testing.assert_allclose(pair, np.sort_complex(np.linalg.eigvals(block)), rtol=1e-10)


def test_a_number_beside_a_spectrum_is_a_multiple_of_the_identity(backend):
    h = [1.0, 2.0, 0.5]
    by_number = UNIT.stability(2, 0.1, 3.0, h, backend=backend).eigenvalues
    by_spectrum = UNIT.stability(2, 0.1, [3.0] * 3, h, backend=backend).eigenvalues
    assert by_number.tolist() == by_spectrum.tolist()


INSIDE = [1e-9, 0.25, 1.0, 1.5, 3.0, 1e9, 5e-324, 1e-310, 1e-160, 1e160, 1.7e308]
OUTSIDE = [0.0, -0.0, -1.0, -1e-310, np.inf, -np.inf, np.nan]
AWKWARD = np.array([*INSIDE, *OUTSIDE])


@pytest.mark.skipif(
    not {"native", "numba"} <= set(_backend.available()), reason="needs both backends"
)
def test_backends_give_the_same_bits():
    rng = np.random.default_rng(6)
    size = 20_000
    random = [
        np.concatenate([log_uniform(rng, -3, 3, size), log_uniform(rng, -300, 300, size)])
        for _ in range(4)
    ]
    random[1] *= rng.choice([1, -1], 2 * size)
    for inputs in (random, np.ix_(AWKWARD, AWKWARD, AWKWARD, AWKWARD)):
        shape = np.broadcast_shapes(*(a.shape for a in inputs))
        native, numba = (
            [np.empty(shape) for _ in range(4)] for _ in range(2)
        )  # fmt: skip
        _backend.get("native").elementwise("stability_spectrum", tuple(inputs), tuple(native))
        _backend.get("numba").elementwise("stability_spectrum", tuple(inputs), tuple(numba))
        for x, y in zip(native, numba, strict=True):
            np.testing.assert_array_equal(x.view(np.int64), y.view(np.int64))


# ---- stability: matrices -----------------------------------------------------------


def random_symmetric(rng, *shape):
    A = rng.normal(size=(*shape, shape[-1]))
    return A + A.swapaxes(-1, -2)


def random_definite(rng, *shape):
    A = rng.normal(size=(*shape, shape[-1]))
    return A @ A.swapaxes(-1, -2) + 0.1 * np.eye(shape[-1])


def as_written(B_over_crit, eta, F, H):
    """M(B) of CB 6.1, block for block."""
    return np.block([[-eta * F, eta * H], [-H, -B_over_crit * F]])


def test_matrices_against_the_matrix_as_written():
    rng = np.random.default_rng(7)
    F, H = random_definite(rng, 3, 5), random_symmetric(rng, 3, 5)
    B, eta = log_uniform(rng, -1, 1, (4, 1)), log_uniform(rng, -2, 0, 3)
    result = MODEL.stability(B * MODEL.b_crit, eta, F, H)
    assert result.eigenvalues.shape == (4, 3, 10)
    assert result.eigenvalues.dtype == np.complex128
    for i, j in np.ndindex(4, 3):
        expected = np.sort(np.linalg.eigvals(as_written(B[i, 0], eta[j], F[j], H[j])) + 0j)
        got = result.eigenvalues[i, j]
        distance = np.abs(got[:, None] - expected)
        assert distance.min(axis=0).max() < 1e-11
        assert distance.min(axis=1).max() < 1e-11
        assert got.tolist() == np.sort(got).tolist()


def test_diagonal_matrices_have_the_closed_form_spectrum(backend):
    rng = np.random.default_rng(8)
    f, h = log_uniform(rng, -1, 1, 4), rng.normal(size=4)
    spectrum = UNIT.stability(2.0, 0.3, f, h, backend=backend).eigenvalues
    matrices = UNIT.stability(2.0, 0.3, np.diag(f), np.diag(h)).eigenvalues
    np.testing.assert_allclose(np.sort(spectrum), matrices, rtol=1e-11)


@pytest.mark.parametrize("seed", range(5))
def test_a_definite_fisher_matrix_is_always_stable(seed):
    """Whatever B, eta and the Hessian, and within the bounds of the docstring."""
    rng = np.random.default_rng(seed)
    F = random_definite(rng, 6)
    H = random_symmetric(rng, 6) * log_uniform(rng, -2, 2)
    B, eta = log_uniform(rng, -4, 4, (30, 1)), log_uniform(rng, -4, 4, 30)
    result = UNIT.stability(B, eta, F, H)
    assert result.stable.all()
    f = np.linalg.eigvalsh(F)
    re, im = result.eigenvalues.real, np.abs(result.eigenvalues.imag)
    blur = 1e-12 * (np.abs(result.eigenvalues).max(axis=-1))
    assert (re.max(axis=-1) <= -np.minimum(eta, B) * f[0] + blur).all()
    assert (re.min(axis=-1) >= -np.maximum(eta, B) * f[-1] - blur).all()
    assert (im.max(axis=-1) <= np.sqrt(eta) * np.linalg.norm(H, 2) + blur).all()


def test_scalar_fisher_decides_stability_alone(backend):
    rng = np.random.default_rng(9)
    B, eta = log_uniform(rng, -8, 8, (2, 200))
    for h in (0.0, 1e-3, -1e5):
        assert UNIT.stability(B, eta, 1e-6, h, backend=backend).stable.all()
        assert not UNIT.stability(B, eta, 0.0, h, backend=backend).stable.any()
        assert not UNIT.stability(B, eta, -1e-6, h, backend=backend).stable.any()
    mixed = UNIT.stability(1.0, 1.0, [1.0, 0.0], [1.0, 1.0], backend=backend)
    assert mixed.stable is False


def test_a_singular_fisher_matrix_is_stable_unless_it_kills_an_eigenvector_of_the_hessian():
    F = np.diag([1.0, 0.0])
    coupled, uncoupled = np.array([[1.0, 0.5], [0.5, -2.0]]), np.diag([1.0, -2.0])
    for B, eta in itertools.product((0.01, 1.0, 100.0), (0.01, 1.0, 3.0)):
        assert UNIT.stability(B, eta, F, coupled).stable
        undamped = UNIT.stability(B, eta, F, uncoupled).eigenvalues
        target = 2j * math.sqrt(eta)
        assert np.abs(undamped - target).min() < 1e-14 * max(1.0, B)


# ---- manners -----------------------------------------------------------------------


def test_scalars_give_floats_and_arrays_broadcast():
    for name in METHODS:
        assert type(getattr(MODEL, name)(3)) is float
    for name in ("b_power", "b_info", "b_crit"):
        assert type(getattr(MODEL, name)) is float
    many = CriticalBatch([100.0, 1.0, 9.0], 0.5, 2, 4)
    B = np.array([[5.0], [50.0]])
    for name in METHODS:
        grid = getattr(many, name)(B)
        assert grid.shape == (2, 3)
        for i, j in np.ndindex(2, 3):
            one = dataclasses.replace(many, P_max=many.P_max[j])
            assert grid[i, j] == getattr(one, name)(B[i, 0])
        assert getattr(many, name)(np.empty((0, 1))).shape == (0, 3)


def test_shapes_of_stability(backend):
    many = CriticalBatch([100.0, 1.0, 9.0], 0.5, 2, 4)
    single = MODEL.stability(1, 1, 1, 1, backend=backend)
    assert single.eigenvalues.shape == (2,)
    assert single.eigenvalues.dtype == np.complex128
    assert single.stable is True
    assert many.stability([[1], [2]], 0.1, 1, 1, backend=backend).eigenvalues.shape == (2, 3, 2)
    assert many.stability(1, 0.1, [1, 2], 1, backend=backend).eigenvalues.shape == (3, 4)
    assert MODEL.stability([], 0.1, [1, 2], 1, backend=backend).eigenvalues.shape == (0, 4)
    assert MODEL.stability([], 0.1, np.eye(2), np.eye(2)).eigenvalues.shape == (0, 4)
    assert MODEL.stability(1, 1, [], [], backend=backend).eigenvalues.shape == (0,)
    assert many.stability(1, 0.1, np.ones((4, 1, 1, 1)), [[2.0]]).stable.shape == (4, 3)


def test_outside_the_domain_is_nan_in_that_element_alone(backend):
    bad = np.array([2.0, 0.0, -1.0, np.nan, np.inf, -np.inf, 3.0])
    inside = np.array([True, *[False] * 5, True])
    for name in METHODS:
        assert (np.isfinite(getattr(MODEL, name)(bad)) == inside).all()
    assert (np.isfinite(MODEL.learning_time(3.0, bad)) == inside).all()

    for fisher, hessian in ((1.0, 2.0), ([1.0, 2.0], [3.0, 4.0]), (np.eye(2), np.eye(2))):
        for result in (
            MODEL.stability(bad, 0.1, fisher, hessian, backend=backend),
            MODEL.stability(5.0, bad, fisher, hessian, backend=backend),
        ):
            assert (inside == np.isfinite(result.eigenvalues).T).all()
            assert (inside != np.isnan(result.eigenvalues.imag).T).all()
            assert (result.stable == inside).all()
    for value in (np.nan, np.inf):
        assert np.isnan(MODEL.stability(5, 0.1, value, 1, backend=backend).eigenvalues).all()
        spectra = MODEL.stability(5, 0.1, 1, [1, value], backend=backend).eigenvalues
        assert np.isnan(spectra).tolist() == [False, False, True, True]
        matrices = np.stack([np.eye(2), np.diag([1, value])])
        result = MODEL.stability(5, 0.1, matrices, np.eye(2))
        assert np.isnan(result.eigenvalues).tolist() == [[False] * 4, [True] * 4]
        assert result.stable.tolist() == [True, False]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_bad_fields_are_named(field, value):
    good = dict.fromkeys(FIELDS, 1.0)
    with pytest.raises(ValueError, match=rf"^{field} must be positive and finite, got {value}$"):
        CriticalBatch(**(good | {field: value}))
    with pytest.raises(ValueError, match=rf"^{field}\[1\] must be .* got {value}$"):
        CriticalBatch(**(good | {field: [1.0, value]}))


def test_bad_matrices_are_named():
    good = np.eye(2)
    lopsided = np.array([[1.0, 0.5], [0.5 + 1e-6, 1.0]])
    message = r"must be symmetric, got entries that differ .* by up to 1e-06$"
    with pytest.raises(ValueError, match=f"^fisher {message}"):
        MODEL.stability(1, 1, lopsided, good)
    with pytest.raises(ValueError, match=rf"^hessian\[1\] {message}"):
        MODEL.stability(1, 1, good, [good, lopsided])
    assert MODEL.stability(1, 1, good, [[1.0, 0.5], [0.5 + 1e-12, 1.0]]).stable
    for shape in ((2, 3), (2,), ()):
        with pytest.raises(ValueError, match=r"^hessian must be a matrix, square .* got shape"):
            MODEL.stability(1, 1, good, np.ones(shape))
    with pytest.raises(ValueError, match=r"of one size, got shapes \(2, 2\) and \(3, 3\)$"):
        MODEL.stability(1, 1, good, np.eye(3))
    with pytest.raises(ValueError, match=r"broadcast together: fisher \(2,\), hessian \(3,\)$"):
        MODEL.stability(1, 1, [1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="broadcast together"):
        MODEL.stability([1, 2, 3], [1, 2], good, good)
    with pytest.raises(TypeError, match=r"^hessian must be real numbers"):
        MODEL.stability(1, 1, 1, 1j)
    with pytest.raises(TypeError, match=r"^B must be real numbers"):
        MODEL.power("many")
    with pytest.raises(ValueError, match="broadcast together"):
        CriticalBatch([1, 2], 1, 1, 1).power([1, 2, 3])


def test_frozen_and_compared_by_value():
    assert CriticalBatch(1, [2, 3], 1, 1) == CriticalBatch(1.0, np.array([2, 3]), 1, 1, k_B=1)
    assert CriticalBatch(1, 1, 1, 1) != CriticalBatch(1, 1, 1, 2)
    assert len({UNIT, dataclasses.replace(UNIT), MODEL}) == 2
    for frozen, field in ((UNIT, "T0"), (Stability(np.empty(2, complex), True), "stable")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(frozen, field, 1.0)
