/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* checkop: every operator of every backend against the plain C reference, and
 * the reference against a second computation from the definitions.
 *
 * For each operator and dtype of activations, on shapes that networks have and
 * on odd ones:
 *   - the result is within the operator's tolerance (checkop-cases.c);
 *   - running the pieces backwards, or on several threads (on a device: again,
 *     from a recording), and with other garbage in scratch and output, gives
 *     the same bits;
 *   - nothing outside output and scratch is written.
 *
 * Exit status: 0, 1 when something failed, 77 when the backend that was asked
 * for cannot be had here. */
#include "checkop-run.h"
#include "checkop.h"
#include "backends/reference/storage.h"

#include <dlfcn.h>
#include <float.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_SKIPPED = 77, CHECK_POOL_THREADS = 3 };

typedef struct Options {
  const char *backend; ///< NULL: all
  const char *module;  ///< path of a backend module, instead of searching
  const char *op;      ///< NULL: all
  int precision;       ///< a CardiacDType, -1: all that the backend supports
  uint64_t seed;
  int threads; ///< of --bench
  double peak; ///< GFLOP/s, 0: not given
  bool bench, list, verbose;
} Options;

typedef struct Totals {
  int passed, failed, skipped;
} Totals;

static const char *
dtype_name (CardiacDType dtype)
{
  return dtype == CARDIAC_BF16 ? "bf16" : dtype == CARDIAC_F16 ? "f16" : "f32";
}

/* ---- comparing ----------------------------------------------------------- */

/** max|Δ| / max|expected| of a part of an array. */
static double
relative_error (const double *expected, const double *got, size_t first,
    size_t count, double floor)
{
  double largest = floor, difference = 0;
  for (size_t i = first; i < first + count; i++) {
    largest = fmax (largest, fabs (expected[i]));
    double d = fabs (expected[i] - got[i]);
    if (!(d <= difference)) /* NaN too */
      difference = isnan (d) ? HUGE_VAL : d;
  }
  if (difference == 0)
    return 0;
  return largest > 0 ? difference / largest : HUGE_VAL;
}

/** Arrays that hold different quantities are compared quantity by quantity. */
static double
case_error (const CheckCase *it, const double *expected, const double *got)
{
  const CardiacTensor *out = &it->op.out;
  size_t count = check_tensor_count (out);
  double worst = 0;
  if (it->op.kind == CARDIAC_OP_YOLO_DECODE) {
    size_t boxes = 4 * (size_t) out->shape[1];
    worst = relative_error (expected, got, 0, boxes, 0);
    return fmax (
        worst, relative_error (expected, got, boxes, count - boxes, 1));
  }
  if (it->op.kind == CARDIAC_OP_EIGENCAM) {
    size_t width = (size_t) out->shape[1];
    for (size_t i = 0; i < count; i += width) {
      worst = fmax (worst, relative_error (expected, got, i, width - 1, 0));
      worst = fmax (worst, relative_error (expected, got, i + width - 1, 1, 1));
    }
    return worst;
  }
  return relative_error (expected, got, 0, count, it->floor);
}

/** An array as doubles: malloc'ed. */
static double *
to_doubles (const void *data, const CardiacTensor *tensor)
{
  size_t count = check_tensor_count (tensor);
  double *values = malloc ((count + 1) * sizeof *values);
  if (!values)
    abort ();
  for (size_t i = 0; i < count; i++)
    values[i] = check_load (data, tensor->dtype, i);
  return values;
}

/* ---- one case ------------------------------------------------------------ */

/** What is known of an operator of a backend, over all its cases. */
typedef struct Report {
  int cases, no_kernel;
  double error, tolerance; ///< of the case nearest to, or past, its tolerance
  char implementations[160];
  char failure[1200]; ///< "" as long as all is well
} Report;

static void
fail_case (Report *report, const CheckCase *it, const char *why)
{
  if (!report->failure[0])
    snprintf (
        report->failure, sizeof report->failure, "%s: %.1000s", it->label, why);
}

static void
note_implementation (Report *report, const char *name)
{
  char *list = report->implementations;
  size_t used = strlen (list);
  if (strstr (list, name))
    return;
  if (used + strlen (name) + 3 < sizeof report->implementations)
    snprintf (list + used, sizeof report->implementations - used, "%s%s",
        used ? ", " : "", name);
}

static void
note_error (Report *report, const CheckCase *it, double error, double tolerance)
{
  double share = tolerance > 0 ? error / tolerance : error > 0 ? HUGE_VAL : 0;
  double worst =
      report->tolerance > 0 ? report->error / report->tolerance : report->error;
  if (report->tolerance == 0 || share > worst) {
    report->error = error;
    report->tolerance = tolerance;
  }
  if (!(error <= tolerance)) {
    char why[96];
    snprintf (
        why, sizeof why, "error %.2g, at most %.2g expected", error, tolerance);
    fail_case (report, it, why);
  }
}

/** Runs a planned job in every order. @return its result (malloc'ed), or NULL
 * after a failure. */
static void *
run_in_all_orders (CheckJob *job, const CheckCase *it, Report *report)
{
  static const struct {
    CheckOrder order;
    int garbage;
    const char *name;
  } runs[] = {
    { CHECK_FORWARD, 0xff, "forwards" }, /* NaNs, so that gaps show */
    { CHECK_REVERSED, 0x3f, "in reversed order" },
    { CHECK_THREADS, 0x00, "on several threads" },
  };
  size_t bytes = check_tensor_bytes (&it->op.out);
  void *first = malloc (bytes), *again = malloc (bytes);
  char why[256];
  if (!first || !again)
    abort ();
  for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
    const char *problem = NULL;
    if (!check_job_run (job, runs[i].order, runs[i].garbage, i ? again : first,
            why, sizeof why))
      problem = why;
    else if (i > 0 && memcmp (first, again, bytes) != 0)
      problem = "other bits";
    if (problem) {
      char text[320];
      snprintf (text, sizeof text, "%s %s", problem, runs[i].name);
      fail_case (report, it, text);
      free (first);
      first = NULL;
      break;
    }
  }
  free (again);
  return first;
}

/** The operator by one backend: malloc'ed doubles, or NULL (no kernel, or a
 * failure that `report` holds). */
static double *
compute (const CheckTarget *target, const CheckCase *it, void *const *contents,
    Report *report)
{
  CheckJob *job;
  double *values = NULL;
  char why[512] = "";
  CheckPlan plan = check_job_new (&job, target, it, contents, why, sizeof why);
  if (plan == CHECK_NO_KERNEL)
    report->no_kernel++;
  else if (plan == CHECK_PLAN_FAILED)
    fail_case (report, it, why);
  else {
    note_implementation (report, check_job_kernel (job)->implementation);
    void *result = run_in_all_orders (job, it, report);
    if (result)
      values = to_doubles (result, &it->op.out);
    free (result);
  }
  check_job_free (job);
  return values;
}

/** The reference's error can be no more than rounding its result: half a
 * unit. */
static double
rounding (CardiacDType dtype)
{
  return dtype == CARDIAC_BF16  ? 0x1.001p-8
         : dtype == CARDIAC_F16 ? 0x1.01p-11
                                : 2e-7;
}

/** The reference's result before it would be rounded to BF16 or F16: two
 * results that were both rounded may lie a whole unit apart for no fault. */
static double *
compute_expected (const CheckTarget *reference, const CheckCase *it,
    void *const *contents, Report *report)
{
  CheckCase exact = *it;
  if (check_tolerance (it) > 0)
    exact.op.out.dtype = CARDIAC_F32;
  return compute (reference, &exact, contents, report);
}

/** The reference against the definition in double. */
static void
compare_with_definition (const CheckCase *it, void *const *contents,
    const double *got, Report *report)
{
  double *in[CARDIAC_OP_MAX_INPUTS] = { 0 };
  double *expected =
      malloc ((check_tensor_count (&it->op.out) + 1) * sizeof *expected);
  if (!expected)
    abort ();
  for (int i = 0; i < it->op.inputs; i++)
    if (cardiac_op_has (&it->op, i))
      in[i] = to_doubles (contents[i], &it->op.in[i]);
  check_naive (&it->op, in, expected);
  double tolerance = rounding (it->op.out.dtype);
  if (it->op.kind == CARDIAC_OP_EIGENCAM)
    tolerance = 1e-6; /* of the definition's own iteration */
  note_error (report, it, case_error (it, expected, got), tolerance);
  for (int i = 0; i < it->op.inputs; i++)
    free (in[i]);
  free (expected);
}

static void
check_case (const CheckTarget *target, const CheckTarget *reference,
    const CheckCase *it, uint64_t seed, Report *report)
{
  void *contents[CARDIAC_OP_MAX_INPUTS] = { 0 };
  for (int i = 0; i < it->op.inputs; i++)
    if (cardiac_op_has (&it->op, i))
      contents[i] = check_case_fill (it, i, seed);

  double *got = compute (target, it, contents, report);
  if (got && target->backend == reference->backend) {
    compare_with_definition (it, contents, got, report);
  } else if (got) {
    Report own = { 0 };
    double *expected = compute_expected (reference, it, contents, &own);
    if (expected)
      note_error (
          report, it, case_error (it, expected, got), check_tolerance (it));
    else
      fail_case (report, it, own.failure);
    free (expected);
  }
  free (got);
  for (int i = 0; i < it->op.inputs; i++)
    free (contents[i]);
  report->cases++;
}

/** Shapes that do not fit must be an INTERNAL error, not a crash. */
static void
check_refusals (const CheckTarget *target, const CheckCase *it, Report *report)
{
  for (int damage = 0; damage < 4; damage++) {
    CardiacOp op = it->op;
    CardiacKernel kernel = { 0 };
    CardiacError *error = NULL;
    op.label = it->label;
    if (damage == 0)
      op.out.shape[op.out.rank - 1] += 100000;
    else if (damage == 1)
      op.in[0].rank = 0;
    else if (damage == 2)
      op.inputs = 0;
    else
      op.out.dtype = CARDIAC_I64;
    if (target->backend->prepare (target->context, &op, &kernel, &error)) {
      fail_case (report, it, "shapes that do not fit were accepted");
      if (kernel.destroy)
        kernel.destroy (&kernel);
    } else if (!error || cardiac_error_code (error) != CARDIAC_ERROR_INTERNAL) {
      fail_case (report, it, "shapes that do not fit gave no INTERNAL error");
    }
    cardiac_error_free (&error);
  }
}

/* ---- storage ------------------------------------------------------------- */

/** The number that 16 bits stand for. */
static double
number_of (CardiacDType dtype, uint16_t bits)
{
  float cell = 0; /* room for any storage */
  memcpy (&cell, &bits, sizeof bits);
  return check_load (&cell, dtype, 0);
}

/** The 16 bits that a number is stored as. */
static uint16_t
stored_as (CardiacDType dtype, float number)
{
  float cell = 0;
  uint16_t bits;
  cardiac_store (&cell, dtype, 0, number);
  memcpy (&bits, &cell, sizeof bits);
  return bits;
}

/** Rounds as the format's definition says: of the two neighbours of x the
 * nearer, the even one when both are as near. */
static bool
rounds_to_nearest_even (CardiacDType dtype, uint16_t lower)
{
  uint16_t upper = lower + 1;
  double low = number_of (dtype, lower), high = number_of (dtype, upper);
  float middle = (float) (low + (high - low) / 2);
  float samples[] = { (float) low, nextafterf (middle, (float) low), middle,
    nextafterf (middle, (float) high) };
  uint16_t expected[] = { lower, lower, lower & 1 ? upper : lower, upper };
  for (int i = 0; i < 4; i++)
    if (stored_as (dtype, samples[i]) != expected[i]
        || stored_as (dtype, -samples[i]) != (expected[i] | 0x8000))
      return false;
  return true;
}

/** Every number of BF16 and F16, and the middle to its neighbour. */
static void
check_storage (Totals *totals)
{
  const CardiacDType dtypes[] = { CARDIAC_BF16, CARDIAC_F16 };
  for (int i = 0; i < 2; i++) {
    unsigned infinity = dtypes[i] == CARDIAC_BF16 ? 0x7f80 : 0x7c00;
    unsigned half = 0;
    while (half < infinity - 1
           && rounds_to_nearest_even (dtypes[i], (uint16_t) half))
      half++;
    bool exact = half == infinity - 1
                 && isnan (number_of (dtypes[i], stored_as (dtypes[i], NAN)))
                 && stored_as (dtypes[i], FLT_MAX) == infinity;
    if (exact)
      totals->passed++;
    else
      totals->failed++;
    printf ("%-9s %-12s %-4s %s\n", "reference", "storage",
        dtype_name (dtypes[i]),
        exact ? "ok  all numbers, halves to even" : "FAILED rounding");
  }
}

/* ---- one operator -------------------------------------------------------- */

static void
print_report (const CheckTarget *target, CardiacOpKind kind,
    const Report *report, Totals *totals)
{
  bool checked = report->cases > report->no_kernel;
  printf ("%-9s %-12s %-4s ", target->backend->name, cardiac_op_name (kind),
      dtype_name (target->activation));
  if (report->failure[0]) {
    totals->failed++;
    printf ("FAILED %s [%s]\n", report->failure, report->implementations);
  } else if (!checked) {
    totals->skipped++;
    printf ("skipped: no kernel, reference runs\n");
  } else {
    totals->passed++;
    printf ("ok  max error %-7.2g of %-7.2g %3d cases [%s]", report->error,
        report->tolerance, report->cases - report->no_kernel,
        report->implementations);
    if (report->no_kernel)
      printf (" and %d left to reference", report->no_kernel);
    printf ("\n");
  }
  fflush (stdout);
}

static void
check_operator (const CheckTarget *target, const CheckTarget *reference,
    CardiacOpKind kind, const Options *options, Totals *totals)
{
  CheckCases cases = { 0 };
  Report report = { 0 };
  check_cases_add (&cases, kind, target->activation, options->seed);
  for (int i = 0; i < cases.count; i++) {
    bool was_well = !report.failure[0];
    check_case (target, reference, &cases.items[i],
        options->seed + (uint64_t) i, &report);
    if (target->backend == reference->backend)
      check_refusals (target, &cases.items[i], &report);
    if (options->verbose)
      printf ("  %s%s\n", cases.items[i].label,
          was_well && report.failure[0] ? ": first failure" : "");
  }
  if (cases.count > 0) /* float-only operators have none for bf16 */
    print_report (target, kind, &report, totals);
  check_cases_clear (&cases);
}

/* ---- timing and listing -------------------------------------------------- */

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/** Times a kernel for about half a second. */
static void
time_job (CheckJob *job, double *best, double *median)
{
  enum { MAX_RUNS = 500 };
  double seconds[MAX_RUNS], total = 0;
  int runs = 0;
  check_job_time (job, -1); /* warm */
  while (runs < MAX_RUNS && (runs < 5 || total < 0.5) && total < 10)
    total += seconds[runs++] = check_job_time (job, -1);
  qsort (seconds, (size_t) runs, sizeof *seconds, compare_doubles);
  *best = seconds[0];
  *median = seconds[runs / 2];
}

/** Seconds of the reference on one thread, extrapolated from its first
 * pieces. */
static double
estimate_reference (CheckJob *job)
{
  int pieces = check_job_kernel (job)->pieces, part = 1;
  check_job_time (job, part); /* warm */
  double seconds = check_job_time (job, part);
  while (seconds < 0.05 && part < pieces) {
    part = part > pieces / 4 ? pieces : 4 * part;
    seconds = check_job_time (job, part);
  }
  return seconds * pieces / part;
}

/** Space for inputs that are the same each run. */
static void
fill_case (const CheckCase *it, void **contents)
{
  for (int i = 0; i < it->op.inputs; i++)
    if (cardiac_op_has (&it->op, i))
      contents[i] = check_case_fill (it, i, 1);
}

static void
bench_case (const CheckTarget *target, const CheckTarget *reference,
    const CheckCase *it, const Options *options)
{
  void *contents[CARDIAC_OP_MAX_INPUTS] = { 0 };
  CheckJob *job, *plain;
  char why[512] = "";
  fill_case (it, contents);
  CheckPlan plan = check_job_new (&job, target, it, contents, why, sizeof why);
  printf ("%-12s %-56s ", cardiac_op_name (it->op.kind), it->label);
  if (plan == CHECK_NO_KERNEL)
    printf ("no kernel\n");
  else if (plan == CHECK_PLAN_FAILED)
    printf ("FAILED %s\n", why);
  else {
    double best, median;
    check_job_place (job);
    time_job (job, &best, &median);
    printf ("%9.3f ms best %9.3f median", 1e3 * best, 1e3 * median);
    double gflops = 1e-9 * check_job_kernel (job)->flop / best;
    if (gflops > 0)
      printf (" %7.1f GFLOP/s", gflops);
    else
      printf (" %15s", "");
    if (options->peak > 0 && gflops > 0)
      printf (" %3.0f %% of peak", 100 * gflops / options->peak);
    else if (options->peak <= 0
             && check_job_new (&plain, reference, it, contents, why, sizeof why)
                    == CHECK_PLANNED) {
      check_job_place (plain);
      printf (" %6.1fx reference", estimate_reference (plain) / best);
      check_job_free (plain);
    }
    printf (" [%s]\n", check_job_kernel (job)->implementation);
  }
  fflush (stdout);
  check_job_free (job);
  for (int i = 0; i < it->op.inputs; i++)
    free (contents[i]);
}

static void
list_case (const CheckTarget *target, const CheckCase *it)
{
  void *contents[CARDIAC_OP_MAX_INPUTS] = { 0 };
  CheckJob *job;
  char why[512] = "";
  fill_case (it, contents);
  CheckPlan plan = check_job_new (&job, target, it, contents, why, sizeof why);
  printf ("%-9s %-12s %-56s %s\n", target->backend->name,
      cardiac_op_name (it->op.kind), it->label,
      plan == CHECK_PLANNED     ? check_job_kernel (job)->implementation
      : plan == CHECK_NO_KERNEL ? "(reference)"
                                : why);
  check_job_free (job);
  for (int i = 0; i < it->op.inputs; i++)
    free (contents[i]);
}

/* ---- backends ------------------------------------------------------------ */

static bool
is_wanted (CardiacOpKind kind, const Options *options)
{
  return !options->op || strcmp (options->op, cardiac_op_name (kind)) == 0;
}

static void
visit_operators (const CheckTarget *target, const CheckTarget *reference,
    const Options *options, Totals *totals)
{
  for (CardiacOpKind kind = 0; kind < CARDIAC_OP_KINDS; kind++) {
    if (!is_wanted (kind, options))
      continue;
    if (!options->bench && !options->list) {
      check_operator (target, reference, kind, options, totals);
      continue;
    }
    CheckCases cases = { 0 };
    check_cases_add_bench (&cases, kind, target->activation);
    for (int i = 0; i < cases.count; i++)
      if (options->bench)
        bench_case (target, reference, &cases.items[i], options);
      else
        list_case (target, &cases.items[i]);
    check_cases_clear (&cases);
  }
}

/** All that is asked of one backend with activations of one dtype. */
static bool
visit_precision (const CardiacBackend *backend, CardiacDType activation,
    const Options *options, Totals *totals)
{
  CheckTarget target, reference;
  CardiacError *error = NULL;
  int threads = options->bench ? options->threads : CHECK_POOL_THREADS;
  if (!check_target_open (&target, backend, activation, threads, &error)) {
    printf ("%s %s: skipped, %s\n", backend->name, dtype_name (activation),
        cardiac_error_message (error));
    cardiac_error_free (&error);
    totals->skipped++;
    return false;
  }
  if (!check_target_open (&reference, cardiac_backend_reference (), activation,
          CHECK_POOL_THREADS, NULL))
    abort ();
  printf ("# %s, %s activations: %s\n", backend->name, dtype_name (activation),
      backend->describe ? backend->describe (target.context) : "");
  visit_operators (&target, &reference, options, totals);
  check_target_close (&reference);
  check_target_close (&target);
  return true;
}

static bool
visit_backend (
    const CardiacBackend *backend, const Options *options, Totals *totals)
{
  const CardiacDType dtypes[] = { CARDIAC_F32, CARDIAC_BF16, CARDIAC_F16 };
  bool any = false;
  for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
    bool asked = options->precision == (int) dtypes[i]
                 || (options->precision < 0
                     && (!(options->bench || options->list)
                         || dtypes[i] == backend->preferred (0)));
    if (asked && backend->supports (0, dtypes[i]))
      any |= visit_precision (backend, dtypes[i], options, totals);
  }
  return any;
}

static const CardiacBackend *
open_module (const char *path)
{
  void *handle = dlopen (path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  CardiacBackendModule module =
      handle ? (CardiacBackendModule) dlsym (handle, CARDIAC_BACKEND_SYMBOL)
             : NULL;
  const CardiacBackend *backend = module ? module () : NULL;
  if (!backend || backend->abi != CARDIAC_BACKEND_ABI) {
    printf ("%s: %s\n", path, handle ? "not a backend" : dlerror ());
    return NULL;
  }
  return backend;
}

/** The backends named by the options; those that cannot be had are skipped.
 * @return how many ran. */
static int
visit_all (const Options *options, Totals *totals)
{
  static const char *const names[] = { "reference", "cpu", "cuda" };
  int ran = 0;
  if (options->module) {
    const CardiacBackend *backend = open_module (options->module);
    return backend && visit_backend (backend, options, totals);
  }
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    CardiacError *error = NULL;
    if (options->backend && strcmp (options->backend, names[i]) != 0)
      continue;
    const CardiacBackend *backend = cardiac_backend_find (names[i], &error);
    if (i == 0 && !options->op && !options->bench && !options->list)
      check_storage (totals);
    if (backend) {
      ran += visit_backend (backend, options, totals);
    } else {
      printf ("%s: skipped, %s\n", names[i], cardiac_error_message (error));
      totals->skipped++;
    }
    cardiac_error_free (&error);
  }
  return ran;
}

/* ---- main ---------------------------------------------------------------- */

static void
print_usage (FILE *file)
{
  fprintf (file,
      "usage: checkop [options]\n"
      "  --backend NAME    only reference, cpu or cuda\n"
      "  --module PATH     the backend of a module file\n"
      "  --op NAME         only one operator, such as linear\n"
      "  --precision NAME  only f32, bf16 or f16 activations\n"
      "  --seed N          other random shapes and numbers (1)\n"
      "  --verbose         a line for every case\n"
      "  --list            which implementation each operator gets\n"
      "  --bench           times, at shapes of ViT-B and YOLOv8n\n"
      "  --threads N       for --bench (1); the reference is timed on one\n"
      "  --peak GFLOPS     for --bench: shows the share of it\n");
}

static int
parse_precision (const char *name)
{
  for (int dtype = CARDIAC_F32; dtype <= CARDIAC_F16; dtype++)
    if (strcmp (name, dtype_name ((CardiacDType) dtype)) == 0)
      return dtype;
  return -2;
}

static bool
is_operator (const char *name)
{
  for (CardiacOpKind kind = 0; kind < CARDIAC_OP_KINDS; kind++)
    if (strcmp (name, cardiac_op_name (kind)) == 0)
      return true;
  return false;
}

static bool
parse_options (int argc, char **argv, Options *options)
{
  static const struct option table[] = {
    { "backend", required_argument, NULL, 'b' },
    { "module", required_argument, NULL, 'm' },
    { "op", required_argument, NULL, 'o' },
    { "precision", required_argument, NULL, 'p' },
    { "seed", required_argument, NULL, 's' },
    { "threads", required_argument, NULL, 't' },
    { "peak", required_argument, NULL, 'k' },
    { "bench", no_argument, NULL, 'B' },
    { "list", no_argument, NULL, 'l' },
    { "verbose", no_argument, NULL, 'v' },
    { 0 },
  };
  int option;
  while ((option = getopt_long (argc, argv, "", table, NULL)) != -1)
    switch (option) {
      case 'b':
        options->backend = optarg;
        break;
      case 'm':
        options->module = optarg;
        break;
      case 'o':
        options->op = optarg;
        break;
      case 'p':
        options->precision = parse_precision (optarg);
        break;
      case 's':
        options->seed = strtoull (optarg, NULL, 10);
        break;
      case 't':
        options->threads = atoi (optarg);
        break;
      case 'k':
        options->peak = atof (optarg);
        break;
      case 'B':
        options->bench = true;
        break;
      case 'l':
        options->list = true;
        break;
      case 'v':
        options->verbose = true;
        break;
      default:
        return false;
    }
  return optind == argc && options->precision != -2 && options->threads > 0
         && (!options->op || is_operator (options->op));
}

int
main (int argc, char **argv)
{
  Options options = { .precision = -1, .seed = 1, .threads = 1 };
  Totals totals = { 0 };
  if (!parse_options (argc, argv, &options)) {
    print_usage (stderr);
    return 2;
  }
  int ran = visit_all (&options, &totals);
  if (!options.bench && !options.list)
    printf ("%d passed, %d failed, %d skipped\n", totals.passed, totals.failed,
        totals.skipped);
  if (totals.failed)
    return 1;
  return ran ? 0 : EXIT_SKIPPED;
}
