/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cardiac-infer MODEL INPUT OUTDIR: one network, without GStreamer; every
 * output as a .npy file. The tool of golden tests, integrators, bug reports. */
#include <cardiac/cardiac.h>

#include "core/error.h"
#include "core/model.h"
#include "core/npy.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char usage[] =
    "usage: cardiac-infer MODEL INPUT OUTDIR [--device=auto|cpu|reference|"
    "cuda[:N]]\n"
    "                     [--precision=auto|fp32|bf16|fp16] [--threads=N]\n"
    "Runs a model file (.safetensors) on INPUT (.npy; for mreg also a\n"
    "directory of features) and writes every output as OUTDIR/NAME.npy.\n";

/* ---- small helpers ------------------------------------------------------------ */

static bool
write_output (const char *directory, const char *name, CardiacTensor tensor,
    CardiacError **error)
{
  char path[4096];
  snprintf (path, sizeof path, "%s/%s.npy", directory, name);
  return cardiac_npy_write (path, &tensor, error);
}

static CardiacTensor
tensor_of (CardiacDType dtype, void *data, int rank, const int64_t *shape)
{
  CardiacTensor t = { .dtype = dtype, .rank = rank, .data = data };
  for (int i = 0; i < rank; i++)
    t.shape[i] = shape[i];
  return t;
}

static CardiacTensor
floats (void *data, int rank, const int64_t *shape)
{
  return tensor_of (CARDIAC_F32, data, rank, shape);
}

static const char *
shape_text (const CardiacTensor *t, char *text, size_t size)
{
  size_t used = snprintf (text, size, "%s [", cardiac_dtype_name (t->dtype));
  for (int i = 0; i < t->rank && used < size; i++)
    used += snprintf (text + used, size - used, "%s%lld", i ? "," : "",
        (long long) t->shape[i]);
  snprintf (text + used, used < size ? size - used : 0, "]");
  return text;
}

static bool
has_shape (
    const CardiacTensor *t, CardiacDType dtype, int rank, const int64_t *shape)
{
  if (t->dtype != dtype || t->rank != rank)
    return false;
  for (int i = 0; i < rank; i++)
    if (shape[i] >= 0 ? t->shape[i] != shape[i] : t->shape[i] < 1)
      return false;
  return true;
}

static bool
wrong_input (const char *path, const CardiacTensor *t, CardiacError **error,
    const char *expected)
{
  char text[160];
  return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
      "%s holds %s; %s expected", path, shape_text (t, text, sizeof text),
      expected);
}

/* Pictures [count,h,w,3] to network frames [count,3,S,S]: centred on a black
 * square, resized, normalised. */
static bool
frames_from_pictures (const uint8_t *rgb, int64_t count, int h, int w, int S,
    const float *mean, const float *std, float *out, CardiacError **error)
{
  int side = h > w ? h : w;
  CardiacSquare crop = { .x = -(double) ((side - w) / 2),
    .y = -(double) ((side - h) / 2),
    .side = side };
  for (int64_t i = 0; i < count; i++) {
    CardiacImage image =
        cardiac_image_rgb (w, h, rgb + i * h * w * 3, (ptrdiff_t) w * 3);
    if (!cardiac_image_square_to_tensor (
            &image, &crop, S, mean, std, out + i * 3 * S * S, error))
      return false;
  }
  return true;
}

/* Normalised clips as they are, or uint8 pictures: [lead..., T,3,S,S] or
 * [lead..., T,h,w,3]. Returns the frames (malloc'ed). */
