/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cuDNN's graph API for tests: it runs exactly the graphs that the engine
 * describes (a convolution or a matrix product, then additions and activations;
 * or attention) from their descriptors alone, and its engines are as choosy as
 * the library's:
 *
 *   1  proposed first, whole graphs: its plans never finalize
 *   2  whole graphs, tensor cores: halves, channels (of products: the axis that
 *      is summed) in multiples of 8; spoils the workspace that it asks for
 *   3  a convolution alone, tensor cores: fp32 inputs lose bits, as in tf32
 *   4  a convolution alone, not deterministic: its results are wrong
 *   5  a convolution alone, plain; only in the list of fallbacks
 *   6  products: sums in less than fp32, its results are wrong
 *   7  products: as 2, without a workspace, and faster
 *   8  attention in halves, channels in multiples of 8; slower than 9
 *   9  the same; spoils the workspace that it asks for
 *
 * Descriptors cannot be changed or used at the wrong time, and tensors must fit
 * one another.
 *
 *   CUDA_EMULATION_NO_CUDNN       set: the library does not start
 * and for products and attention, which the engine can do without it:
 *   CUDA_EMULATION_SLOW_CUDNN     set: each takes a second
 *   CUDA_EMULATION_NO_GRAPHS      set: no plan finalizes
 *   CUDA_EMULATION_FAIL_GRAPHS    set: none is executed */
#include "cudnn.h"

#include "backends/reference/storage.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace {

struct Descriptor;
using Link = std::shared_ptr<Descriptor>;

struct Attribute {
  cudnnBackendAttributeType_t type;
  std::vector<char> bytes;
  std::vector<Link> links; ///< what it points to, kept alive
};

struct Descriptor {
  cudnnBackendDescriptorType_t type;
  bool finalized = false;
  int engine = 0; ///< of engines and their configurations
  Link graph;     ///< what an engine is for
  std::map<int, Attribute> attributes;

  template <typename T>
  std::vector<T>
  all (int name) const
  {
    auto it = attributes.find (name);
    if (it == attributes.end ())
      return {};
    std::vector<T> values (it->second.bytes.size () / sizeof (T));
    memcpy (values.data (), it->second.bytes.data (), it->second.bytes.size ());
    return values;
  }

  template <typename T>
  T
  one (int name, T otherwise) const
  {
    std::vector<T> values = all<T> (name);
    return values.size () == 1 ? values[0] : otherwise;
  }

  Link
  link (int name) const
  {
    auto it = attributes.find (name);
    return it == attributes.end () || it->second.links.size () != 1
               ? nullptr
               : it->second.links[0];
  }
};

/* What the caller holds is a pointer to a Link. */
Link &
at (cudnnBackendDescriptor_t handle)
{
  return *static_cast<Link *> (handle);
}

size_t
size_of (cudnnBackendAttributeType_t type)
{
  switch (type) {
    case CUDNN_TYPE_BOOLEAN:
      return 1;
    case CUDNN_TYPE_DATA_TYPE:
    case CUDNN_TYPE_FLOAT:
    case CUDNN_TYPE_CONVOLUTION_MODE:
    case CUDNN_TYPE_HEUR_MODE:
    case CUDNN_TYPE_NUMERICAL_NOTE:
    case CUDNN_TYPE_POINTWISE_MODE:
      return 4;
    default:
      return 8;
  }
}

/* The type that each attribute has. */
cudnnBackendAttributeType_t
type_of (int name)
{
  switch (name) {
    case CUDNN_ATTR_POINTWISE_MODE:
      return CUDNN_TYPE_POINTWISE_MODE;
    case CUDNN_ATTR_POINTWISE_MATH_PREC:
    case CUDNN_ATTR_CONVOLUTION_COMP_TYPE:
    case CUDNN_ATTR_MATMUL_COMP_TYPE:
    case CUDNN_ATTR_TENSOR_DATA_TYPE:
      return CUDNN_TYPE_DATA_TYPE;
    case CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE:
    case CUDNN_ATTR_POINTWISE_SWISH_BETA:
      return CUDNN_TYPE_DOUBLE;
    case CUDNN_ATTR_CONVOLUTION_CONV_MODE:
      return CUDNN_TYPE_CONVOLUTION_MODE;
    case CUDNN_ATTR_ENGINEHEUR_MODE:
      return CUDNN_TYPE_HEUR_MODE;
    case CUDNN_ATTR_EXECUTION_PLAN_HANDLE:
    case CUDNN_ATTR_OPERATIONGRAPH_HANDLE:
      return CUDNN_TYPE_HANDLE;
    case CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA:
    case CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA:
      return CUDNN_TYPE_FLOAT;
    case CUDNN_ATTR_TENSOR_IS_VIRTUAL:
    case CUDNN_ATTR_TENSOR_IS_BY_VALUE:
      return CUDNN_TYPE_BOOLEAN;
    case CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS:
    case CUDNN_ATTR_VARIANT_PACK_WORKSPACE:
      return CUDNN_TYPE_VOID_PTR;
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
      return CUDNN_TYPE_NUMERICAL_NOTE;
    case CUDNN_ATTR_CONVOLUTION_DILATIONS:
    case CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES:
    case CUDNN_ATTR_CONVOLUTION_POST_PADDINGS:
    case CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS:
    case CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS:
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
    case CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT:
    case CUDNN_ATTR_TENSOR_DIMENSIONS:
    case CUDNN_ATTR_TENSOR_STRIDES:
    case CUDNN_ATTR_TENSOR_UNIQUE_ID:
    case CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS:
      return CUDNN_TYPE_INT64;
    default:
      return CUDNN_TYPE_BACKEND_DESCRIPTOR;
  }
}

/* ---- tensors --------------------------------------------------------------- */

/* n, c, h, w of convolutions; batch, rows, columns of products. */
struct Tensor {
  int64_t id;
  CardiacDType dtype;
  std::vector<int64_t> dims, strides;
  bool is_virtual, is_by_value;

  explicit Tensor (const Descriptor &d)
      : id (d.one<int64_t> (CUDNN_ATTR_TENSOR_UNIQUE_ID, -1)),
        dims (d.all<int64_t> (CUDNN_ATTR_TENSOR_DIMENSIONS)),
        strides (d.all<int64_t> (CUDNN_ATTR_TENSOR_STRIDES)),
        is_virtual (d.one<char> (CUDNN_ATTR_TENSOR_IS_VIRTUAL, 0) != 0),
        is_by_value (d.one<char> (CUDNN_ATTR_TENSOR_IS_BY_VALUE, 0) != 0)
  {
    int type = d.one<int> (CUDNN_ATTR_TENSOR_DATA_TYPE, -1);
    dtype = type == CUDNN_DATA_BFLOAT16 ? CARDIAC_BF16
            : type == CUDNN_DATA_HALF   ? CARDIAC_F16
                                        : CARDIAC_F32;
  }

  size_t
  rank () const
  {
    return dims.size ();
  }

  template <typename... Indices>
  int64_t
  offset (Indices... indices) const
  {
    const int64_t each[] = { (int64_t) indices... };
    int64_t sum = 0;
    for (size_t axis = 0; axis < sizeof...(indices); axis++)
      sum += each[axis] * strides[axis];
    return sum;
  }

  /* Elements from the first to the last. */
  int64_t
  span () const
  {
    int64_t last = 0;
    for (size_t axis = 0; axis < rank (); axis++)
      last += (dims[axis] - 1) * strides[axis];
    return 1 + last;
  }
};

using Values = std::vector<float>;

/* Operations share values under their tensors' ids, as floats. */
using Memory = std::map<int64_t, Values>;

Values
load (const Tensor &tensor, const void *data)
{
  Values values ((size_t) tensor.span ());
  cardiac_load_row (data, tensor.dtype, 0, tensor.span (), values.data ());
  return values;
}

/* ---- operations ------------------------------------------------------------ */

struct Convolution {
  Tensor x, w, y;
  std::vector<int64_t> padding, stride;
  int engine;

