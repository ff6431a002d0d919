/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_TOOLS_BENCH_PEER_H
#define CARDIAC_TOOLS_BENCH_PEER_H

#include "core/program.h"

/* What oneDNN alone takes for the bulk of a network's arithmetic, cut into
 * pieces by oneDNN's own threads: the bar for ours. Weights are arbitrary. */

typedef struct BenchPeer BenchPeer;

typedef struct BenchEncoder {
  int layers, frames, tokens, width, heads, hidden;
} BenchEncoder;

/** A vision transformer's layers over frames of tokens: layer norms, qkv,
 * attention within a frame, projection, MLP. No embedding, no message tokens,
 * no heads. One layer's weights serve all layers. */
BenchPeer *bench_peer_encoder (const BenchEncoder *shape, CardiacDType dtype,
    int threads, CardiacError **error);

/** The convolutions of a program, each with bias and activation, without
 * everything between them. */
BenchPeer *bench_peer_convolutions (const CardiacProgram *program,
    CardiacDType dtype, int threads, CardiacError **error);

void bench_peer_run (BenchPeer *peer);
double bench_peer_flop (const BenchPeer *peer);
void bench_peer_free (BenchPeer *peer);

#endif
