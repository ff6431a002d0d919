/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cardiac/mreg.h>

#include "core/buffer.h"
#include "core/error.h"
#include "nets/backbone.h"
#include "nets/head.h"
#include "nets/ops.h"
#include "nets/programs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CardiacMReg {
  CardiacModel *model;
  CardiacRuntime *runtime;
  CardiacProgram *encoder; ///< one instance through the backbone
  CardiacProgram *head;    ///< all instances
  CardiacProgram *cam;     ///< Eigen-CAM of the selected instance
  CardiacBuffer *frames;   ///< on their way to a device; NULL without one
  CardiacResizer *resizer; ///< NULL until pictures come
  CardiacBackbone backbone;
  CardiacHead choices;
  CardiacMRegShape shape;
};

struct CardiacInstance {
  int T, N, E, K;
  CardiacBuffer *c; ///< [T,E]
  CardiacBuffer *p; ///< [T,N,E]
  CardiacBuffer *z; ///< [T,E]
  CardiacBuffer *s; ///< [2,E]: prompted texts of presence
  CardiacBuffer *t; ///< [K,E]: of the grades
};

static const char *const known_keys[] = { "input_side", "frames",
  "vision_heads", "mit_heads", "prompt_heads", "hidden_act", "layer_norm_eps",
  "image_mean", "image_std", "instances", "labels", "presence_labels",
  "thresholds", "select", "beta", "amp_padding", "norm", "norm_eps",
  "expert_gate", NULL };

/* ---- making ---------------------------------------------------------------- */

static bool
read_shape (CardiacMReg *m, CardiacError **error)
{
  const CardiacBackbone *b = &m->backbone;
  int64_t grades[2] = { -1, b->E }, instances;
  if (!cardiac_model_shape (m->model, "text.grade", 2, grades, error)
      || !cardiac_model_config_int (
          m->model, "instances", 1, 16, 3, &instances, error))
    return false;
  if (grades[0] < 2 || grades[0] > CARDIAC_MREG_MAX_CLASSES)
    return cardiac_fail (error, CARDIAC_ERROR_MODEL,
        "%s: text.grade has %d classes; 2 to %d expected",
        cardiac_model_path (m->model), (int) grades[0],
        CARDIAC_MREG_MAX_CLASSES);
  m->choices = (CardiacHead){
    .I = (int) instances, .T = b->T, .N = b->N, .E = b->E, .K = (int) grades[0]
  };
  if (!cardiac_head_read (&m->choices, m->model, error))
    return false;
  for (int k = 0; k < m->choices.K; k++)
    if (!cardiac_model_label (m->model, k))
      return cardiac_fail (error, CARDIAC_ERROR_MODEL,
          "%s: labels names %d grades; text.grade has %d",
          cardiac_model_path (m->model), k, m->choices.K);

  m->shape = (CardiacMRegShape){ .instances = m->choices.I,
    .frames = b->T,
    .side = b->S,
    .patches = b->N,
    .grid = b->S / b->P,
    .embed = b->E,
    .classes = m->choices.K };
  memcpy (m->shape.mean, b->mean, sizeof b->mean);
  memcpy (m->shape.std, b->std, sizeof b->std);
  memcpy (
      m->shape.thresholds, m->choices.thresholds, sizeof m->shape.thresholds);
  return true;
}

static void
build_encoder (CardiacMReg *m, CardiacWeights *weights)
{
  const CardiacBackbone *b = &m->backbone;
  int C = 2 + m->choices.K;
  weights->program = m->encoder;
  CardiacValue frames = cardiac_program_input (
      m->encoder, "frames", CARDIAC_F32, 4, (int64_t[]){ b->T, 3, b->S, b->S });
  CardiacValue text = cardiac_program_input (
      m->encoder, "text", CARDIAC_F32, 2, (int64_t[]){ C, b->E });
  CardiacBackboneValues v =
      cardiac_backbone_build (b, m->encoder, weights, frames, text, C);
  cardiac_program_output (m->encoder, "frame_features", v.c);
  cardiac_program_output (m->encoder, "patch_features", v.p);
  cardiac_program_output (m->encoder, "video_features", v.z);
  cardiac_program_output (m->encoder, "prompted_text", v.prompted);
  cardiac_program_keep (m->encoder, "frames");
  cardiac_program_keep (m->encoder, "frame_features");
  cardiac_program_keep (m->encoder, "patch_features");
  cardiac_program_keep (m->encoder, "video_features");
  cardiac_program_keep (m->encoder, "prompted_text");
}

/* What instances hold of the backbone's results is not moved to the host. */
static void
build_head (CardiacMReg *m, CardiacWeights *weights)
{
  weights->program = m->head;
  cardiac_head_build (&m->choices, m->head, weights);
  cardiac_program_keep (m->head, "video_features");
  cardiac_program_keep (m->head, "patch_features");
  cardiac_program_keep (m->head, "presence_text");
  for (int i = 0; i < m->choices.I; i++) {
    char name[32];
    snprintf (name, sizeof name, "grade_text.%d", i);
    cardiac_program_keep (m->head, name);
  }
}

static void
build_cam (CardiacMReg *m)
{
  int T = m->choices.T, N = m->choices.N, E = m->choices.E;
  CardiacValue p = cardiac_program_input (
      m->cam, "patch_features", CARDIAC_F32, 3, (int64_t[]){ T, N, E });
  CardiacValue mixed = cardiac_program_input (
      m->cam, "mixed", CARDIAC_F32, 2, (int64_t[]){ T, N });
  cardiac_program_keep (m->cam, "patch_features");
  CardiacOp op = { .kind = CARDIAC_OP_EIGENCAM };
  CardiacValue cam = cardiac_program_op (m->cam, &op,
      (CardiacValue[]){ p, mixed }, 2,
      cardiac_program_value (m->cam, CARDIAC_F32, 2, (int64_t[]){ T, N + 1 }),
      "eigencam");
  cardiac_program_output (m->cam, "eigencam", cam);
}

/* Both prompt sets go through the same generator: one list of texts. */
static bool
set_texts (CardiacMReg *m, CardiacError **error)
{
  int64_t E = m->backbone.E, K = m->choices.K;
  float *presence = cardiac_model_floats (
      m->model, "text.presence", 2, (int64_t[]){ 2, E }, error);
  float *grade = cardiac_model_floats (
      m->model, "text.grade", 2, (int64_t[]){ K, E }, error);
  if (presence && grade) {
    float *text = cardiac_program_data (m->encoder, "text", NULL);
    memcpy (text, presence, sizeof *text * 2 * E);
    memcpy (text + 2 * E, grade, sizeof *text * K * E);
  }
  bool both = presence && grade;
  free (presence);
  free (grade);
  return both;
}

/* Where frames wait that a device has to fetch. */
static bool
make_frames (CardiacMReg *m, CardiacError **error)
{
  const CardiacBackbone *b = &m->backbone;
  if (cardiac_program_data (m->encoder, "frames", NULL))
    return true;
  m->frames =
      cardiac_buffer_new (m->runtime, (int64_t) b->T * 3 * b->S * b->S, error);
  return m->frames != NULL;
}

static bool
plan (CardiacMReg *m, CardiacError **error)
{
  m->encoder = cardiac_program_new (m->runtime);
  m->head = cardiac_program_new (m->runtime);
  m->cam = cardiac_program_new (m->runtime);
  if (!m->encoder || !m->head || !m->cam)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  CardiacWeights weights;
  cardiac_weights_init (&weights, m->model, m->encoder);
  cardiac_weights_note (&weights, "text.presence");
  cardiac_weights_note (&weights, "text.grade");
  build_encoder (m, &weights);
  build_head (m, &weights);
  cardiac_weights_all_used (&weights);
  cardiac_weights_clear (&weights);
  build_cam (m);
  return cardiac_program_plan (m->encoder, error)
         && cardiac_program_plan (m->head, error)
         && cardiac_program_plan (m->cam, error) && set_texts (m, error)
         && make_frames (m, error);
}

CardiacMReg *
cardiac_mreg_new (
    CardiacModel *model, const CardiacSettings *settings, CardiacError **error)
{
  if (cardiac_model_arch (model) != CARDIAC_ARCH_MREG) {
    cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "%s is a '%s' model; 'mreg' expected", cardiac_model_path (model),
        cardiac_arch_name (cardiac_model_arch (model)));
    return NULL;
  }
  CardiacMReg *m = calloc (1, sizeof *m);
  if (!m) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
    return NULL;
  }
  m->model = cardiac_model_ref (model);
  if (!cardiac_model_config_known (model, known_keys, error)
      || !cardiac_backbone_read (&m->backbone, model, error)
      || !read_shape (m, error)
      || !(m->runtime = cardiac_runtime_new (settings, error))
      || !plan (m, error))
    cardiac_mreg_free (&m);
  return m;
}

void
cardiac_mreg_free (CardiacMReg **mreg)
{
  if (!mreg || !*mreg)
    return;
  CardiacMReg *m = *mreg;
  cardiac_program_free (&m->encoder);
  cardiac_program_free (&m->head);
  cardiac_program_free (&m->cam);
  cardiac_buffer_free (&m->frames);
  cardiac_resizer_free (&m->resizer);
  cardiac_runtime_free (&m->runtime);
  cardiac_model_unref (&m->model);
  free (m);
  *mreg = NULL;
}

const CardiacMRegShape *
cardiac_mreg_shape (const CardiacMReg *mreg)
{
  return &mreg->shape;
}

const CardiacRunInfo *
cardiac_mreg_run_info (const CardiacMReg *mreg)
{
  return cardiac_runtime_info (mreg->runtime);
}

CardiacProgram *
cardiac_mreg_backbone_program (CardiacMReg *mreg)
{
  return mreg->encoder;
}

CardiacProgram *
cardiac_mreg_head_program (CardiacMReg *mreg)
{
  return mreg->head;
}

CardiacProgram *
cardiac_mreg_eigencam_program (CardiacMReg *mreg)
{
  return mreg->cam;
}

/* ---- instances -------------------------------------------------------------- */

CardiacInstance *
cardiac_instance_new (const CardiacMReg *mreg, CardiacError **error)
{
  const CardiacHead *h = &mreg->choices;
  CardiacRuntime *runtime = mreg->runtime;
  const int64_t te = (int64_t) h->T * h->E;
  CardiacInstance *it = calloc (1, sizeof *it);
  if (!it) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory for an instance");
    return NULL;
  }
  *it = (CardiacInstance){ .T = h->T, .N = h->N, .E = h->E, .K = h->K };
  if (!(it->c = cardiac_buffer_new (runtime, te, error))
      || !(it->p = cardiac_buffer_new (runtime, te * h->N, error))
      || !(it->z = cardiac_buffer_new (runtime, te, error))
      || !(it->s = cardiac_buffer_new (runtime, 2 * (int64_t) h->E, error))
      || !(it->t = cardiac_buffer_new (runtime, (int64_t) h->K * h->E, error)))
    cardiac_instance_free (&it);
  return it;
}

void
cardiac_instance_free (CardiacInstance **instance)
{
  if (!instance || !*instance)
    return;
  CardiacInstance *it = *instance;
  cardiac_buffer_free (&it->c);
  cardiac_buffer_free (&it->p);
  cardiac_buffer_free (&it->z);
  cardiac_buffer_free (&it->s);
  cardiac_buffer_free (&it->t);
  free (it);
  *instance = NULL;
}

bool
cardiac_instance_tensor (
    CardiacInstance *it, const char *name, CardiacTensor *tensor)
{
  const struct {
    const char *name;
    CardiacBuffer *buffer;
    int rank, shape[3];
  } tensors[] = {
    { "frame_features", it->c, 2, { it->T, it->E } },
    { "patch_features", it->p, 3, { it->T, it->N, it->E } },
    { "video_features", it->z, 2, { it->T, it->E } },
    { "presence_text", it->s, 2, { 2, it->E } },
    { "grade_text", it->t, 2, { it->K, it->E } },
  };
  size_t i = 0, count = sizeof tensors / sizeof *tensors;
  while (i < count && strcmp (tensors[i].name, name) != 0)
    i++;
  float *data =
      i < count ? cardiac_buffer_host (tensors[i].buffer, false, NULL) : NULL;
  if (!data)
    return false;
  *tensor = (CardiacTensor){
    .dtype = CARDIAC_F32, .rank = tensors[i].rank, .data = data
  };
  for (int axis = 0; axis < tensor->rank; axis++)
    tensor->shape[axis] = tensors[i].shape[axis];
  return true;
}

static void
copy_out (CardiacProgram *program, const char *name, float *to)
{
  CardiacTensor tensor;
  const float *from = cardiac_program_data (program, name, &tensor);
  memcpy (to, from, sizeof *to * cardiac_tensor_count (&tensor));
}

/* The backbone, over frames that are in place. */
static bool
encode (CardiacMReg *m, CardiacInstance *instance, CardiacError **error)
{
  if (!cardiac_program_run (m->encoder, error))
    return false;
  cardiac_program_save (m->encoder, "frame_features", 0, instance->c);
  cardiac_program_save (m->encoder, "patch_features", 0, instance->p);
  cardiac_program_save (m->encoder, "video_features", 0, instance->z);
  cardiac_program_save (m->encoder, "prompted_text", 0, instance->s);
  cardiac_program_save (m->encoder, "prompted_text",
      cardiac_buffer_count (instance->s), instance->t);
  return true;
}

