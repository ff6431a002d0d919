/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mregnetwork.h"

#include "clipsampler.h"
#include "network.h"

struct _MregNetwork {
  NetworkPlan plan;

  CardiacMReg *mreg;
  gfloat *input; /* [T, 3, S, S] */
  /* The newest encoded clips, oldest first; spare is encoded into next. */
  guint epoch, count;
  Clip *clips[GST_CARDIAC_MAX_INSTANCES];
  CardiacInstance *instances[GST_CARDIAC_MAX_INSTANCES];
  CardiacInstance *spare;
};

/* ---- jobs and outcomes ------------------------------------------------- */

MregJob *
mreg_job_new (void)
{
  return g_new0 (MregJob, 1);
}

void
mreg_job_free (MregJob *job)
{
  for (guint i = 0; i < job->count; i++)
    clip_free (job->clips[i]);
  g_free (job);
}

void
mreg_outcome_free (MregOutcome *outcome)
{
  for (guint i = 0; i < outcome->count; i++)
    clip_free (outcome->clips[i]);
  cardiac_mreg_result_free (&outcome->result);
  g_free (outcome->failure);
  g_free (outcome->detail);
  g_free (outcome);
}

/* ---- the network ------------------------------------------------------- */

MregNetwork *
mreg_network_new (CardiacModel *model, const CardiacSettings *settings)
{
  MregNetwork *self = g_new0 (MregNetwork, 1);

  network_plan_init (&self->plan, model, settings);
  return self;
}

void
mreg_network_free (MregNetwork *self)
{
  if (!self)
    return;
  network_plan_clear (&self->plan);
  g_free (self);
}

const CardiacMRegShape *
mreg_network_shape (const MregNetwork *self)
{
  return cardiac_mreg_shape (self->mreg);
}

const CardiacRunInfo *
mreg_network_run_info (const MregNetwork *self)
{
  return cardiac_mreg_run_info (self->mreg);
}

static void
mreg_network_close (gpointer network)
{
  MregNetwork *self = network;

  for (guint i = 0; i < GST_CARDIAC_MAX_INSTANCES; i++) {
    g_clear_pointer (&self->clips[i], clip_free);
    cardiac_instance_free (&self->instances[i]);
  }
  cardiac_instance_free (&self->spare);
  g_clear_pointer (&self->input, g_free);
  cardiac_mreg_free (&self->mreg);
}

static gboolean
mreg_network_open (gpointer network, CardiacError **error)
{
  MregNetwork *self = network;
  const CardiacMRegShape *shape;

  self->mreg = cardiac_mreg_new (self->plan.model, &self->plan.settings, error);
  if (!self->mreg)
    return FALSE;

  shape = cardiac_mreg_shape (self->mreg);
  self->input =
      g_new0 (gfloat, (gsize) shape->frames * 3 * shape->side * shape->side);
  for (gint i = 0; i < shape->instances; i++) {
    self->instances[i] = cardiac_instance_new (self->mreg, error);
    if (!self->instances[i])
      return FALSE;
  }
  self->spare = cardiac_instance_new (self->mreg, error);
  if (!self->spare)
    return FALSE;

  /* The first run is slower than all others: not while video plays. */
  return cardiac_mreg_encode (self->mreg, self->input, self->spare, error);
}

/* All frames of a clip are in GPU memory, or none is. */
static gboolean
encode_frames (MregNetwork *self, const Clip *clip, CardiacError **error)
{
  CardiacImage images[CLIP_MAX_FRAMES];
  gboolean ok;

  for (guint t = 0; t < clip->count; t++)
    images[t] = clip->pictures[t]->image;
  ok = cardiac_mreg_encode_images (self->mreg, images, CARDIAC_MEMORY_DEVICE,
      &clip->pictures[0]->crop, self->spare, error);
  for (guint t = 0; t < clip->count; t++)
    picture_drop_frame (clip->pictures[t]);
  return ok;
}

static gboolean
encode (MregNetwork *self, const Clip *clip, CardiacError **error)
{
  const CardiacMRegShape *shape = cardiac_mreg_shape (self->mreg);
  gsize picture = (gsize) 3 * shape->side * shape->side;

  if (clip->pictures[0]->frame)
    return encode_frames (self, clip, error);
  for (guint t = 0; t < clip->count; t++)
    picture_normalise (
        clip->pictures[t], shape->mean, shape->std, self->input + t * picture);
  return cardiac_mreg_encode (self->mreg, self->input, self->spare, error);
}

/* Puts the clip in `spare` behind the others; the oldest falls out. */
static void
keep_spare (MregNetwork *self, Clip *clip)
{
  guint most = cardiac_mreg_shape (self->mreg)->instances;

  if (self->count == most) {
    CardiacInstance *oldest = self->instances[0];

    clip_free (self->clips[0]);
    for (guint i = 1; i < most; i++) {
      self->clips[i - 1] = self->clips[i];
      self->instances[i - 1] = self->instances[i];
    }
    self->instances[most - 1] = oldest;
    self->count--;
  }

  CardiacInstance *free_one = self->instances[self->count];

  self->instances[self->count] = self->spare;
  self->spare = free_one;
  self->clips[self->count++] = clip;
}

/* Brings an encoded clip, if there is one, behind the others. */
static gboolean
reuse (MregNetwork *self, const Clip *clip)
{
  for (guint i = 0; i < self->count; i++) {
    CardiacInstance *instance = self->instances[i];
    Clip *same = self->clips[i];

    if (!clip_equal (same, clip))
      continue;
    for (guint j = i + 1; j < self->count; j++) {
      self->clips[j - 1] = self->clips[j];
      self->instances[j - 1] = self->instances[j];
    }
    self->clips[self->count - 1] = same;
    self->instances[self->count - 1] = instance;
    return TRUE;
  }
  return FALSE;
}

static void
forget (MregNetwork *self)
{
  for (guint i = 0; i < self->count; i++)
    g_clear_pointer (&self->clips[i], clip_free);
  self->count = 0;
}

static gpointer
mreg_network_run (gpointer network, gpointer data)
{
  MregNetwork *self = network;
  MregJob *job = data;
  MregOutcome *outcome = g_new0 (MregOutcome, 1);
  guint most = cardiac_mreg_shape (self->mreg)->instances;
  gint64 begin = g_get_monotonic_time ();
  CardiacError *error = NULL;

  outcome->is_final = job->is_final;
  if (job->epoch != self->epoch && !job->is_final)
    forget (self);
  self->epoch = job->epoch;

  for (guint i = 0; i < job->count; i++) {
    if (reuse (self, job->clips[i]))
      continue;
    if (!encode (self, job->clips[i], &error))
      goto failed;
    outcome->encoded++;
    keep_spare (self, clip_copy (job->clips[i]));
  }

  if (self->count == most) {
    outcome->result =
        cardiac_mreg_grade (self->mreg, self->instances, self->count, &error);
    if (!outcome->result)
      goto failed;
    outcome->count = self->count;
    for (guint i = 0; i < self->count; i++)
      outcome->clips[i] = clip_copy (self->clips[i]);
  }
  outcome->inference_ms = (g_get_monotonic_time () - begin) / 1000.0;
  return outcome;

failed:
  /* What was encoded is still good; what was not is missing. */
  forget (self);
  network_take_failure (&error, &outcome->failure, &outcome->detail);
  return outcome;
}

const WorkerClass mreg_network_class = {
  mreg_network_open,
  mreg_network_run,
  mreg_network_close,
  (GDestroyNotify) mreg_job_free,
  (GDestroyNotify) mreg_outcome_free,
};
