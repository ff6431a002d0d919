/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cardiac-evaluate-phantoms: grades recordings whose truth is known through the
 * elements and the engine, and writes one CSV line each. See predictions.h for
 * the columns and realclip.h for real grey pictures. */

#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gstechotestsrc.h"
#include "gstmregclassify.h"
#include "gstmregroi.h"
#include "predictions.h"
#include "realclip.h"

typedef struct {
  EvaluationOptions evaluation;
  gint64 first, count;
  gint grade;
  gint part, parts;
  GArray *plan; /* gint: grade of each recording; NULL: all `grade` */
  gchar *grades, *share;
  gchar *region, *size, *video, *anatomy, *clips, *output;
  gboolean quiet;
  gchar **rest;
} Arguments;

typedef struct {
  Predictions *predictions;
  Evaluation *evaluation; /* NULL: clips are written only */
  RealClip *clip;         /* NULL: phantoms */
  gint64 begin;           /* us, monotonic */
  gint64 done, right;
} Job;

/* ---- arguments --------------------------------------------------------- */

static gboolean
parse_region (const gchar *text, Region *region)
{
  static const gchar *const names[] = { "detector", "truth", "whole" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i], text) == 0) {
      *region = i;
      return TRUE;
    }
  return FALSE;
}

typedef struct {
  gdouble place;
  gint grade;
} Place;

static gint
compare_places (gconstpointer a, gconstpointer b)
{
  const Place *x = a, *y = b;

  if (x->place != y->place)
    return x->place < y->place ? -1 : 1;
  return x->grade - y->grade;
}

/* "403,307,98": so many recordings of each grade, mixed evenly, so that any
 * first part has nearly the whole's proportions. training/cardiac/seeds.py has
 * the same rule. */
static GArray *
parse_grades (const gchar *text)
{
  GArray *places = g_array_new (FALSE, FALSE, sizeof (Place));
  GArray *plan = g_array_new (FALSE, FALSE, sizeof (gint));
  gint counts[3];

  if (sscanf (text, "%d,%d,%d", &counts[0], &counts[1], &counts[2]) == 3)
    for (gint grade = 0; grade < 3; grade++)
      for (gint i = 0; i < counts[grade]; i++) {
        Place place = { (i + 0.5) / counts[grade], grade };

        g_array_append_val (places, place);
      }
  g_array_sort (places, compare_places);
  for (guint i = 0; i < places->len; i++)
    g_array_append_val (plan, g_array_index (places, Place, i).grade);
  g_array_unref (places);
  return plan;
}

static gboolean
check_arguments (Arguments *args, GError **error)
{
  EvaluationOptions *options = &args->evaluation;
  const gchar *wrong = NULL;

  if (args->grades) {
    args->plan = parse_grades (args->grades);
    args->count =
        args->count < 0 ? args->plan->len : MIN (args->count, args->plan->len);
  }
  if (args->count < 0)
    args->count = 100;
  if (args->rest && args->rest[0] && !args->rest[1])
    args->output = args->rest[0];
  if (!args->output && !args->clips)
    wrong = "name one CSV file to write, or a folder with --write";
  else if (args->region && !parse_region (args->region, &options->region))
    wrong = "--region is detector, truth or whole";
  else if (args->size
           && (sscanf (args->size, "%dx%d", &options->width, &options->height)
                   != 2
               || options->width < 16 || options->height < 16))
    wrong = "--size is WIDTHxHEIGHT, such as 640x480";
  else if (!args->video != !args->anatomy)
    wrong = "--video and --anatomy belong together";
  else if (args->clips && !args->video)
    wrong = "--write needs --video; for phantoms use echotestsrc";
  else if (args->grade < -1 || args->grade > 2)
    wrong = "--grade is 0, 1, 2 or -1";
  else if (args->first < 0)
    wrong = "--first is not negative";
  else if (args->plan && args->plan->len == 0)
    wrong = "--grades is three counts, such as 403,307,98";
  else if (args->share
           && (sscanf (args->share, "%d/%d", &args->part, &args->parts) != 2
               || args->part < 0 || args->part >= args->parts))
    wrong = "--part is K/N with K from 0 to N - 1";
  if (wrong)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s", wrong);
  return wrong == NULL;
}

