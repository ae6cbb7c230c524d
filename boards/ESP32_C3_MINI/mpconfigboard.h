// A thumb-size ESP32-C3 board with native USB. The console is USB alone: UART 0 says nothing after
// the boot loader, so that no scooter wire can meet the prompt.
#define MICROPY_HW_BOARD_NAME       "Deckwatch ESP32-C3 thumb-size board"
#define MICROPY_HW_MCU_NAME         "ESP32-C3"
#define MICROPY_HW_ENABLE_UART_REPL (0)