static float *
read_frames (const char *path, const CardiacNpy *npy, int lead, int64_t first,
    int T, int S, const float *mean, const float *std, CardiacError **error)
{
  const CardiacTensor *t = &npy->tensor;
  int64_t clips = lead ? first : 1, count = clips * T;
  int64_t planar[5] = { first, T, 3, S, S },
          packed[5] = { first, T, -1, -1, 3 };
  const int64_t *pl = planar + !lead, *pk = packed + !lead;
  char expected[200];
  snprintf (expected, sizeof expected,
      "f32 [%s%d,3,%d,%d] (normalised) or u8 [%s%d,h,w,3]", lead ? "I," : "", T,
      S, S, lead ? "I," : "", T);
  float *frames = malloc (sizeof *frames * count * 3 * S * S);
  if (!frames) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory for %s", path);
    return NULL;
  }
  if (has_shape (t, CARDIAC_F32, 4 + lead, pl)) {
    memcpy (frames, t->data, sizeof *frames * count * 3 * S * S);
    return frames;
  }
  if (has_shape (t, CARDIAC_U8, 4 + lead, pk)) {
    if (frames_from_pictures (t->data, count, (int) t->shape[1 + lead],
            (int) t->shape[2 + lead], S, mean, std, frames, error))
      return frames;
  } else {
    wrong_input (path, t, error, expected);
  }
  free (frames);
  return NULL;
}

static void
print_run (const CardiacModel *model, const CardiacRunInfo *info)
{
  bool slow = strcmp (info->device, "reference") == 0 && info->fallback[0];
  fprintf (stderr, "%s (%s) on %s, %s, %d threads%s%s\n",
      cardiac_model_name (model),
      cardiac_arch_name (cardiac_model_arch (model)), info->device,
      info->precision, info->threads, slow ? "; " : "",
      slow ? info->fallback : "");
}

/* ---- xclip -------------------------------------------------------------------- */

static bool
infer_xclip (CardiacModel *model, const CardiacSettings *settings,
    const char *input, const char *out, CardiacError **error)
{
  static const char *const names[] = { "frame_features", "patch_features",
    "video_features", "prompted_text", "logits" };
  CardiacXclip *xclip = cardiac_xclip_new (model, settings, error);
  CardiacNpy npy = { 0 };
  float *frames = NULL;
  bool ok = false;
  if (!xclip || !cardiac_npy_read (input, &npy, error))
    goto done;
  print_run (model, cardiac_xclip_run_info (xclip));
  const CardiacXclipShape *s = cardiac_xclip_shape (xclip);
  frames = read_frames (
      input, &npy, 0, 1, s->frames, s->side, s->mean, s->std, error);
  ok = frames && cardiac_xclip_run (xclip, frames, error);
  for (int i = 0; ok && i < 5; i++) {
    CardiacTensor t;
    cardiac_xclip_output (xclip, names[i], &t);
    ok = write_output (out, names[i], t, error);
  }
done:
  free (frames);
  cardiac_npy_clear (&npy);
  cardiac_xclip_free (&xclip);
  return ok;
}

/* ---- mreg --------------------------------------------------------------------- */

static const char *const feature_names[] = { "frame_features", "patch_features",
  "video_features", "presence_text", "grade_text" };

/* Features of all instances under one name: [I, ...]. */
static bool
write_features (CardiacInstance *const *instances, int I, const char *name,
    const char *out, CardiacError **error)
{
  CardiacTensor t;
  if (!cardiac_instance_tensor (instances[0], name, &t))
    return cardiac_fail (error, CARDIAC_ERROR_INTERNAL, "no %s", name);
  int64_t each = cardiac_tensor_count (&t);
  float *all = malloc (sizeof *all * each * I);
  if (!all)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  for (int i = 0; i < I; i++) {
    cardiac_instance_tensor (instances[i], name, &t);
    memcpy (all + i * each, t.data, sizeof *all * each);
  }
  memmove (t.shape + 1, t.shape, t.rank * sizeof *t.shape);
  t.shape[0] = I;
  t.rank++;
  t.data = all;
  bool ok = write_output (out, name, t, error);
  free (all);
  return ok;
}

