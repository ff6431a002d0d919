/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* make-stack FILE.nii: writes the made-up stack for scripts. */

#include "made-stack.h"

int
main (int argc, char **argv)
{
  const MadeNifti plain = { 0 };

  if (argc != 2)
    return 2;
  made_write_nifti (argv[1], &plain);
  return 0;
}
