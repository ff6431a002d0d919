/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dnnl-compat.h"
#include "vector.h"

const CpuVector *
cpu_choose_vector (void)
{
#if defined(__x86_64__)
  CpuIsa isa = cpu_library_isa ();
  __builtin_cpu_init ();
  if (isa.avx512 && __builtin_cpu_supports ("avx512bw")
      && __builtin_cpu_supports ("avx512vl"))
    return &cardiac_cpu_vector_avx512;
  if (isa.avx2 && __builtin_cpu_supports ("fma"))
    return &cardiac_cpu_vector_avx2;
#endif
  return &cardiac_cpu_vector_baseline;
}