  Convolution (const Descriptor &d, int engine_)
      : x (*d.link (CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X)),
        w (*d.link (CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W)),
        y (*d.link (CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y)),
        engine (engine_)
  {
    const Descriptor &how =
        *d.link (CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
    padding = how.all<int64_t> (CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
    stride = how.all<int64_t> (CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
  }

  bool
  fits () const
  {
    if (x.rank () != 4 || w.rank () != 4 || y.rank () != 4)
      return false;
    for (int axis = 0; axis < 2; axis++)
      if (y.dims[2 + axis]
          != (x.dims[2 + axis] + 2 * padding[axis] - w.dims[2 + axis])
                     / stride[axis]
                 + 1)
        return false;
    return x.dims[1] == w.dims[1] && y.dims[1] == w.dims[0]
           && x.dims[0] == y.dims[0] && x.dtype == w.dtype;
  }

  /* Σ over a pixel's window; channels lie together in x and w. */
  float
  sum (const Values &xv, const Values &wv, int64_t n, int64_t k, int64_t oy,
      int64_t ox) const
  {
    float total = 0;
    for (int64_t r = 0; r < w.dims[2]; r++)
      for (int64_t s = 0; s < w.dims[3]; s++) {
        const int64_t iy = oy * stride[0] - padding[0] + r;
        const int64_t ix = ox * stride[1] - padding[1] + s;
        if (iy < 0 || iy >= x.dims[2] || ix < 0 || ix >= x.dims[3])
          continue;
        const float *a = &xv[(size_t) x.offset (n, 0, iy, ix)];
        const float *b = &wv[(size_t) w.offset (k, 0, r, s)];
        float part[8] = { 0 };
        int64_t c = 0;
        for (; c + 8 <= x.dims[1]; c += 8)
          for (int lane = 0; lane < 8; lane++)
            part[lane] += a[c + lane] * b[c + lane];
        for (; c < x.dims[1]; c++)
          part[0] += a[c] * b[c];
        for (float it : part)
          total += it;
      }
    return total;
  }

  void
  run (Memory &memory) const
  {
    Values xv = memory[x.id], wv = memory[w.id];
    if (engine == 3 && x.dtype == CARDIAC_F32)
      for (float &value : xv)
        value = cardiac_from_bf16 (cardiac_to_bf16 (value));
    Values out ((size_t) y.span ());
    for (int64_t n = 0; n < y.dims[0]; n++)
      for (int64_t oy = 0; oy < y.dims[2]; oy++)
        for (int64_t ox = 0; ox < y.dims[3]; ox++)
          for (int64_t k = 0; k < y.dims[1]; k++)
            out[(size_t) y.offset (n, k, oy, ox)] =
                engine == 4 ? 1e9f : sum (xv, wv, n, k, oy, ox);
    memory[y.id] = out;
  }
};

/* c[m,n] = sum over k of a[m,k] b[k,n], wherever they lie. */
struct Product {
  Tensor a, b, c;
  bool is_wrong;

  Product (const Descriptor &d, int engine)
      : a (*d.link (CUDNN_ATTR_OPERATION_MATMUL_ADESC)),
        b (*d.link (CUDNN_ATTR_OPERATION_MATMUL_BDESC)),
        c (*d.link (CUDNN_ATTR_OPERATION_MATMUL_CDESC)), is_wrong (engine == 6)
  {
  }

  bool
  fits () const
  {
    return a.rank () == 3 && b.rank () == 3 && c.rank () == 3
           && a.dims[2] == b.dims[1] && c.dims[1] == a.dims[1]
           && c.dims[2] == b.dims[2] && a.dims[0] == b.dims[0]
           && a.dims[0] == c.dims[0] && a.dtype == b.dtype;
  }

  float
  sum (
      const Values &av, const Values &bv, int64_t i, int64_t m, int64_t n) const
  {
    const float *x = &av[(size_t) a.offset (i, m, 0)];
    const float *w = &bv[(size_t) b.offset (i, 0, n)];
    float part[8] = { 0 };
    for (int64_t k = 0; k < a.dims[2]; k++)
      part[k % 8] += x[k * a.strides[2]] * w[k * b.strides[1]];
    float total = 0;
    for (float it : part)
      total += it;
    return total;
  }

  void
  run (Memory &memory) const
  {
    const Values &av = memory[a.id], &bv = memory[b.id];
    Values out ((size_t) c.span ());
    for (int64_t i = 0; i < c.dims[0]; i++)
      for (int64_t m = 0; m < c.dims[1]; m++)
        for (int64_t n = 0; n < c.dims[2]; n++)
          out[(size_t) c.offset (i, m, n)] =
              is_wrong ? 1e4f : sum (av, bv, i, m, n);
    memory[c.id] = out;
  }
};

/* softmax (q kᵀ scale) v, [batch,head,row,channel] each, wherever they lie. */
struct Attention {
  Tensor q, k, v, y, scale;
  bool is_wrong;

  Attention (const Descriptor &d, int engine)
      : q (*d.link (CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC)),
        k (*d.link (CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC)),
        v (*d.link (CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC)),
        y (*d.link (CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC)),
        scale (*d.link (CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC)),
        is_wrong (engine == 6)
  {
  }

  bool
  fits () const
  {
    for (const Tensor *it : { &q, &k, &v, &y })
      if (it->rank () != 4 || it->strides[3] != 1 || it->dtype != q.dtype)
        return false;
    return k.dims == v.dims && q.dims == y.dims && k.dims[0] == q.dims[0]
           && k.dims[1] == q.dims[1] && k.dims[3] == q.dims[3]
           && scale.is_by_value && scale.dtype == CARDIAC_F32;
  }

  void
  run_row (Memory &memory, int64_t b, int64_t h, int64_t row, Values *out) const
  {
    const Values &qv = memory[q.id], &kv = memory[k.id], &vv = memory[v.id];
    const int64_t keys = k.dims[2], channels = q.dims[3];
    const float factor = memory[scale.id][0];
    Values weight ((size_t) keys);
    float largest = -INFINITY, total = 0;
    for (int64_t key = 0; key < keys; key++) {
      const float *x = &qv[(size_t) q.offset (b, h, row, 0)];
      const float *w = &kv[(size_t) k.offset (b, h, key, 0)];
      float dot = 0;
      for (int64_t c = 0; c < channels; c++)
        dot += x[c] * w[c];
      weight[(size_t) key] = dot * factor;
      largest = std::fmax (largest, dot * factor);
    }
    for (float &it : weight)
      total += it = expf (it - largest);
    float *sums = &(*out)[(size_t) y.offset (b, h, row, 0)];
    for (int64_t key = 0; key < keys; key++) {
      const float share = weight[(size_t) key] / total;
      const float *values = &vv[(size_t) v.offset (b, h, key, 0)];
      for (int64_t c = 0; c < channels; c++)
        sums[c] += is_wrong ? 1e4f : share * values[c];
    }
  }

  void
  run (Memory &memory) const
  {
    Values out ((size_t) y.span ());
    for (int64_t b = 0; b < y.dims[0]; b++)
      for (int64_t h = 0; h < y.dims[1]; h++)
        for (int64_t row = 0; row < y.dims[2]; row++)
          run_row (memory, b, h, row, &out);
    memory[y.id] = out;
  }
};

struct Pointwise {
  Tensor x, y;
  std::unique_ptr<Tensor> b;
  int mode;
  double slope, beta;

  explicit Pointwise (const Descriptor &d)
      : x (*d.link (CUDNN_ATTR_OPERATION_POINTWISE_XDESC)),
        y (*d.link (CUDNN_ATTR_OPERATION_POINTWISE_YDESC))
  {
    const Descriptor &how =
        *d.link (CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
    mode = how.one<int> (CUDNN_ATTR_POINTWISE_MODE, -1);
    slope = how.one<double> (CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, 0);
    beta = how.one<double> (CUDNN_ATTR_POINTWISE_SWISH_BETA, 1);
    if (Link link = d.link (CUDNN_ATTR_OPERATION_POINTWISE_BDESC))
      b = std::make_unique<Tensor> (*link);
  }

  bool
  fits () const
  {
    if (b && b->rank () != y.rank ())
      return false;
    for (size_t axis = 0; b && axis < y.rank (); axis++)
      if (b->dims[axis] != 1 && b->dims[axis] != y.dims[axis])
        return false;
    return x.dims == y.dims && (b != nullptr) == (mode == CUDNN_POINTWISE_ADD);
  }

  float
  value (float v, float addend) const
  {
    if (mode == CUDNN_POINTWISE_ADD)
      return v + addend;
    if (mode == CUDNN_POINTWISE_RELU_FWD)
      return v < 0 ? (float) slope * v : v;
    return v / (1 + expf (-(float) beta * v));
  }

  void
  run (Memory &memory) const
  {
    const Values xv = memory[x.id], bv = b ? memory[b->id] : Values ();
    Values out ((size_t) y.span ());
    std::vector<int64_t> at (y.rank ());
    for (bool more = true; more;) {
      int64_t from = 0, to = 0, other = 0;
      for (size_t axis = 0; axis < y.rank (); axis++) {
        from += at[axis] * x.strides[axis];
        to += at[axis] * y.strides[axis];
        other += b && b->dims[axis] > 1 ? at[axis] * b->strides[axis] : 0;
      }
      out[(size_t) to] = value (xv[(size_t) from], b ? bv[(size_t) other] : 0);
      more = false;
      for (size_t axis = y.rank (); axis-- > 0 && !more;) {
        more = ++at[axis] < y.dims[axis];
        if (!more)
          at[axis] = 0;
      }
    }
    memory[y.id] = out;
  }
};

/* ---- graphs ---------------------------------------------------------------- */

/* All that a run needs, bound to memory. */
struct Run {
  int engine;
  std::unique_ptr<Convolution> convolution;
  std::unique_ptr<Product> product;     ///< or this
  std::unique_ptr<Attention> attention; ///< or this
  float scale = 0;                      ///< of attention: by value
  std::vector<std::unique_ptr<Pointwise> > pointwise;
  std::vector<Tensor> inputs;
  std::unique_ptr<Tensor> output;
  std::map<int64_t, void *> data;
  void *workspace = nullptr;
  int64_t workspace_bytes = 0;

  void
  add_input (const Tensor &tensor)
  {
    if (!tensor.is_virtual)
      inputs.push_back (tensor);
  }

  void
  add_output (const Tensor &tensor)
  {
    if (!tensor.is_virtual)
      output = std::make_unique<Tensor> (tensor);
  }

  Run (const Descriptor &graph, int engine_) : engine (engine_)
  {
    for (const Link &link :
        graph.attributes.at (CUDNN_ATTR_OPERATIONGRAPH_OPS).links) {
      if (link->type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR) {
        pointwise.push_back (std::make_unique<Pointwise> (*link));
        add_input (pointwise.back ()->x);
        if (pointwise.back ()->b)
          add_input (*pointwise.back ()->b);
        add_output (pointwise.back ()->y);
      } else if (link->type == CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR) {
        product = std::make_unique<Product> (*link, engine);
        add_input (product->a);
        add_input (product->b);
        add_output (product->c);
      } else if (link->type == CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR) {
        attention = std::make_unique<Attention> (*link, engine);
        add_input (attention->q);
        add_input (attention->k);
        add_input (attention->v);
        add_output (attention->y);
      } else {
        convolution = std::make_unique<Convolution> (*link, engine);
        add_input (convolution->x);
        add_input (convolution->w);
        add_output (convolution->y);
      }
    }
  }

  bool
  is_bound () const
  {
    for (const Tensor &tensor : inputs)
      if (!is_there (tensor))
        return false;
    return output && is_there (*output)
           && (!workspace_bytes
               || cuda_emulation_is_device (
                   workspace, (size_t) workspace_bytes));
  }

  bool
  is_there (const Tensor &tensor) const
  {
    auto it = data.find (tensor.id);
    return it != data.end () && (uintptr_t) it->second % 16 == 0
           && cuda_emulation_is_device (it->second,
               (size_t) tensor.span () * cardiac_storage_size (tensor.dtype));
  }

  void
  go () const
  {
    Memory memory;
    if (engine == 2 || engine == 8)
      cuda_emulation_pass (1);
    if ((product || attention) && getenv ("CUDA_EMULATION_SLOW_CUDNN"))
      cuda_emulation_pass (1000000);
    if (workspace_bytes)
      memset (workspace, 0xff, (size_t) workspace_bytes);
    for (const Tensor &tensor : inputs)
      memory[tensor.id] = load (tensor, data.at (tensor.id));
    if (attention)
      memory[attention->scale.id] = { scale };
    if (attention)
      attention->run (memory);
    else if (product)
      product->run (memory);
    else
      convolution->run (memory);
    for (auto &operation : pointwise)
      operation->run (memory);
    const Values &out = memory[output->id];
    for (size_t i = 0; i < out.size (); i++)
      cardiac_store (data.at (output->id), output->dtype, (int64_t) i, out[i]);
  }
};

bool
takes (const Descriptor &graph, int engine)
{
  const Run run (graph, engine);
  const bool whole = !run.pointwise.empty ();
  if (engine == 1 || !run.output)
    return false;
  if (run.attention)
    return !getenv ("CUDA_EMULATION_NO_GRAPHS")
           && run.attention->q.dtype != CARDIAC_F32
           && run.attention->q.dims[3] % 8 == 0;
  if (run.product)
    return !getenv ("CUDA_EMULATION_NO_GRAPHS")
           && run.product->a.dtype != CARDIAC_F32
           && run.product->a.dims[2] % 8 == 0;
  if (engine == 2)
    return run.convolution->x.dtype != CARDIAC_F32
           && run.convolution->x.dims[1] % 8 == 0
           && run.convolution->y.dims[1] % 8 == 0;
  return !whole && (run.convolution->x.dtype == run.convolution->y.dtype);
}

int64_t
workspace_of (int engine)
{
  return engine == 2 || engine == 9 ? 4096 : 0;
}

std::vector<cudnnBackendNumericalNote_t>
notes_of (int engine)
{
  switch (engine) {
    case 2:
    case 3:
      return { CUDNN_NUMERICAL_NOTE_TENSOR_CORE };
    case 7:
    case 8:
    case 9:
      return { CUDNN_NUMERICAL_NOTE_TENSOR_CORE };
    case 6:
      return { CUDNN_NUMERICAL_NOTE_TENSOR_CORE,
        CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION };
    case 4:
      return { CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC };
    default:
      return {};
  }
}

/* ---- finalizing ------------------------------------------------------------ */

bool
tensor_holds (const Descriptor &d)
{
  const Tensor tensor (d);
  const size_t rank = tensor.rank ();
  return (rank == 3 || rank == 4) && tensor.strides.size () == rank
         && tensor.id >= 0
         && (tensor.strides[1] == 1 || tensor.strides[rank - 1] == 1)
         && d.one<int64_t> (CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 0) > 0;
}

bool
links_are_final (const Descriptor &d)
{
  for (auto &attribute : d.attributes)
    for (const Link &link : attribute.second.links)
      if (!link->finalized)
        return false;
  return true;
}

bool
convolution_holds (const Descriptor &d)
{
  return d.one<int64_t> (CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 0) == 2
         && d.one<int> (CUDNN_ATTR_CONVOLUTION_COMP_TYPE, -1)
                == CUDNN_DATA_FLOAT
         && d.one<int> (CUDNN_ATTR_CONVOLUTION_CONV_MODE, -1)
                == CUDNN_CROSS_CORRELATION
         && d.all<int64_t> (CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS)
                == d.all<int64_t> (CUDNN_ATTR_CONVOLUTION_POST_PADDINGS)
         && d.all<int64_t> (CUDNN_ATTR_CONVOLUTION_DILATIONS)
                == std::vector<int64_t>{ 1, 1 };
}

bool
has_all (const Descriptor &d, std::initializer_list<int> names)
{
  for (int name : names)
    if (!d.link (name))
      return false;
  return true;
}

/* What is virtual must have been made before it is read, and one tensor is
 * stored. */
bool
graph_holds (const Descriptor &d)
{
  const Run run (d, 0);
  std::map<int64_t, bool> made;
  bool good = run.output != nullptr;
  auto read = [&] (const Tensor &it) {
    good = good && (!it.is_virtual || made[it.id]);
  };
  if (run.attention)
    return good;
  if (run.product)
    made[run.product->c.id] = true;
  else if (run.convolution)
    made[run.convolution->y.id] = true;
  else
    return false;
  for (auto &operation : run.pointwise) {
    read (operation->x);
    if (operation->b)
      read (*operation->b);
    made[operation->y.id] = true;
  }
  return good;
}

bool
holds (const Descriptor &d)
{
  if (!links_are_final (d))
    return false;
  switch (d.type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
      return tensor_holds (d);
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
      return convolution_holds (d);
    case CUDNN_BACKEND_POINTWISE_DESCRIPTOR:
      return d.one<int> (CUDNN_ATTR_POINTWISE_MATH_PREC, -1)
             == CUDNN_DATA_FLOAT;
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      return has_all (
                 d, { CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC })
             && Convolution (d, 0).fits ()
             && d.one<float> (CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 0)
                    == 1
             && d.one<float> (CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 1)
                    == 0;
    case CUDNN_BACKEND_MATMUL_DESCRIPTOR:
      return d.one<int> (CUDNN_ATTR_MATMUL_COMP_TYPE, -1) == CUDNN_DATA_FLOAT;
    case CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR:
      return has_all (d, { CUDNN_ATTR_OPERATION_MATMUL_ADESC,
                             CUDNN_ATTR_OPERATION_MATMUL_BDESC,
                             CUDNN_ATTR_OPERATION_MATMUL_CDESC,
                             CUDNN_ATTR_OPERATION_MATMUL_DESC })
             && Product (d, 0).fits ();
    case CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR:
      return has_all (d, { CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC,
                             CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC,
                             CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC,
                             CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC,
                             CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC })
             && Attention (d, 0).fits ();
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
      return graph_holds (d);
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
      return has_all (d, { CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR,
                             CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
                             CUDNN_ATTR_OPERATION_POINTWISE_YDESC })
             && Pointwise (d).fits ();
    default:
      return true;
  }
}

} // namespace

/* ---- the functions --------------------------------------------------------- */

extern "C" {

size_t
cudnnGetVersion (void)
{
  return 91900;
}

const char *
cudnnGetErrorString (cudnnStatus_t status)
{
  switch (status) {
    case CUDNN_STATUS_SUCCESS:
      return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_NOT_INITIALIZED:
      return "CUDNN_STATUS_NOT_INITIALIZED";
    case CUDNN_STATUS_BAD_PARAM:
      return "CUDNN_STATUS_BAD_PARAM";
    case CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED:
      return "CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED";
    case CUDNN_STATUS_NOT_SUPPORTED:
      return "CUDNN_STATUS_NOT_SUPPORTED";
    default:
      return "CUDNN_STATUS_EXECUTION_FAILED";
  }
}

cudnnStatus_t
cudnnCreate (cudnnHandle_t *handle)
{
  if (getenv ("CUDA_EMULATION_NO_CUDNN"))
    return CUDNN_STATUS_NOT_INITIALIZED;
  *handle = new cudnnContext;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnDestroy (cudnnHandle_t handle)
{
  delete handle;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnSetStream (cudnnHandle_t handle, cudaStream_t stream)
{
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnBackendCreateDescriptor (
    cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *descriptor)
{
  Link *link = new Link (std::make_shared<Descriptor> ());
  (*link)->type = type;
  *descriptor = link;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnBackendDestroyDescriptor (cudnnBackendDescriptor_t descriptor)
{
  delete static_cast<Link *> (descriptor);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnBackendSetAttribute (cudnnBackendDescriptor_t descriptor,
    cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
    int64_t count, const void *values)
{
  Descriptor &d = *at (descriptor);
  if (d.finalized || type != type_of (name) || count < 1)
    return CUDNN_STATUS_BAD_PARAM;
  Attribute &attribute = d.attributes[name];
  const char *bytes = static_cast<const char *> (values);
  attribute = { type,
    std::vector<char> (bytes, bytes + (size_t) count * size_of (type)), {} };
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
    for (int64_t i = 0; i < count; i++)
      attribute.links.push_back (
          at (static_cast<cudnnBackendDescriptor_t const *> (values)[i]));
  return CUDNN_STATUS_SUCCESS;
}

/* The heuristics' engines for a graph. */
static cudnnStatus_t
get_results (const Descriptor &heuristics, int64_t wanted, int64_t *count,
    cudnnBackendDescriptor_t *configs)
{
  const Link graph = heuristics.link (CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
  const bool whole =
      graph->attributes.at (CUDNN_ATTR_OPERATIONGRAPH_OPS).links.size () > 1;
  std::vector<int> engines = { 5 };
  const Run run (*graph, 0);
  if (run.product || run.attention)
    engines = run.product ? std::vector<int>{ 1, 6, 2, 7 }
                          : std::vector<int>{ 1, 6, 8, 9 };
  else if (heuristics.one<int> (CUDNN_ATTR_ENGINEHEUR_MODE, 0)
           == CUDNN_HEUR_MODE_A)
    engines = whole ? std::vector<int>{ 1, 2 } : std::vector<int>{ 4, 3 };
  *count = 0;
  for (int engine : engines)
    if (*count < wanted) {
      Descriptor &config = *at (configs[(*count)++]);
      config.engine = engine;
      config.graph = graph;
      config.finalized = true;
    }
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnBackendGetAttribute (cudnnBackendDescriptor_t descriptor,
    cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
    int64_t wanted, int64_t *count, void *values)
{
  const Descriptor &d = *at (descriptor);
  if (!d.finalized)
    return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
  cudnnBackendDescriptor_t *links =
      static_cast<cudnnBackendDescriptor_t *> (values);
  if (name == CUDNN_ATTR_ENGINEHEUR_RESULTS)
    return get_results (d, wanted, count, links);
  if (name == CUDNN_ATTR_ENGINECFG_ENGINE) {
    at (*links)->engine = d.engine;
    at (*links)->finalized = true;
    *count = 1;
  } else if (name == CUDNN_ATTR_ENGINE_NUMERICAL_NOTE) {
    const std::vector<cudnnBackendNumericalNote_t> notes = notes_of (d.engine);
    *count = (int64_t) notes.size ();
    if (!notes.empty ())
      memcpy (values, notes.data (), notes.size () * sizeof notes[0]);
  } else if (name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE) {
    *count = 1;
    *static_cast<int64_t *> (values) =
        workspace_of (d.link (CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)->engine);
  } else {
    return CUDNN_STATUS_BAD_PARAM;
  }
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnBackendFinalize (cudnnBackendDescriptor_t descriptor)
{
  Descriptor &d = *at (descriptor);
  if (d.finalized || !holds (d))
    return CUDNN_STATUS_BAD_PARAM;
  if (d.type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
    const Link config = d.link (CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
    if (!config || !takes (*config->graph, config->engine))
      return CUDNN_STATUS_NOT_SUPPORTED;
  }
  d.finalized = true;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t
cudnnBackendExecute (cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
    cudnnBackendDescriptor_t pack)
{
  if (!at (plan)->finalized || !at (pack)->finalized)
    return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
  const Link config = at (plan)->link (CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  auto run = std::make_unique<Run> (*config->graph, config->engine);
  const auto ids = at (pack)->all<int64_t> (CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto pointers =
      at (pack)->all<void *> (CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  for (size_t i = 0; i < ids.size () && i < pointers.size (); i++)
    run->data[ids[i]] = pointers[i];
  run->workspace =
      at (pack)->one<void *> (CUDNN_ATTR_VARIANT_PACK_WORKSPACE, nullptr);
  run->workspace_bytes = workspace_of (config->engine);
  if (!run->is_bound ())
    return CUDNN_STATUS_BAD_PARAM;
  if (run->attention) {
    const void *scale = run->data[run->attention->scale.id];
    if (!scale || cuda_emulation_is_device (scale, 1))
      return CUDNN_STATUS_BAD_PARAM;
    memcpy (&run->scale, scale, sizeof run->scale);
  }
  const bool is_replaceable = run->product || run->attention;
  if (is_replaceable && getenv ("CUDA_EMULATION_FAIL_GRAPHS"))
    return CUDNN_STATUS_EXECUTION_FAILED;
  if (cuda_emulation_load (at (plan).get (), handle->stream) != cudaSuccess)
    return CUDNN_STATUS_EXECUTION_FAILED;
  cuda_emulation_count_engine (config->engine);
  auto work = [] (void *state) {
    static_cast<Run *> (state)->go ();
    return cudaSuccess;
  };
  return cuda_emulation_enqueue (handle->stream, work, run.release (),
             [] (void *state) { delete static_cast<Run *> (state); })
                 == cudaSuccess
             ? CUDNN_STATUS_SUCCESS
             : CUDNN_STATUS_EXECUTION_FAILED;
}
} /* extern "C" */
