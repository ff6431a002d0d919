/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-plan DEVICE MODEL...: with the cpu or cuda backend every operator of a
 * network has a fast implementation: none falls back to `reference`, to oneDNN's
 * `ref*` or, where the CPU has AVX-512 and oneDNN something faster, `gemm:jit`. */
#include "../require.h"
#include "nets/programs.h"
#include <cardiac/cardiac.h>

#include <string.h>

static int slow_operators;
static const char *device;

static bool
is_fast (const char *implementation)
{
  if (strncmp (implementation, "gemm:jit", 8) == 0)
    return !__builtin_cpu_supports ("avx512f");
  return strncmp (implementation, "ref", 3) != 0;
}

static void
check_program (const char *what, CardiacProgram *program)
{
  for (int s = 0; s < cardiac_program_steps (program); s++) {
    CardiacStep step = cardiac_program_step (program, s);
    const char *name = step.kernel->implementation;
    if (strcmp (step.backend, device) == 0 && is_fast (name))
      continue;
    printf ("%s: %s (%s): %s on %s\n", what, step.op->label,
        cardiac_op_name (step.op->kind), name, step.backend);
    slow_operators++;
  }
  printf ("%s: %d operators, arena of %.1f MB\n", what,
      cardiac_program_steps (program),
      cardiac_program_arena_bytes (program) * 1e-6);
}

static void
no_backend (CardiacError *error)
{
  CardiacErrorCode code = cardiac_error_code (error);
  if (code == CARDIAC_ERROR_DEVICE || code == CARDIAC_ERROR_UNSUPPORTED)
    SKIP ("%s", cardiac_error_message (error));
  fprintf (stderr, "%s\n", cardiac_error_message (error));
  exit (1);
}

static void
check_model (const char *path, CardiacPrecision precision)
{
  CardiacError *error = NULL;
  CardiacModel *model = cardiac_model_load (path, &error);
  if (!model)
    no_backend (error);
  CardiacSettings settings;
  cardiac_settings_default (&settings);
  settings.device = device;
  settings.precision = precision;
  if (cardiac_model_arch (model) == CARDIAC_ARCH_MREG) {
    CardiacMReg *mreg = cardiac_mreg_new (model, &settings, &error);
    if (!mreg)
      no_backend (error);
    check_program (path, cardiac_mreg_backbone_program (mreg));
    check_program (path, cardiac_mreg_head_program (mreg));
    check_program (path, cardiac_mreg_eigencam_program (mreg));
    cardiac_mreg_free (&mreg);
  } else if (cardiac_model_arch (model) == CARDIAC_ARCH_YOLOV8) {
    CardiacYolov8 *yolo = cardiac_yolov8_new (model, 0, 0, &settings, &error);
    if (!yolo)
      no_backend (error);
    check_program (path, cardiac_yolov8_program (yolo));
    cardiac_yolov8_free (&yolo);
  } else if (cardiac_model_arch (model) == CARDIAC_ARCH_MMSA) {
    CardiacMmsa *mmsa = cardiac_mmsa_new (model, 25, &settings, &error);
    if (!mmsa)
      no_backend (error);
    check_program (path, cardiac_mmsa_flow_program (mmsa));
    check_program (path, cardiac_mmsa_score_program (mmsa));
    cardiac_mmsa_free (&mmsa);
  }
  cardiac_model_unref (&model);
}

int
main (int argc, char **argv)
{
  REQUIRE (argc >= 3);
  device = argv[1];
  for (int i = 2; i < argc; i++) {
    check_model (argv[i], CARDIAC_PRECISION_FP32);
    check_model (argv[i], CARDIAC_PRECISION_AUTO);
  }
  printf ("%d operators without a fast implementation\n", slow_operators);
  return slow_operators > 0;
}
