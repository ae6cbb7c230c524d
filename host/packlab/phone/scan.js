// Reads a QR code with the camera, where the browser can.

export async function canScan() {
  const formats = (await globalThis.BarcodeDetector?.getSupportedFormats?.()) ?? [];
  return formats.includes("qr_code") && Boolean(navigator.mediaDevices);
}

/** The text of the first code seen; null when somebody taps. */
export async function scan(video) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  let isOver = false;
  video.onclick = () => (isOver = true);
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  try {
    while (!isOver) {
      const [found] = await detector.detect(video);
      if (found) return found.rawValue;
      await new Promise((done) => setTimeout(done, 200));
    }
    return null;
  } finally {
    video.hidden = true;
    for (const track of stream.getTracks()) track.stop();
  }
}
