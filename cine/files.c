/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
  MAX_DEPTH = 8,
  MAX_FILES = 50000,
};

typedef struct List {
  char **paths;
  int n, room;
} List;

static bool
append (List *list, const char *path)
{
  if (list->n == list->room) {
    int room = list->room ? 2 * list->room : 256;
    char **paths = realloc (list->paths, room * sizeof *paths);

    if (!paths)
      return false;
    list->paths = paths;
    list->room = room;
  }
  list->paths[list->n] = strdup (path);
  return list->paths[list->n++] != NULL;
}

static bool
walk (List *list, const char *folder, int depth)
{
  DIR *stream = opendir (folder);
  struct dirent *entry;
  bool fine = true;

  if (!stream)
    return depth > 0;
  while (fine && (entry = readdir (stream)) && list->n < MAX_FILES) {
    struct stat status;
    char *path = NULL;

    if (entry->d_name[0] == '.')
      continue;
    if (asprintf (&path, "%s/%s", folder, entry->d_name) < 0)
      break;
    if (stat (path, &status) == 0) {
      if (S_ISREG (status.st_mode))
        fine = append (list, path);
      else if (S_ISDIR (status.st_mode) && depth < MAX_DEPTH)
        fine = walk (list, path, depth + 1);
    }
    free (path);
  }
  closedir (stream);
  return fine;
}

static int
compare (const void *a, const void *b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

int
cine_list_files (const char *location, char ***paths, CineError *error)
{
  List list = { NULL, 0, 0 };
  struct stat status;
  bool fine, many;

  if (stat (location, &status) == 0 && S_ISDIR (status.st_mode))
    fine = walk (&list, location, 0);
  else
    fine = append (&list, location);
  *paths = list.paths;
  many = list.n == MAX_FILES;
  if (!fine || many) {
    if (many)
      cine_fail (error, CINE_UNSUPPORTED,
          "'%s' holds %d files or more; expected the directory of one stack",
          location, MAX_FILES);
    else
      cine_fail (error, CINE_NOT_FOUND, "'%s' cannot be read: %s", location,
          strerror (errno));
    for (int i = 0; i < list.n; i++)
      free (list.paths[i]);
    free (list.paths);
    *paths = NULL;
    return -1;
  }
  if (list.n > 0)
    qsort (list.paths, list.n, sizeof *list.paths, compare);
  return list.n;
}
