/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-cuda MREG.safetensors YOLOV8.safetensors MMSA.safetensors: on the emulated CUDA, what
 * device=cuda says when it cannot be had or fails, that device=auto then takes
 * another and says so, that a recorded run gives the bits of an ordinary one,
 * that runs allocate nothing, which way layers take that have two, and that
 * only results come down.
 *
 * test-cuda MREG.safetensors YOLOV8.safetensors MMSA.safetensors
 * broken-libraries: what it says
 * when cublasLt and cuDNN do not open; $CARDIAC_BACKEND_PATH then begins with a
 * folder whose libcardiac-cuda.so is no library. */
#include "../engine/require-error.h"
#include "nets/programs.h"
#include <cardiac/cardiac.h>
#include <cuda_runtime.h>

#include <math.h>
#include <string.h>

typedef struct Models {
  CardiacModel *mreg, *yolov8, *mmsa;
} Models;

static CardiacModel *
open_model (const char *path)
{
  CardiacModel *model = cardiac_model_load (path, NULL);
  REQUIRE (model);
  return model;
}

static CardiacSettings
settings_for (const char *device, CardiacPrecision precision)
{
  CardiacSettings settings;
  cardiac_settings_default (&settings);
  settings.device = device;
  settings.precision = precision;
  settings.threads = 1;
  return settings;
}

/* With a variable of the emulation set, a network cannot be made. */
static void
network_is_refused (const Models *models, const char *variable,
    const char *value, const char *device, CardiacPrecision precision,
    CardiacErrorCode code, const char *words)
{
  CardiacSettings settings = settings_for (device, precision);
  CardiacError *error = NULL;
  REQUIRE (setenv (variable, value, 1) == 0);
  REQUIRE (!cardiac_mreg_new (models->mreg, &settings, &error));
  require_error (error, code, words);
  REQUIRE (unsetenv (variable) == 0);
}

/* The last driver before this CUDA; any of its own major version will do. */
static void
an_old_driver_is_refused (const Models *models)
{
  const int major = CUDART_VERSION / 1000;
  char version[16], words[80];
  snprintf (version, sizeof version, "%d", 1000 * major - 1000 + 90);
  snprintf (words, sizeof words,
      "driver is for CUDA %d.9, and %d.0 or later is needed", major - 1, major);
  network_is_refused (models, "CUDA_EMULATION_DRIVER", version, "cuda",
      CARDIAC_PRECISION_AUTO, CARDIAC_ERROR_DEVICE, words);
}

static void
every_absence_has_its_message (const Models *models)
{
  printf ("every absence has its message\n");
  network_is_refused (models, "CUDA_EMULATION_DRIVER", "0", "cuda",
      CARDIAC_PRECISION_AUTO, CARDIAC_ERROR_DEVICE, "no NVIDIA driver");
  an_old_driver_is_refused (models);
  network_is_refused (models, "CUDA_EMULATION_DEVICES", "0", "cuda:0",
      CARDIAC_PRECISION_FP16, CARDIAC_ERROR_DEVICE, "shows no GPU");
  network_is_refused (models, "CUDA_EMULATION_DEVICES", "2", "cuda:2",
      CARDIAC_PRECISION_AUTO, CARDIAC_ERROR_DEVICE,
      "this machine has 2 CUDA devices, the last is cuda:1");
  network_is_refused (models, "CUDA_EMULATION_CAPABILITY", "61", "cuda",
      CARDIAC_PRECISION_AUTO, CARDIAC_ERROR_DEVICE,
      "has compute capability 6.1, and 7.5 or later is needed");
  network_is_refused (models, "CUDA_EMULATION_CAPABILITY", "75", "cuda",
      CARDIAC_PRECISION_BF16, CARDIAC_ERROR_UNSUPPORTED, "bf16");
  network_is_refused (models, "CUDA_EMULATION_NO_CUBLASLT", "1", "cuda",
      CARDIAC_PRECISION_AUTO, CARDIAC_ERROR_INTERNAL,
      "cublasLt failed (start): CUBLAS_STATUS_NOT_INITIALIZED");
  network_is_refused (models, "CUDA_EMULATION_MEMORY_MIB", "0", "cuda",
      CARDIAC_PRECISION_AUTO, CARDIAC_ERROR_NO_MEMORY,
      "cuda:0 is out of memory");
}

static void
precision_follows_the_device (const Models *models)
{
  printf ("precision follows the device\n");
  const char *const expected[][2] = { { "75", "fp16" }, { "80", "bf16" },
    { "120", "bf16" } };
  for (int i = 0; i < 3; i++) {
    CardiacSettings settings = settings_for ("cuda", CARDIAC_PRECISION_AUTO);
    REQUIRE (setenv ("CUDA_EMULATION_CAPABILITY", expected[i][0], 1) == 0);
    CardiacYolov8 *net =
        cardiac_yolov8_new (models->yolov8, 0, 0, &settings, NULL);
    REQUIRE (net);
    REQUIRE (
        strcmp (cardiac_yolov8_run_info (net)->precision, expected[i][1]) == 0);
    REQUIRE (strcmp (cardiac_yolov8_run_info (net)->device, "cuda:0") == 0);
    cardiac_yolov8_free (&net);
  }
  unsetenv ("CUDA_EMULATION_CAPABILITY");
}

static void
auto_falls_back_and_says_so (const Models *models)
{
  printf ("auto falls back and says so\n");
  CardiacSettings settings = settings_for ("auto", CARDIAC_PRECISION_FP32);
  REQUIRE (setenv ("CUDA_EMULATION_DRIVER", "0", 1) == 0);
  CardiacMReg *mreg = cardiac_mreg_new (models->mreg, &settings, NULL);
  REQUIRE (mreg);
  const CardiacRunInfo *info = cardiac_mreg_run_info (mreg);
  printf ("  %s: %s\n", info->device, info->fallback);
  REQUIRE (strncmp (info->device, "cuda", 4) != 0);
  REQUIRE (strstr (info->fallback, "no NVIDIA driver"));
  cardiac_mreg_free (&mreg);

  unsetenv ("CUDA_EMULATION_DRIVER");
  mreg = cardiac_mreg_new (models->mreg, &settings, NULL);
  REQUIRE (mreg);
  info = cardiac_mreg_run_info (mreg);
  REQUIRE (strcmp (info->device, "cuda:0") == 0 && !info->fallback[0]);
  cardiac_mreg_free (&mreg);
}

/* A network, its input and what it keeps. */
typedef struct Session {
  CardiacMReg *mreg;
  CardiacInstance *instances[16];
  float *frames;
  int count;
} Session;

static Session
session_new (const Models *models)
{
  CardiacSettings settings = settings_for ("cuda", CARDIAC_PRECISION_BF16);
  Session s = { .mreg = cardiac_mreg_new (models->mreg, &settings, NULL) };
  REQUIRE (s.mreg);
  const CardiacMRegShape *shape = cardiac_mreg_shape (s.mreg);
  const size_t floats = (size_t) shape->frames * 3 * shape->side * shape->side;
  s.count = shape->instances;
  s.frames = malloc (floats * sizeof *s.frames);
  REQUIRE (s.frames);
  for (size_t i = 0; i < floats; i++)
    s.frames[i] = (float) (i % 251) / 125 - 1;
  for (int i = 0; i < s.count; i++)
    REQUIRE (s.instances[i] = cardiac_instance_new (s.mreg, NULL));
  return s;
}

static void
session_free (Session *s)
{
  for (int i = 0; i < s->count; i++)
    cardiac_instance_free (&s->instances[i]);
  cardiac_mreg_free (&s->mreg);
  free (s->frames);
}

/* Encodes all instances and grades. NULL with an error. */
static CardiacMRegResult *
session_run (Session *s, CardiacError **error)
{
  for (int i = 0; i < s->count; i++)
    if (!cardiac_mreg_encode (s->mreg, s->frames, s->instances[i], error))
      return NULL;
  return cardiac_mreg_grade (s->mreg, s->instances, s->count, error);
}

static void
require_same (const CardiacMRegResult *a, const CardiacMRegResult *b)
{
  const size_t cells = (size_t) a->frames * a->grid * a->grid;
  REQUIRE (memcmp (a->activation, b->activation,
               sizeof (float) * a->instances * cells * a->classes)
           == 0);
  REQUIRE (memcmp (a->eigencam, b->eigencam, sizeof (float) * cells) == 0);
  REQUIRE (memcmp (a->regression, b->regression, sizeof (float) * a->instances)
           == 0);
}

/* The first clip is the warm-up: recording and replay come after. */
static void
recorded_runs_give_the_same_bits_and_allocate_nothing (const Models *models)
{
  printf ("recorded runs give the same bits and allocate nothing\n");
  Session s = session_new (models);
  const uint64_t allocations = cuda_emulation_allocations ();
  const uint64_t recordings = cuda_emulation_recordings ();
  CardiacMRegResult *first = session_run (&s, NULL);
  REQUIRE (first);
  for (int again = 0; again < 3; again++) {
    CardiacMRegResult *next = session_run (&s, NULL);
    REQUIRE (next);
    require_same (first, next);
    cardiac_mreg_result_free (&next);
  }
  REQUIRE (cuda_emulation_allocations () == allocations);
  REQUIRE (cuda_emulation_recordings () == recordings + 3); /* a program each */

  /* Features that a caller has put there go up again. */
  CardiacTensor t;
  REQUIRE (cardiac_instance_tensor (s.instances[0], "patch_features", &t));
  ((float *) t.data)[0] += 1000;
  CardiacMRegResult *other =
      cardiac_mreg_grade (s.mreg, s.instances, s.count, NULL);
  REQUIRE (other);
  REQUIRE (other->activation[0] != first->activation[0]);
  cardiac_mreg_result_free (&other);

  session_free (&s);
  s = session_new (models);
  REQUIRE (setenv ("CUDA_EMULATION_NO_CAPTURE", "1", 1) == 0);
  for (int again = 0; again < 3; again++) {
    CardiacMRegResult *next = session_run (&s, NULL);
    REQUIRE (next);
    require_same (first, next);
    cardiac_mreg_result_free (&next);
  }
  unsetenv ("CUDA_EMULATION_NO_CAPTURE");
  cardiac_mreg_result_free (&first);
  session_free (&s);
}

/* Engines of the fake cuDNN: those that take products and attention, each the
 * slower and the faster, and those that must not be taken. */
enum {
  NEVER_PLANNED = 1,
  SLOWER = 2,
  IMPRECISE = 6,
  FASTER = 7,
  SLOWER_ATTENTION = 8,
  FASTER_ATTENTION = 9
};

/* In the model, two layers, each with a product and attention that are
 * described as the other's. */
enum { LAYERS = 2, TIMED_RUNS = 1 + 5 };

static uint64_t
runs_of_both (int a, int b)
{
  REQUIRE (cuda_emulation_engine_runs (a) == cuda_emulation_engine_runs (b));
  return cuda_emulation_engine_runs (a);
}

static void
the_fastest_of_all_ways_is_found_once_a_shape (const Models *models)
{
  printf ("the fastest of all ways is found once a shape\n");
  const uint64_t slower = runs_of_both (SLOWER, SLOWER_ATTENTION);
  uint64_t faster = runs_of_both (FASTER, FASTER_ATTENTION);
  const uint64_t recordings = cuda_emulation_recordings ();
  Session s = session_new (models);
  REQUIRE (cuda_emulation_recordings () > recordings); /* timed as they run */
  REQUIRE (runs_of_both (SLOWER, SLOWER_ATTENTION) == slower + TIMED_RUNS);
  faster += TIMED_RUNS;
  REQUIRE (runs_of_both (FASTER, FASTER_ATTENTION) == faster);
  for (int clip = 0; clip < 3; clip++) { /* plain, recorded, replayed */
    REQUIRE (cardiac_mreg_encode (s.mreg, s.frames, s.instances[0], NULL));
    faster += clip < 2 ? LAYERS : 0;
    REQUIRE (runs_of_both (FASTER, FASTER_ATTENTION) == faster);
  }
  REQUIRE (runs_of_both (SLOWER, SLOWER_ATTENTION) == slower + TIMED_RUNS);
  REQUIRE (runs_of_both (NEVER_PLANNED, IMPRECISE) == 0);
  session_free (&s);
}

/* What is computed while `variable` is set in planning. No graph runs then. */
static CardiacMRegResult *
result_without_graphs (const Models *models, const char *variable)
{
  REQUIRE (setenv (variable, "1", 1) == 0);
  Session s = session_new (models);
  unsetenv (variable);
  const uint64_t before = runs_of_both (FASTER, FASTER_ATTENTION);
  CardiacMRegResult *result = session_run (&s, NULL);
  REQUIRE (result);
  REQUIRE (runs_of_both (FASTER, FASTER_ATTENTION) == before);
  session_free (&s);
  return result;
}