/* Host memory that frames are written to, and then sent from. */
static float *
frames_to_fill (CardiacMReg *m, CardiacError **error)
{
  return m->frames ? cardiac_buffer_host (m->frames, true, error)
                   : cardiac_program_data (m->encoder, "frames", NULL);
}

static void
send_frames (CardiacMReg *m)
{
  if (m->frames)
    cardiac_program_load (m->encoder, "frames", 0, m->frames);
}

bool
cardiac_mreg_encode (CardiacMReg *mreg, const float *frames,
    CardiacInstance *instance, CardiacError **error)
{
  const CardiacBackbone *b = &mreg->backbone;
  float *to = frames_to_fill (mreg, error);
  if (!to)
    return false;
  memcpy (to, frames, sizeof *to * b->T * 3 * b->S * b->S);
  send_frames (mreg);
  return encode (mreg, instance, error);
}

static bool
place_on_host (CardiacMReg *m, const CardiacImage *images,
    const CardiacSquare *crop, CardiacError **error)
{
  const CardiacBackbone *b = &m->backbone;
  float *to = frames_to_fill (m, error);
  if (!to || (!m->resizer && !(m->resizer = cardiac_resizer_new (error))))
    return false;
  for (int t = 0; t < b->T; t++, to += 3 * b->S * b->S)
    if (!cardiac_resizer_square_to_tensor (
            m->resizer, &images[t], crop, b->S, b->mean, b->std, to, error))
      return false;
  send_frames (m);
  return true;
}

static bool
place_on_device (CardiacMReg *m, const CardiacImage *images,
    const CardiacSquare *crop, CardiacError **error)
{
  const CardiacBackbone *b = &m->backbone;
  const int64_t frame = 3 * (int64_t) b->S * b->S;
  CardiacResize resize;
  if (!cardiac_resize_square (crop, b->S, b->mean, b->std, &resize, error))
    return false;
  for (int t = 0; t < b->T; t++)
    if (!cardiac_program_place (
            m->encoder, "frames", t * frame, &images[t], &resize, error))
      return false;
  return true;
}

bool
cardiac_mreg_encode_images (CardiacMReg *mreg, const CardiacImage *images,
    CardiacMemory memory, const CardiacSquare *crop, CardiacInstance *instance,
    CardiacError **error)
{
  return (memory == CARDIAC_MEMORY_DEVICE
                 ? place_on_device (mreg, images, crop, error)
                 : place_on_host (mreg, images, crop, error))
         && encode (mreg, instance, error);
}

/* ---- the head ---------------------------------------------------------------- */

static void
load_head_inputs (CardiacMReg *m, CardiacInstance *const *instances)
{
  for (int i = 0; i < m->choices.I; i++) {
    const CardiacInstance *it = instances[i];
    char name[32];
    snprintf (name, sizeof name, "grade_text.%d", i);
    cardiac_program_load (
        m->head, "video_features", i * cardiac_buffer_count (it->z), it->z);
    cardiac_program_load (
        m->head, "patch_features", i * cardiac_buffer_count (it->p), it->p);
    cardiac_program_load (
        m->head, "presence_text", i * cardiac_buffer_count (it->s), it->s);
    cardiac_program_load (m->head, name, 0, it->t);
  }
}

static CardiacMRegResult *
result_new (const CardiacHead *h, int grid)
{
  CardiacMRegResult *r = calloc (1, sizeof *r);
  if (!r)
    return NULL;
  size_t I = h->I, T = h->T, N = h->N, E = h->E, K = h->K;
  *r = (CardiacMRegResult){ .instances = h->I,
    .frames = h->T,
    .grid = grid,
    .embed = h->E,
    .classes = h->K };
  r->s2 = calloc (I * 2, sizeof (float));
  r->presence = calloc (I, sizeof (float));
  r->amplified = calloc (I * T * E, sizeof (float));
  r->activation = calloc (I * T * N * K, sizeof (float));
  r->experts = calloc (I * K, sizeof (float));
  r->curve = calloc (I * T, sizeof (float));
  r->regression = calloc (I, sizeof (float));
  r->mixed = calloc (I * T * N, sizeof (float));
  r->eigencam = calloc (T * N, sizeof (float));
  r->eigencam_defined = calloc (T, sizeof (bool));
  if (!r->s2 || !r->presence || !r->amplified || !r->activation || !r->experts
      || !r->curve || !r->regression || !r->mixed || !r->eigencam
      || !r->eigencam_defined)
    cardiac_mreg_result_free (&r);
  return r;
}

