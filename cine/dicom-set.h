/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_DICOM_SET_H
#define CINE_DICOM_SET_H

/* Files and data sets of DCMTK. */

#include <cstddef>
#include <cstdio>
#include <string>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

namespace cine {

/** Decoders, and no messages of the library's own: they may hold names. */
void set_up ();

/** Warnings of the JPEG decoder in this thread so far. */
unsigned count_complaints ();

/** "DICM" behind the preamble. */
bool has_magic (const char *path);

/** Reads a file; long values stay in it. False with `why` (CINE_WHY bytes). */
bool open_file (DcmFileFormat &format, const char *path, char *why);

/** Reads a file that open_file() does not, if it ends within its pixels: its last
 * fragment, or the end of plain pixels, may not be there. */
bool open_cut_file (DcmFileFormat &format, const char *path);

/** Whether pixels lie in items of a sequence, compressed or not. */
bool is_encapsulated (E_TransferSyntax syntax);

/** A text without its padding; empty where the element is missing. */
std::string text (DcmItem &set, const DcmTagKey &tag);

/** One value of an element as a number, whatever its representation and the
 * locale; NaN where there is none. */
double number (DcmItem &set, const DcmTagKey &tag, unsigned long position = 0);

/** Likewise, without its fraction; 0 where there is none. */
int integer (DcmItem &set, const DcmTagKey &tag);

template <size_t N>
void
keep (char (&to)[N], const std::string &from)
{
  std::snprintf (to, N, "%s", from.c_str ());
}

} // namespace cine

#endif
