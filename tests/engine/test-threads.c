/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-threads DEVICE PRECISION GOLDEN...: a network gives the same bits with
 * 1, 2, 3 and 8 threads, with a shared pool, and when it runs again. */
#include "../require.h"
#include "core/npy.h"
#include "core/program.h"
#include <cardiac/cardiac.h>

#include <string.h>

/* FNV-1a over the bytes of all outputs. */
static uint64_t
hash (uint64_t h, const void *data, size_t bytes)
{
  for (size_t i = 0; i < bytes; i++)
    h = (h ^ ((const unsigned char *) data)[i]) * 1099511628211u;
  return h;
}

static uint64_t
run_mreg (
    CardiacModel *model, const CardiacSettings *settings, const float *frames)
{
  CardiacError *error = NULL;
  CardiacMReg *mreg = cardiac_mreg_new (model, settings, &error);
  if (!mreg) {
    fprintf (stderr, "%s\n", cardiac_error_message (error));
    exit (1);
  }
  const CardiacMRegShape *s = cardiac_mreg_shape (mreg);
  CardiacInstance *instances[16];
  uint64_t first = 0;
  for (int again = 0; again < 2; again++) {
    uint64_t h = 14695981039346656037u;
    for (int i = 0; i < s->instances; i++) {
      instances[i] = cardiac_instance_new (mreg, NULL);
      REQUIRE (cardiac_mreg_encode (mreg,
          frames + (size_t) i * s->frames * 3 * s->side * s->side, instances[i],
          NULL));
      CardiacTensor t;
      REQUIRE (cardiac_instance_tensor (instances[i], "patch_features", &t));
      h = hash (h, t.data, sizeof (float) * cardiac_tensor_count (&t));
    }
    CardiacMRegResult *r =
        cardiac_mreg_grade (mreg, instances, s->instances, NULL);
    REQUIRE (r);
    h = hash (h, r->activation,
        sizeof (float) * s->instances * s->frames * s->patches * s->classes);
    h = hash (h, r->regression, sizeof (float) * s->instances);
    h = hash (h, r->eigencam, sizeof (float) * s->frames * s->patches);
    cardiac_mreg_result_free (&r);
    for (int i = 0; i < s->instances; i++)
      cardiac_instance_free (&instances[i]);
    if (again)
      REQUIRE (h == first);
    first = h;
  }
  cardiac_mreg_free (&mreg);
  return first;
}

static uint64_t
run_yolov8 (CardiacModel *model, const CardiacSettings *settings,
    const CardiacTensor *input)
{
  CardiacYolov8 *yolo = cardiac_yolov8_new (
      model, (int) input->shape[1], (int) input->shape[2], settings, NULL);
  REQUIRE (yolo);
  static CardiacDetection found[CARDIAC_YOLOV8_MAX_DETECTIONS];
  REQUIRE (cardiac_yolov8_run (yolo, input->data, found, NULL) >= 0);
  CardiacTensor raw;
  cardiac_yolov8_raw (yolo, &raw);
  uint64_t h = hash (14695981039346656037u, raw.data,
      sizeof (float) * cardiac_tensor_count (&raw));
  cardiac_yolov8_free (&yolo);
  return h;
}

static uint64_t
run_mmsa (CardiacModel *model, const CardiacSettings *settings,
    const CardiacTensor *input)
{
  const size_t phases = (size_t) input->shape[0];
  const size_t area = CARDIAC_MMSA_ROWS * CARDIAC_MMSA_COLUMNS;
  CardiacMmsa *mmsa =
      cardiac_mmsa_new (model, (int) input->shape[0], settings, NULL);
  float *polar = malloc (phases * area * sizeof *polar);
  REQUIRE (mmsa && polar && input->dtype == CARDIAC_U8);
  for (size_t i = 0; i < phases * area; i++)
    polar[i] = (float) ((const uint8_t *) input->data)[i] / 255.0f;
  CardiacMmsaResult *r = cardiac_mmsa_run (mmsa, polar, NULL);
  REQUIRE (r);
  uint64_t h = hash (14695981039346656037u, r->logits, sizeof r->logits);
  h = hash (h, r->flow1, phases * 2 * area * sizeof (float));
  h = hash (h, r->flow4, phases * 2 * area / 16 * sizeof (float));
  h = hash (h, r->attention1, area * sizeof (float));
  h = hash (h, r->attention3, area / 16 * sizeof (float));
  cardiac_mmsa_result_free (&r);
  cardiac_mmsa_free (&mmsa);
  free (polar);
  return h;
}

static uint64_t
run (CardiacModel *model, const CardiacSettings *settings,
    const CardiacTensor *input)
{
  switch (cardiac_model_arch (model)) {
    case CARDIAC_ARCH_MREG:
      return run_mreg (model, settings, input->data);
    case CARDIAC_ARCH_MMSA:
      return run_mmsa (model, settings, input);
    default:
      return run_yolov8 (model, settings, input);
  }
}

/* Ends as skipped when the device or precision is not to be had here. */
static void
need_device (const CardiacSettings *settings)
{
  CardiacError *error = NULL;
  CardiacRuntime *runtime = cardiac_runtime_new (settings, &error);
  if (!runtime)
    SKIP ("%s", cardiac_error_message (error));
  cardiac_runtime_free (&runtime);
}

int
main (int argc, char **argv)
{
  static const int threads[] = { 1, 2, 3, 8 };
  REQUIRE (argc >= 4);
  CardiacSettings settings;
  cardiac_settings_default (&settings);
  settings.device = argv[1];
  settings.precision = strcmp (argv[2], "bf16") == 0 ? CARDIAC_PRECISION_BF16
                                                     : CARDIAC_PRECISION_FP32;
  need_device (&settings);
  for (int g = 3; g < argc; g++) {
    char path[4096];
    CardiacError *error = NULL;
    snprintf (path, sizeof path, "%s/model.safetensors", argv[g]);
    CardiacModel *model = cardiac_model_load (path, &error);
    snprintf (path, sizeof path, "%s/input.npy", argv[g]);
    CardiacNpy npy;
    REQUIRE (model && cardiac_npy_read (path, &npy, &error));
    uint64_t hashes[4];
    for (int i = 0; i < 4; i++) {
      CardiacPool *pool = cardiac_pool_new (threads[i], NULL);
      settings.pool = pool;
      hashes[i] = run (model, &settings, &npy.tensor);
      printf ("%s with %d threads: %016llx\n", argv[g], threads[i],
          (unsigned long long) hashes[i]);
      REQUIRE (hashes[i] == hashes[0]);
      cardiac_pool_unref (&pool);
    }
    cardiac_npy_clear (&npy);
    cardiac_model_unref (&model);
  }
  return 0;
}
