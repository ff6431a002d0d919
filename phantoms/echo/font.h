/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ECHO_FONT_H
#define ECHO_FONT_H

#include <stdbool.h>

/** Letters of 5 x 7 dots as old scanners write them: capitals, digits and
 * `.:/-=%+<>`. Other characters are blank.
 * @return whether the dot in column 0..4 of row 0..6 is lit. */
bool font_dot (char letter, int column, int row);

#endif