static void
graphs_that_are_slow_or_fail_are_replaced (const Models *models)
{
  printf ("graphs that are slow or fail are replaced\n");
  CardiacMRegResult *plain =
      result_without_graphs (models, "CUDA_EMULATION_SLOW_CUDNN");
  const char *const failures[] = { "CUDA_EMULATION_NO_CUDNN",
    "CUDA_EMULATION_NO_GRAPHS", "CUDA_EMULATION_FAIL_GRAPHS" };
  for (int i = 0; i < 3; i++) {
    CardiacMRegResult *same = result_without_graphs (models, failures[i]);
    require_same (plain, same);
    cardiac_mreg_result_free (&same);
  }

  /* Once is enough, or else bits would change from run to run. */
  Session once = session_new (models);
  REQUIRE (setenv ("CUDA_EMULATION_FAIL_GRAPHS", "1", 1) == 0);
  REQUIRE (
      cardiac_mreg_encode (once.mreg, once.frames, once.instances[0], NULL));
  unsetenv ("CUDA_EMULATION_FAIL_GRAPHS");
  CardiacMRegResult *after = session_run (&once, NULL);
  REQUIRE (after);
  require_same (plain, after);
  cardiac_mreg_result_free (&after);
  session_free (&once);

  /* Only when they run: in the first clip, or when the second is recorded. */
  for (int good = 0; good < 2; good++) {
    Session s = session_new (models);
    const uint64_t before = runs_of_both (FASTER, FASTER_ATTENTION);
    if (good)
      REQUIRE (cardiac_mreg_encode (s.mreg, s.frames, s.instances[0], NULL));
    REQUIRE (runs_of_both (FASTER, FASTER_ATTENTION) == before + good * LAYERS);
    REQUIRE (setenv ("CUDA_EMULATION_FAIL_GRAPHS", "1", 1) == 0);
    CardiacMRegResult *same = session_run (&s, NULL);
    REQUIRE (same);
    require_same (plain, same);
    cardiac_mreg_result_free (&same);
    unsetenv ("CUDA_EMULATION_FAIL_GRAPHS");
    session_free (&s);
  }
  cardiac_mreg_result_free (&plain);
}

static void
failing_runs_are_reported (const Models *models)
{
  printf ("failing runs are reported\n");
  Session s = session_new (models);
  for (int clips = 0; clips < 3; clips++) { /* plain, recorded, replayed */
    CardiacError *error = NULL;
    REQUIRE (setenv ("CUDA_EMULATION_FAIL_WORK", "1", 1) == 0);
    REQUIRE (!session_run (&s, &error));
    require_error (error, CARDIAC_ERROR_INTERNAL, "illegal memory access");
    unsetenv ("CUDA_EMULATION_FAIL_WORK");
    CardiacMRegResult *result = session_run (&s, NULL);
    REQUIRE (result);
    cardiac_mreg_result_free (&result);
  }
  session_free (&s);
}

/* Whatever the cycle's length, here three batches of pairs of which the last
 * repeats some: flows and attention at three scales, features, logits and
 * probabilities. */
static void
only_results_of_mmsa_come_down (const Models *models)
{
  printf ("only results of MMSA come down\n");
  enum { PHASES = 9, RESULTS = 9, PIXELS = 80 * 512 };
  CardiacSettings settings = settings_for ("cuda", CARDIAC_PRECISION_FP32);
  CardiacMmsa *mmsa = cardiac_mmsa_new (models->mmsa, PHASES, &settings, NULL);
  float *polar = malloc (sizeof (float) * PHASES * PIXELS);
  CardiacMmsaResult *first = NULL;
  REQUIRE (mmsa && polar);
  for (int i = 0; i < PHASES * PIXELS; i++)
    polar[i] = (float) (i % 1009) / 1009;
  const uint64_t allocations = cuda_emulation_allocations ();
  for (int again = 0; again < 3; again++) {
    const uint64_t downloads = cuda_emulation_downloads ();
    CardiacMmsaResult *next = cardiac_mmsa_run (mmsa, polar, NULL);
    REQUIRE (next);
    REQUIRE (cuda_emulation_downloads () == downloads + RESULTS);
    if (!first)
      first = next;
    REQUIRE (memcmp (first->logits, next->logits, sizeof first->logits) == 0);
    REQUIRE (
        memcmp (first->flow1, next->flow1, sizeof (float) * PHASES * 2 * PIXELS)
        == 0);
    if (next != first)
      cardiac_mmsa_result_free (&next);
  }
  REQUIRE (cuda_emulation_allocations () == allocations);
  cardiac_mmsa_result_free (&first);
  cardiac_mmsa_free (&mmsa);
  free (polar);
}

/* The network's raw outputs after some runs; `downloads` of each. */
static float *
raw_after_runs (
    CardiacProgram *program, CardiacCopies copies, uint64_t downloads)
{
  REQUIRE (cardiac_program_set_copies (program, copies, NULL));
  const uint64_t before = cuda_emulation_downloads ();
  for (int again = 0; again < 3; again++) /* plain, recorded, replayed */
    REQUIRE (cardiac_program_run (program, NULL));
  REQUIRE (cuda_emulation_downloads () == before + 3 * downloads);
  return cardiac_program_data (program, "raw", NULL);
}

/* What cardiac-bench times: an input that comes from the host each time, and
 * one that is there. */
static void
copies_are_made_as_a_benchmark_wants (const Models *models)
{
  printf ("copies are made as a benchmark wants\n");
  CardiacSettings settings = settings_for ("cuda", CARDIAC_PRECISION_FP32);
  CardiacYolov8 *net =
      cardiac_yolov8_new (models->yolov8, 0, 0, &settings, NULL);
  REQUIRE (net);
  CardiacProgram *program = cardiac_yolov8_program (net);
  REQUIRE (!cardiac_program_data (program, "input", NULL));
  REQUIRE (cardiac_program_set_copies (program, CARDIAC_COPIES_INPUTS, NULL));
  CardiacTensor input, raw;
  float *values = cardiac_program_data (program, "input", &input);
  REQUIRE (values && cardiac_program_data (program, "raw", &raw));
  for (int64_t i = 0; i < cardiac_tensor_count (&input); i++)
    values[i] = (float) (i % 251) / 250;
  const size_t bytes = sizeof (float) * (size_t) cardiac_tensor_count (&raw);
  float *first = malloc (bytes);
  REQUIRE (first);
  memcpy (first, raw_after_runs (program, CARDIAC_COPIES_INPUTS, 1), bytes);

  /* Another on the host is not seen until it is copied. */
  for (int64_t i = 0; i < cardiac_tensor_count (&input); i++)
    values[i] = 0;
  raw_after_runs (program, CARDIAC_COPIES_NONE, 0);
  REQUIRE (
      memcmp (first, raw_after_runs (program, CARDIAC_COPIES_AS_USED, 1), bytes)
      == 0);
  REQUIRE (
      memcmp (first, raw_after_runs (program, CARDIAC_COPIES_INPUTS, 1), bytes)
      != 0);
  free (first);
  cardiac_yolov8_free (&net);
}

enum { WIDTH = 97, HEIGHT = 61, MOST_FRAMES = 32 };

/* Frames of one packed picture each, and where its samples lie. */
static void
describe_frames (CardiacImage *images, int count, const uint8_t *samples)
{
  for (int t = 0; t < count; t++)
    images[t] = cardiac_image_rgb (
        WIDTH, HEIGHT, samples + (size_t) t * 3 * WIDTH * HEIGHT, 3 * WIDTH);
}

/* The largest difference of what two instances keep of their patches. */
static float
difference_of (CardiacInstance *a, CardiacInstance *b)
{
  CardiacTensor x, y;
  float largest = 0;
  REQUIRE (cardiac_instance_tensor (a, "patch_features", &x));
  REQUIRE (cardiac_instance_tensor (b, "patch_features", &y));
  for (int64_t i = 0; i < cardiac_tensor_count (&x); i++)
    largest = fmaxf (largest,
        fabsf (((const float *) x.data)[i] - ((const float *) y.data)[i]));
  return largest;
}

static void
pictures_give_the_same_wherever_they_lie (const Models *models)
{
  printf ("pictures give the same wherever they lie\n");
  CardiacSettings settings = settings_for ("cuda", CARDIAC_PRECISION_FP32);
  CardiacMReg *mreg = cardiac_mreg_new (models->mreg, &settings, NULL);
  REQUIRE (mreg);
  const int count = cardiac_mreg_shape (mreg)->frames;
  const size_t bytes = (size_t) count * 3 * WIDTH * HEIGHT;
  const CardiacSquare crop = { .x = 12.5, .y = -4, .side = 70 };
  CardiacInstance *host = cardiac_instance_new (mreg, NULL);
  CardiacInstance *device = cardiac_instance_new (mreg, NULL);
  CardiacImage images[MOST_FRAMES];
  uint8_t *samples = malloc (bytes);
  void *copy = NULL;
  REQUIRE (host && device && samples && count <= MOST_FRAMES);
  for (size_t i = 0; i < bytes; i++)
    samples[i] = (uint8_t) (i * 2654435761u >> 13);
  REQUIRE (cudaMalloc (&copy, bytes) == cudaSuccess);
  REQUIRE (
      cudaMemcpy (copy, samples, bytes, cudaMemcpyHostToDevice) == cudaSuccess);
  REQUIRE (cudaStreamSynchronize (NULL) == cudaSuccess);
  for (int again = 0; again < 3; again++) { /* recorded and replayed, too */
    describe_frames (images, count, samples);
    REQUIRE (cardiac_mreg_encode_images (
        mreg, images, CARDIAC_MEMORY_HOST, &crop, host, NULL));
    describe_frames (images, count, copy);
    REQUIRE (cardiac_mreg_encode_images (
        mreg, images, CARDIAC_MEMORY_DEVICE, &crop, device, NULL));
    REQUIRE (difference_of (host, device) < 1e-5f);
    samples[again] ^= 255; /* something else each time, and the same of both */
    REQUIRE (cudaMemcpy (copy, samples, bytes, cudaMemcpyHostToDevice)
             == cudaSuccess);
    REQUIRE (cudaStreamSynchronize (NULL) == cudaSuccess);
  }
  cardiac_instance_free (&host);
  cardiac_instance_free (&device);
  cardiac_mreg_free (&mreg);

  settings.device = "reference";
  CardiacError *error = NULL;
  REQUIRE (mreg = cardiac_mreg_new (models->mreg, &settings, NULL));
  REQUIRE (host = cardiac_instance_new (mreg, NULL));
  REQUIRE (!cardiac_mreg_encode_images (
      mreg, images, CARDIAC_MEMORY_DEVICE, &crop, host, &error));
  require_error (error, CARDIAC_ERROR_UNSUPPORTED,
      "device 'reference' reads no pictures in device memory");
  cardiac_instance_free (&host);
  cardiac_mreg_free (&mreg);
  cudaFree (copy);
  free (samples);
}

/* The module itself, then what it opens. */
static void
broken_libraries_have_their_messages (const Models *models)
{
  printf ("broken libraries have their messages\n");
  CardiacSettings settings = settings_for ("cuda", CARDIAC_PRECISION_AUTO);
  CardiacError *error = NULL;
  char words[64];
  snprintf (words, sizeof words, "libcublasLt.so.%d does not open",
      CUDART_VERSION / 1000);
  REQUIRE (!cardiac_mreg_new (models->mreg, &settings, &error));
  require_error (error, CARDIAC_ERROR_DEVICE, words);

  char *folder = strdup (getenv ("CARDIAC_BACKEND_PATH"));
  REQUIRE (folder && strchr (folder, ':'));
  *strchr (folder, ':') = 0;
  REQUIRE (setenv ("CARDIAC_BACKEND_PATH", folder, 1) == 0);
  free (folder);
  error = NULL;
  REQUIRE (!cardiac_mreg_new (models->mreg, &settings, &error));
  require_error (error, CARDIAC_ERROR_DEVICE, "libcardiac-cuda.so");
}

int
main (int argc, char **argv)
{
  REQUIRE (argc >= 4);
  Models models = { open_model (argv[1]), open_model (argv[2]),
    open_model (argv[3]) };
  if (argc == 5) {
    broken_libraries_have_their_messages (&models);
  } else {
    every_absence_has_its_message (&models);
    precision_follows_the_device (&models);
    auto_falls_back_and_says_so (&models);
    recorded_runs_give_the_same_bits_and_allocate_nothing (&models);
    the_fastest_of_all_ways_is_found_once_a_shape (&models);
    graphs_that_are_slow_or_fail_are_replaced (&models);
    failing_runs_are_reported (&models);
    only_results_of_mmsa_come_down (&models);
    copies_are_made_as_a_benchmark_wants (&models);
    pictures_give_the_same_wherever_they_lie (&models);
  }
  cardiac_model_unref (&models.mreg);
  cardiac_model_unref (&models.yolov8);
  cardiac_model_unref (&models.mmsa);
  return 0;
}