/* A directory of [I, ...] feature files fills the instances. */
static bool
read_features (CardiacInstance *const *instances, int I, const char *directory,
    CardiacError **error)
{
  for (int f = 1; f < 5; f++) { /* frame_features are not the head's */
    char path[4096];
    snprintf (path, sizeof path, "%s/%s.npy", directory, feature_names[f]);
    CardiacNpy npy;
    if (!cardiac_npy_read (path, &npy, error))
      return false;
    for (int i = 0; i < I; i++) {
      CardiacTensor t;
      cardiac_instance_tensor (instances[i], feature_names[f], &t);
      int64_t wanted[CARDIAC_MAX_RANK] = { I };
      memcpy (wanted + 1, t.shape, t.rank * sizeof *wanted);
      if (!has_shape (&npy.tensor, CARDIAC_F32, t.rank + 1, wanted)) {
        char text[160];
        CardiacTensor expected = floats (NULL, t.rank + 1, wanted);
        wrong_input (path, &npy.tensor, error,
            shape_text (&expected, text, sizeof text));
        cardiac_npy_clear (&npy);
        return false;
      }
      int64_t each = cardiac_tensor_count (&t);
      memcpy (t.data, (const float *) npy.tensor.data + i * each,
          sizeof (float) * each);
    }
    cardiac_npy_clear (&npy);
  }
  return true;
}

static bool
write_result (CardiacMRegResult *r, const char *out, CardiacError **error)
{
  int64_t I = r->instances, T = r->frames, G = r->grid, E = r->embed,
          K = r->classes, selected = r->selected, grade = r->grade;
  for (int64_t t = 0; t < T; t++) /* an undefined map is not a map */
    if (!r->eigencam_defined[t])
      for (int64_t n = 0; n < G * G; n++)
        r->eigencam[t * G * G + n] = NAN;
  return write_output (out, "s2", floats (r->s2, 2, (int64_t[]){ I, 2 }), error)
         && write_output (
             out, "presence", floats (r->presence, 1, (int64_t[]){ I }), error)
         && write_output (out, "selected",
             tensor_of (CARDIAC_I64, &selected, 0, NULL), error)
         && write_output (out, "amplified",
             floats (r->amplified, 3, (int64_t[]){ I, T, E }), error)
         && write_output (out, "activation",
             floats (r->activation, 4, (int64_t[]){ I, T, G * G, K }), error)
         && write_output (
             out, "experts", floats (r->experts, 2, (int64_t[]){ I, K }), error)
         && write_output (
             out, "curve", floats (r->curve, 2, (int64_t[]){ I, T }), error)
         && write_output (out, "regression",
             floats (r->regression, 1, (int64_t[]){ I }), error)
         && write_output (
             out, "grade", tensor_of (CARDIAC_I64, &grade, 0, NULL), error)
         && write_output (out, "eigencam",
             floats (r->eigencam, 3, (int64_t[]){ T, G, G }), error);
}

/* Runs the backbone on every instance of the input file. */
static bool
encode_input (CardiacMReg *mreg, CardiacInstance *const *instances,
    const char *input, CardiacError **error)
{
  const CardiacMRegShape *s = cardiac_mreg_shape (mreg);
  CardiacNpy npy;
  if (!cardiac_npy_read (input, &npy, error))
    return false;
  float *frames = read_frames (
      input, &npy, 1, s->instances, s->frames, s->side, s->mean, s->std, error);
  bool ok = frames != NULL;
  size_t clip = (size_t) s->frames * 3 * s->side * s->side;
  for (int i = 0; ok && i < s->instances; i++)
    ok = cardiac_mreg_encode (mreg, frames + i * clip, instances[i], error);
  free (frames);
  cardiac_npy_clear (&npy);
  return ok;
}

