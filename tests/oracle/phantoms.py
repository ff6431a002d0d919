"""Exit 77 where the phantom library is not built."""
import os
import sys

import oracle

os.environ.setdefault("CARDIAC_PHANTOMS", os.path.join(oracle.ROOT, "build", "phantoms", "libcardiac-phantoms.so"))
if not os.path.exists(os.environ["CARDIAC_PHANTOMS"]):
    print(f"skipped: {os.environ['CARDIAC_PHANTOMS']} is not built")
    sys.exit(oracle.SKIP)
