/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-mmsa MMSA.safetensors OTHER.safetensors: what an mmsa network refuses,
 * and in which words; and that its interpolated kernels are those of the
 * equation. Results are compared with PyTorch by test-golden. */
#include "require-error.h"
#include "core/model.h"
#include "nets/kiconv.h"
#include <cardiac/cardiac.h>

#include <math.h>
#include <string.h>

typedef struct Bytes {
  char *data;
  size_t size;
} Bytes;

static Bytes
read_file (const char *path)
{
  FILE *file = fopen (path, "rb");
  REQUIRE (file && fseek (file, 0, SEEK_END) == 0);
  Bytes bytes = { .size = (size_t) ftell (file) };
  rewind (file);
  bytes.data = malloc (bytes.size);
  REQUIRE (bytes.data);
  REQUIRE (fread (bytes.data, 1, bytes.size, file) == bytes.size);
  fclose (file);
  return bytes;
}

static CardiacSettings
plain_c (void)
{
  CardiacSettings settings;
  cardiac_settings_default (&settings);
  settings.device = "reference";
  settings.threads = 2;
  return settings;
}

/* Another text of the same length in the header. */
static void
header_is_refused (
    const Bytes *good, const char *from, const char *to, const char *words)
{
  const size_t length = strlen (from);
  char *bytes = malloc (good->size);
  REQUIRE (bytes && strlen (to) == length);
  memcpy (bytes, good->data, good->size);
  char *at = memmem (bytes + 8, good->size - 8, from, length);
  REQUIRE (at);
  memcpy (at, to, length);

  CardiacError *error = NULL;
  const CardiacSettings settings = plain_c ();
  CardiacModel *model =
      cardiac_model_from_bytes ("damaged", bytes, good->size, &error);
  REQUIRE (model);
  REQUIRE (!cardiac_mmsa_new (model, 8, &settings, &error));
  require_error (error, CARDIAC_ERROR_MODEL, words);
  cardiac_model_unref (&model);
  free (bytes);
}

static void
a_damaged_model_is_refused_by_what_is_wrong_in_it (const Bytes *good)
{
  static const struct {
    const char *from, *to, *words;
  } cases[] = {
    { "\"nl.phi.weight\"", "\"nl.phj.weight\"", "'nl.phi.weight'" },
    { "\"flow.output2.bias\"", "\"flow.output3.bias\"", "'flow.output2.bias'" },
    { "non_local\\\": true", "non_local\\\":false",
        "'nl.g.bias' has no place" },
    { "scales\\\": \\\"all", "scales\\\": \\\"1/2", "has no place" },
    { "scale2.flow.weight\":{\"dtype\":\"F32\",\"shape\":[5,2,20]",
        "scale2.flow.weight\":{\"dtype\":\"F32\",\"shape\":[5,4,10]",
        "'msa.scale2.flow.weight' has shape [5,4,10]" },
    { "flow_step\\\": 3", "flow_step\\\": 8", "from 1 to 7" },
    { "flow_step\\\": 3", "flow_step\\\": 0", "'flow_step' is 0" },
    { "\\\"msa\\\"", "\\\"mse\\\"", "one of 'msa', 'concatenation'" },
    { "gain\\\": \\\"1\\\"", "gain\\\": \\\"2\\\"", "'attention_gain'" },
    { "tse_scale", "tse_scala", "'tse_scala' is unknown" },
    { ", \\\"dyskinetic\\\"", "                ", "labels names 3 scores" },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    header_is_refused (good, cases[i].from, cases[i].to, cases[i].words);
}

static void
a_cycle_of_too_few_or_many_phases_is_refused (CardiacModel *model)
{
  const CardiacSettings settings = plain_c ();
  static const int phases[] = { -1, 0, 7, 65, 1000 };
  for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
    CardiacError *error = NULL;
    REQUIRE (!cardiac_mmsa_new (model, phases[i], &settings, &error));
    require_error (error, CARDIAC_ERROR_INVALID_ARGUMENT, "8 to 64 expected");
  }
}

static void
a_model_of_another_network_is_refused (const char *path)
{
  const CardiacSettings settings = plain_c ();
  CardiacError *error = NULL;
  CardiacModel *other = cardiac_model_load (path, &error);
  REQUIRE (other && !cardiac_mmsa_new (other, 20, &settings, &error));
  require_error (error, CARDIAC_ERROR_INVALID_ARGUMENT, "'mmsa' expected");
  cardiac_model_unref (&other);
}

