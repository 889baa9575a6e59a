/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_types.cpp.
 */
#include "crc32.h"
#include "nvs_entry.h"

bool nvs_is_variable(uint8_t type)
{
    return type == NVS_ITEM_SZ || type == NVS_ITEM_BLOB || type == NVS_ITEM_BLOB_DATA;
}

uint32_t nvs_entry_crc32(const nvs_entry_t *entry)
{
    uint32_t crc = crc32_le(0xFFFFFFFF, entry, offsetof(nvs_entry_t, crc32));
    crc = crc32_le(crc, entry->key, sizeof(entry->key));
    return crc32_le(crc, entry->data, sizeof(entry->data));
}

uint32_t nvs_entry_hash(const nvs_entry_t *entry)
{
    uint32_t crc = crc32_le(0xFFFFFFFF, &entry->namespace_index, sizeof(entry->namespace_index));
    crc = crc32_le(crc, entry->key, sizeof(entry->key));
    crc = crc32_le(crc, &entry->chunk_index, sizeof(entry->chunk_index));
    return crc & 0xFFFFFF;
}

static bool variable_fits(const nvs_entry_t *entry, size_t index)
{
    const size_t entries_left = NVS_ENTRIES_PER_PAGE - index;
    const size_t data_entries = (entry->variable.size + NVS_ENTRY_BYTES - 1) / NVS_ENTRY_BYTES;
    return entry->variable.size <= (entries_left - 1) * NVS_ENTRY_BYTES && entry->span == data_entries + 1;
}

bool nvs_entry_is_consistent(const nvs_entry_t *entry, size_t index)
{
    if (entry->crc32 != nvs_entry_crc32(entry)) {
        return false;
    }
    switch (entry->type) {
    case NVS_ITEM_U8:
    case NVS_ITEM_I8:
    case NVS_ITEM_U16:
    case NVS_ITEM_I16:
    case NVS_ITEM_U32:
    case NVS_ITEM_I32:
    case NVS_ITEM_U64:
    case NVS_ITEM_I64:
    case NVS_ITEM_FLOAT:
    case NVS_ITEM_DOUBLE:
        return entry->span == 1;
    case NVS_ITEM_BLOB_IDX:
        return entry->span == 1 && entry->chunk_index == NVS_CHUNK_ANY &&
               entry->blob_index.size <= NVS_CHUNKS_MAX * NVS_CHUNK_BYTES_MAX;
    case NVS_ITEM_BLOB_DATA:
        return entry->chunk_index != NVS_CHUNK_ANY && variable_fits(entry, index);
    case NVS_ITEM_SZ:
    case NVS_ITEM_BLOB:
        return variable_fits(entry, index);
    default:
        return false;
    }
}
