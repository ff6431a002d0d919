/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-descriptors: cuDNN takes the graphs that convolutions, products and
 * attention are described by, and refuses layers that do not fit. Needs the library but no device. Skipped
 * where there is no libcudnn.so.9, or one that wants a device for this. */
#include "../require.h"
#include "dnn.h"

#include <dlfcn.h>

/* From here on, an operation graph needs no handle. */
enum { WITHOUT_DEVICE = 91900 };

static bool
is_described (const CardiacCudaDnnApi *api, const CardiacCudaLayer *layer)
{
  CardiacCudaDnnGraph graph = { .api = api };
  const bool described =
      cardiac_cuda_layer_describe (&graph, NULL, layer) != NULL;
  if (!described)
    printf ("  %s %dx%d %s: %s\n",
        layer->is_product ? "product" : "convolution", (int) layer->kh,
        (int) layer->kw, cardiac_dtype_name (layer->in),
        api->error_string (graph.status));
  cardiac_cuda_dnn_clear (&graph);
  return described;
}

/* A convolution of YOLOv8n's or MMSA's kind: k x k to `Co` channels. */
static CardiacCudaLayer
convolution (int64_t side, int64_t Ci, int64_t Co, int64_t k, int stride)
{
  const int padding = (int) k / 2;
  const int64_t out = (side + 2 * padding - k) / stride + 1;
  return (CardiacCudaLayer){
    .B = 2,
    .H = side,
    .W = side,
    .Ci = Ci,
    .Ho = out,
    .Wo = out,
    .Co = Co,
    .kh = k,
    .kw = k,
    .stride = stride,
    .padding = padding,
  };
}

/* M rows of K to N, as linear.c describes them. */
static CardiacCudaLayer
product (int64_t M, int64_t K, int64_t N)
{
  return (CardiacCudaLayer){
    .is_product = true,
    .B = 1,
    .H = M,
    .W = 1,
    .Ci = K,
    .Ho = M,
    .Wo = 1,
    .Co = N,
    .kh = 1,
    .kw = 1,
    .stride = 1,
  };
}

/* Every dtype, activation, and what else there may be. */
static int
describe_all (const CardiacCudaDnnApi *api, CardiacCudaLayer it)
{
  int count = 0;
  for (it.in = CARDIAC_F32; it.in <= CARDIAC_F16; it.in++)
    for (int f32 = 0; f32 < 2; f32++)
      for (int parts = 0; parts < 4; parts++)
        for (it.activation = CARDIAC_ACTIVATION_NONE;
             it.activation <= CARDIAC_ACTIVATION_LEAKY_RELU; it.activation++) {
          it.out = f32 ? CARDIAC_F32 : it.in;
          it.bias = parts & 1;
          it.residual = parts & 2;
          REQUIRE (is_described (api, &it));
          count++;
        }
  return count;
}

/* Heads of 64 channels, packed where there are as many keys as queries. */
static bool
attention_is_described (
    const CardiacCudaDnnApi *api, CardiacDType dtype, int queries, int keys)
{
  const CardiacAttention it = {
    .dtype = dtype,
    .batch = 16,
    .heads = 12,
    .head_dim = 64,
    .queries = queries,
    .keys = keys,
    .q_width = queries == keys ? 2304 : 768,
    .k_width = queries == keys ? 2304 : 1536,
    .v_width = queries == keys ? 2304 : 1536,
  };
  CardiacCudaDnnGraph graph = { .api = api };
  const bool described =
      cardiac_cuda_attention_describe (&graph, NULL, &it) != NULL;
  if (!described)
    printf ("  attention %s: %s\n", cardiac_dtype_name (dtype),
        api->error_string (graph.status));
  cardiac_cuda_dnn_clear (&graph);
  return described;
}

static int
describe_attention (const CardiacCudaDnnApi *api)
{
  int count = 0;
  for (CardiacDType dtype = CARDIAC_BF16; dtype <= CARDIAC_F16; dtype++) {
    REQUIRE (attention_is_described (api, dtype, 198, 198));
    REQUIRE (attention_is_described (api, dtype, 3, 196));
    count += 2;
  }
  return count;
}

int
main (void)
{
  CardiacCudaDnnApi api;
  size_t (*version) (void) = NULL;
  void *library = dlopen ("libcudnn.so.9", RTLD_NOW);
  if (!library || !cardiac_cuda_dnn_load (&api, NULL))
    SKIP ("no libcudnn.so.9");
  *(void **) &version = dlsym (library, "cudnnGetVersion");
  REQUIRE (version);
  if (version () < WITHOUT_DEVICE)
    SKIP ("cuDNN %zu describes nothing without a device", version ());

  int count = describe_all (&api, convolution (640, 3, 16, 3, 2));
  count += describe_all (&api, convolution (80, 64, 64, 3, 1));
  count += describe_all (&api, convolution (20, 384, 256, 1, 1));
  count += describe_all (&api, convolution (33, 2, 5, 7, 1));
  CardiacCudaLayer wrong = convolution (80, 64, 64, 3, 1);
  wrong.Ho++;
  REQUIRE (!is_described (&api, &wrong));

  count += describe_all (&api, product (3168, 768, 3072));
  count += describe_all (&api, product (816, 1024, 4096));
  count += describe_all (&api, product (5, 17, 7));
  wrong = product (3168, 768, 3072);
  wrong.Ho++;
  REQUIRE (!is_described (&api, &wrong));
  count += describe_attention (&api);
  printf ("cuDNN %zu takes %d graphs\n", version (), count);
  return 0;
}
