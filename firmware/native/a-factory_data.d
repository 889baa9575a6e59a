factory_data.o: ../components/factory_data/src/factory_data.c \
 ../components/factory_data/src/factory_data_private.h \
 ../components/factory_data/include/factory_data.h port/include/esp_err.h \
 ../components/factory_data/include/factory_data_report.h \
 port/include/nvs.h port/include/sdkconfig.h port/include/esp_log.h \
 port/include/nvs_flash.h
../components/factory_data/src/factory_data_private.h:
../components/factory_data/include/factory_data.h:
port/include/esp_err.h:
../components/factory_data/include/factory_data_report.h:
port/include/nvs.h:
port/include/sdkconfig.h:
port/include/esp_log.h:
port/include/nvs_flash.h:
