/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "dicom-timing.h"

#include "dicom-set.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <vector>

using namespace cine;

namespace {

/* A frame is shown between 1/10000 and 60 s. */
bool
is_interval (double ms)
{
  return ms >= 0.1 && ms <= 60000;
}

/* Increments in ms before each frame; the first says nothing. */
bool
take_vector (DcmItem &set, CineClip *clip)
{
  DcmElement *element = nullptr;
  OFVector<Float64> steps;

  if (!set.tagExistsWithValue (DCM_FrameTimeVector)
      || set.findAndGetElement (DCM_FrameTimeVector, element).bad ())
    return false;
  DcmDecimalString *decimal = dynamic_cast<DcmDecimalString *> (element);
  if (!decimal || decimal->getFloat64Vector (steps).bad ())
    steps.clear ();
  int n = (int) steps.size ();
  bool fits = n > 1 && (n == clip->n_promised || n == clip->n_frames);
  for (int i = 1; fits && i < clip->n_frames; i++)
    fits = is_interval (steps[i]);
  if (!fits) {
    note (clip,
        "its Frame Time Vector was passed over: %d values for %d frames, and "
        "each but the first must be a time in ms",
        n, clip->n_frames);
    return false;
  }
  double at = 0, last = steps[clip->n_frames > 1 ? clip->n_frames - 1 : 1];
  for (int i = 0; i < clip->n_frames; i++) {
    at += i ? steps[i] : 0;
    clip->starts_ns[i] = (uint64_t) std::llround (at * 1e6);
  }
  clip->starts_ns[clip->n_frames] = (uint64_t) std::llround ((at + last) * 1e6);
  return true;
}

void
space_evenly (CineClip *clip, double ms)
{
  for (int i = 0; i <= clip->n_frames; i++)
    clip->starts_ns[i] = (uint64_t) std::llround (i * ms * 1e6);
}

/* One value that gives the interval of all frames. */
bool
take_value (DcmItem &set, CineClip *clip, const DcmTagKey &tag,
    const char *name, double (*to_ms) (double, int))
{
  if (!set.tagExistsWithValue (tag))
    return false;
  double value = number (set, tag);
  double ms =
      to_ms (value, clip->n_promised ? clip->n_promised : clip->n_frames);
  if (!(value > 0) || !is_interval (ms)) {
    note (clip, "its %s was passed over: it is %g", name, value);
    return false;
  }
  space_evenly (clip, ms);
  return true;
}

double
from_time (double value, int)
{
  return value;
}

double
from_rate (double value, int)
{
  return 1000 / value;
}

double
from_duration (double value, int n_frames)
{
  return 1000 * value / n_frames;
}

} // namespace

void
cine::note (CineClip *clip, const char *format, ...)
{
  size_t used = std::strlen (clip->notes);
  va_list values;

  if (used)
    std::snprintf (clip->notes + used, sizeof clip->notes - used, "; ");
  used = std::strlen (clip->notes);
  va_start (values, format);
  std::vsnprintf (
      clip->notes + used, sizeof clip->notes - used, format, values);
  va_end (values);
}

bool
cine::take_timing (DcmItem &set, CineClip *clip)
{
  const struct {
    DcmTagKey tag;
    const char *name;
    double (*to_ms) (double, int);
  } values[] = { { DCM_FrameTime, "Frame Time", from_time },
    { DCM_CineRate, "Cine Rate", from_rate },
    { DCM_RecommendedDisplayFrameRate, "Recommended Display Frame Rate",
        from_rate },
    { DCM_EffectiveDuration, "Effective Duration", from_duration } };

  clip->starts_ns =
      (uint64_t *) std::calloc (clip->n_frames + 1, sizeof (uint64_t));
  if (!clip->starts_ns)
    return false;
  if (take_vector (set, clip)) {
    keep (clip->timing, "Frame Time Vector");
    return true;
  }
  for (const auto &value : values)
    if (take_value (set, clip, value.tag, value.name, value.to_ms)) {
      keep (clip->timing, value.name);
      return true;
    }
  space_evenly (clip, from_rate (30, 0));
  clip->timing_assumed = true;
  keep (clip->timing, "30 fps assumed");
  return true;
}

/* 20 to 300 beats a minute. */
static bool
is_beat (double ms)
{
  return ms >= 200 && ms <= 3000;
}

void
cine::take_beat (DcmItem &set, CineClip *clip)
{
  const unsigned long most = 4096; /* R waves that are looked at */
  std::vector<double> beats;
  double before = number (set, DCM_RWaveTimeVector), rate;

  for (unsigned long i = 1; i < most && std::isfinite (before); i++) {
    double wave = number (set, DCM_RWaveTimeVector, i);
    if (is_beat (wave - before))
      beats.push_back (wave - before);
    before = wave;
  }
  if (!beats.empty ()) {
    auto middle = beats.begin () + beats.size () / 2;
    std::nth_element (beats.begin (), middle, beats.end ());
    clip->beat_ms = *middle;
    return;
  }
  rate = number (set, DCM_HeartRate);
  if (rate > 0 && is_beat (60000 / rate))
    clip->beat_ms = 60000 / rate;
}
