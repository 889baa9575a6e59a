/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Blobs of format version 2: chunks (BLOB_DATA), as many as the pages ask for, and an index (BLOB_IDX) that is written
 * last and erased first, so that a power cut leaves either the old value or the new one. Below this lies nvs_storage.c.
 */
#pragma once

#include "nvs_storage.h"

/** Finds the index of a blob; `key` may be NULL for those of all blobs. */
nvs_query_t nvs_blob_index_query(uint8_t namespace_index, const char *key, uint8_t chunk_start);

/** Finds a chunk of a blob; `key` may be NULL, `chunk_index` NVS_CHUNK_ANY. */
nvs_query_t nvs_blob_chunk_query(uint8_t namespace_index, const char *key, uint8_t chunk_index);

/** After mounting: erase indices whose chunks are not there, and chunks without an index. */
esp_err_t nvs_blob_check_all(nvs_storage_t *storage);

esp_err_t nvs_blob_read(nvs_storage_t *storage, uint8_t namespace_index, const char *key, void *data, size_t size);

/** Write chunks from `chunk_start` on, and the index. */
esp_err_t nvs_blob_write(nvs_storage_t *storage, const nvs_value_t *value, uint8_t chunk_start);

/** Erase index and chunks. `chunk_start` may be NVS_CHUNK_START_ANY, which erases all chunks of the key. */
esp_err_t nvs_blob_erase(nvs_storage_t *storage, uint8_t namespace_index, const char *key, uint8_t chunk_start);

/** Whether the blob has just this value. */
bool nvs_blob_holds(nvs_storage_t *storage, const nvs_value_t *value);
