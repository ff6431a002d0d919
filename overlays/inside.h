/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_OVERLAYS_INSIDE_H
#define CARDIAC_OVERLAYS_INSIDE_H

#include "strip.h"
#include "view.h"

/// The strip inside the picture for a result of mitral regurgitation.
void inside_draw (Strip *strip, TextKit *kit, const View *view,
    const Occupancy *occupancy, Key *scratch, PieceCounter *counter);
/// Whether that strip can keep off all no_draw places.
bool inside_has_room (TextKit *kit, const View *view);

#endif
