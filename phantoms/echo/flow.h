/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ECHO_FLOW_H
#define ECHO_FLOW_H

#include "heart.h"

/* Blood at one moment, in the heart's coordinates. */

enum { JET_POINTS = 14, FLOW_JETS = ECHO_MAX_JETS + 1 };

/** A jet along a line of equal steps. Its half width at share s of its length
 * is half_width * jet_profile (s). */
typedef struct JetPath {
  bool present;
  float u[JET_POINTS], v[JET_POINTS];
  float length, half_width;           ///< cm
  float area;                         ///< cm², of the path's shape
  float low_u, high_u, low_v, high_v; ///< what encloses it
} JetPath;

typedef struct Flow {
  JetPath jet[FLOW_JETS];             ///< the last one is the tricuspid valve's
  float inflow, outflow, vein, swirl; ///< m/s now
  float orifice_u[ECHO_MAX_JETS], orifice_radius[ECHO_MAX_JETS];
} Flow;

/** Share of the half width at share s of the length, 0 .. 1. */
float jet_profile (float s);

void flow_at (const EchoSettings *settings, const Heart *heart, Flow *flow);

/** All jets' area / left atrium at end-systole, at this time. */
float flow_jet_area (const EchoSettings *settings, const Heart *heart);

/** How far off a jet's middle a point lies, in half widths; > 1 is outside.
 * @param tangent receives the jet's direction there; may be NULL. */
float jet_offset (const JetPath *jet, float u, float v, float *tangent);

/** What Doppler sees at a place. */
typedef struct FlowSample {
  float power;    ///< 0 none .. 1; shown above a threshold
  float u, v;     ///< m/s
  float disorder; ///< 0 laminar .. 1 turbulent
  float ragged;   ///< how uneven the power is
} FlowSample;

FlowSample flow_sample (const EchoSettings *settings, const Heart *heart,
    const Flow *flow, float u, float v);

#endif
