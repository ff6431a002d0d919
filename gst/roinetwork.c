/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "roinetwork.h"

#include "network.h"
#include "regions.h"

struct _RoiNetwork {
  NetworkPlan plan;
  CardiacYolov8 *yolov8;
  CardiacDetection detections[CARDIAC_YOLOV8_MAX_DETECTIONS];
};

RoiJob *
roi_job_new (void)
{
  RoiJob *job = g_new0 (RoiJob, 1);

  job->pictures = g_array_new (FALSE, FALSE, sizeof (GstCardiacBox));
  return job;
}

void
roi_job_free (RoiJob *job)
{
  g_free (job->input);
  gst_clear_buffer (&job->frame);
  g_array_unref (job->pictures);
  g_free (job);
}

void
roi_outcome_free (RoiOutcome *outcome)
{
  g_free (outcome->failure);
  g_free (outcome->detail);
  g_free (outcome);
}

RoiNetwork *
roi_network_new (CardiacModel *model, const CardiacSettings *settings)
{
  RoiNetwork *self = g_new0 (RoiNetwork, 1);

  network_plan_init (&self->plan, model, settings);
  return self;
}

void
roi_network_free (RoiNetwork *self)
{
  if (!self)
    return;
  network_plan_clear (&self->plan);
  g_free (self);
}

const CardiacYolov8Shape *
roi_network_shape (const RoiNetwork *self)
{
  return cardiac_yolov8_shape (self->yolov8);
}

const CardiacRunInfo *
roi_network_run_info (const RoiNetwork *self)
{
  return cardiac_yolov8_run_info (self->yolov8);
}

static gboolean
roi_network_open (gpointer network, CardiacError **error)
{
  RoiNetwork *self = network;
  const CardiacYolov8Shape *shape;
  gfloat *input;
  gboolean ok;

  self->yolov8 =
      cardiac_yolov8_new (self->plan.model, 0, 0, &self->plan.settings, error);
  if (!self->yolov8)
    return FALSE;

  /* The first run is slower than all others: not while video plays. */
  shape = cardiac_yolov8_shape (self->yolov8);
  input = g_new0 (gfloat, (gsize) 3 * shape->height * shape->width);
  ok = cardiac_yolov8_run (self->yolov8, input, self->detections, error) >= 0;
  g_free (input);
  return ok;
}

static void
roi_network_close (gpointer network)
{
  RoiNetwork *self = network;

  cardiac_yolov8_free (&self->yolov8);
}

static gint
detect (RoiNetwork *self, RoiJob *job, CardiacError **error)
{
  if (job->frame)
    return cardiac_yolov8_run_image (self->yolov8, &job->image,
        CARDIAC_MEMORY_DEVICE, self->detections, &job->placement, error);
  return cardiac_yolov8_run (self->yolov8, job->input, self->detections, error);
}

/* The surest box that lies on a picture of the screen, when somebody said where
 * those are. */
static void
take_best (RoiNetwork *self, const RoiJob *job, gint count, RoiOutcome *outcome)
{
  for (gint i = 0; i < count && !outcome->found; i++) {
    const CardiacDetection *d = &self->detections[i];
    gfloat box[4] = { d->x1, d->y1, d->x2, d->y2 };

    cardiac_letterbox_to_picture (&job->placement, box);
    outcome->box.x = box[0];
    outcome->box.y = box[1];
    outcome->box.w = box[2] - box[0];
    outcome->box.h = box[3] - box[1];
    outcome->confidence = d->score;
    outcome->found = outcome->box.w >= 1 && outcome->box.h >= 1
                     && regions_hold (job->pictures, &outcome->box);
  }
}

static gpointer
roi_network_run (gpointer network, gpointer data)
{
  RoiNetwork *self = network;
  RoiJob *job = data;
  RoiOutcome *outcome = g_new0 (RoiOutcome, 1);
  gint64 begin = g_get_monotonic_time ();
  CardiacError *error = NULL;
  gint count;

  outcome->time = job->time;
  count = detect (self, job, &error);
  outcome->inference_ms = (g_get_monotonic_time () - begin) / 1000.0;
  if (count < 0) {
    network_take_failure (&error, &outcome->failure, &outcome->detail);
  } else {
    take_best (self, job, count, outcome);
  }
  return outcome;
}

const WorkerClass roi_network_class = {
  roi_network_open,
  roi_network_run,
  roi_network_close,
  (GDestroyNotify) roi_job_free,
  (GDestroyNotify) roi_outcome_free,
};
