/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Regurgitant jets, what feeds them, and the heart's normal flow. */
#include "flow.h"

#include <math.h>
#include <string.h>

/* m/s: left ventricle against atrium at a normal blood pressure, and the right
 * side. */
#define MITRAL_JET_VELOCITY 4.8f
#define TRICUSPID_JET_VELOCITY 2.4f

float
jet_profile (float s)
{
  float tip = clamp01 ((s - 0.7f) / 0.3f);
  return (0.35f + 0.65f * smooth (s / 0.4f)) * sqrtf (1.0f - tip * tip);
}

/* The mean of jet_profile() over 0 .. 1. */
#define PROFILE_MEAN (0.27f + 0.3f + 0.075f * (float) M_PI)

/* ---- paths ------------------------------------------------------------- */

typedef struct Line {
  float u[64], v[64];
  int n;
} Line;

static void
line_add (Line *line, float u, float v)
{
  line->u[line->n] = u;
  line->v[line->n++] = v;
}

static float
line_length (const Line *line)
{
  float length = 0;
  for (int i = 1; i < line->n; i++)
    length += hypotf (line->u[i] - line->u[i - 1], line->v[i] - line->v[i - 1]);
  return length;
}

/* Equal steps over the first `jet->length` of a line. */
static void
resample (const Line *line, JetPath *jet)
{
  float step = jet->length / (JET_POINTS - 1), gone = 0;
  int i = 1;

  for (int k = 0; k < JET_POINTS; k++) {
    float want = k * step, part;
    for (;; i++) {
      part = hypotf (line->u[i] - line->u[i - 1], line->v[i] - line->v[i - 1]);
      if (gone + part >= want || i == line->n - 1)
        break;
      gone += part;
    }
    float t = part > 0 ? clamp01 ((want - gone) / part) : 0;
    jet->u[k] = mix (line->u[i - 1], line->u[i], t);
    jet->v[k] = mix (line->v[i - 1], line->v[i], t);
  }
}

static void
central_line (
    const Ellipse *atrium, float u, float v, float direction, Line *line)
{
  float reach = atrium->v + atrium->b - v;
  line->n = 0;
  line_add (line, u, v);
  line_add (line, u + sinf (direction) * reach, v + cosf (direction) * reach);
}

/* From the orifice to the wall and along it, `inset` from the border. */
static void
wall_line (
    const Ellipse *atrium, float u, float v, int wall, float inset, Line *line)
{
  float a = atrium->a - inset, b = atrium->b - inset;
  float angle =
      asinf (fmaxf (-0.9f, fminf (0.6f, (v - atrium->v) / b))) + 0.35f;

  line->n = 0;
  line_add (line, u, v);
  for (; line->n < 48; angle += 0.06f)
    line_add (line, atrium->u + wall * a * cosf (angle),
        atrium->v + b * sinf (angle));
}

static void
enclose (JetPath *jet)
{
  jet->low_u = jet->high_u = jet->u[0];
  jet->low_v = jet->high_v = jet->v[0];
  for (int i = 1; i < JET_POINTS; i++) {
    jet->low_u = lesser (jet->low_u, jet->u[i]);
    jet->high_u = greater (jet->high_u, jet->u[i]);
    jet->low_v = lesser (jet->low_v, jet->v[i]);
    jet->high_v = greater (jet->high_v, jet->v[i]);
  }
  float room = 1.4f * jet->half_width + 0.1f;
  jet->low_u -= room;
  jet->high_u += room;
  jet->low_v -= room;
  jet->high_v += room;
}

/* A jet of `area` cm². What is too long for its atrium grows wider instead. */
static void
lay_jet (const EchoJet *jet, const Ellipse *atrium, float left, float right,
    float base, float area, JetPath *path)
{
  float width = sqrtf (area / ((float) jet->aspect * PROFILE_MEAN));
  float u = mix (left, right, 0.58f + 0.25f * (float) jet->orifice);
  Line line;

  path->present = area > 1e-4f;
  if (!path->present)
    return;
  for (int pass = 0; pass < 2; pass++) {
    if (jet->wall)
      wall_line (
          atrium, u, base - 0.1f, jet->wall, 0.5f * width + 0.05f, &line);
    else
      central_line (atrium, u, base - 0.1f, (float) jet->direction, &line);
    path->length =
        fminf ((float) jet->aspect * width, 0.94f * line_length (&line));
    width = area / (path->length * PROFILE_MEAN);
  }
  path->half_width = 0.5f * width;
  path->area = area;
  resample (&line, path);
  enclose (path);
}

/* Size of a jet over systole, 0 .. 1: quickly there, quickly gone. */
static float
jet_envelope (const EchoJet *jet, float systole)
{
  float s = (systole - (float) jet->onset) / (float) jet->duration;
  float rise = 0.18f;
  return smooth (s / rise) * smooth ((1.0f - s) / rise);
}

/* Share of the left atrium that jet j covers now. */
static float
jet_share (const EchoSettings *s, const Heart *h, int j)
{
  float envelope = jet_envelope (&s->jet[j], h->systole);
  return (float) s->jet[j].area * (float) echo_beat_factor (s, h->beat)
         * envelope * envelope;
}

float
flow_jet_area (const EchoSettings *s, const Heart *h)
{
  float share = 0;
  for (int j = 0; j < s->jets; j++)
    share += jet_share (s, h, j);
  return share;
}

static void
lay_jets (const EchoSettings *s, const Heart *h, Flow *flow)
{
  float atrium = heart_atrium_area (s);

  for (int j = 0; j < s->jets; j++) {
    float area = jet_share (s, h, j) * atrium;
    lay_jet (&s->jet[j], &h->la, h->annulus[0], h->annulus[1], h->base, area,
        &flow->jet[j]);
    if (!flow->jet[j].present)
      continue;
    flow->orifice_u[j] = flow->jet[j].u[0];
    flow->orifice_radius[j] = fminf (1.0f, 0.18f + 0.3f * sqrtf (area));
  }
  if (s->tricuspid_jet > 0) {
    EchoJet right = {
      .aspect = 2.2, .direction = 0.1, .onset = 0.05, .duration = 0.9
    };
    float envelope = jet_envelope (&right, h->systole);
    lay_jet (&right, &h->ra, h->ra.u - 0.6f * h->ra.a, h->crux - 0.3f,
        h->base_right,
        (float) s->tricuspid_jet * 3.0f * h->ra.a * h->ra.b * envelope
            * envelope,
        &flow->jet[FLOW_JETS - 1]);
  }
}

void
flow_at (const EchoSettings *s, const Heart *h, Flow *flow)
{
  memset (flow, 0, sizeof *flow);
  flow->inflow = (float) (s->inflow * h->early + s->inflow_a * h->late);
  flow->outflow = (float) s->outflow * h->ejection;
  flow->vein = (float) s->pulmonary_vein * h->filling;
  flow->swirl = (float) s->swirl * (1.0f - 0.6f * h->opening);
  lay_jets (s, h, flow);
}

/* ---- samples ----------------------------------------------------------- */

float
jet_offset (const JetPath *jet, float u, float v, float *tangent)
{
  float nearest = 1e9f, along = 0;
  int segment = 0;

  if (!jet->present || u < jet->low_u || u > jet->high_u || v < jet->low_v
      || v > jet->high_v)
    return 9.0f;
  for (int i = 0; i + 1 < JET_POINTS; i++) {
    float du = jet->u[i + 1] - jet->u[i], dv = jet->v[i + 1] - jet->v[i];
    float t =
        ((u - jet->u[i]) * du + (v - jet->v[i]) * dv) / (du * du + dv * dv);
    float open = t;
    t = clamp01 (t);
    float x = u - jet->u[i] - t * du, y = v - jet->v[i] - t * dv;
    float d = x * x + y * y;
    if (d < nearest) {
      nearest = d;
      segment = i;
      along = i == 0 && open < 0 ? -1.0f : (i + t) / (JET_POINTS - 1);
    }
  }
  if (tangent) {
    float du = jet->u[segment + 1] - jet->u[segment];
    float dv = jet->v[segment + 1] - jet->v[segment];
    float n = 1.0f / sqrtf (du * du + dv * dv + 1e-9f);
    tangent[0] = du * n;
    tangent[1] = dv * n;
  }
  if (along < 0) /* before the orifice */
    return 9.0f;
  return sqrtf (nearest) / (jet->half_width * jet_profile (along) + 1e-4f);
}

static void
stronger (FlowSample *best, FlowSample other)
{
  if (other.power > best->power)
    *best = other;
}

static FlowSample
sample_jet (const JetPath *jet, float u, float v, float velocity)
{
  float tangent[2], e = jet_offset (jet, u, v, tangent);
  FlowSample f = { 0 };

  if (e > 1.35f)
    return f;
  f.power = 1.6f * (1.0f - smooth (e - 0.35f)); /* 1 - threshold at e = 1 */
  velocity *= 1.0f - 0.25f * e * e;
  f.u = velocity * tangent[0];
  f.v = velocity * tangent[1];
  f.disorder = 1.0f;
  f.ragged = 0.08f;
  return f;
}

/* Blood that gathers speed towards an orifice: shells of equal velocity. */
static FlowSample
sample_convergence (
    const Flow *flow, const Heart *h, float nyquist, int j, float u, float v)
{
  float x = flow->orifice_u[j] - u, y = h->base - 0.1f - v;
  float r = sqrtf (x * x + y * y) + 0.05f, radius = flow->orifice_radius[j];
  FlowSample f = { 0 };

  if (y < 0 || r > 2.0f * radius)
    return f;
  float velocity = fminf (2.2f, nyquist * (radius / r) * (radius / r));
  f.power = 0.9f * smooth ((1.8f * radius - r) / (0.8f * radius));
  f.u = velocity * x / r;
  f.v = velocity * y / r;
  f.disorder = 0.15f;
  f.ragged = 0.1f;
  return f;
}

/* Through an atrioventricular valve: a column from the atrium to the apex. */
static FlowSample
sample_inflow (
    float velocity, float left, float right, float base, float u, float v)
{
  float reach = 2.2f + 3.0f * velocity, half = 0.5f * (right - left) * 0.85f;
  float off = (u - 0.5f * (left + right)) / half;
  float along = smooth ((base + 1.5f - 0.9f * off * off - v) / 1.4f)
                * smooth ((v - base + reach - 1.6f * off * off) / 1.8f);
  FlowSample f = { 0 };

  if (off < -1 || off > 1 || velocity < 0.03f)
    return f;
  float shape = (1.0f - off * off) * along;
  f.power = smooth (velocity / 0.25f) * smooth (2.0f * shape);
  f.v = -velocity * shape;
  f.disorder = 0.08f;
  f.ragged = 0.22f;
  return f;
}

/* Along the septum to the aorta, which leaves the plane in front. */
static FlowSample
sample_outflow (const Heart *h, float velocity, float u, float v)
{
  float middle = mix (-0.55f * h->lv_a, -0.35f * h->lv_a, (v - h->base) / 4.0f);
  float off = (u - middle) / (0.42f * h->lv_a);
  FlowSample f = { 0 };

  if (off < -1 || off > 1 || v > h->base + 0.1f || velocity < 0.05f)
    return f;
  float shape = (1.0f - off * off)
                * smooth ((v - h->base + 4.4f - 1.4f * off * off) / 3.0f);
  f.power = smooth (velocity / 0.3f) * smooth (1.8f * shape);
  f.u = -0.25f * velocity * shape;
  f.v = velocity * shape;
  f.disorder = 0.08f;
  f.ragged = 0.22f;
  return f;
}

static FlowSample
sample_vein (const Heart *h, float velocity, float u, float v)
{
  float x = (u - h->la.u - 0.5f * h->la.a) / 0.55f;
  float y = (h->roof - v) / 2.6f;
  FlowSample f = { 0 };

  if (x < -1 || x > 1 || y < -0.1f || y > 1 || velocity < 0.03f)
    return f;
  float shape = (1.0f - x * x) * (1.0f - 0.7f * y);
  f.power = smooth (velocity / 0.3f) * smooth (1.6f * shape);
  f.v = -velocity * shape;
  f.u = -0.2f * velocity * shape;
  f.disorder = 0.1f;
  f.ragged = 0.22f;
  return f;
}

/* A slow eddy that fills the atrium. */
static FlowSample
sample_swirl (const Heart *h, float velocity, float u, float v)
{
  float x = (u - h->la.u) / h->la.a, y = (v - h->la.v) / h->la.b;
  float r2 = x * x + y * y;
  FlowSample f = { 0 };

  if (r2 > 1 || v < h->base || velocity < 0.03f)
    return f;
  float speed = velocity * 4.0f * r2 * (1.0f - r2);
  f.power = 0.5f * smooth (speed / 0.25f);
  f.u = -speed * y;
  f.v = speed * x * 1.4f;
  f.disorder = 0.1f;
  f.ragged = 0.3f;
  return f;
}

FlowSample
flow_sample (
    const EchoSettings *s, const Heart *h, const Flow *flow, float u, float v)
{
  FlowSample best = { 0 };

  stronger (&best, sample_inflow (flow->inflow, h->annulus[0], h->annulus[1],
                       h->base, u, v));
  stronger (
      &best, sample_inflow (0.65f * flow->inflow, h->ra.u - 0.8f * h->ra.a,
                 h->crux - 0.3f, h->base_right, u, v));
  stronger (&best, sample_outflow (h, flow->outflow, u, v));
  stronger (&best, sample_vein (h, flow->vein, u, v));
  stronger (&best, sample_swirl (h, flow->swirl, u, v));
  for (int j = 0; j < FLOW_JETS; j++) {
    if (!flow->jet[j].present)
      continue;
    stronger (&best,
        sample_jet (&flow->jet[j], u, v,
            j < ECHO_MAX_JETS ? MITRAL_JET_VELOCITY : TRICUSPID_JET_VELOCITY));
    if (j < ECHO_MAX_JETS)
      stronger (
          &best, sample_convergence (flow, h, (float) s->nyquist, j, u, v));
  }
  return best;
}
