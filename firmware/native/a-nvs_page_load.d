nvs_page_load.o: port/nvs/nvs_page_load.c port/include/nvs.h \
 port/include/esp_err.h port/nvs/nvs_page_private.h port/nvs/nvs_page.h \
 port/include/esp_partition.h port/nvs/nvs_entry.h port/nvs/nvs_format.h
port/include/nvs.h:
port/include/esp_err.h:
port/nvs/nvs_page_private.h:
port/nvs/nvs_page.h:
port/include/esp_partition.h:
port/nvs/nvs_entry.h:
port/nvs/nvs_format.h:
