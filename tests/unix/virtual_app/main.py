"""A small firmware that uses every part of the virtual board; test_virtual_board.py runs it.

One task per thing a real one does: it reads two lines, blinks, beeps, watches a button, feeds the
watchdog, counts its starts in the NVS and writes a log. Bytes on the line command it: 0xF0 resets,
0xF1 hangs, 0xF2 asks the pack, 0xF3 sleeps deeply for 2 s, 0xF4 commits to flash.
"""

import asyncio
import time

import esp32
import machine
import neopixel
from machine import Pin

nvs = esp32.NVS("app")
try:
    starts = nvs.get_i32("starts")
except OSError:
    starts = 0
nvs.set_i32("starts", starts + 1)
nvs.commit()
print("start", starts + 1, "cause", machine.reset_cause(), "at", time.ticks_ms(), time.time())

park = Pin("TX_PARK")
led = Pin("LED", Pin.OUT, value=0)
pixels = neopixel.NeoPixel(Pin.board.NEOPIXEL, 2)
buzzer = machine.PWM(Pin("BUZZER"), freq=2000, duty_u16=0)
button = Pin("BUTTON", Pin.IN, Pin.PULL_UP)
pressed = asyncio.ThreadSafeFlag()
button.irq(lambda _: pressed.set(), Pin.IRQ_FALLING)
bms = machine.UART(1, 115200, rx=Pin("BMS_TX_RX"), tx=park, rxbuf=2048)
park.init(Pin.IN)
host = machine.UART(2, 115200, rx=Pin("HOST_TX_RX"), tx=park, rxbuf=256)
park.init(Pin.IN)
watchdog = machine.WDT(timeout=8000)


async def read_bms():
    buf = bytearray(256)
    heard = 0
    while True:
        n = bms.readinto(buf)
        if n:
            heard = (heard * 31 + n + buf[0] + buf[n - 1]) & 0xFFFFFF
            print("bms", n, heard)
            for i in range(n):
                obey(buf[i])
        watchdog.feed()
        await asyncio.sleep_ms(10)


async def read_host():
    reader = asyncio.StreamReader(host)
    while True:
        print("host", (await reader.read(64)).hex())


async def blink():
    while True:
        led.on()
        pixels[0] = (255, 0, 1)
        pixels.write()
        await asyncio.sleep_ms(100)
        led.off()
        pixels.fill((0, 0, 0))
        pixels.write()
        await asyncio.sleep_ms(900)


async def beep_when_pressed():
    while True:
        await pressed.wait()
        for _ in range(2):
            buzzer.duty_u16(32768)
            await asyncio.sleep_ms(60)
            buzzer.duty_u16(0)
            await asyncio.sleep_ms(40)


async def give_up():
    await asyncio.sleep(100)


def obey(command):
    if command == 0xF0:
        try:
            machine.reset()
        finally:
            print("never")
    elif command == 0xF1:
        time.sleep(1000)
    elif command == 0xF2:
        bms.init(tx=park)
        bms.write(b"\x5a\xa5")
        bms.flush()
        park.init(Pin.IN)
    elif command == 0xF3:
        machine.deepsleep(2000)
    elif command == 0xF4:
        with open("log.txt", "a") as log:
            log.write("%d\n" % time.ticks_ms())


async def main():
    tasks = [asyncio.create_task(c) for c in (read_host(), blink(), beep_when_pressed())]
    try:
        await asyncio.wait_for_ms(give_up(), 250)
    except asyncio.TimeoutError:
        print("gave up beside", len(tasks))
    await read_bms()


asyncio.run(main())
