console.o: ../main/console.c ../main/console.h \
 ../components/factory_data/include/factory_data_report.h \
 port/include/esp_console.h port/include/esp_err.h \
 ../components/factory_data/include/factory_data.h port/include/nvs.h \
 port/include/sdkconfig.h ../main/port.h
../main/console.h:
../components/factory_data/include/factory_data_report.h:
port/include/esp_console.h:
port/include/esp_err.h:
../components/factory_data/include/factory_data.h:
port/include/nvs.h:
port/include/sdkconfig.h:
../main/port.h:
