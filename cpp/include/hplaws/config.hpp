// The one file that asks which compiler this is.
//
// HPLAWS_HD marks every formula: callable from host and device, and of internal
// linkage, so that copies compiled for different instruction sets can never be
// merged by the linker into one. HPLAWS_INLINE is the same for members of classes
// that have internal linkage themselves.
//
// HPLAWS_INDEPENDENT stands before a loop whose iterations touch different
// elements: what the compiler would otherwise test for every pair of pointers.
#pragma once

#if defined(__CUDACC__)
#define HPLAWS_INLINE __host__ __device__ __forceinline__
#elif defined(__GNUC__)
#define HPLAWS_INLINE inline __attribute__((always_inline, unused))
#elif defined(_MSC_VER)
#define HPLAWS_INLINE __forceinline
#else
#define HPLAWS_INLINE inline
#endif
#define HPLAWS_HD static HPLAWS_INLINE

#if defined(__clang__)
#define HPLAWS_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define HPLAWS_INDEPENDENT _Pragma("GCC ivdep")
#elif defined(_MSC_VER)
#define HPLAWS_INDEPENDENT __pragma(loop(ivdep))
#else
#define HPLAWS_INDEPENDENT
#endif
