"""What differs from chip to chip, as MicroPython's esp32 port has it: pins, and the pins a UART
takes when not told.

Source: ports/esp32/machine_uart.c of v1.24.0 to v1.28.0 (tx 10, rx 9 for UART 1; tx 17, rx 16 for
UART 2, on every chip) and machine_pin.c (input-only pins). UART 0 is left on its hardware pins
there, on which the boot ROM talks already. From v1.28 an ESP32 built for PSRAM takes tx 5, rx 4
for UART 1 instead; that build is not simulated.
"""

_ESP32_RTC = bytes((0, 2, 4, 12, 13, 14, 15, 25, 26, 27, 32, 33, 34, 35, 36, 37, 38, 39))

# last pin, first pin without an output, pins that wake it from deep sleep, (tx, rx) per UART
_CHIPS = {
    "esp32": (39, 34, _ESP32_RTC, ((1, 3), (10, 9), (17, 16))),
    "esp32c3": (21, 22, bytes(range(6)), ((21, 20), (10, 9))),
    "esp32s3": (48, 49, bytes(range(22)), ((43, 44), (10, 9), (17, 16))),
}

last_pin, first_input_only, wake_pins, uart_pins = _CHIPS["esp32s3"]


def select(name):
    """Be this chip from now on; KeyError for one that is not known."""
    global last_pin, first_input_only, wake_pins, uart_pins
    last_pin, first_input_only, wake_pins, uart_pins = _CHIPS[name]
