/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_NETS_WEIGHTS_H
#define CARDIAC_NETS_WEIGHTS_H

#include "core/model.h"
#include "core/program.h"

/** Brings tensors of a model file into a program as constants, by name, each
 * checked for its shape; remembers which names were used, so that a tensor
 * nobody asked for is found. Failures mark the program failed. */
typedef struct CardiacWeights {
  const CardiacModel *model;
  CardiacProgram *program;
  char **used;
  int count, room;
} CardiacWeights;

void cardiac_weights_init (CardiacWeights *weights, const CardiacModel *model,
    CardiacProgram *program);
void cardiac_weights_clear (CardiacWeights *weights);

/** Notes a name as used without reading it. */
void cardiac_weights_note (CardiacWeights *weights, const char *name);

/** Floats of a tensor of exactly this shape (free() them), or NULL: the program
 * is then failed. Name printf style. */
float *cardiac_weights_floats (CardiacWeights *weights, int rank,
    const int64_t *shape, const char *format, ...)
    __attribute__ ((format (printf, 4, 5)));

CardiacValue cardiac_weights_vector (CardiacWeights *weights, int64_t n,
    const char *format, ...) __attribute__ ((format (printf, 3, 4)));
CardiacValue cardiac_weights_matrix (CardiacWeights *weights, int64_t rows,
    int64_t columns, const char *format, ...)
    __attribute__ ((format (printf, 4, 5)));

/** Several tensors [rows] or [rows, columns] below each other: a packed
 * [n*rows, columns]. `format` takes the layer, then a part's name.
 * @param columns 0 for vectors. */
CardiacValue cardiac_weights_stack (CardiacWeights *weights,
    const char *const *parts, int n, int64_t rows, int64_t columns,
    const char *prefix, int layer, const char *suffix);

/** True when no tensor of the file was left unused; else the program fails,
 * naming the first. */
bool cardiac_weights_all_used (CardiacWeights *weights);

#endif
