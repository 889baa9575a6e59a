esp_system.o: port/esp_system.c port/include/esp_system.h port/bus.h \
 port/include/esp_app_desc.h port/include/esp_err.h \
 port/include/esp_idf_version.h port/include/esp_log.h port/include/nvs.h
port/include/esp_system.h:
port/bus.h:
port/include/esp_app_desc.h:
port/include/esp_err.h:
port/include/esp_idf_version.h:
port/include/esp_log.h:
port/include/nvs.h:
