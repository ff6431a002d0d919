/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_NETS_KICONV_H
#define CARDIAC_NETS_KICONV_H

#include <stdint.h>

/** Kernel interpolation (Xue et al. 2018): the kernel of a convolution whose
 * input channels are the phases of a cycle, for any number of them:
 *
 *   w_t[j] = (T0 / t) w(j T0 / t), linear between taps, cyclic.
 *
 * @param w [out, components, T0, kernel], the base kernel of `taps` = T0 taps
 * @param to [out, channels, kernel]: phase j of component c becomes input
 *   channel first + j * components + c; other channels are left alone. */
void cardiac_kiconv_resample (const float *w, int64_t out, int components,
    int taps, int64_t kernel, int phases, float *to, int64_t channels,
    int64_t first);

#endif
