/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "element.h"
#include "kernels.h"
#include "launch.h"

/* Convolution of NHWC pictures as one product of matrices whose left side, the
 * windows, is gathered on the way to shared memory. On plain cores in float: for
 * shapes and dtypes that cuDNN has no kernel for, and where there is no cuDNN. */

namespace {

enum { THREADS = 256, DEPTH = 16, OWN = 4 }; ///< a thread has OWN x OWN results

/** Pixels of a block that makes CHANNELS output channels of each. */
template <int CHANNELS>
constexpr int block_pixels = THREADS *OWN *OWN / CHANNELS;

template <int CHANNELS> struct alignas (16) Tiles
{
  float x[DEPTH][block_pixels<CHANNELS> + OWN];
  float w[DEPTH][CHANNELS];
};

/** Where the window of an output pixel begins. */
struct Window {
  int row, column;
  unsigned picture; ///< index of the picture's first element
};

__device__ inline Window
window_of (const CardiacConvolution &c, unsigned pixel)
{
  const CardiacPictures &x = c.x_shape, &y = c.y_shape;
  const unsigned b = pixel / y.width / y.height;
  return { (int) (pixel / y.width % y.height) * c.stride - c.padding,
    (int) (pixel % y.width) * c.stride - c.padding,
    b * x.height * x.width * x.channels };
}

/** An element of windows, from where they begin. */
struct Tap {
  int row, column;
  unsigned channel;
};

/** Elements are counted [kernel_height,kernel_width,channels]. */
__device__ inline Tap
tap_of (const CardiacConvolution &c, unsigned k)
{
  const int at = (int) (k / c.x_shape.channels);
  return { at / c.kernel_width, at % c.kernel_width, k % c.x_shape.channels };
}

__device__ inline float
window_element (
    const CardiacConvolution &c, const Window &window, const Tap &tap)
{
  const CardiacPictures &shape = c.x_shape;
  const int row = window.row + tap.row, column = window.column + tap.column;
  const bool inside = row >= 0 && row < (int) shape.height && column >= 0
                      && column < (int) shape.width;
  const Array x = { (void *) c.x, c.x_dtype };
  return inside
             ? load (x, window.picture
                            + ((unsigned) row * shape.width + (unsigned) column)
                                  * shape.channels
                            + tap.channel)
             : 0;
}

/** y = act (sum + bias) + residual, OWN channels of a pixel. */
__device__ inline void
store_channels (const CardiacConvolution &c, unsigned pixel, unsigned channel,
    const float (&sum)[OWN], bool wide)
{
  const unsigned channels = c.y_shape.channels;
  const unsigned at = pixel * channels + channel;
  const Array y = { c.y, c.y_dtype };
  const Array residual = { (void *) c.residual, c.residual_dtype };
  float result[OWN], more[OWN] = {};
  if (c.residual && wide && channel < channels)
    load<OWN> (residual, at, more);
#pragma unroll
  for (int j = 0; j < OWN; j++) {
    if (channel + j >= channels)
      continue;
    if (c.residual && !wide)
      more[j] = load (residual, at + j);
    const float biased = sum[j] + (c.bias ? c.bias[channel + j] : 0);
    result[j] = activate (c.activation, biased) + more[j];
    if (!wide)
      store (y, at + j, result[j]);
  }
  if (wide && channel < channels)
    store<OWN> (y, at, result);
}

/** Pixels blockIdx.x.., channels blockIdx.y..; thread (tx, ty) has channels
 * OWN tx .. and pixels OWN ty ... `wide`: whole groups of OWN channels. */
template <int CHANNELS>
__global__ void
__launch_bounds__ (THREADS)
convolution_kernel (const __grid_constant__ CardiacConvolution c,
    unsigned pixels, unsigned depth, bool wide)
{
  constexpr int PIXELS = block_pixels<CHANNELS>, ACROSS = CHANNELS / OWN;
  constexpr int GATHERED = PIXELS * DEPTH / THREADS;
  __shared__ Tiles<CHANNELS> tiles;
  const unsigned first_pixel = blockIdx.x * PIXELS;
  const unsigned first_channel = blockIdx.y * CHANNELS;
  const int tx = threadIdx.x % ACROSS, ty = threadIdx.x / ACROSS;
  /* Neighbours gather along k, the channels of x. */
  const int own_k = threadIdx.x % DEPTH, own_pixel = threadIdx.x / DEPTH;
  float sum[OWN][OWN] = {};
  Window windows[GATHERED];
#pragma unroll
  for (int i = 0; i < GATHERED; i++)
    windows[i] = window_of (
        c, min (first_pixel + own_pixel + i * (THREADS / DEPTH), pixels - 1));

  for (unsigned start = 0; start < depth; start += DEPTH) {
    const unsigned k = start + own_k;
    const Tap tap = tap_of (c, k);
#pragma unroll
    for (int i = 0; i < GATHERED; i++)
      tiles.x[own_k][own_pixel + i * (THREADS / DEPTH)] =
          k < depth ? window_element (c, windows[i], tap) : 0;
    for (int i = threadIdx.x; i < DEPTH * CHANNELS; i += THREADS) {
      const unsigned row = start + i / CHANNELS;
      const unsigned channel = first_channel + i % CHANNELS;
      tiles.w[i / CHANNELS][i % CHANNELS] =
          row < depth && channel < c.y_shape.channels
              ? c.w[row * c.y_shape.channels + channel]
              : 0;
    }
    __syncthreads ();
#pragma unroll
    for (int j = 0; j < DEPTH; j++) {
      float x[OWN], w[OWN];
      load<OWN> (&tiles.x[j][OWN * ty], x);
      load<OWN> (&tiles.w[j][OWN * tx], w);
#pragma unroll
      for (int p = 0; p < OWN; p++)
#pragma unroll
        for (int o = 0; o < OWN; o++)
          sum[p][o] += x[p] * w[o];
    }
    __syncthreads ();
  }
#pragma unroll
  for (int p = 0; p < OWN; p++)
    if (first_pixel + OWN * ty + p < pixels)
      store_channels (c, first_pixel + OWN * ty + p, first_channel + OWN * tx,
          sum[p], wide);
}

template <int CHANNELS>
cudaError_t
launch_convolution (const CardiacConvolution &c, cudaStream_t stream)
{
  const unsigned channels = c.y_shape.channels;
  const unsigned pixels = c.y_shape.count * c.y_shape.height * c.y_shape.width;
  const unsigned depth =
      (unsigned) (c.kernel_height * c.kernel_width) * c.x_shape.channels;
  const bool wide =
      channels % OWN == 0 && is_aligned (c.y) && is_aligned (c.residual);
  return launch (convolution_kernel<CHANNELS>,
      dim3 (parts (pixels, block_pixels<CHANNELS>), parts (channels, CHANNELS)),
      THREADS, 0, stream, c, pixels, depth, wide);
}

} // namespace

cudaError_t
cardiac_cuda_convolution (const CardiacConvolution *c, cudaStream_t stream)
{
  return c->y_shape.channels <= 16 ? launch_convolution<16> (*c, stream)
                                   : launch_convolution<64> (*c, stream);
}
