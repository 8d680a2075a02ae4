"""The critical-batch model (CB): what its formulas say, and where its claims fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _backend, _validate
from ._fields import Fields, Result
from .bound import Coefficient

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stability(Result):
    """The spectrum of M(B), from `CriticalBatch.stability`.

    Attributes
    ----------
    eigenvalues : complex128, the batch shape plus a last axis of length 2n
    stable : whether every real part is negative (CB 6.2); bool, or an array of the
        batch shape; False where the eigenvalues are NaN
    """

    eigenvalues: NDArray[np.complex128]
    stable: Any


@dataclass(frozen=True, eq=False)
class CriticalBatch(Fields):
    """The critical-batch model (CB): power, information rate and stability against B.

    The formulas compute what CB defines. Several of its conclusions do not follow from
    them; each docstring says which.

    **Units.** Power in W, B in samples (or tokens), temperature in K. Then
    nu0*trace_fisher is the power one sample takes, W/sample (as FLOP/token/parameter/s,
    CB's unit of nu0, it would not be a power), and T0 = T_eff*B is in K*sample.
    `b_power` comes out in samples. `b_info` does not: with k_B*T0 in J*sample it is in
    sample**1.5 * s**0.5, so the smaller of the two, `b_crit`, changes with the units.
    With kW for W, P_max = 100, nu0*trace_fisher = 1, T0 = 1 (b_info = 10 < b_power = 100)
    becomes P_max = 0.1, nu0*trace_fisher = 0.001 (b_power = 100 < b_info = 316).
    `b_info` also does not follow from CB 1.2, which bounds the information rate by
    P(B)/(k_B*T_eff(B)*ln 2), proportional to B**2, and so limits no B.

    Parameters
    ----------
    P_max : power available, W
    nu0 : power per sample and unit of trace_fisher, W/sample
    trace_fisher : trace of the Fisher information matrix
    T0 : gradient-noise temperature at B = 1, K*sample. At a fixed learning rate T_eff is
        proportional to 1/B; T0 itself is proportional to the learning rate.
    k_B : Boltzmann's constant, J/K; 1 in natural units
        Each a positive finite number or an array of them; arrays broadcast, with the
        arguments of every method too.

    Raises
    ------
    ValueError : a field is not positive and finite; the message names it.

    Examples
    --------
    >>> model = CriticalBatch(P_max=100, nu0=0.5, trace_fisher=2, T0=4)
    >>> model.b_power, model.b_info, model.b_crit
    (100.0, 20.0, 20.0)
    >>> model.learning_time([10, 20, 80])
    array([1., 1., 2.])
    """

    P_max: Coefficient
    nu0: Coefficient
    trace_fisher: Coefficient
    T0: Coefficient
    k_B: Coefficient = 1.0

    @staticmethod
    def _check(name: str, value: Any) -> Any:
        return _validate.in_interval(name, value, 0.0, float(np.finfo(np.float64).max))

    # ---- critical batch sizes, CB 4 ----

    @property
    @np.errstate(all="ignore")
    def b_power(self) -> Any:
        """CB 4.1: P_max/(nu0*trace_fisher), samples; where `power` reaches P_max."""
        f = self._arrays
        return _validate.plain(f["P_max"] / (f["nu0"] * f["trace_fisher"]))

    @property
    @np.errstate(all="ignore")
    def b_info(self) -> Any:
        """CB 4.2: sqrt(P_max*T0)/(k_B*nu0*trace_fisher); not in samples, see the class."""
        f = self._arrays
        scale = f["k_B"] * (f["nu0"] * f["trace_fisher"])
        return _validate.plain(np.sqrt(f["P_max"]) * np.sqrt(f["T0"]) / scale)

    @property
    def b_crit(self) -> Any:
        """CB 4.3: min(b_power, b_info)."""
        return _validate.plain(np.minimum(self.b_power, self.b_info))

    # ---- functions of B, CB 2, 3, 5, 8 and 9 ----

    @np.errstate(all="ignore")
    def effective_temperature(self, B: ArrayLike) -> Any:
        """CB 2.2: T0/B, in K, for a batch size B > 0 (NaN elsewhere)."""
        return _validate.plain(np.asarray(self.T0) / self._batch(B))

    @np.errstate(all="ignore")
    def power(self, B: ArrayLike) -> Any:
        """CB 3.1: nu0*B*trace_fisher, in W, for a batch size B > 0 (NaN elsewhere).

        Not limited to P_max: it exceeds P_max for B > b_power.
        """
        f = self._arrays
        return _validate.plain(f["nu0"] * f["trace_fisher"] * self._batch(B))

    @np.errstate(all="ignore")
    def effective_power(self, B: ArrayLike) -> Any:
        """CB 5.1: P_max*min(1, b_crit/B), in W, for a batch size B > 0 (NaN elsewhere).

        Neither `power` nor the observed power of CB 9.1, proportional to
        min(B, b_crit): below b_crit it stays at P_max, where CB 3.1 has power fall with
        B; above, it falls with B where CB 9.1 has power stay constant.
        """
        return _validate.plain(np.asarray(self.P_max) * np.minimum(1.0, self._inverse_load(B)))

    @np.errstate(all="ignore")
    def info_rate(self, B: ArrayLike) -> Any:
        """CB 5.2: min(1, sqrt(b_crit/B)), for a batch size B > 0 (NaN elsewhere).

        In units of the greatest rate (dI/dt)_max, for which CB gives no formula; 1.2 caps
        it at P/(k_B*T*ln 2) bit/s. CB gives 5.2 for B > b_crit; below, the rate is the
        greatest, as `learning_time` has it.

        CB 8.1, dI/dt = C*sqrt(P_eff/T_eff), is another function: with CB 5.1 and 2.2 it
        rises as sqrt(B) up to b_crit and is constant above.
        """
        return _validate.plain(np.sqrt(np.minimum(1.0, self._inverse_load(B))))

    @np.errstate(all="ignore")
    def learning_time(self, B: ArrayLike, t_opt: ArrayLike = 1.0) -> Any:
        """CB 5.3: t_opt*max(1, sqrt(B/b_crit)), in the unit of t_opt.

        For a batch size B > 0 and a time t_opt > 0 (NaN elsewhere): t_opt/`info_rate`.

        CB 7.2 claims that effective_power/P_max times the learning time is at least
        t_opt for B > b_crit. It is t_opt*sqrt(b_crit/B), less than t_opt.
        """
        load, time = self._load(B), _validate.float64("t_opt", t_opt)
        _validate.broadcast_shape(**{"B/b_crit": load, "t_opt": time})
        time = np.where(_validate.positive(time), time, np.nan)
        return _validate.plain(time * np.sqrt(np.maximum(1.0, load)))

    @np.errstate(all="ignore")
    def loss_improvement(self, B: ArrayLike) -> Any:
        """CB 9.3: -log(min(1, B/b_crit)), for a batch size B > 0 (NaN elsewhere).

        In units of the constant of proportionality that CB leaves open. Zero for every
        B >= b_crit, and without limit as B falls to 0: taken at its word, the smallest
        batch improves the loss most.
        """
        return _validate.plain(np.log(np.maximum(1.0, self._inverse_load(B))))

    @np.errstate(all="ignore")
    def info_per_energy(self, B: ArrayLike) -> Any:
        """CB 8.3: 1/sqrt(P_eff*T_eff), for a batch size B > 0 (NaN elsewhere).

        In units of CB's constant C.

        CB's theorem, that b_crit maximises it, is false: the function increases
        everywhere, as sqrt(B/(P_max*T0)) up to b_crit and as
        B/sqrt(P_max*T0*b_crit) above. At b_crit its slope is not zero: it doubles there
        (CB 8.4 has a zero first and a negative second derivative). With `info_rate` for
        dI/dt instead of 8.1 the ratio to `effective_power` is constant up to b_crit and
        rises as sqrt(B) above, which has no maximum at b_crit either.
        """
        power, temperature = self.effective_power(B), self.effective_temperature(B)
        return _validate.plain(1.0 / (np.sqrt(power) * np.sqrt(temperature)))

    # ---- stability, CB 6 ----

    def stability(
        self,
        B: ArrayLike,
        eta: ArrayLike,
        fisher: ArrayLike,
        hessian: ArrayLike,
        *,
        backend: str | None = None,
    ) -> Stability:
        """The eigenvalues of M(B) (CB 6.1), with r = B/b_crit, F the Fisher matrix, H the Hessian::

            M = [ -eta*F   eta*H ]
                [   -H      -r*F ]

        **For a positive definite F, M is stable for every B, eta > 0 and every symmetric
        H**: CB's condition (6.2) limits nothing, least of all B. The similar matrix
        [[-eta*F, sqrt(eta)*H], [-sqrt(eta)*H, -r*F]] has the symmetric part
        -diag(eta*F, r*F), and so, with f_min and f_max the extreme eigenvalues of F,

            -max(eta, r)*f_max <= Re(lambda) <= -min(eta, r)*f_min < 0,
            |Im(lambda)| <= sqrt(eta)*norm(H).

        For a positive semidefinite F, Re(lambda) <= 0, and M is stable unless F
        annihilates an eigenvector of H (then +-i*sqrt(eta)*h are eigenvalues, h the
        eigenvalue of H): again whatever B and eta are.

        A sum such as (eta + r)*f, which every trace of M holds, needs eta without a unit,
        as B/b_crit is; F and H share one unit, that of the eigenvalues.

        Parameters
        ----------
        B, eta : batch size and learning rate, > 0; they and the model's fields broadcast
            to the batch shape
        fisher, hessian : of the same kind,
            numbers: one dimension, n = 1;
            1-D, length n: eigenvalues of F and H that commute, in the order of their
            common eigenvectors (a number for one of them: that multiple of the identity);
            two or more axes: symmetric matrices in the last two, n by n, the others part
            of the batch shape.
        backend : for numbers and spectra: "native" or "numba"

        Returns
        -------
        Stability, its `eigenvalues` of the batch shape plus (2n,). For numbers and
        spectra, in closed form: entries 2i and 2i + 1 belong to eigenvector i, ascending
        by real, then by imaginary part, each part within 1 ulp unless the two nearly
        coincide. For matrices, by LAPACK: all 2n ascending, with an absolute error of
        some ulp of norm(M) (more near multiple eigenvalues), which also blurs `stable`
        where F is singular. NaN where an argument is out of its domain or not finite.

        Raises
        ------
        ValueError : shapes that do not fit; a matrix that is not symmetric to 1e-8 of its
            largest entry

        Examples
        --------
        >>> model = CriticalBatch(P_max=1, nu0=1, trace_fisher=1, T0=1)
        >>> model.stability(B=1, eta=1, fisher=3, hessian=4)
        Stability(eigenvalues=array([-3.-4.j, -3.+4.j]), stable=True)
        >>> model.stability(B=4, eta=1, fisher=2, hessian=[3, 0]).eigenvalues
        array([-5.+0.j, -5.+0.j, -8.+0.j, -2.+0.j])
        """
        F = _validate.float64("fisher", fisher)
        H = _validate.float64("hessian", hessian)
        rate = _validate.float64("eta", eta)
        load = self._load(B)
        if max(F.ndim, H.ndim) <= 1:
            eigenvalues = _commuting_spectrum(load, rate, F, H, backend)
        else:
            eigenvalues = _matrix_spectrum(load, rate, F, H)
        with np.errstate(invalid="ignore"):
            stable = np.all(eigenvalues.real < 0, axis=-1)
        return Stability(eigenvalues, bool(stable) if stable.ndim == 0 else stable)

    # ---- B against b_crit ----

    def _batch(self, B: ArrayLike) -> Array:
        batch = _validate.float64("B", B)
        shape = _validate.broadcast_shape(**self._arrays, B=batch)
        return np.broadcast_to(np.where(_validate.positive(batch), batch, np.nan), shape)

    @np.errstate(all="ignore")
    def _load(self, B: ArrayLike) -> Array:
        return np.asarray(self._batch(B) / self.b_crit)

    @np.errstate(all="ignore")
    def _inverse_load(self, B: ArrayLike) -> Array:
        return np.asarray(self.b_crit / self._batch(B))


def _commuting_spectrum(
    load: Array, eta: Array, F: Array, H: Array, backend: str | None
) -> NDArray[np.complex128]:
    batch = _validate.broadcast_shape(**{"B/b_crit": load, "eta": eta})
    modes = _validate.broadcast_shape(fisher=F, hessian=H) or (1,)
    pairs = np.empty((*batch, *modes, 2), np.complex128)
    inputs = (eta[..., np.newaxis], F, H, load[..., np.newaxis])
    parts = [part for k in range(2) for part in (pairs[..., k].real, pairs[..., k].imag)]
    _backend.get(backend).elementwise("stability_spectrum", inputs, tuple(parts))
    return pairs.reshape(*batch, 2 * modes[0])


def _matrix_spectrum(load: Array, eta: Array, F: Array, H: Array) -> NDArray[np.complex128]:
    _require_symmetric("fisher", F)
    _require_symmetric("hessian", H)
    n = F.shape[-1]
    if H.shape[-1] != n:
        raise ValueError(
            f"fisher and hessian must be of one size, got shapes {F.shape} and {H.shape}"
        )
    load, eta = load[..., np.newaxis, np.newaxis], eta[..., np.newaxis, np.newaxis]
    shape = _validate.broadcast_shape(**{"B/b_crit": load, "eta": eta}, fisher=F, hessian=H)
    batch = shape[:-2]
    # The similar matrix of the docstring: LAPACK's error grows with the norm, and here
    # eta does not unbalance the two blocks of H.
    M = np.empty((*batch, 2 * n, 2 * n))
    with np.errstate(all="ignore"):
        root = np.sqrt(eta)
        M[..., :n, :n] = -eta * F
        M[..., :n, n:] = root * H
        M[..., n:, :n] = -root * H
        M[..., n:, n:] = -load * F
        M[~np.broadcast_to(_validate.positive(eta, load), (*batch, 1, 1))[..., 0, 0]] = np.nan
    valid = np.asarray(np.isfinite(M).all(axis=(-2, -1)))[..., np.newaxis]
    eigenvalues = np.linalg.eigvals(np.where(valid[..., np.newaxis], M, 0.0))
    ascending = np.sort(eigenvalues.astype(np.complex128))
    return np.where(valid, ascending, complex(np.nan, np.nan))


def _require_symmetric(name: str, matrix: Array) -> None:
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ValueError(
            f"{name} must be a matrix, square in its last two axes, like the other of fisher "
            f"and hessian; got shape {matrix.shape}"
        )
    with np.errstate(all="ignore"):
        difference = np.abs(matrix - matrix.swapaxes(-1, -2))
        asymmetry = np.asarray(difference.max(axis=(-2, -1), initial=0.0))
        bad = np.asarray(asymmetry > 1e-8 * np.abs(matrix).max(axis=(-2, -1), initial=0.0))
    if bad.any():
        first = np.unravel_index(int(np.argmax(bad)), bad.shape)
        where = f"[{', '.join(map(str, first))}]" if first else ""
        raise ValueError(
            f"{name}{where} must be symmetric, got entries that differ from their mirror image "
            f"by up to {asymmetry[first]:.3g}"
        )
