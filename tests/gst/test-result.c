/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records: their JSON lines, the side file with maps, their metas. */

#include <glib/gstdio.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "../require.h"
#include "jsonlines.h"
#include "mapsfile.h"
#include "meta/cardiac.h"

static GstCardiacResult *
make_result (GstCardiacState state)
{
  GstCardiacResult *r = gst_cardiac_result_new (GST_CARDIAC_RESULT_MREG);

  r->state = state;
  r->reason = g_strdup ("a \"quoted\" reason\n");
  r->pts = 2966666666;
  r->n_spans = 3;
  for (guint i = 0; i < 3; i++) {
    r->spans[i][0] = i * GST_SECOND;
    r->spans[i][1] = i * GST_SECOND + 966666666;
  }
  r->instance = 1;
  r->instances = 3;
  r->grade = 2;
  r->value = 1.7f;
  r->n_classes = 3;
  r->labels[0] = g_strdup ("none/trace");
  r->labels[1] = g_strdup ("mild");
  r->labels[2] = g_strdup ("\xe2\x89\xa5 moderate");
  r->thresholds[0] = 0.5;
  r->thresholds[1] = 1.5;
  r->has_probabilities = TRUE;
  r->probabilities[0] = 0.1f;
  r->probabilities[1] = 0.2f;
  r->probabilities[2] = 0.7f;
  r->presence = 0.9f;
  r->n_points = 2;
  r->curve = g_new (gfloat, 6);
  r->frame_times = g_new (GstClockTime, 6);
  for (guint i = 0; i < 6; i++) {
    r->curve[i] = i / 3.f;
    r->frame_times[i] = i / 2 * GST_SECOND + i % 2 * 966666666;
  }
  r->has_roi = TRUE;
  r->roi.x = 10.5;
  r->roi.w = r->roi.h = 100;
  r->model_name = g_strdup ("model");
  r->model_sha256 = g_strdup ("00ff");
  r->model_arch = g_strdup ("mreg");
  r->device = g_strdup ("cpu");
  r->precision = g_strdup ("fp32");
  r->inference_ms = 12.34567;
  r->version = g_strdup ("0.1.0");
  r->map_method = g_strdup ("activation");
  r->map_rows = r->map_cols = 2;
  r->maps = g_new (gfloat, 24);
  for (guint i = 0; i < 24; i++)
    r->maps[i] = i == 5 ? NAN : i;
  for (guint i = 0; i < 3; i++)
    r->map_peaks[i] = i * 8 + 7;
  return r;
}

static void
the_line_has_its_keys_in_order (void)
{
  GstCardiacResult *r = make_result (GST_CARDIAC_STATE_RESULT);
  gchar *json = gst_cardiac_result_to_json (r);
  const gchar *expected =
      "{\"schema\":\"gst-cardiac/1\",\"type\":\"mreg\",\"state\":\"RESULT\","
      "\"reason\":\"a \\\"quoted\\\" reason\\u000a\",\"pts_ns\":2966666666,"
      "\"spans_ns\":[[0,966666666],[1000000000,1966666666],"
      "[2000000000,2966666666]],\"instance\":1,\"instances\":3,\"grade\":2,"
      "\"label\":\"\xe2\x89\xa5 moderate\",\"value\":1.7,"
      "\"probabilities\":[0.1,0.2,0.7],\"presence\":0.9,"
      "\"curve\":[[0,0.33333334],[0.6666667,1],[1.3333334,1.6666666]],"
      "\"roi\":[10.5,0,100,100],"
      "\"model\":{\"name\":\"model\",\"sha256\":\"00ff\",\"arch\":\"mreg\","
      "\"trained\":false,\"synthetic\":false},\"device\":\"cpu\","
      "\"precision\":\"fp32\",\"inference_ms\":12.346,"
      "\"version\":\"0.1.0\"}";

  if (strcmp (json, expected) != 0)
    g_printerr ("%s\n%s\n", json, expected);
  REQUIRE (strcmp (json, expected) == 0);
  g_free (json);
  gst_cardiac_result_unref (r);
}

static void
no_state_but_result_and_unsure_says_a_grade (void)
{
  for (gint s = 0; s <= GST_CARDIAC_STATE_LEVEL_UNKNOWN; s++) {
    GstCardiacResult *r = make_result (s);
    gchar *json = gst_cardiac_result_to_json (r);
    gboolean finding = gst_cardiac_state_has_finding (s);

    REQUIRE ((strstr (json, "\"grade\"") != NULL) == finding);
    REQUIRE ((strstr (json, "\"label\"") != NULL) == finding);
    REQUIRE ((strstr (json, "\"value\"") != NULL) == finding);
    REQUIRE (strstr (json, "moderate-severe") == NULL);
    g_free (json);
    gst_cardiac_result_unref (r);
  }
}

static void
a_line_reads_back_as_itself (void)
{
  GstCardiacResult *r = make_result (GST_CARDIAC_STATE_UNSURE), *back;
  gchar *json = gst_cardiac_result_to_json (r), *again;
  GError *error = NULL;

  back = gst_cardiac_result_from_json (json, strlen (json), &error);
  REQUIRE (back != NULL);
  again = gst_cardiac_result_to_json (back);
  REQUIRE (strcmp (json, again) == 0);
  g_free (again);
  g_free (json);
  gst_cardiac_result_unref (back);
  gst_cardiac_result_unref (r);
}

static void
numbers_do_not_follow_the_locale (void)
{
  static const gchar *locales[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8",
    NULL };
  guint i = 0;

  while (locales[i] && !setlocale (LC_NUMERIC, locales[i]))
    i++;
  the_line_has_its_keys_in_order ();
  a_line_reads_back_as_itself ();
  setlocale (LC_NUMERIC, "C");
}

static void
other_lines_are_refused (void)
{
  static const gchar *bad[] = {
    "",
    "{",
    "[]",
    "null",
    "{}",
    "{\"schema\":\"gst-cardiac/2\"}",
    "{\"schema\":\"gst-cardiac/1\",\"type\":\"mreg\",\"state\":\"GOOD\"}",
    "{\"schema\":\"gst-cardiac/1\",\"type\":1,\"state\":\"RESULT\"}",
    "{\"schema\":\"gst-cardiac/1\",\"schema\":\"gst-cardiac/1\"}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    GError *error = NULL;

    REQUIRE (!gst_cardiac_result_from_json (bad[i], strlen (bad[i]), &error));
    REQUIRE (error != NULL);
    g_error_free (error);
  }
}

static void
wrong_types_inside_a_line_do_no_harm (void)
{
  static const gchar *odd =
      "{\"schema\":\"gst-cardiac/1\",\"type\":\"mreg\",\"state\":\"RESULT\","
      "\"grade\":99,\"instance\":7,\"instances\":-1,\"spans_ns\":[[5,1],3],"
      "\"curve\":[[1],[1,2]],\"probabilities\":[1],\"roi\":\"x\","
      "\"model\":[],\"pts_ns\":-5}";
  GError *error = NULL;
  GstCardiacResult *r =
      gst_cardiac_result_from_json (odd, strlen (odd), &error);

  REQUIRE (r != NULL);
  REQUIRE (r->grade == -1 && r->instance == -1 && r->n_spans == 0);
  REQUIRE (!r->curve && !r->has_probabilities && !r->has_roi);
  REQUIRE (!GST_CLOCK_TIME_IS_VALID (r->pts));
  gst_cardiac_result_unref (r);
}

static void
the_last_line_of_its_type_is_the_result (void)
{
  gchar *path = g_build_filename (g_get_tmp_dir (), "lines-XXXXXX", NULL);
  GstCardiacResult *one = make_result (GST_CARDIAC_STATE_WAIT);
  GstCardiacResult *two = make_result (GST_CARDIAC_STATE_RESULT);
  GstCardiacResult *roi = gst_cardiac_result_new (GST_CARDIAC_RESULT_ROI);
  GstCardiacResult *last;
  JsonLines *lines;

  g_close (g_mkstemp (path), NULL);
  lines = json_lines_open (path, NULL);
  REQUIRE (lines != NULL);
  REQUIRE (json_lines_write (lines, one, NULL));
  REQUIRE (json_lines_write (lines, two, NULL));
  REQUIRE (json_lines_write (lines, roi, NULL));
  json_lines_close (lines);

  last = json_lines_read_last (path, GST_CARDIAC_RESULT_MREG, NULL);
  REQUIRE (last && last->state == GST_CARDIAC_STATE_RESULT);
  gst_cardiac_result_unref (last);
  REQUIRE (!json_lines_read_last (path, GST_CARDIAC_RESULT_MMSA, NULL));

  g_unlink (path);
  g_free (path);
  gst_cardiac_result_unref (one);
  gst_cardiac_result_unref (two);
  gst_cardiac_result_unref (roi);
}