static gboolean
parse_arguments (int *argc, char ***argv, Arguments *args, GError **error)
{
  EvaluationOptions *options = &args->evaluation;
  const GOptionEntry entries[] = {
    { "first", 0, 0, G_OPTION_ARG_INT64, &args->first,
        "Number of the first recording (0)", "N" },
    { "count", 0, 0, G_OPTION_ARG_INT64, &args->count,
        "How many recordings (100, or as many as --grades says)", "N" },
    { "grades", 0, 0, G_OPTION_ARG_STRING, &args->grades,
        "So many recordings of grades 0, 1 and 2, mixed evenly", "A,B,C" },
    { "part", 0, 0, G_OPTION_ARG_STRING, &args->share,
        "Every Nth recording, from the Kth on: for N processes", "K/N" },
    { "grade", 0, 0, G_OPTION_ARG_INT, &args->grade,
        "Draw recordings of this grade; -1: any (-1)", "G" },
    { "model", 0, 0, G_OPTION_ARG_FILENAME, &options->model,
        "Model of mregclassify (its own)", "FILE" },
    { "detector", 0, 0, G_OPTION_ARG_FILENAME, &options->detector,
        "Model of mregroi (its own)", "FILE" },
    { "device", 0, 0, G_OPTION_ARG_STRING, &options->device,
        "Device of the networks (auto)", "NAME" },
    { "precision", 0, 0, G_OPTION_ARG_STRING, &options->precision,
        "Precision of the networks (auto)", "NAME" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &options->threads,
        "Threads of the networks (1)", "N" },
    { "region", 0, 0, G_OPTION_ARG_STRING, &args->region,
        "Where to look: detector, truth or whole (detector)", "NAME" },
    { "size", 0, 0, G_OPTION_ARG_STRING, &args->size,
        "Size of phantoms' pictures (640x480)", "WxH" },
    { "video", 0, 0, G_OPTION_ARG_FILENAME, &args->video,
        "Paint the jets into this grey recording", "FILE" },
    { "anatomy", 0, 0, G_OPTION_ARG_FILENAME, &args->anatomy,
        "Where the heart lies in it (JSON)", "FILE" },
    { "write", 0, 0, G_OPTION_ARG_FILENAME, &args->clips,
        "Write the painted clips into this folder, too", "FOLDER" },
    { "quiet", 0, 0, G_OPTION_ARG_NONE, &args->quiet, "No progress", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &args->rest, NULL,
        NULL },
    { NULL },
  };
  GOptionContext *context = g_option_context_new ("[PREDICTIONS.csv]");
  gboolean ok;

  g_option_context_set_summary (context,
      "Grades recordings with known truth through the elements and appends one "
      "line each\nto a CSV. Recordings that the file holds already are left "
      "out.");
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  ok = g_option_context_parse (context, argc, argv, error)
       && check_arguments (args, error);
  g_option_context_free (context);
  return ok;
}

/* ---- work -------------------------------------------------------------- */

static gdouble
cpu_seconds (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
         + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
show_progress (const Job *job, gint64 index, gint64 count, gboolean last)
{
  gdouble wall = (g_get_monotonic_time () - job->begin) / 1e6;
  gdouble left = job->done ? wall / job->done * (count - index) : 0;
  gint bars = count ? 30 * index / count : 30;
  gboolean terminal = isatty (STDERR_FILENO);

  if (!terminal && !last && index % MAX (1, count / 10))
    return;
  fprintf (stderr,
      "\r[%-30.*s] %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
      " of %" G_GINT64_FORMAT " right, %.2f CPU-s each, %d:%02d left ",
      bars, "##############################", index, count, job->right,
      job->done, job->done ? cpu_seconds () / job->done : 0, (gint) left / 60,
      (gint) left % 60);
  if (last || !terminal)
    fputc ('\n', stderr);
}

static gboolean
write_clip (
    Job *job, const Arguments *args, const Subject *subject, GError **error)
{
  gint grade = echo_recording_truth (&subject->settings).grade;
  gchar *name = g_strdup_printf (
      "%06" G_GINT64_FORMAT "-grade%d.mkv", subject->number, grade);
  gchar *path = g_build_filename (args->clips, name, NULL);
  gboolean ok = g_file_test (path, G_FILE_TEST_EXISTS)
                || real_clip_write (job->clip, subject, path, error);

  g_free (path);
  g_free (name);
  return ok;
}

static gboolean
grade (Job *job, const Subject *subject, GError **error)
{
  Prediction prediction;
  gboolean ok;

  if (!evaluation_run (job->evaluation, subject, &prediction, error))
    return FALSE;
  job->right += gst_cardiac_state_has_finding (prediction.result->state)
                && prediction.result->grade
                       == echo_recording_truth (&subject->settings).grade;
  ok = predictions_add (job->predictions, subject, &prediction, error);
  prediction_clear (&prediction);
  return ok;
}

static gboolean
work (Job *job, const Arguments *args, GError **error)
{
  job->begin = g_get_monotonic_time ();
  for (gint64 i = 0; i < args->count; i++) {
    gint64 number = args->first + i;
    Subject subject = { .number = number, .grade = args->grade };

    if (i % args->parts != args->part)
      continue;
    if (args->plan)
      subject.grade = g_array_index (args->plan, gint, i);
    if (job->clip)
      real_clip_draw_subject (job->clip, number, subject.grade, &subject);
    else
      echo_settings_draw (&subject.settings, number, subject.grade);
    if (args->clips && !write_clip (job, args, &subject, error))
      return FALSE;
    if (job->evaluation && !predictions_has (job->predictions, number)) {
      if (!grade (job, &subject, error)) {
        g_prefix_error (error, "recording %" G_GINT64_FORMAT ": ", number);
        return FALSE;
      }
      job->done++;
    }
    if (!args->quiet)
      show_progress (job, i + 1, args->count, i + 1 == args->count);
  }
  return TRUE;
}

static gboolean
open_job (Job *job, const Arguments *args, GError **error)
{
  if (args->video) {
    job->clip = real_clip_open (args->video, args->anatomy, error);
    if (!job->clip)
      return FALSE;
  }
  if (args->clips && g_mkdir_with_parents (args->clips, 0777) != 0) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
        "the folder \"%s\" cannot be made", args->clips);
    return FALSE;
  }
  if (!args->output)
    return TRUE;
  job->predictions = predictions_open (args->output, error);
  if (!job->predictions)
    return FALSE;
  job->evaluation = evaluation_new (&args->evaluation,
      job->clip ? real_clip_get_drawer (job->clip) : NULL, error);
  return job->evaluation != NULL;
}

int
main (int argc, char **argv)
{
  Arguments args = {
    .evaluation = { .threads = 1, .width = 640, .height = 480 },
    .count = -1,
    .grade = -1,
    .parts = 1,
  };
  GError *error = NULL;
  Job job = { 0 };
  gboolean ok;

  ok = parse_arguments (&argc, &argv, &args, &error);
  if (ok) {
    GST_ELEMENT_REGISTER (echotestsrc, NULL);
    GST_ELEMENT_REGISTER (mregroi, NULL);
    GST_ELEMENT_REGISTER (mregclassify, NULL);
    ok = open_job (&job, &args, &error) && work (&job, &args, &error);
  }
  evaluation_free (job.evaluation);
  predictions_close (job.predictions);
  real_clip_free (job.clip);
  if (!ok) {
    fprintf (stderr, "\ncardiac-evaluate-phantoms: %s\n", error->message);
    g_error_free (error);
  }
  g_strfreev (args.rest);
  g_clear_pointer (&args.plan, g_array_unref);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
