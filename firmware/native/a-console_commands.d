console_commands.o: ../main/console_commands.c ../main/console.h \
 ../components/factory_data/include/factory_data_report.h \
 port/include/esp_console.h port/include/esp_err.h \
 port/include/esp_system.h \
 ../components/factory_data/include/factory_data.h port/include/nvs.h \
 port/include/sdkconfig.h
../main/console.h:
../components/factory_data/include/factory_data_report.h:
port/include/esp_console.h:
port/include/esp_err.h:
port/include/esp_system.h:
../components/factory_data/include/factory_data.h:
port/include/nvs.h:
port/include/sdkconfig.h:
