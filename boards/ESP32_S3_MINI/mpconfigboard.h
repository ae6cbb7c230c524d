// A small ESP32-S3 board with native USB. The console is USB alone, which frees UART 0 for the
// dashboard's wire (DASH_RX).
#define MICROPY_HW_BOARD_NAME       "Deckwatch ESP32-S3 board"
#define MICROPY_HW_MCU_NAME         "ESP32-S3"
#define MICROPY_HW_ENABLE_UART_REPL (0)
