nvs_storage.o: port/nvs/nvs_storage.c port/nvs/nvs_storage.h \
 port/include/nvs.h port/include/esp_err.h port/nvs/nvs_page.h \
 port/include/esp_partition.h port/nvs/nvs_entry.h port/nvs/nvs_format.h \
 port/nvs/nvs_blob.h port/nvs/nvs_pages.h
port/nvs/nvs_storage.h:
port/include/nvs.h:
port/include/esp_err.h:
port/nvs/nvs_page.h:
port/include/esp_partition.h:
port/nvs/nvs_entry.h:
port/nvs/nvs_format.h:
port/nvs/nvs_blob.h:
port/nvs/nvs_pages.h:
