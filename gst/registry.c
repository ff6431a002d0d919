/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "registry.h"

#include <glib/gstdio.h>

typedef struct {
  gchar *path;
  gint64 size, changed_s, changed_ns;
  CardiacModel *model;
  guint users;
} ModelEntry;

typedef struct {
  gint threads;
  CardiacPool *pool;
  guint users;
} PoolEntry;

static GMutex lock; /* protects the lists */
static GList *models;
static GList *pools;

static gboolean
describe_file (const gchar *path, ModelEntry *entry)
{
  GStatBuf status;

  if (g_stat (path, &status) != 0)
    return FALSE;
  entry->size = status.st_size;
  entry->changed_s = status.st_mtim.tv_sec;
  entry->changed_ns = status.st_mtim.tv_nsec;
  return TRUE;
}

static ModelEntry *
find_model (const ModelEntry *wanted, const gchar *path)
{
  for (GList *item = models; item; item = item->next) {
    ModelEntry *entry = item->data;

    if (g_str_equal (entry->path, path) && entry->size == wanted->size
        && entry->changed_s == wanted->changed_s
        && entry->changed_ns == wanted->changed_ns)
      return entry;
  }
  return NULL;
}

CardiacModel *
registry_get_model (const gchar *path, guint *users, CardiacError **error)
{
  ModelEntry wanted = { 0, }, *entry = NULL;
  CardiacModel *model;

  g_mutex_lock (&lock);
  if (describe_file (path, &wanted))
    entry = find_model (&wanted, path);
  if (!entry) {
    model = cardiac_model_load (path, error);
    if (!model)
      goto done;
    entry = g_new (ModelEntry, 1);
    *entry = wanted;
    entry->path = g_strdup (path);
    entry->model = model;
    entry->users = 0;
    models = g_list_prepend (models, entry);
  }
  entry->users++;
  model = entry->model;
  if (users)
    *users = entry->users;

done:
  g_mutex_unlock (&lock);
  return model;
}

void
registry_release_model (CardiacModel **model)
{
  if (!*model)
    return;
  g_mutex_lock (&lock);
  for (GList *item = models; item; item = item->next) {
    ModelEntry *entry = item->data;

    if (entry->model != *model)
      continue;
    if (--entry->users == 0) {
      cardiac_model_unref (&entry->model);
      g_free (entry->path);
      g_free (entry);
      models = g_list_delete_link (models, item);
    }
    break;
  }
  g_mutex_unlock (&lock);
  *model = NULL;
}

CardiacPool *
registry_get_pool (gint threads, CardiacError **error)
{
  PoolEntry *entry = NULL;
  CardiacPool *pool = NULL;

  g_mutex_lock (&lock);
  for (GList *item = pools; item && !entry; item = item->next)
    if (((PoolEntry *) item->data)->threads == threads)
      entry = item->data;
  if (!entry) {
    pool = cardiac_pool_new (threads, error);
    if (!pool)
      goto done;
    entry = g_new0 (PoolEntry, 1);
    entry->threads = threads;
    entry->pool = pool;
    pools = g_list_prepend (pools, entry);
  }
  entry->users++;
  pool = entry->pool;

done:
  g_mutex_unlock (&lock);
  return pool;
}

void
registry_release_pool (CardiacPool **pool)
{
  if (!*pool)
    return;
  g_mutex_lock (&lock);
  for (GList *item = pools; item; item = item->next) {
    PoolEntry *entry = item->data;

    if (entry->pool != *pool)
      continue;
    if (--entry->users == 0) {
      cardiac_pool_unref (&entry->pool);
      g_free (entry);
      pools = g_list_delete_link (pools, item);
    }
    break;
  }
  g_mutex_unlock (&lock);
  *pool = NULL;
}

gchar *
registry_find_model (const gchar *path, const gchar *demo)
{
  const gchar *search = g_getenv ("CARDIAC_MODEL_PATH");
  gchar **directories, *found = NULL;
  gchar *all;

  if (path && *path)
    return g_strdup (path);

  all = g_strjoin (G_SEARCHPATH_SEPARATOR_S, search ? search : "",
      CARDIAC_MODEL_DIR, CARDIAC_MODEL_SOURCE_DIR, NULL);
  directories = g_strsplit (all, G_SEARCHPATH_SEPARATOR_S, -1);
  for (guint i = 0; directories[i] && !found; i++) {
    if (!*directories[i])
      continue;
    found = g_build_filename (directories[i], demo, NULL);
    if (!g_file_test (found, G_FILE_TEST_IS_REGULAR))
      g_clear_pointer (&found, g_free);
  }
  g_strfreev (directories);
  g_free (all);
  return found;
}
