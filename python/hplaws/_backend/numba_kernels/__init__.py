"""The core's formulas and loops for Numba: the second copy, operation by operation.

Each module repeats one file of cpp, in its order and under its names: exact.py is
exact.hpp, and so on; loops.py is kernels.cpp. What is computed, and why, stands there.
tests/test_parity.py holds the two together, bit for bit. Bits are int64 here, where C++
has uint64_t: Numba turns a mixture of int64 and uint64 into float64.
"""
