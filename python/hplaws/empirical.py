"""Batch-size and learning-rate exponents reported by experiments (Table 1)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EmpiricalLaw:
    """One row of Table 1: b proportional to T**b, eta to T**eta * N**eta_model_size.

    Attributes
    ----------
    study : the table's name for it
    source : where the numbers were published
    optimizer : what they were measured with
    b, eta : powers of the token budget T, as Table 1 prints them
    b_error, eta_error : their uncertainties, None where none is reported
    eta_model_size : power of N, the number of non-embedding parameters
    note : where the source says something else than the table
    """

    study: str
    source: str
    optimizer: str
    b: float
    eta: float
    b_error: float | None = None
    eta_error: float | None = None
    eta_model_size: float = 0.0
    note: str = ""


EMPIRICAL_LAWS: tuple[EmpiricalLaw, ...] = (
    EmpiricalLaw(
        study="DeepSeek",
        source="Bi et al. 2024, DeepSeek LLM: Scaling Open-Source Language Models with "
        "Longtermism, arXiv:2401.02954",
        optimizer="AdamW",
        b=0.3271,
        eta=-0.1250,
        note="the source fits powers of the compute budget C, with model size growing, not of T",
    ),
    EmpiricalLaw(
        study="StepLaw",
        source="Li et al. 2025, Predictable Scale: Part I, Step Law, arXiv:2503.04715",
        optimizer="AdamW",
        b=0.571,
        eta=0.307,
        eta_model_size=-0.713,
    ),
    EmpiricalLaw(
        study="von Rütte et al.",
        source="von Rütte et al. 2025, Scaling Behavior of Discrete Diffusion Language Models",
        optimizer="LaProp",
        b=0.8225,
        eta=0.2806,
        note="eta follows from b: the source fits eta proportional to b**0.3412",
    ),
    EmpiricalLaw(
        study="Filatov et al.",
        source="Filatov et al. 2025, Optimal Scaling Needs Optimal Norm, arXiv:2510.03871",
        optimizer="Scion",
        b=0.45,
        eta=-0.28,
        b_error=0.07,
        eta_error=0.07,
    ),
)
