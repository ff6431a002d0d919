/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CPU_VECTOR_ISA_H
#define CARDIAC_CPU_VECTOR_ISA_H

/* One vector of floats in the instruction set this file is compiled for:
 * arithmetic is written with operators, the rest is here. A `part` of a vector
 * is its first `count` lanes; the others load as 0. */

#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#include <immintrin.h>

typedef __m512 Floats;
enum { LANES = 16 };

static inline Floats
floats_set (float x)
{
  return _mm512_set1_ps (x);
}

static inline Floats
floats_load (const float *p)
{
  return _mm512_loadu_ps (p);
}

static inline Floats
floats_load_part (const float *p, int count)
{
  return _mm512_maskz_loadu_ps ((__mmask16) ((1u << count) - 1), p);
}

static inline Floats
floats_from_bf16 (__m256i halves)
{
  return _mm512_castsi512_ps (
      _mm512_slli_epi32 (_mm512_cvtepu16_epi32 (halves), 16));
}

static inline Floats
floats_load_bf16 (const uint16_t *p)
{
  return floats_from_bf16 (_mm256_loadu_si256 ((const void *) p));
}

static inline Floats
floats_load_bf16_part (const uint16_t *p, int count)
{
  return floats_from_bf16 (
      _mm256_maskz_loadu_epi16 ((__mmask16) ((1u << count) - 1), p));
}

static inline void
floats_store (float *p, Floats x)
{
  _mm512_storeu_ps (p, x);
}

static inline void
floats_store_part (float *p, Floats x, int count)
{
  _mm512_mask_storeu_ps (p, (__mmask16) ((1u << count) - 1), x);
}

/* Round to nearest, ties to even: add half of the last kept bit, less one if
 * that bit is 0. */
static inline __m256i
floats_to_bf16 (Floats x)
{
  __m512i bits = _mm512_castps_si512 (x);
  __m512i odd =
      _mm512_and_si512 (_mm512_srli_epi32 (bits, 16), _mm512_set1_epi32 (1));
  bits = _mm512_add_epi32 (
      bits, _mm512_add_epi32 (odd, _mm512_set1_epi32 (0x7fff)));
  return _mm512_cvtepi32_epi16 (_mm512_srli_epi32 (bits, 16));
}

static inline void
floats_store_bf16 (uint16_t *p, Floats x)
{
  _mm256_storeu_si256 ((void *) p, floats_to_bf16 (x));
}

static inline void
floats_store_bf16_part (uint16_t *p, Floats x, int count)
{
  _mm256_mask_storeu_epi16 (
      p, (__mmask16) ((1u << count) - 1), floats_to_bf16 (x));
}

static inline Floats
floats_max (Floats a, Floats b)
{
  return _mm512_max_ps (a, b);
}

static inline Floats
floats_min (Floats a, Floats b)
{
  return _mm512_min_ps (a, b);
}

/* Lanes from `count` on become `x`. */
static inline Floats
floats_fill_from (Floats a, int count, float x)
{
  return _mm512_mask_mov_ps (
      _mm512_set1_ps (x), (__mmask16) ((1u << count) - 1), a);
}

/* 2^n, n whole, -126 <= n <= 127; `shifted` = n + 1.5 2^23. */
static inline Floats
floats_power_of_two (Floats shifted)
{
  return _mm512_castsi512_ps (_mm512_slli_epi32 (
      _mm512_add_epi32 (_mm512_castps_si512 (shifted), _mm512_set1_epi32 (127)),
      23));
}

static inline float
floats_sum (Floats x)
{
  return _mm512_reduce_add_ps (x);
}

static inline float
floats_highest (Floats x)
{
  return _mm512_reduce_max_ps (x);
}

#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

typedef __m256 Floats;
enum { LANES = 8 };

static inline Floats
floats_set (float x)
{
  return _mm256_set1_ps (x);
}

static inline Floats
floats_load (const float *p)
{
  return _mm256_loadu_ps (p);
}

static inline Floats
floats_from_bf16 (__m128i halves)
{
  return _mm256_castsi256_ps (
      _mm256_slli_epi32 (_mm256_cvtepu16_epi32 (halves), 16));
}

static inline Floats
floats_load_bf16 (const uint16_t *p)
{
  return floats_from_bf16 (_mm_loadu_si128 ((const void *) p));
}

static inline void
floats_store (float *p, Floats x)
{
  _mm256_storeu_ps (p, x);
}

/* As above. */
static inline void
floats_store_bf16 (uint16_t *p, Floats x)
{
  __m256i bits = _mm256_castps_si256 (x);
  __m256i odd =
      _mm256_and_si256 (_mm256_srli_epi32 (bits, 16), _mm256_set1_epi32 (1));
  bits = _mm256_add_epi32 (
      bits, _mm256_add_epi32 (odd, _mm256_set1_epi32 (0x7fff)));
  bits = _mm256_srli_epi32 (bits, 16);
  bits = _mm256_permute4x64_epi64 (_mm256_packus_epi32 (bits, bits), 0x08);
  _mm_storeu_si128 ((void *) p, _mm256_castsi256_si128 (bits));
}

static inline Floats
floats_max (Floats a, Floats b)
{
  return _mm256_max_ps (a, b);
}

static inline Floats
floats_min (Floats a, Floats b)
{
  return _mm256_min_ps (a, b);
}

static inline Floats
floats_power_of_two (Floats shifted)
{
  return _mm256_castsi256_ps (_mm256_slli_epi32 (
      _mm256_add_epi32 (_mm256_castps_si256 (shifted), _mm256_set1_epi32 (127)),
      23));
}

#define FLOATS_PARTS_THROUGH_MEMORY

#else

typedef float Floats __attribute__ ((vector_size (16)));
typedef uint32_t FloatBits __attribute__ ((vector_size (16)));
enum { LANES = 4 };

static inline Floats
floats_set (float x)
{
  return (Floats){ x, x, x, x };
}

static inline Floats
floats_load (const float *p)
{
  Floats x;
  memcpy (&x, p, sizeof x);
  return x;
}

static inline Floats
floats_load_bf16 (const uint16_t *p)
{
  FloatBits bits = { p[0], p[1], p[2], p[3] };
  return (Floats) (bits << 16);
}

static inline void
floats_store (float *p, Floats x)
{
  memcpy (p, &x, sizeof x);
}

/* As above. */
static inline void
floats_store_bf16 (uint16_t *p, Floats x)
{
  FloatBits bits = (FloatBits) x;
  bits = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  for (int i = 0; i < LANES; i++)
    p[i] = (uint16_t) bits[i];
}

static inline Floats
floats_choose (FloatBits mask, Floats a, Floats b)
{
  return (Floats) ((mask & (FloatBits) a) | (~mask & (FloatBits) b));
}

static inline Floats
floats_max (Floats a, Floats b)
{
  return floats_choose ((FloatBits) (a > b), a, b);
}

static inline Floats
floats_min (Floats a, Floats b)
{
  return floats_choose ((FloatBits) (a < b), a, b);
}

static inline Floats
floats_power_of_two (Floats shifted)
{
  return (Floats) (((FloatBits) shifted + 127) << 23);
}

#define FLOATS_PARTS_THROUGH_MEMORY

#endif

#ifdef FLOATS_PARTS_THROUGH_MEMORY

static inline Floats
floats_load_part (const float *p, int count)
{
  float part[LANES] = { 0 };
  for (int i = 0; i < count; i++)
    part[i] = p[i];
  return floats_load (part);
}

static inline Floats
floats_load_bf16_part (const uint16_t *p, int count)
{
  uint16_t part[LANES] = { 0 };
  for (int i = 0; i < count; i++)
    part[i] = p[i];
  return floats_load_bf16 (part);
}

static inline void
floats_store_part (float *p, Floats x, int count)
{
  float part[LANES];
  floats_store (part, x);
  for (int i = 0; i < count; i++)
    p[i] = part[i];
}

static inline void
floats_store_bf16_part (uint16_t *p, Floats x, int count)
{
  uint16_t part[LANES];
  floats_store_bf16 (part, x);
  for (int i = 0; i < count; i++)
    p[i] = part[i];
}

static inline Floats
floats_fill_from (Floats a, int count, float x)
{
  float part[LANES];
  floats_store (part, a);
  for (int i = count; i < LANES; i++)
    part[i] = x;
  return floats_load (part);
}

static inline float
floats_sum (Floats x)
{
  float sum = 0;
  for (int i = 0; i < LANES; i++)
    sum += x[i];
  return sum;
}

static inline float
floats_highest (Floats x)
{
  float highest = x[0];
  for (int i = 1; i < LANES; i++)
    highest = x[i] > highest ? x[i] : highest;
  return highest;
}

#endif
#endif
