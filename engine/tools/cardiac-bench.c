/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cardiac-bench MODEL | ops: how long a network and its operators take, which
 * implementations they have, what share of this machine's measured peak they
 * reach, and (--peer) what oneDNN alone takes for the same arithmetic. */
#include <cardiac/cardiac.h>

#include "bench-ops.h"
#include "bench-peak.h"
#ifdef HAVE_PEER
#include "bench-peer.h"
#endif
#include "nets/programs.h"

#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "usage: cardiac-bench [options] MODEL.safetensors | ops\n"
    "  --device=auto|cpu|reference|cuda[:N]   (auto)\n"
    "  --precision=auto|fp32|bf16|fp16        (auto)\n"
    "  --threads=N     (0: all processors)\n"
    "  --side=N        yolov8: side of the input in pixels (the file's)\n"
    "  --phases=N      mmsa: pictures of the cycle (20)\n"
    "  --runs=N        timed runs (10)\n"
    "  --steps         a line for every operator, not one a kind\n"
    "  --peer          also plain oneDNN, run in turn with the network\n"
    "  --json          one JSON object instead of text\n";

typedef struct Options {
  CardiacSettings settings;
  const char *subject;
  int side, phases, runs;
  bool steps, peer, json;
} Options;

/** Programs of one network, and how often each runs for one result. */
typedef struct Part {
  CardiacProgram *program;
  int runs;
} Part;

/** What is measured of one network. */
typedef struct Network {
  CardiacModel *model;
  CardiacXclip *xclip;
  CardiacMReg *mreg;
  CardiacYolov8 *yolov8;
  CardiacMmsa *mmsa;
  float *polar; ///< P_pat of a patient
  Part parts[2];
  int part_count;
  const CardiacRunInfo *info;
} Network;

typedef struct Times {
  double best, median; ///< seconds
} Times;

/* ---- helpers --------------------------------------------------------------------- */