static bool
infer_mreg (CardiacModel *model, const CardiacSettings *settings,
    const char *input, const char *out, CardiacError **error)
{
  CardiacMReg *mreg = cardiac_mreg_new (model, settings, error);
  if (!mreg)
    return false;
  print_run (model, cardiac_mreg_run_info (mreg));
  int I = cardiac_mreg_shape (mreg)->instances;
  CardiacInstance *instances[16] = { NULL };
  CardiacMRegResult *result = NULL;
  bool ok = true;
  for (int i = 0; ok && i < I; i++)
    ok = (instances[i] = cardiac_instance_new (mreg, error)) != NULL;

  struct stat info;
  bool features = stat (input, &info) == 0 && S_ISDIR (info.st_mode);
  if (ok)
    ok = features ? read_features (instances, I, input, error)
                  : encode_input (mreg, instances, input, error);
  if (ok)
    ok = (result = cardiac_mreg_grade (mreg, instances, I, error)) != NULL;
  for (int f = 0; ok && !features && f < 5; f++)
    ok = write_features (instances, I, feature_names[f], out, error);
  if (ok)
    ok = write_result (result, out, error);

  cardiac_mreg_result_free (&result);
  for (int i = 0; i < I; i++)
    cardiac_instance_free (&instances[i]);
  cardiac_mreg_free (&mreg);
  return ok;
}

/* ---- yolov8 -------------------------------------------------------------------- */

static bool
write_detections (const CardiacDetection *d, int count,
    const CardiacLetterbox *placement, int height, int width, const char *out,
    CardiacError **error)
{
  float boxes[CARDIAC_YOLOV8_MAX_DETECTIONS][4];
  float scores[CARDIAC_YOLOV8_MAX_DETECTIONS];
  int64_t classes[CARDIAC_YOLOV8_MAX_DETECTIONS];
  for (int i = 0; i < count; i++) {
    boxes[i][0] = d[i].x1;
    boxes[i][1] = d[i].y1;
    boxes[i][2] = d[i].x2;
    boxes[i][3] = d[i].y2;
    if (placement)
      cardiac_letterbox_to_picture (placement, boxes[i]);
    for (int j = 0; !placement && j < 4; j++)
      boxes[i][j] = fminf (fmaxf (boxes[i][j], 0), (j & 1) ? height : width);
    scores[i] = d[i].score;
    classes[i] = d[i].class_index;
  }
  return write_output (
             out, "boxes", floats (boxes, 2, (int64_t[]){ count, 4 }), error)
         && write_output (
             out, "scores", floats (scores, 1, (int64_t[]){ count }), error)
         && write_output (out, "classes",
             tensor_of (CARDIAC_I64, classes, 1, (int64_t[]){ count }), error);
}

static bool
infer_yolov8 (CardiacModel *model, const CardiacSettings *settings,
    const char *input, const char *out, CardiacError **error)
{
  CardiacNpy npy;
  if (!cardiac_npy_read (input, &npy, error))
    return false;
  const CardiacTensor *t = &npy.tensor;
  bool picture = has_shape (t, CARDIAC_U8, 3, (int64_t[]){ -1, -1, 3 });
  bool planar = has_shape (t, CARDIAC_F32, 3, (int64_t[]){ 3, -1, -1 });
  CardiacYolov8 *yolo = NULL;
  float *tensor = NULL;
  bool ok = false;
  if (!picture && !planar) {
    wrong_input (input, t, error,
        "f32 [3,h,w] in 0..1 (h, w multiples of 32) or u8 [h,w,3]");
    goto done;
  }
  yolo = cardiac_yolov8_new (model, planar ? (int) t->shape[1] : 0,
      planar ? (int) t->shape[2] : 0, settings, error);
  if (!yolo)
    goto done;
  print_run (model, cardiac_yolov8_run_info (yolo));
  CardiacLetterbox placement;
  const float *data = t->data;
  if (picture) {
    int side = cardiac_yolov8_shape (yolo)->height;
    tensor = malloc (sizeof *tensor * 3 * side * side);
    CardiacImage image = cardiac_image_rgb ((int) t->shape[1],
        (int) t->shape[0], t->data, (ptrdiff_t) t->shape[1] * 3);
    if (!tensor
        || !cardiac_image_letterbox_to_tensor (
            &image, side, tensor, &placement, error))
      goto done;
    data = tensor;
  }
  static CardiacDetection found[CARDIAC_YOLOV8_MAX_DETECTIONS];
  int count = cardiac_yolov8_run (yolo, data, found, error);
  CardiacTensor raw;
  cardiac_yolov8_raw (yolo, &raw);
  ok = count >= 0 && write_output (out, "raw", raw, error)
       && write_detections (found, count, picture ? &placement : NULL,
           (int) t->shape[1], (int) t->shape[2], out, error);
done:
  free (tensor);
  cardiac_yolov8_free (&yolo);
  cardiac_npy_clear (&npy);
  return ok;
}

