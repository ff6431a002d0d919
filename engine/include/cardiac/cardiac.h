/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_H
#define CARDIAC_H

#include <cardiac/error.h>
#include <cardiac/image.h>
#include <cardiac/model.h>
#include <cardiac/mmsa.h>
#include <cardiac/mreg.h>
#include <cardiac/polar.h>
#include <cardiac/session.h>
#include <cardiac/tensor.h>
#include <cardiac/xclip.h>
#include <cardiac/yolov8.h>

#endif