static double
now (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static int
compare (const void *a, const void *b)
{
  const double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static Times
summarise (double *seconds, int count)
{
  qsort (seconds, (size_t) count, sizeof *seconds, compare);
  return (Times){ seconds[0], seconds[count / 2] };
}

static int
complain (CardiacError *error)
{
  fprintf (stderr, "cardiac-bench: %s\n",
      error ? cardiac_error_message (error) : "no memory");
  if (error && *cardiac_error_detail (error))
    fprintf (stderr, "  %s\n", cardiac_error_detail (error));
  cardiac_error_free (&error);
  return 1;
}

/** printf, silent when the result is JSON. */
static void say (const Options *options, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

static void
say (const Options *options, const char *format, ...)
{
  if (options->json)
    return;
  va_list args;
  va_start (args, format);
  vprintf (format, args);
  va_end (args);
  fflush (stdout);
}

/* ---- operators -------------------------------------------------------------------- */

static CardiacDType
arithmetic (const CardiacOp *op)
{
  return op->in[0].dtype == CARDIAC_F32 ? CARDIAC_F32 : CARDIAC_BF16;
}

/** Seconds that the operator would take at the measured peak. */
static double
ideal_seconds (const CardiacStep *step, const BenchPeak *peak)
{
  const double rate =
      arithmetic (step->op) == CARDIAC_F32 ? peak->fp32 : peak->bf16;
  return rate > 0 ? step->kernel->flop / (rate * 1e9) : 0;
}

/** Operators of one kind, dtype and implementation; or one operator. */
typedef struct Row {
  char name[96];
  const char *dtype, *implementation, *backend;
  int count;
  double seconds, flop, ideal;
} Row;

static void
add_to_row (Row *row, const CardiacStep *step, double seconds, int runs,
    const BenchPeak *peak)
{
  row->dtype = cardiac_dtype_name (step->op->in[0].dtype);
  row->implementation = step->kernel->implementation;
  row->backend = step->backend;
  row->count++;
  row->seconds += seconds;
  row->flop += runs * step->kernel->flop;
  row->ideal += runs * ideal_seconds (step, peak);
}

static Row *
find_row (Row *rows, int *count, const CardiacStep *step, bool one_each)
{
  char name[sizeof rows->name];
  snprintf (name, sizeof name, "%s",
      one_each ? step->op->label : cardiac_op_name (step->op->kind));
  for (int i = 0; i < *count && !one_each; i++)
    if (strcmp (rows[i].name, name) == 0
        && strcmp (rows[i].dtype, cardiac_dtype_name (step->op->in[0].dtype))
               == 0
        && strcmp (rows[i].implementation, step->kernel->implementation) == 0)
      return &rows[i];
  memcpy (rows[*count].name, name, sizeof name);
  return &rows[(*count)++];
}

/** The best time of each operator over several runs, in seconds for one result.
 * @return malloc'ed. */
static double *
time_steps (const Part *part, int runs, CardiacError **error)
{
  CardiacProgram *program = part->program;
  const int count = cardiac_program_steps (program);
  double *best = malloc ((size_t) (count + 1) * sizeof *best);
  if (!best)
    return NULL;
  for (int i = 0; i < count; i++)
    best[i] = INFINITY;
  cardiac_program_set_timing (program, true);
  for (int run = 0; run < runs; run++) {
    if (!cardiac_program_run (program, error)) {
      free (best);
      return NULL;
    }
    for (int i = 0; i < count; i++)
      best[i] = fmin (best[i], cardiac_program_step (program, i).seconds);
  }
  cardiac_program_set_timing (program, false);
  for (int i = 0; i < count; i++)
    best[i] *= part->runs;
  return best;
}

static void
print_row (const Options *options, const Row *row, double total)
{
  char rate[40] = "", share[40] = "";
  if (row->flop > 0)
    snprintf (
        rate, sizeof rate, "%.0f GFLOP/s", row->flop / row->seconds * 1e-9);
  if (row->ideal > 0)
    snprintf (share, sizeof share, "%.0f %% of peak",
        100 * row->ideal / row->seconds);
  say (options, "  %-38s %-4s %4d %10.3f ms %5.1f %% %13s %14s  %s%s\n",
      row->name, row->dtype, row->count, row->seconds * 1e3,
      100 * row->seconds / total, rate, share, row->implementation,
      strcmp (row->backend, "reference") == 0 ? " (reference)" : "");
}

static json_t *
json_row (const Row *row)
{
  return json_pack ("{s:s, s:s, s:s, s:s, s:i, s:f, s:f, s:f}", "operator",
      row->name, "dtype", row->dtype, "implementation", row->implementation,
      "backend", row->backend, "count", row->count, "ms", row->seconds * 1e3,
      "gflop", row->flop * 1e-9, "share_of_peak",
      row->seconds > 0 ? row->ideal / row->seconds : 0);
}

/** Times the operators of a program into rows that may be there already. */
static bool
add_part (const Options *options, const Part *part, const BenchPeak *peak,
    bool one_each, Row *rows, int *count, CardiacError **error)
{
  double *best = time_steps (part, options->runs, error);
  for (int i = 0; best && i < cardiac_program_steps (part->program); i++) {
    CardiacStep step = cardiac_program_step (part->program, i);
    add_to_row (find_row (rows, count, &step, one_each), &step, best[i],
        part->runs, peak);
  }
  const bool good = best != NULL;
  free (best);
  return good;
}

/** Times, prints and returns the operators of some programs as JSON. */
static bool
report_steps (const Options *options, const Part *parts, int part_count,
    const BenchPeak *peak, bool one_each, json_t *out, CardiacError **error)
{
  int steps = 0, count = 0;
  for (int i = 0; i < part_count; i++)
    steps += cardiac_program_steps (parts[i].program);
  Row *rows = calloc ((size_t) steps + 1, sizeof *rows);
  bool good = rows != NULL;
  for (int i = 0; good && i < part_count; i++)
    good = add_part (options, &parts[i], peak, one_each, rows, &count, error);
  double total = 0;
  for (int i = 0; good && i < count; i++)
    total += rows[i].seconds;
  for (int i = 0; good && i < count; i++) {
    print_row (options, &rows[i], total);
    json_array_append_new (out, json_row (&rows[i]));
  }
  free (rows);
  return good;
}

/* ---- networks ----------------------------------------------------------------------- */

static void
close_network (Network *network)
{
  cardiac_xclip_free (&network->xclip);
  cardiac_mreg_free (&network->mreg);
  cardiac_yolov8_free (&network->yolov8);
  cardiac_mmsa_free (&network->mmsa);
  free (network->polar);
  cardiac_model_unref (&network->model);
}

static void
add_program (Network *network, CardiacProgram *program, int runs)
{
  network->parts[network->part_count++] = (Part){ program, runs };
}

static bool
open_mmsa (const Options *options, Network *network, CardiacError **error)
{
  network->mmsa = cardiac_mmsa_new (
      network->model, options->phases, &options->settings, error);
  const size_t count =
      (size_t) options->phases * CARDIAC_MMSA_ROWS * CARDIAC_MMSA_COLUMNS;
  if (!network->mmsa || !(network->polar = malloc (count * sizeof (float))))
    return false;
  for (size_t i = 0; i < count; i++)
    network->polar[i] = (float) (i * 7919 % 256) / 255;
  add_program (network, cardiac_mmsa_flow_program (network->mmsa),
      cardiac_mmsa_flow_runs (network->mmsa));
  add_program (network, cardiac_mmsa_score_program (network->mmsa), 1);
  network->info = cardiac_mmsa_run_info (network->mmsa);
  return true;
}

static bool
open_network (const Options *options, Network *network, CardiacError **error)
{
  network->model = cardiac_model_load (options->subject, error);
  if (!network->model)
    return false;
  switch (cardiac_model_arch (network->model)) {
    case CARDIAC_ARCH_XCLIP:
      network->xclip =
          cardiac_xclip_new (network->model, &options->settings, error);
      if (!network->xclip)
        return false;
      add_program (network, cardiac_xclip_program (network->xclip), 1);
      network->info = cardiac_xclip_run_info (network->xclip);
      return true;
    case CARDIAC_ARCH_MREG:
      network->mreg =
          cardiac_mreg_new (network->model, &options->settings, error);
      if (!network->mreg)
        return false;
      add_program (network, cardiac_mreg_backbone_program (network->mreg), 1);
      network->info = cardiac_mreg_run_info (network->mreg);
      return true;
    case CARDIAC_ARCH_YOLOV8:
      network->yolov8 = cardiac_yolov8_new (network->model, options->side,
          options->side, &options->settings, error);
      if (!network->yolov8)
        return false;
      add_program (network, cardiac_yolov8_program (network->yolov8), 1);
      network->info = cardiac_yolov8_run_info (network->yolov8);
      return true;
    case CARDIAC_ARCH_MMSA:
      return open_mmsa (options, network, error);
    default:
      fprintf (stderr, "cardiac-bench: no network for '%s' files\n",
          cardiac_arch_name (cardiac_model_arch (network->model)));
      return false;
  }
}

/** Fills an input with numbers in -1 .. 1; names that are not there pass. */
static void
fill_input (CardiacProgram *program, const char *name)
{
  CardiacTensor tensor;
  float *values = cardiac_program_data (program, name, &tensor);
  uint32_t state = 1;
  for (int64_t i = 0; values && i < cardiac_tensor_count (&tensor); i++) {
    state = state * 1664525u + 1013904223u;
    values[i] = (float) (state >> 16) / 32768.0f - 1.0f;
  }
}

/* ---- the peer ------------------------------------------------------------------------- */

#ifdef HAVE_PEER

/** The layers that attend within a frame, read off the program. */
static BenchEncoder
find_encoder (const CardiacProgram *program)
{
  BenchEncoder e = { 0 };
  const int steps = cardiac_program_steps (program);
  int64_t most = 0;
  for (int i = 0; i < steps; i++) {
    const CardiacOp *op = cardiac_program_step (program, i).op;
    const CardiacTensor *q = &op->in[0];
    if (op->kind == CARDIAC_OP_ATTENTION && q->shape[0] * q->shape[1] > most) {
      most = q->shape[0] * q->shape[1];
      e = (BenchEncoder){ 0, (int) q->shape[0], (int) q->shape[1],
        op->attention.heads * op->attention.head_dim, op->attention.heads, 0 };
    }
  }
  for (int i = 0; i < steps; i++) {
    const CardiacOp *op = cardiac_program_step (program, i).op;
    if (op->kind == CARDIAC_OP_ATTENTION && op->in[0].shape[0] == e.frames
        && op->in[0].shape[1] == e.tokens)
      e.layers++;
    if (op->kind == CARDIAC_OP_LINEAR && op->in[0].shape[0] == most
        && op->linear.activation == CARDIAC_ACTIVATION_QUICK_GELU)
      e.hidden = (int) op->in[1].shape[0];
  }
  return e;
}

static BenchPeer *
open_peer (const Network *network, CardiacError **error)
{
  CardiacDType dtype = strcmp (network->info->precision, "bf16") == 0
                           ? CARDIAC_BF16
                           : CARDIAC_F32;
  const int threads = network->info->threads;
  if (network->yolov8)
    return bench_peer_convolutions (
        network->parts[0].program, dtype, threads, error);
  BenchEncoder encoder = find_encoder (network->parts[0].program);
  return bench_peer_encoder (&encoder, dtype, threads, error);
}

#else

typedef struct BenchPeer BenchPeer;

static BenchPeer *
open_peer (const Network *network, CardiacError **error)
{
  (void) network;
  (void) error;
  fprintf (stderr, "cardiac-bench: built without oneDNN, there is no peer\n");
  return NULL;
}

static void
bench_peer_run (BenchPeer *peer)
{
  (void) peer;
}

static double
bench_peer_flop (const BenchPeer *peer)
{
  (void) peer;
  return 0;
}

static void
bench_peer_free (BenchPeer *peer)
{
  (void) peer;
}

#endif

/* ---- measuring a network ---------------------------------------------------------------- */

/** Threads of the one that ran last may still be spinning. */
static void
settle (void)
{
  nanosleep (&(struct timespec){ .tv_nsec = 20000000 }, NULL);
}

/** One run of the network, or of the peer. */
static bool
run_one (Network *network, BenchPeer *peer, CardiacError **error)
{
  if (peer) {
    bench_peer_run (peer);
    return true;
  }
  if (!network->mmsa)
    return cardiac_program_run (network->parts[0].program, error);
  CardiacMmsaResult *result =
      cardiac_mmsa_run (network->mmsa, network->polar, error);
  const bool good = result != NULL;
  cardiac_mmsa_result_free (&result);
  return good;
}

/** Seconds of a run. Threads that wake up together may share a processor for
 * some milliseconds until they are moved apart; what takes less than a tenth
 * of a second is run for that long before, untimed. @return negative with an
 * error. */
static double
time_one (Network *network, BenchPeer *peer, CardiacError **error)
{
  const double warm_up = 0.1;
  settle ();
  const double start = now ();
  double begin = start, end;
  do {
    begin = now ();
    if (!run_one (network, peer, error))
      return -1;
    end = now ();
  } while (end - start < warm_up);
  return end - begin;
}

/** The network, and in turn with it the peer if there is one. */
static bool
time_network (const Options *options, Network *network, BenchPeer *peer,
    Times *ours, Times *peers, CardiacError **error)
{
  double *mine = calloc ((size_t) options->runs, sizeof *mine);
  double *other = calloc ((size_t) options->runs, sizeof *other);
  bool good = mine && other && run_one (network, NULL, error);
  if (peer)
    bench_peer_run (peer);
  for (int run = 0; good && run < options->runs; run++) {
    mine[run] = time_one (network, NULL, error);
    good = mine[run] >= 0;
    if (good && peer)
      other[run] = time_one (network, peer, error);
  }
  if (good) {
    *ours = summarise (mine, options->runs);
    *peers = summarise (other, options->runs);
  }
  free (mine);
  free (other);
  return good;
}

/** On a device: `copies` of every program, and inputs that come from the host
 * are there. */
static bool
set_copies (Network *network, CardiacCopies copies, CardiacError **error)
{
  bool good = true;
  for (int p = 0; good && p < network->part_count; p++)
    good =
        cardiac_program_set_copies (network->parts[p].program, copies, error);
  return good;
}

static bool
has_device_memory (const Network *network)
{
  return strncmp (network->info->device, "cuda", 4) == 0;
}

/** The network on a device as it is, without copies from and to the host. */
static bool
time_alone (
    const Options *options, Network *network, json_t *out, CardiacError **error)
{
  Times times, unused;
  if (!set_copies (network, CARDIAC_COPIES_NONE, error)
      || !time_network (options, network, NULL, &times, &unused, error)
      || !set_copies (network, CARDIAC_COPIES_AS_USED, error))
    return false;
  say (options,
      "the network alone, its input on the device: best %.3f ms, median %.3f "
      "ms\n",
      times.best * 1e3, times.median * 1e3);
  json_object_set_new (out, "alone",
      json_pack ("{s:f, s:f}", "best_ms", times.best * 1e3, "median_ms",
          times.median * 1e3));
  return true;
}

static void
report_network (const Options *options, const Network *network,
    const BenchPeak *peak, Times times, json_t *out)
{
  double flop = 0, ideal = 0, arena = 0;
  for (int p = 0; p < network->part_count; p++) {
    const Part *part = &network->parts[p];
    for (int i = 0; i < cardiac_program_steps (part->program); i++) {
      CardiacStep step = cardiac_program_step (part->program, i);
      flop += part->runs * step.kernel->flop;
      ideal += part->runs * ideal_seconds (&step, peak);
    }
    arena += (double) cardiac_program_arena_bytes (part->program) * 1e-6;
  }
  say (options,
      "%s on %s %s, %d threads%s: best %.3f ms, median %.3f ms of %d runs; "
      "%.1f GFLOP, %.0f GFLOP/s",
      cardiac_model_name (network->model), network->info->device,
      network->info->precision, network->info->threads,
      has_device_memory (network) ? ", input from the host" : "",
      times.best * 1e3, times.median * 1e3, options->runs, flop * 1e-9,
      flop / times.best * 1e-9);
  if (ideal > 0)
    say (options, ", %.0f %% of peak", 100 * ideal / times.best);
  say (options, "\n");
  json_object_set_new (out, "network",
      json_pack ("{s:s, s:s, s:s, s:i, s:f, s:f, s:i, s:f, s:f, s:f}", "name",
          cardiac_model_name (network->model), "device", network->info->device,
          "precision", network->info->precision, "threads",
          network->info->threads, "best_ms", times.best * 1e3, "median_ms",
          times.median * 1e3, "runs", options->runs, "gflop", flop * 1e-9,
          "share_of_peak", ideal / times.best, "arena_mb", arena));
}

static void
report_peer (const Options *options, const Network *network, double flop,
    Times ours, Times peers, json_t *out)
{
  const char *what =
      network->yolov8 ? "its convolutions alone" : "its encoder alone";
  say (options,
      "peer, oneDNN with OpenMP, %s: best %.2f ms, median %.2f ms, %.1f "
      "GFLOP; ours / peer: best %.3f, median %.3f\n",
      what, peers.best * 1e3, peers.median * 1e3, flop * 1e-9,
      ours.best / peers.best, ours.median / peers.median);
  json_object_set_new (out, "peer",
      json_pack ("{s:s, s:f, s:f, s:f, s:f, s:f}", "what", what, "best_ms",
          peers.best * 1e3, "median_ms", peers.median * 1e3, "gflop",
          flop * 1e-9, "ratio_best", ours.best / peers.best, "ratio_median",
          ours.median / peers.median));
}

static bool
bench_network (const Options *options, const BenchPeak *peak, json_t *out,
    CardiacError **error)
{
  Network network = { 0 };
  BenchPeer *peer = NULL;
  Times ours, peers;
  json_t *rows = json_array ();
  json_object_set_new (out, "operators", rows);
  const double begin = now ();
  bool good = open_network (options, &network, error);
  if (good && has_device_memory (&network)) {
    const double seconds = now () - begin;
    say (options, "loaded and planned in %.2f s\n", seconds);
    json_object_set_new (out, "planned_s", json_real (seconds));
    good = network.mmsa || set_copies (&network, CARDIAC_COPIES_INPUTS, error);
  }
  if (good) {
    fill_input (network.parts[0].program, "frames");
    fill_input (network.parts[0].program, "input");
  }
  if (good && options->peer && network.mmsa) {
    fprintf (stderr, "cardiac-bench: mmsa has no peer\n");
    good = false;
  } else if (good && options->peer) {
    peer = open_peer (&network, error);
    good = peer != NULL;
  }
  good = good && time_network (options, &network, peer, &ours, &peers, error);
  if (good) {
    report_network (options, &network, peak, ours, out);
    if (peer)
      report_peer (options, &network, bench_peer_flop (peer), ours, peers, out);
    if (has_device_memory (&network))
      good = time_alone (options, &network, out, error);
    good = good
           && report_steps (options, network.parts, network.part_count, peak,
               options->steps, rows, error);
  }
  bench_peer_free (peer);
  close_network (&network);
  return good;
}

/* ---- operators by themselves --------------------------------------------------------------- */

static bool
bench_ops (const Options *options, const BenchPeak *peak, json_t *out,
    CardiacError **error)
{
  json_t *rows = json_array ();
  json_object_set_new (out, "operators", rows);
  CardiacRuntime *runtime = cardiac_runtime_new (&options->settings, error);
  CardiacProgram *program = runtime ? bench_ops_program (runtime, error) : NULL;
  const Part part = { program, 1 };
  bool good =
      program && report_steps (options, &part, 1, peak, true, rows, error);
  cardiac_program_free (&program);
  cardiac_runtime_free (&runtime);
  return good;
}

/* ---- main ------------------------------------------------------------------------------------ */

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
parse_count (const char *text, int least, int *value)
{
  char *end;
  long number = strtol (text, &end, 10);
  *value = (int) number;
  return end != text && !*end && number >= least && number <= 1000000;
}

static bool
parse (int argc, char **argv, Options *options)
{
  enum {
    DEVICE = 1,
    PRECISION,
    THREADS,
    SIDE,
    PHASES,
    RUNS,
    STEPS,
    PEER,
    JSON
  };
  static const struct option known[] = {
    { "device", required_argument, NULL, DEVICE },
    { "precision", required_argument, NULL, PRECISION },
    { "threads", required_argument, NULL, THREADS },
    { "side", required_argument, NULL, SIDE },
    { "phases", required_argument, NULL, PHASES },
    { "runs", required_argument, NULL, RUNS },
    { "steps", no_argument, NULL, STEPS },
    { "peer", no_argument, NULL, PEER },
    { "json", no_argument, NULL, JSON },
    { 0 },
  };
  cardiac_settings_default (&options->settings);
  options->runs = 10;
  options->phases = 20;
  bool good = true;
  for (int c; (c = getopt_long (argc, argv, "", known, NULL)) != -1;)
    switch (c) {
      case DEVICE:
        options->settings.device = optarg;
        break;
      case PRECISION:
        good = good && parse_precision (optarg, &options->settings.precision);
        break;
      case THREADS:
        good = good && parse_count (optarg, 0, &options->settings.threads);
        break;
      case SIDE:
        good = good && parse_count (optarg, 0, &options->side);
        break;
      case PHASES:
        good = good && parse_count (optarg, 1, &options->phases);
        break;
      case RUNS:
        good = good && parse_count (optarg, 1, &options->runs);
        break;
      case STEPS:
        options->steps = true;
        break;
      case PEER:
        options->peer = true;
        break;
      case JSON:
        options->json = true;
        break;
      default:
        good = false;
    }
  if (!good || optind != argc - 1)
    return false;
  options->subject = argv[optind];
  return true;
}

/** What the cpu backend says of this machine. */
static void
report_machine (
    const Options *options, const BenchPeak *peak, int threads, json_t *out)
{
  const CardiacBackend *backend = cardiac_backend_find ("cpu", NULL);
  CardiacBackendSettings settings = { .threads = threads };
  void *context = backend ? backend->open (&settings, NULL) : NULL;
  const char *text = context ? backend->describe (context) : "no cpu backend";
  const char *preferred =
      context ? cardiac_dtype_name (backend->preferred (0)) : "f32";
  /* The table behind precision=auto goes by vendor and instruction set. One
   * thread is the fairer judge of it: it has a processor to itself. */
  const BenchPeak one = bench_peak (1);
  const bool half_pays = one.bf16 > 1.2 * one.fp32;
  const bool half_taken = strcmp (preferred, "bf16") == 0;
  say (options, "%s; precision=auto is %s\n", text, preferred);
  say (options,
      "peak of %d threads: fp32 %.0f GFLOP/s (%s), bf16 %.0f GFLOP/s (%s)\n",
      threads, peak->fp32, peak->fp32_name, peak->bf16, peak->bf16_name);
  const bool limited =
      getenv ("ONEDNN_MAX_CPU_ISA") || getenv ("DNNL_MAX_CPU_ISA");
  if (context && !limited && half_pays != half_taken)
    say (options,
        "precision=auto does not fit this machine: bf16 multiplies "
        "%.1f times as fast as fp32\n",
        one.bf16 / one.fp32);
  json_object_set_new (out, "machine", json_string (text));
  json_object_set_new (out, "auto_precision", json_string (preferred));
  json_object_set_new (
      out, "auto_fits", json_boolean (half_pays == half_taken));
  json_object_set_new (out, "peak",
      json_pack ("{s:i, s:f, s:s, s:f, s:s}", "threads", threads, "fp32_gflops",
          peak->fp32, "fp32", peak->fp32_name, "bf16_gflops", peak->bf16,
          "bf16", peak->bf16_name));
  if (context)
    backend->close (context);
}

static bool
is_on_cuda (const Options *options)
{
  const char *device = options->settings.device;
  return device && strncmp (device, "cuda", 4) == 0;
}

/** What the cuda backend says of the device. Its peak is not measured. */
static void
report_cuda (const Options *options, json_t *out)
{
  const CardiacBackend *backend = cardiac_backend_find ("cuda", NULL);
  const char *device = options->settings.device;
  CardiacBackendSettings settings = { 0 };
  if (device[4] == ':')
    settings.device_index = atoi (device + 5);
  void *context = backend ? backend->open (&settings, NULL) : NULL;
  if (!context)
    return; /* the network will say why */
  say (options, "%s\n", backend->describe (context));
  json_object_set_new (
      out, "machine", json_string (backend->describe (context)));
  backend->close (context);
}

int
main (int argc, char **argv)
{
  Options options = { 0 };
  if (!parse (argc, argv, &options)) {
    fputs (usage, stderr);
    return 2;
  }
  const int threads = options.settings.threads ? options.settings.threads
                                               : cardiac_processors ();
  const bool on_cuda = is_on_cuda (&options);
  const BenchPeak peak = on_cuda ? (BenchPeak){ 0 } : bench_peak (threads);
  json_t *out = json_object ();
  CardiacError *error = NULL;
  if (on_cuda)
    report_cuda (&options, out);
  else
    report_machine (&options, &peak, threads, out);
  const bool good = strcmp (options.subject, "ops") == 0
                        ? bench_ops (&options, &peak, out, &error)
                        : bench_network (&options, &peak, out, &error);
  if (good && options.json) {
    json_dumpf (out, stdout, JSON_INDENT (2) | JSON_REAL_PRECISION (6));
    putchar ('\n');
  }
  json_decref (out);
  return good ? 0 : complain (error);
}