/* Weights near the largest float overflow in the last layer. */
static void
scores_that_are_no_numbers_are_an_error (const Bytes *good)
{
  const CardiacSettings settings = plain_c ();
  char *bytes = malloc (good->size);
  REQUIRE (bytes);
  memcpy (bytes, good->data, good->size);
  CardiacError *error = NULL;
  CardiacModel *model =
      cardiac_model_from_bytes ("too large", bytes, good->size, &error);
  REQUIRE (model);
  const CardiacTensor *last = cardiac_model_tensor (model, "fc2.bias");
  REQUIRE (last && last->dtype == CARDIAC_F32);
  const float most = 3e38f;
  for (int name = 0; name < 2; name++) {
    last = cardiac_model_tensor (model, name ? "fc2.weight" : "fc2.bias");
    for (int64_t i = 0; i < cardiac_tensor_count (last); i++)
      memcpy ((char *) last->data + 4 * i, &most, sizeof most);
  }
  CardiacMmsa *mmsa = cardiac_mmsa_new (model, 8, &settings, &error);
  float *polar = calloc (8 * 80 * 512, sizeof *polar);
  REQUIRE (mmsa && polar);
  REQUIRE (!cardiac_mmsa_run (mmsa, polar, &error));
  require_error (error, CARDIAC_ERROR_MODEL, "not a number");
  cardiac_mmsa_free (&mmsa);
  cardiac_model_unref (&model);
  free (polar);
  free (bytes);
}

/* w_t[j] = (T0/t) w(j T0/t), by the definition of linear interpolation. */
static void
kernels_are_resampled_between_taps_and_around_the_cycle (void)
{
  enum { OUT = 2, COMPONENTS = 2, TAPS = 20, KERNEL = 3, FIRST = 4 };
  float w[OUT * COMPONENTS * TAPS * KERNEL];
  for (size_t i = 0; i < sizeof w / sizeof *w; i++)
    w[i] = sinf ((float) (i * i));
  for (int t = 8; t <= 64; t++) {
    const int channels = FIRST + COMPONENTS * t + 1;
    float *to = calloc ((size_t) OUT * channels * KERNEL, sizeof *to);
    REQUIRE (to);
    cardiac_kiconv_resample (
        w, OUT, COMPONENTS, TAPS, KERNEL, t, to, channels, FIRST);
    for (int i = 0; i < OUT * channels * KERNEL; i++) {
      const int o = i / KERNEL / channels, k = i % KERNEL;
      const int channel = i / KERNEL % channels - FIRST;
      double expected = 0;
      for (int tap = 0; tap <= TAPS && channel >= 0 && channel < 2 * t; tap++) {
        const double away =
            fabs ((double) (channel / 2) * TAPS / t - (double) tap);
        const int row = (o * COMPONENTS + channel % 2) * TAPS + tap % TAPS;
        if (away < 1)
          expected += (1 - away) * (double) w[row * KERNEL + k] * TAPS / t;
      }
      REQUIRE (fabs ((double) to[i] - expected) < 1e-6);
    }
    free (to);
  }
}

/* One model serves cycles of any length; an even picture has the same flow in
 * all its pairs, whatever pairs are computed together. */
static void
networks_of_different_phases_share_a_model (CardiacModel *model)
{
  const CardiacSettings settings = plain_c ();
  CardiacError *error = NULL;
  CardiacMmsaResult *results[2];
  static const int phases[2] = { 8, 9 };
  const size_t area = 80 * 512;
  for (int i = 0; i < 2; i++) {
    float *polar = malloc ((size_t) phases[i] * area * sizeof *polar);
    REQUIRE (polar);
    for (size_t p = 0; p < (size_t) phases[i] * area; p++)
      polar[p] = 0.5f + 0.4f * sinf ((float) (p % area) * 0.1f);
    CardiacMmsa *mmsa = cardiac_mmsa_new (model, phases[i], &settings, &error);
    REQUIRE (mmsa && cardiac_mmsa_shape (mmsa)->phases == phases[i]);
    REQUIRE (strcmp (cardiac_mmsa_run_info (mmsa)->precision, "fp32") == 0);
    results[i] = cardiac_mmsa_run (mmsa, polar, &error);
    REQUIRE (results[i]);
    for (int j = 0; j < phases[i]; j++)
      REQUIRE (memcmp (results[i]->flow1 + (size_t) j * 2 * area,
                   results[0]->flow1, 2 * area * sizeof (float))
               == 0);
    cardiac_mmsa_free (&mmsa);
    free (polar);
  }
  cardiac_mmsa_result_free (&results[0]);
  cardiac_mmsa_result_free (&results[1]);
}

int
main (int argc, char **argv)
{
  REQUIRE (argc == 3);
  CardiacError *error = NULL;
  Bytes good = read_file (argv[1]);
  CardiacModel *model = cardiac_model_load (argv[1], &error);
  REQUIRE (model);
  kernels_are_resampled_between_taps_and_around_the_cycle ();
  a_cycle_of_too_few_or_many_phases_is_refused (model);
  a_model_of_another_network_is_refused (argv[2]);
  a_damaged_model_is_refused_by_what_is_wrong_in_it (&good);
  scores_that_are_no_numbers_are_an_error (&good);
  networks_of_different_phases_share_a_model (model);
  cardiac_model_unref (&model);
  free (good.data);
  return 0;
}
