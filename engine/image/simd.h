/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_IMAGE_SIMD_H
#define CARDIAC_IMAGE_SIMD_H

/** Before a function with a plain loop: compiles it for AVX2 as well and picks
 * at load time. FMA is left out on purpose, so that both forms give the same
 * bits. Sanitizers instrument the resolvers before they are ready, and clang
 * and other C libraries differ in what they support: there the plain form
 * alone is built. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)            \
    && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__)                \
    && !defined(__SANITIZE_THREAD__) && !defined(__AVX2__)
#define CARDIAC_LOOP                                                           \
  __attribute__ ((target_clones ("avx2", "default"), optimize ("O3")))
#else
#define CARDIAC_LOOP
#endif

/** For a loop's body that is written once and specialised by constants. */
#define CARDIAC_TEMPLATE static inline __attribute__ ((always_inline))

#endif