void
cardiac_mreg_result_free (CardiacMRegResult **result)
{
  if (!result || !*result)
    return;
  CardiacMRegResult *r = *result;
  free (r->s2);
  free (r->presence);
  free (r->amplified);
  free (r->activation);
  free (r->experts);
  free (r->curve);
  free (r->regression);
  free (r->mixed);
  free (r->eigencam);
  free (r->eigencam_defined);
  free (r);
  *result = NULL;
}

/* i* = argmax of the regurgitation logit (or probability), the lowest on ties;
 * the grade of its regression; softmax of its experts. */
static void
decide (const CardiacHead *h, CardiacMRegResult *r)
{
  for (int i = 1; i < h->I; i++) {
    int s = r->selected;
    bool better = h->probability ? r->presence[i] > r->presence[s]
                                 : r->s2[2 * i + 1] > r->s2[2 * s + 1];
    if (better)
      r->selected = i;
  }
  r->value = r->regression[r->selected];
  for (int k = 0; k < h->K - 1; k++)
    if (r->value >= h->thresholds[k])
      r->grade = k + 1;

  const float *e = r->experts + (size_t) r->selected * h->K;
  double top = e[0], sum = 0;
  for (int k = 1; k < h->K; k++)
    top = fmax (top, e[k]);
  for (int k = 0; k < h->K; k++)
    sum += exp (e[k] - top);
  for (int k = 0; k < h->K; k++)
    r->probabilities[k] = (float) (exp (e[k] - top) / sum);
}

/* Where the first two singular values differ by less than 1 %, the direction
 * of the map is noise. */
static bool
run_eigencam (CardiacMReg *m, const CardiacInstance *instance,
    CardiacMRegResult *r, CardiacError **error)
{
  const CardiacHead *h = &m->choices;
  size_t tn = (size_t) h->T * h->N;
  cardiac_program_load (m->cam, "patch_features", 0, instance->p);
  memcpy (cardiac_program_data (m->cam, "mixed", NULL),
      r->mixed + r->selected * tn, tn * sizeof (float));
  if (!cardiac_program_run (m->cam, error))
    return false;
  const float *cam = cardiac_program_data (m->cam, "eigencam", NULL);
  for (int t = 0; t < h->T; t++) {
    const float *row = cam + (size_t) t * (h->N + 1);
    r->eigencam_defined[t] = row[h->N] <= 0.99f;
    memcpy (r->eigencam + (size_t) t * h->N, row, h->N * sizeof (float));
  }
  return true;
}

static bool
all_finite (const CardiacMRegResult *r)
{
  for (int i = 0; i < r->instances; i++)
    if (!isfinite (r->regression[i]) || !isfinite (r->presence[i]))
      return false;
  return true;
}

CardiacMRegResult *
cardiac_mreg_grade (CardiacMReg *mreg, CardiacInstance *const *instances,
    int count, CardiacError **error)
{
  const CardiacHead *h = &mreg->choices;
  if (count != h->I) {
    cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "%d instances given; the head needs %d", count, h->I);
    return NULL;
  }
  CardiacMRegResult *r = result_new (h, mreg->shape.grid);
  if (!r) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory for a result");
    return NULL;
  }
  load_head_inputs (mreg, instances);
  if (!cardiac_program_run (mreg->head, error))
    goto failed;
  copy_out (mreg->head, "s2", r->s2);
  copy_out (mreg->head, "amplified", r->amplified);
  copy_out (mreg->head, "activation", r->activation);
  copy_out (mreg->head, "experts", r->experts);
  copy_out (mreg->head, "curve", r->curve);
  copy_out (mreg->head, "regression", r->regression);
  copy_out (mreg->head, "mixed", r->mixed);
  const float *both = cardiac_program_data (mreg->head, "presence", NULL);
  for (int i = 0; i < h->I; i++)
    r->presence[i] = both[2 * i + 1];
  if (!all_finite (r)) {
    cardiac_fail (error, CARDIAC_ERROR_MODEL,
        "%s gives a result that is not a number: its weights are damaged, or "
        "too large for %s",
        cardiac_model_path (mreg->model),
        cardiac_mreg_run_info (mreg)->precision);
    goto failed;
  }
  decide (h, r);
  if (!run_eigencam (mreg, instances[r->selected], r, error))
    goto failed;
  return r;

failed:
  cardiac_mreg_result_free (&r);
  return NULL;
}
