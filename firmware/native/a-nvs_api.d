nvs_api.o: port/nvs/nvs_api.c port/include/nvs.h port/include/esp_err.h \
 port/include/nvs_flash.h port/nvs/nvs_storage.h port/nvs/nvs_page.h \
 port/include/esp_partition.h port/nvs/nvs_entry.h port/nvs/nvs_format.h
port/include/nvs.h:
port/include/esp_err.h:
port/include/nvs_flash.h:
port/nvs/nvs_storage.h:
port/nvs/nvs_page.h:
port/include/esp_partition.h:
port/nvs/nvs_entry.h:
port/nvs/nvs_format.h:
