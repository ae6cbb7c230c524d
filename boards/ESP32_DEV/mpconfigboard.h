// An ESP32-WROOM-32 dev board. The console is UART 0, through the board's own USB chip.
#define MICROPY_HW_BOARD_NAME "Deckwatch ESP32 dev board"
#define MICROPY_HW_MCU_NAME   "ESP32"
