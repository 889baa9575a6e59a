/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Partitions, read from the table in flash.
 * Source: ESP-IDF v5.5.5, components/esp_partition/partition.c and partition_target.c,
 * components/bootloader_support/include/esp_flash_partitions.h.
 */
#include "esp_partition.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "md5.h"

#define TABLE_SECTOR 8u /* unless the board says another */
#define ENTRY_BYTES 32u
#define ENTRIES_MAX (0x1000u / ENTRY_BYTES)
#define SECTOR_BYTES 0x1000u
#define MAGIC 0x50AAu
#define MAGIC_MD5 0xEBEBu
#define MD5_OFFSET 16u
#define FLAG_READONLY 2u

typedef struct {
    uint16_t magic;
    uint8_t type;
    uint8_t subtype;
    uint32_t address;
    uint32_t size;
    uint8_t label[16];
    uint32_t flags;
} table_entry_t;

_Static_assert(sizeof(table_entry_t) == ENTRY_BYTES, "partition table entry");

struct esp_partition_iterator_opaque_ {
    esp_partition_type_t type;
    esp_partition_subtype_t subtype;
    const char *label;
    size_t index;
};

static esp_partition_t s_partitions[ENTRIES_MAX];
static size_t s_partition_count;

static esp_partition_t partition_of(const table_entry_t *entry)
{
    esp_partition_t partition = {
        .type = (esp_partition_type_t)entry->type,
        .subtype = (esp_partition_subtype_t)entry->subtype,
        .address = entry->address,
        .size = entry->size,
        .erase_size = SECTOR_BYTES,
        .encrypted = false, /* flash encryption is off */
        .readonly = (entry->flags & FLAG_READONLY) != 0,
    };
    memcpy(partition.label, entry->label, sizeof(entry->label));
    return partition;
}

/* Nothing is known of the partitions if the table's digest is wrong or missing. */
static void load_table(void)
{
    static table_entry_t table[ENTRIES_MAX];
    bus_info_t info;
    if (!bus_info(&info)) {
        return;
    }
    const uint32_t sector = info.table_sector != 0 ? info.table_sector : TABLE_SECTOR;
    if (!bus_flash_read(sector * SECTOR_BYTES, table, sizeof(table))) {
        return;
    }
    size_t count = 0;
    while (count < ENTRIES_MAX && table[count].magic == MAGIC) {
        count++;
    }
    if (count == ENTRIES_MAX || table[count].magic != MAGIC_MD5) {
        return;
    }
    uint8_t digest[MD5_BYTES];
    md5(table, count * ENTRY_BYTES, digest);
    if (memcmp(digest, (const uint8_t *)&table[count] + MD5_OFFSET, sizeof(digest)) != 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        s_partitions[i] = partition_of(&table[i]);
    }
    s_partition_count = count;
}

static bool fits(const esp_partition_t *partition, const struct esp_partition_iterator_opaque_ *wanted)
{
    return (wanted->type == ESP_PARTITION_TYPE_ANY || wanted->type == partition->type) &&
           (wanted->subtype == ESP_PARTITION_SUBTYPE_ANY || wanted->subtype == partition->subtype) &&
           (wanted->label == NULL || strcmp(wanted->label, partition->label) == 0);
}

static esp_partition_iterator_t find_from(esp_partition_iterator_t it, size_t index)
{
    for (; index < s_partition_count; index++) {
        if (fits(&s_partitions[index], it)) {
            it->index = index;
            return it;
        }
    }
    free(it);
    return NULL;
}

esp_partition_iterator_t esp_partition_find(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                            const char *label)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    (void)pthread_mutex_lock(&mutex);
    if (s_partition_count == 0) {
        load_table();
    }
    (void)pthread_mutex_unlock(&mutex);
    esp_partition_iterator_t it = malloc(sizeof(*it));
    if (it == NULL) {
        return NULL;
    }
    *it = (struct esp_partition_iterator_opaque_){.type = type, .subtype = subtype, .label = label};
    return find_from(it, 0);
}

esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t it)
{
    return find_from(it, it->index + 1);
}

const esp_partition_t *esp_partition_get(esp_partition_iterator_t it)
{
    return &s_partitions[it->index];
}

void esp_partition_iterator_release(esp_partition_iterator_t it)
{
    free(it);
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                                const char *label)
{
    esp_partition_iterator_t it = esp_partition_find(type, subtype, label);
    const esp_partition_t *partition = it == NULL ? NULL : esp_partition_get(it);
    esp_partition_iterator_release(it);
    return partition;
}

static esp_err_t check_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    if (offset > partition->size) {
        return ESP_ERR_INVALID_ARG;
    }
    return size > partition->size - offset ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t offset, void *data, size_t size)
{
    const esp_err_t err = check_range(partition, offset, size);
    if (err != ESP_OK) {
        return err;
    }
    const bool is_done = bus_flash_read((uint32_t)(partition->address + offset), data, (uint32_t)size);
    return is_done ? ESP_OK : ESP_ERR_FLASH_OP_FAIL;
}

esp_err_t esp_partition_write(const esp_partition_t *partition, size_t offset, const void *data, size_t size)
{
    if (partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    const esp_err_t err = check_range(partition, offset, size);
    if (err != ESP_OK) {
        return err;
    }
    const bool is_done = bus_flash_program((uint32_t)(partition->address + offset), data, (uint32_t)size);
    return is_done ? ESP_OK : ESP_ERR_FLASH_OP_FAIL;
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    if (partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    const esp_err_t err = check_range(partition, offset, size);
    if (err != ESP_OK) {
        return err;
    }
    if (offset % SECTOR_BYTES != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if (size % SECTOR_BYTES != 0) {
        return ESP_ERR_INVALID_SIZE;
    }
    const bool is_done = bus_flash_erase((uint32_t)(partition->address + offset), (uint32_t)size);
    return is_done ? ESP_OK : ESP_ERR_FLASH_OP_FAIL;
}