/* ---- mmsa ---------------------------------------------------------------------- */

/** P_pat in 0..1 (malloc'ed) from floats, or from grey levels. */
static float *
read_polar (const char *path, const CardiacTensor *t, CardiacError **error)
{
  const int64_t shape[3] = { -1, CARDIAC_MMSA_ROWS, CARDIAC_MMSA_COLUMNS };
  const bool grey = has_shape (t, CARDIAC_U8, 3, shape);
  if (!grey && !has_shape (t, CARDIAC_F32, 3, shape)) {
    wrong_input (path, t, error,
        "f32 [t,80,512] in 0..1 or u8 [t,80,512], t the phases of one cycle,");
    return NULL;
  }
  const int64_t count = cardiac_tensor_count (t);
  float *polar = malloc (sizeof *polar * (size_t) count);
  if (!polar) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory for %s", path);
    return NULL;
  }
  for (int64_t i = 0; i < count; i++)
    polar[i] = grey ? (float) ((const uint8_t *) t->data)[i] / 255.0f
                    : ((const float *) t->data)[i];
  return polar;
}

static bool
write_scores (
    CardiacMmsaResult *r, int features, const char *out, CardiacError **error)
{
  int64_t scores[CARDIAC_MMSA_SEGMENTS], n = CARDIAC_MMSA_SEGMENTS;
  for (int k = 0; k < n; k++)
    scores[k] = r->scores[k];
  const int64_t table[2] = { n, CARDIAC_MMSA_SCORES };
  return write_output (out, "logits", floats (r->logits, 2, table), error)
         && write_output (
             out, "probabilities", floats (r->probabilities, 2, table), error)
         && write_output (
             out, "scores", tensor_of (CARDIAC_I64, scores, 1, &n), error)
         && write_output (out, "index", floats (&r->index, 0, NULL), error)
         && write_output (out, "features",
             floats (r->features, 4, (int64_t[]){ n, features, 5, 2 }), error);
}

/** Flows, and attention where the model has any. */
static bool
write_motion (CardiacMmsaResult *r, const char *out, CardiacError **error)
{
  const struct {
    const char *flow_name, *attention_name;
    float *flow, *attention;
  } scales[3] = { { "flow1", "attention1", r->flow1, r->attention1 },
    { "flow2", "attention2", r->flow2, r->attention2 },
    { "flow4", "attention3", r->flow4, r->attention3 } };
  bool ok = true;
  for (int i = 0; ok && i < 3; i++) {
    const int64_t h = CARDIAC_MMSA_ROWS >> i, w = CARDIAC_MMSA_COLUMNS >> i;
    ok = write_output (out, scales[i].flow_name,
        floats (scales[i].flow, 4, (int64_t[]){ r->phases, 2, h, w }), error);
    if (ok && scales[i].attention)
      ok = write_output (out, scales[i].attention_name,
          floats (scales[i].attention, 3,
              (int64_t[]){
                  CARDIAC_MMSA_SEGMENTS, h, w / CARDIAC_MMSA_SEGMENTS }),
          error);
  }
  return ok;
}

static bool
infer_mmsa (CardiacModel *model, const CardiacSettings *settings,
    const char *input, const char *out, CardiacError **error)
{
  CardiacNpy npy;
  if (!cardiac_npy_read (input, &npy, error))
    return false;
  CardiacMmsa *mmsa = NULL;
  CardiacMmsaResult *r = NULL;
  float *polar = read_polar (input, &npy.tensor, error);
  /* More phases than any network takes: the border says what is expected. */
  const int phases = npy.tensor.shape[0] > 1000 ? 1000 : npy.tensor.shape[0];
  if (polar)
    mmsa = cardiac_mmsa_new (model, phases, settings, error);
  if (mmsa) {
    print_run (model, cardiac_mmsa_run_info (mmsa));
    r = cardiac_mmsa_run (mmsa, polar, error);
  }
  const bool ok =
      r && write_motion (r, out, error)
      && write_scores (r, cardiac_mmsa_shape (mmsa)->features, out, error);
  cardiac_mmsa_result_free (&r);
  cardiac_mmsa_free (&mmsa);
  free (polar);
  cardiac_npy_clear (&npy);
  return ok;
}