static void
maps_come_back_from_their_file (void)
{
  gchar *path = g_build_filename (g_get_tmp_dir (), "maps-XXXXXX", NULL);
  GstCardiacResult *r = make_result (GST_CARDIAC_STATE_RESULT), *back;
  MapsGeometry geometry = { 640, 480, 3, { { 1, 2, 3 }, { 4, 5, 6 } } }, read;
  gchar *json = gst_cardiac_result_to_json (r);
  const gfloat *map;
  gint instance, frame;
  GError *error = NULL;

  g_close (g_mkstemp (path), NULL);
  REQUIRE (maps_file_write (path, r, &geometry, NULL));
  back = gst_cardiac_result_from_json (json, strlen (json), NULL);
  REQUIRE (maps_file_read (path, back, &read, NULL));
  REQUIRE (read.width == 640 && read.count == 3 && read.crops[1].side == 6);
  REQUIRE (strcmp (back->labels[0], "none/trace") == 0);
  REQUIRE (back->thresholds[1] == 1.5 && back->map_peaks[2] == 23);
  REQUIRE (gst_cardiac_result_find_frame (
      back, GST_SECOND + 900000000, &instance, &frame));
  REQUIRE (instance == 1 && frame == 1);
  map = gst_cardiac_result_get_map (back, 1, 1);
  REQUIRE (map && map[0] == 12 && map[3] == 15);
  map = gst_cardiac_result_get_map (back, 0, 1);
  REQUIRE (map && isnan (map[1]));
  REQUIRE (!gst_cardiac_result_find_frame (back, 980000000, &instance, &frame));
  gst_cardiac_result_unref (back);

  /* Those of another recording are refused. */
  back = gst_cardiac_result_from_json (json, strlen (json), NULL);
  back->spans[0][0] = 5;
  REQUIRE (!maps_file_read (path, back, &read, &error));
  g_clear_error (&error);
  gst_cardiac_result_unref (back);

  g_unlink (path);
  g_free (path);
  g_free (json);
  gst_cardiac_result_unref (r);
}

static void
a_copy_of_a_buffer_shares_the_record (void)
{
  GstCardiacResult *r = make_result (GST_CARDIAC_STATE_RESULT);
  GstBuffer *buffer = gst_buffer_new (), *copy;
  GstCardiacResultMeta *meta = gst_buffer_add_cardiac_result_meta (buffer, r);

  meta->age = 5;
  meta->map_instance = 1;
  gst_buffer_add_cardiac_geometry_meta (buffer)->has_crop = TRUE;
  copy = gst_buffer_copy (buffer);
  meta = gst_buffer_get_cardiac_result_meta (copy);
  REQUIRE (meta && meta->result == r && meta->age == 5);
  REQUIRE (meta->map_instance == 1);
  REQUIRE (gst_buffer_get_cardiac_geometry_meta (copy)->has_crop);
  REQUIRE (GST_MINI_OBJECT_REFCOUNT_VALUE (r) == 3);

  /* A second record takes the place of the first. */
  gst_buffer_add_cardiac_result_meta (copy, r);
  REQUIRE (gst_buffer_get_n_meta (copy, GST_CARDIAC_RESULT_META_API_TYPE) == 1);
  gst_buffer_unref (copy);
  gst_buffer_unref (buffer);
  REQUIRE (GST_MINI_OBJECT_REFCOUNT_VALUE (r) == 1);
  gst_cardiac_result_unref (r);
}

static void
the_message_says_what_the_line_says (void)
{
  GstCardiacResult *r = make_result (GST_CARDIAC_STATE_RESULT);
  GstStructure *s = gst_cardiac_result_to_structure (r);
  gchar *json = gst_cardiac_result_to_json (r);
  gint grade;

  REQUIRE (gst_structure_has_name (s, "cardiac-result"));
  REQUIRE (strcmp (gst_structure_get_string (s, "json"), json) == 0);
  REQUIRE (gst_structure_get_int (s, "grade", &grade) && grade == 2);
  gst_structure_free (s);
  g_free (json);
  gst_cardiac_result_unref (r);
}

static GstCardiacResult *
make_scores (void)
{
  GstCardiacResult *r = gst_cardiac_result_new (GST_CARDIAC_RESULT_MMSA);

  r->state = GST_CARDIAC_STATE_RESULT;
  r->has_scores = TRUE;
  for (guint k = 0; k < GST_CARDIAC_SEGMENTS; k++)
    r->scores[k] = 1 + k % 4;
  r->scores[2] = 0;
  r->index = 2.5;
  r->scored = 15;
  r->n_phases = 8;
  r->motion_step = 3;
  r->motion = g_new (gfloat, 8 * GST_CARDIAC_SEGMENTS * 2);
  for (guint i = 0; i < 8 * GST_CARDIAC_SEGMENTS * 2; i++)
    r->motion[i] = i;
  r->has_score_probabilities = TRUE;
  r->score_probabilities[15][3] = 0.5f;
  return r;
}

static void
the_motion_of_segments_is_copied_and_stays_out_of_the_line (void)
{
  GstCardiacResult *r = make_scores (), *copy = gst_cardiac_result_copy (r);
  gchar *json = gst_cardiac_result_to_json (r);

  REQUIRE (copy->motion != r->motion && copy->motion[255] == 255);
  REQUIRE (copy->n_phases == 8 && copy->motion_step == 3);
  REQUIRE (copy->score_probabilities[15][3] == 0.5f);
  REQUIRE (strcmp (json,
               "{\"schema\":\"gst-cardiac/1\",\"type\":\"mmsa\","
               "\"state\":\"RESULT\",\"scores\":[1,2,null,4,1,2,3,4,1,2,3,4,"
               "1,2,3,4],\"index\":2.5,\"scored\":15}")
           == 0);
  gst_cardiac_result_clear_finding (copy);
  REQUIRE (!copy->motion && copy->n_phases == 0 && !copy->has_scores);
  REQUIRE (!copy->has_score_probabilities);
  g_free (json);
  gst_cardiac_result_unref (copy);
  gst_cardiac_result_unref (r);
}

static void
the_message_of_scores_holds_them (void)
{
  GstCardiacResult *r = make_scores ();
  GstStructure *s = gst_cardiac_result_to_structure (r);
  const GValue *scores = gst_structure_get_value (s, "scores");
  gdouble index;
  gint scored;

  REQUIRE (scores && gst_value_array_get_size (scores) == GST_CARDIAC_SEGMENTS);
  REQUIRE (g_value_get_int (gst_value_array_get_value (scores, 2)) == 0);
  REQUIRE (g_value_get_int (gst_value_array_get_value (scores, 3)) == 4);
  REQUIRE (gst_structure_get_double (s, "index", &index) && index == 2.5);
  REQUIRE (gst_structure_get_int (s, "scored", &scored) && scored == 15);
  gst_structure_free (s);
  gst_cardiac_result_unref (r);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  the_line_has_its_keys_in_order ();
  no_state_but_result_and_unsure_says_a_grade ();
  a_line_reads_back_as_itself ();
  numbers_do_not_follow_the_locale ();
  other_lines_are_refused ();
  wrong_types_inside_a_line_do_no_harm ();
  the_last_line_of_its_type_is_the_result ();
  maps_come_back_from_their_file ();
  a_copy_of_a_buffer_shares_the_record ();
  the_message_says_what_the_line_says ();
  the_motion_of_segments_is_copied_and_stays_out_of_the_line ();
  the_message_of_scores_holds_them ();
  gst_deinit ();
  return 0;
}
