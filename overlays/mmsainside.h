/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_MMSA_INSIDE_H
#define CARDIAC_OVERLAYS_MMSA_INSIDE_H

#include "bullseye.h"
#include "strip.h"

/// The strip inside the picture for a result of wall motion: a small bull's-eye
/// beside a few words, in a corner off the hearts.
/// @param bullseye set to its place on the picture; zero radius: left out
void mmsa_inside_draw (Strip *strip, TextKit *kit, const MmsaView *view,
    const Occupancy *occupancy, Key *scratch, PieceCounter *counter,
    Bullseye *bullseye);

#endif