/* ---- command line --------------------------------------------------------------- */

static bool
parse_precision (const char *text, CardiacPrecision *precision)
{
  for (int i = CARDIAC_PRECISION_AUTO; i <= CARDIAC_PRECISION_FP16; i++)
    if (strcmp (text, cardiac_precision_name (i)) == 0) {
      *precision = i;
      return true;
    }
  return false;
}

static bool
parse_options (int argc, char **argv, CardiacSettings *settings)
{
  static const struct option options[] = { { "device", required_argument, NULL,
                                               'd' },
    { "precision", required_argument, NULL, 'p' },
    { "threads", required_argument, NULL, 't' },
    { "help", no_argument, NULL, 'h' }, { 0 } };
  int option;
  while ((option = getopt_long (argc, argv, "h", options, NULL)) != -1) {
    char *end = NULL;
    switch (option) {
      case 'd':
        settings->device = optarg;
        break;
      case 'p':
        if (!parse_precision (optarg, &settings->precision)) {
          fprintf (stderr,
              "cardiac-infer: --precision=%s: auto, fp32, bf16 "
              "or fp16 expected\n",
              optarg);
          return false;
        }
        break;
      case 't':
        settings->threads = (int) strtol (optarg, &end, 10);
        if (*end || end == optarg) {
          fprintf (stderr, "cardiac-infer: --threads=%s: a number expected\n",
              optarg);
          return false;
        }
        break;
      case 'h':
        fputs (usage, stdout);
        exit (0);
      default:
        fputs (usage, stderr);
        return false;
    }
  }
  if (argc - optind != 3) {
    fputs (usage, stderr);
    return false;
  }
  return true;
}

static bool
infer (const char *path, const char *input, const char *out,
    const CardiacSettings *settings, CardiacError **error)
{
  if (mkdir (out, 0777) != 0 && errno != EEXIST)
    return cardiac_fail (
        error, CARDIAC_ERROR_IO, "%s: %s", out, strerror (errno));
  CardiacModel *model = cardiac_model_load (path, error);
  if (!model)
    return false;
  bool ok = false;
  switch (cardiac_model_arch (model)) {
    case CARDIAC_ARCH_XCLIP:
      ok = infer_xclip (model, settings, input, out, error);
      break;
    case CARDIAC_ARCH_MREG:
      ok = infer_mreg (model, settings, input, out, error);
      break;
    case CARDIAC_ARCH_YOLOV8:
      ok = infer_yolov8 (model, settings, input, out, error);
      break;
    case CARDIAC_ARCH_MMSA:
      ok = infer_mmsa (model, settings, input, out, error);
      break;
    default:
      cardiac_fail (error, CARDIAC_ERROR_UNSUPPORTED,
          "%s: arch '%s' is not supported by this version", path,
          cardiac_arch_name (cardiac_model_arch (model)));
  }
  cardiac_model_unref (&model);
  return ok;
}

int
main (int argc, char **argv)
{
  CardiacSettings settings;
  cardiac_settings_default (&settings);
  if (!parse_options (argc, argv, &settings))
    return 2;
  CardiacError *error = NULL;
  if (infer (
          argv[optind], argv[optind + 1], argv[optind + 2], &settings, &error))
    return 0;
  fprintf (stderr, "cardiac-infer: %s\n",
      error ? cardiac_error_message (error) : "failed");
  if (error && cardiac_error_detail (error)[0])
    fprintf (stderr, "  %s\n", cardiac_error_detail (error));
  cardiac_error_free (&error);
  return 1;
}
