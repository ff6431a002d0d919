/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One operation of <cardiac/image.h> on one raw frame, so that image_oracle.py
 * can compare it with programs of other people.
 *
 *   image-tool rgb         FRAME OUT          -> uint8 [h,w,3]
 *   image-tool square      FRAME OUT X Y SIDE S  -> float [3,S,S], value / 255
 *   image-tool letterbox   FRAME OUT SIDE     -> float [3,SIDE,SIDE]
 *   image-tool coloured    FRAME THRESHOLD    prints the fraction
 *   image-tool difference  FRAME FILE2        prints mean, max, same, blank
 *
 * FRAME is eight words: FILE WIDTH HEIGHT {gray|rgb|yuv} {601|709|2020}
 * {full|limited} {centre|left|topleft|top} OFFSET:STRIDE:PIXELSTRIDE:HSUB:VSUB
 * (one a component, joined by commas). FILE2 has the same layout. */

#include <cardiac/image.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Frame {
  CardiacImage image;
  char *data;
} Frame;

static int
fail (const char *what, const char *detail)
{
  fprintf (stderr, "image-tool: %s: %s\n", what, detail);
  return 1;
}

static int
report (CardiacError **error)
{
  int rc = fail ("refused", cardiac_error_message (*error));
  cardiac_error_free (error);
  return rc;
}

static char *
read_file (const char *path, size_t *size)
{
  FILE *file = fopen (path, "rb");
  if (!file)
    return NULL;
  char *data = NULL;
  if (fseek (file, 0, SEEK_END) == 0) {
    long length = ftell (file);
    *size = length > 0 ? (size_t) length : 0;
    rewind (file);
    data = *size ? malloc (*size) : NULL;
    if (data && fread (data, 1, *size, file) != *size) {
      free (data);
      data = NULL;
    }
  }
  fclose (file);
  return data;
}

static int
write_file (const char *path, const void *data, size_t size)
{
  FILE *file = fopen (path, "wb");
  if (!file)
    return fail ("cannot write", path);
  bool written = fwrite (data, 1, size, file) == size;
  return fclose (file) == 0 && written ? 0 : fail ("cannot write", path);
}

static int
index_of (const char *word, const char *const *words)
{
  for (int i = 0; words[i]; i++)
    if (strcmp (word, words[i]) == 0)
      return i;
  return -1;
}

static bool
parse_components (
    const char *text, char *data, size_t size, CardiacImage *image)
{
  for (int c = 0; text && c < 3; c++) {
    long offset, stride;
    CardiacComponent *component = &image->component[c];
    if (sscanf (text, "%ld:%ld:%d:%d:%d", &offset, &stride,
            &component->pixel_stride, &component->hsub, &component->vsub)
            != 5
        || offset < 0 || stride < 1 || component->vsub < 0
        || component->vsub > 2 || component->hsub < 0 || component->hsub > 2)
      return false;
    size_t rows = ((size_t) image->height + (1u << component->vsub) - 1)
                  >> component->vsub;
    size_t samples = ((size_t) image->width + (1u << component->hsub) - 1)
                     >> component->hsub;
    size_t last = (size_t) offset + (rows - 1) * (size_t) stride
                  + (samples - 1) * (size_t) component->pixel_stride;
    if (last >= size)
      return false;
    component->data = (const uint8_t *) data + offset;
    component->stride = stride;
    text = strchr (text, ',');
    text = text ? text + 1 : NULL;
  }
  return true;
}

/** Reads the eight words that describe a frame. */
static bool
parse_frame (char **word, Frame *frame)
{
  static const char *const colours[] = { "gray", "rgb", "yuv", NULL };
  static const char *const matrices[] = { "601", "709", "2020", NULL };
  static const char *const ranges[] = { "limited", "full", NULL };
  static const char *const sites[] = { "centre", "left", "topleft", "top",
    NULL };
  CardiacImage *image = &frame->image;
  size_t size = 0;
  memset (frame, 0, sizeof *frame);
  frame->data = read_file (word[0], &size);
  image->width = atoi (word[1]);
  image->height = atoi (word[2]);
  int colour = index_of (word[3], colours),
      matrix = index_of (word[4], matrices);
  int range = index_of (word[5], ranges), site = index_of (word[6], sites);
  image->colour = (CardiacColour) colour;
  image->matrix = (CardiacMatrix) matrix;
  image->full_range = range == 1;
  image->chroma_site = (CardiacChromaSite) site;
  return frame->data && image->width > 0 && image->height > 0 && colour >= 0
         && matrix >= 0 && range >= 0 && site >= 0
         && parse_components (word[7], frame->data, size, image);
}

static int
do_rgb (const CardiacImage *image, char **arg, CardiacError **error)
{
  size_t size = (size_t) image->width * (size_t) image->height * 3;
  uint8_t *out = malloc (size);
  if (!out)
    return fail ("out of memory", arg[0]);
  int rc = cardiac_image_to_rgb (image, out, error)
               ? write_file (arg[0], out, size)
               : report (error);
  free (out);
  return rc;
}

static int
do_square (const CardiacImage *image, char **arg, CardiacError **error)
{
  static const float zero[] = { 0, 0, 0 }, one[] = { 1, 1, 1 };
  CardiacSquare crop = { atof (arg[1]), atof (arg[2]), atof (arg[3]) };
  int side = atoi (arg[4]);
  size_t size =
      side > 0 ? (size_t) side * (size_t) side * 3 * sizeof (float) : 1;
  float *out = malloc (size);
  if (!out)
    return fail ("out of memory", arg[0]);
  int rc =
      cardiac_image_square_to_tensor (image, &crop, side, zero, one, out, error)
          ? write_file (arg[0], out, size)
          : report (error);
  free (out);
  return rc;
}

static int
do_letterbox (const CardiacImage *image, char **arg, CardiacError **error)
{
  int side = atoi (arg[1]);
  size_t size =
      side > 0 ? (size_t) side * (size_t) side * 3 * sizeof (float) : 1;
  float *out = malloc (size);
  if (!out)
    return fail ("out of memory", arg[0]);
  CardiacLetterbox place;
  int rc = cardiac_image_letterbox_to_tensor (image, side, out, &place, error)
               ? write_file (arg[0], out, size)
               : report (error);
  if (rc == 0)
    printf ("%d %d %d %d\n", place.left, place.top, place.width, place.height);
  free (out);
  return rc;
}

static int
do_coloured (const CardiacImage *image, char **arg, CardiacError **error)
{
  float fraction =
      cardiac_image_coloured_fraction (image, NULL, atoi (arg[0]), error);
  if (fraction < 0)
    return report (error);
  printf ("%.6f\n", (double) fraction);
  return 0;
}

static int
do_difference (const CardiacImage *image, char **word, CardiacError **error)
{
  Frame other;
  char *file = word[0];
  word[0] = word[8];
  bool parsed = parse_frame (word, &other);
  word[0] = file;
  CardiacSignature a, b;
  int rc = 0;
  if (!parsed)
    rc = fail ("cannot read", word[8]);
  else if (!cardiac_image_signature (image, NULL, &a, error)
           || !cardiac_image_signature (&other.image, NULL, &b, error))
    rc = report (error);
  else {
    CardiacSignatureDifference apart = cardiac_signature_difference (&a, &b);
    printf ("%.4f %.4f %d %d\n", (double) apart.mean, (double) apart.max,
        cardiac_signature_same (&a, &b), cardiac_signature_is_blank (&a));
  }
  free (other.data);
  return rc;
}

int
main (int argc, char **argv)
{
  static const char *const operations[] = { "rgb", "square", "letterbox",
    "coloured", "difference", NULL };
  static const int words[] = { 1, 5, 2, 1, 1 };
  int operation = argc > 1 ? index_of (argv[1], operations) : -1;
  if (operation < 0 || argc != 10 + words[operation])
    return fail ("usage", "see the head of image-tool.c");

  Frame frame;
  CardiacError *error = NULL;
  int rc;
  if (!parse_frame (argv + 2, &frame))
    rc = fail ("bad frame", argv[2]);
  else if (operation == 0)
    rc = do_rgb (&frame.image, argv + 10, &error);
  else if (operation == 1)
    rc = do_square (&frame.image, argv + 10, &error);
  else if (operation == 2)
    rc = do_letterbox (&frame.image, argv + 10, &error);
  else if (operation == 3)
    rc = do_coloured (&frame.image, argv + 10, &error);
  else
    rc = do_difference (&frame.image, argv + 2, &error);
  free (frame.data);
  return rc;
}
