/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_EXPORT_H
#define CARDIAC_EXPORT_H

#ifdef __cplusplus
#define CARDIAC_BEGIN_DECLS extern "C" {
#define CARDIAC_END_DECLS }
#else
#define CARDIAC_BEGIN_DECLS
#define CARDIAC_END_DECLS
#endif

/** Marks a function that the library exports. */
#define CARDIAC_API __attribute__ ((visibility ("default")))

#endif
