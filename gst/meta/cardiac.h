/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CARDIAC_H
#define GST_CARDIAC_H

#include "gstcardiaccmrtruthmeta.h"
#include "gstcardiacmeta.h"
#include "gstcardiacregionmeta.h"
#include "gstcardiacresult.h"
#include "gstcardiacslicemeta.h"
#include "gstcardiactruthmeta.h"

#endif
