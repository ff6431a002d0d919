/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels.h"
#include "launch.h"

/* A frame of any layout to a network's tensor: each thread makes one pixel, from
 * the source pixels its two filters cover. Source pixels are 8-bit RGB, the same
 * numbers that engine/image/row.c makes: products and sums are rounded one by
 * one, as there. */

namespace {

struct Rgb {
  float at[3];
};

/** Where chroma is taken for a luma sample: (8 - weight) / 8 of chroma sample
 * `index` and weight / 8 of the next. */
struct ChromaTap {
  int index, weight;
};

__device__ inline ChromaTap
chroma_tap (int position, int sub, bool cosited)
{
  const int factor = 1 << sub;
  const int eighths =
      (2 * position - (cosited ? 0 : factor - 1)) * (4 / factor);
  const int index = (eighths + 8) / 8 - 1; /* floor */
  return { index, eighths - 8 * index };
}

__device__ inline int
sample (const CardiacComponent &component, int x, int y)
{
  return component
      .data[component.stride * y + (ptrdiff_t) x * component.pixel_stride];
}

/** Chroma at a luma sample, times 64; edges are replicated. */
__device__ inline int
chroma (
    const CardiacImage &image, const CardiacComponent &component, int x, int y)
{
  const CardiacChromaSite site = image.chroma_site;
  const bool left =
      site == CARDIAC_CHROMA_LEFT || site == CARDIAC_CHROMA_TOP_LEFT;
  const bool top =
      site == CARDIAC_CHROMA_TOP || site == CARDIAC_CHROMA_TOP_LEFT;
  const ChromaTap across = chroma_tap (x, component.hsub, left);
  const ChromaTap down = chroma_tap (y, component.vsub, top);
  const int most_x = ((image.width - 1) >> component.hsub);
  const int most_y = ((image.height - 1) >> component.vsub);
  int sum = 0;
#pragma unroll
  for (int v = 0; v < 2; v++)
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const int weight = (v ? down.weight : 8 - down.weight)
                         * (h ? across.weight : 8 - across.weight);
      sum += weight
             * sample (component, min (max (across.index + h, 0), most_x),
                 min (max (down.index + v, 0), most_y));
    }
  return sum;
}

/** 0..255, the fraction cut off. */
__device__ inline float
clip (float x)
{
  return (float) (int) fminf (fmaxf (x, 0.0f), 255.0f);
}

/** Limited to full range. */
__device__ inline int
expand (int x)
{
  return min (max (((x - 16) * 510 + 219) / 438, 0), 255);
}

__device__ inline Rgb
pixel (const CardiacCudaPicture &s, int x, int y)
{
  const CardiacComponent *component = s.image.component;
  if (s.image.colour == CARDIAC_COLOUR_YUV) {
    const float luma = __fmul_rn ((float) sample (component[0], x, y), s.luma);
    const float u = (float) chroma (s.image, component[1], x, y);
    const float v = (float) chroma (s.image, component[2], x, y);
    const float both =
        __fadd_rn (__fmul_rn (u, s.green_cb), __fmul_rn (v, s.green_cr));
    return {
      clip (__fadd_rn (__fadd_rn (luma, __fmul_rn (v, s.red_cr)), s.offset[0])),
      clip (__fadd_rn (__fadd_rn (luma, both), s.offset[1])),
      clip (
          __fadd_rn (__fadd_rn (luma, __fmul_rn (u, s.blue_cb)), s.offset[2])),
    };
  }
  const bool gray = s.image.colour == CARDIAC_COLOUR_GRAY;
  Rgb rgb;
#pragma unroll
  for (int c = 0; c < 3; c++) {
    const int value = sample (component[gray ? 0 : c], x, y);
    rgb.at[c] = (float) (s.image.full_range ? value : expand (value));
  }
  return rgb;
}

/** One pixel of the resized picture: two filters, down and then across, in the
 * CPU's order. Where each has two taps the bits are the CPU's, so that rounding
 * to 8 bits is, too. */
__device__ inline Rgb
resized (const CardiacCudaPicture &s, int column, int row)
{
  const float *across = s.across.weight + column * s.across.most;
  const float *down = s.down.weight + row * s.down.most;
  const int left = s.across.start[column], width = s.across.count[column];
  const int top = s.down.start[row], height = s.down.count[row];
  Rgb sum = {};
  for (int x = 0; x < width; x++) {
    Rgb line = {};
    for (int y = 0; y < height; y++) {
      const Rgb rgb = pixel (s, left + x, top + y);
#pragma unroll
      for (int c = 0; c < 3; c++)
        line.at[c] = __fadd_rn (line.at[c], __fmul_rn (down[y], rgb.at[c]));
    }
#pragma unroll
    for (int c = 0; c < 3; c++)
      sum.at[c] = __fadd_rn (sum.at[c], __fmul_rn (across[x], line.at[c]));
  }
  return sum;
}

__global__ void
place_kernel (const __grid_constant__ CardiacCudaPicture s, float *out)
{
  const CardiacResize &resize = s.resize;
  const unsigned i = thread_number (), side = (unsigned) resize.side;
  if (i >= side * side)
    return;
  const int column = (int) (i % side) - resize.into.x;
  const int row = (int) (i / side) - resize.into.y;
  const bool inside = column >= 0 && column < resize.into.width && row >= 0
                      && row < resize.into.height;
  const float padding = resize.padding;
  const Rgb rgb =
      inside ? resized (s, column, row) : Rgb{ { padding, padding, padding } };
#pragma unroll
  for (int c = 0; c < 3; c++) {
    const float value =
        resize.rounded ? (float) (int) __fadd_rn (rgb.at[c], 0.5f) : rgb.at[c];
    out[c * side * side + i] = value * resize.scale[c] + resize.shift[c];
  }
}

} // namespace

cudaError_t
cardiac_cuda_place (
    const CardiacCudaPicture *picture, float *out, cudaStream_t stream)
{
  const unsigned side = (unsigned) picture->resize.side;
  return launch_each (place_kernel, side * side, stream, *picture, out);
}
