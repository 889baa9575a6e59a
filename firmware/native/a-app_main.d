app_main.o: ../main/app_main.c ../main/console.h \
 ../components/factory_data/include/factory_data_report.h \
 port/include/esp_err.h port/include/esp_idf_version.h \
 port/include/esp_log.h port/include/esp_system.h \
 ../components/factory_data/include/factory_data.h port/include/nvs.h \
 port/include/sdkconfig.h port/include/nvs_flash.h ../main/port.h \
 port/include/esp_app_desc.h
../main/console.h:
../components/factory_data/include/factory_data_report.h:
port/include/esp_err.h:
port/include/esp_idf_version.h:
port/include/esp_log.h:
port/include/esp_system.h:
../components/factory_data/include/factory_data.h:
port/include/nvs.h:
port/include/sdkconfig.h:
port/include/nvs_flash.h:
../main/port.h:
port/include/esp_app_desc.h:
