nvs_page.o: port/nvs/nvs_page.c port/nvs/nvs_page.h \
 port/include/esp_err.h port/include/esp_partition.h port/nvs/nvs_entry.h \
 port/nvs/nvs_format.h port/nvs/crc32.h port/include/nvs.h \
 port/nvs/nvs_page_private.h
port/nvs/nvs_page.h:
port/include/esp_err.h:
port/include/esp_partition.h:
port/nvs/nvs_entry.h:
port/nvs/nvs_format.h:
port/nvs/crc32.h:
port/include/nvs.h:
port/nvs/nvs_page_private.h:
