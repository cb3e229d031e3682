// A phone's camera in place of a scanner: what it reads is put into the field of scans and sent as if it were typed. A
// label counts once until it has been out of sight for a while. Where no camera may be opened, a photograph does.
"use strict";
(() => {
  const box = document.querySelector("[data-camera]");
  if (!box) return;
  const words = box.dataset;
  const video = box.querySelector("video");
  const said = box.querySelector("[role=status]");
  const starts = box.querySelector("[data-camera-start]");
  const stops = box.querySelector("[data-camera-stop]");
  const photograph = box.querySelector("[data-photograph]");
  const picture = box.querySelector("input[type=file]");
  const canvas = document.createElement("canvas");
  const EVERY = 150;
  const OUT_OF_SIGHT = 1500;
  const FILM_WIDTH = 800;
  const PICTURE_WIDTH = 1600;
  const inSight = new Map();
  let stream = null;
  let timer = 0;
  let sending = false;
  let decoder = null;

  const field = () => document.querySelector("input.scan");
  const say = (text) => {
    said.textContent = text;
    said.hidden = !text;
  };

  const loaded = (src) => new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = src;
    script.addEventListener("load", resolve);
    script.addEventListener("error", reject);
    document.head.append(script);
  });

  // The browser's own detector where there is one, else those that come with the pages: of QR codes, then of bars.
  async function made() {
    if (window.BarcodeDetector) {
      const known = await BarcodeDetector.getSupportedFormats().catch(() => []);
      const formats = ["qr_code", "code_128"].filter((each) => known.includes(each));
      if (formats.includes("qr_code")) {
        const own = new BarcodeDetector({ formats });
        return async () => (await own.detect(canvas)).map((each) => each.rawValue);
      }
    }
    await Promise.all([loaded(words.decoder), loaded(words.bars)]);
    return async () => {
      const pixels = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, canvas.width, canvas.height);
      const found = window.jsQR(pixels.data, pixels.width, pixels.height);
      return found?.data ? [found.data] : bars(pixels);
    };
  }

  function bars({ data, width, height }) {
    const grey = new Uint8ClampedArray(width * height);
    for (let at = 0; at < grey.length; at += 1) grey[at] = (data[4 * at] + 2 * data[4 * at + 1] + data[4 * at + 2]) / 4;
    const { BinaryBitmap, Code128Reader, DecodeHintType, HybridBinarizer, RGBLuminanceSource } = window.ZXing;
    const picture = new BinaryBitmap(new HybridBinarizer(new RGBLuminanceSource(grey, width, height)));
    try {
      return [new Code128Reader().decode(picture, new Map([[DecodeHintType.TRY_HARDER, true]])).getText()];
    } catch { // there are none
      return [];
    }
  }

  async function read(source, width, height, widest) {
    decoder ??= made().catch((fault) => { decoder = null; throw fault; });
    const scale = Math.min(1, widest / Math.max(width, height));
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.getContext("2d", { willReadFrequently: true }).drawImage(source, 0, 0, canvas.width, canvas.height);
    return (await decoder)().then((found) => found.map((each) => each.trim()).filter(Boolean));
  }

  function take(text) {
    say("");
    field().value = text;
    navigator.vibrate?.(60);
    field().form.requestSubmit();
  }

  async function look() {
    const now = performance.now();
    if (!sending && video.videoWidth) {
      try {
        const found = await read(video, video.videoWidth, video.videoHeight, FILM_WIDTH);
        const fresh = found.find((each) => !inSight.has(each));
        found.forEach((each) => { if (inSight.has(each)) inSight.set(each, now); });
        for (const [text, last] of inSight) if (now - last > OUT_OF_SIGHT) inSight.delete(text);
        if (fresh) {
          inSight.set(fresh, now);
          take(fresh);
        }
      } catch {
        stop();
        say(words.broken);
        return;
      }
    } else if (sending) {
      for (const text of inSight.keys()) inSight.set(text, now); // nobody looks while one is on its way
    }
    if (stream) timer = setTimeout(look, EVERY);
  }

  function stop() {
    clearTimeout(timer);
    stream?.getTracks().forEach((each) => each.stop());
    stream = video.srcObject = null;
    if (field()) field().inputMode = "";
    show();
  }

  function show() {
    video.hidden = stops.hidden = !stream;
    starts.hidden = Boolean(stream) || !navigator.mediaDevices?.getUserMedia;
    photograph.hidden = Boolean(stream);
  }

  async function start() {
    say("");
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: "environment" } });
    } catch {
      say(words.refused);
      return;
    }
    stream.getVideoTracks()[0].addEventListener("ended", stop);
    video.srcObject = stream;
    await video.play().catch(() => {});
    field().inputMode = "none"; // no keyboard comes up over the picture
    for (const text of inSight.keys()) inSight.set(text, performance.now());
    show();
    look();
  }

  // While the camera runs, pages that answer each scan with a whole page are put in place of this one around it.
  async function send(form, submitter) {
    const text = field().value.trim();
    sending = true;
    try {
      const body = new URLSearchParams(new FormData(form, submitter));
      const reply = await fetch(form.action, { method: "POST", credentials: "same-origin", body });
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const place = page.querySelector("[data-camera]");
      if (!place) {
        stop();
        form.submit();
        return;
      }
      place.replaceWith(box);
      document.querySelector("main").replaceChildren(...page.querySelector("main").childNodes);
      field().inputMode = stream ? "none" : "";
      if (stream) await video.play().catch(() => {});
    } catch {
      inSight.delete(text);
      say(words.unsent);
    } finally {
      sending = false;
    }
  }

  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !stream || !event.target.contains(field())) return;
    event.preventDefault();
    if (!sending) send(event.target, event.submitter);
  });
  picture.addEventListener("change", async () => {
    const [file] = picture.files;
    if (!file) return;
    say("");
    try {
      const bitmap = await createImageBitmap(file);
      let text;
      for (const widest of [PICTURE_WIDTH, FILM_WIDTH]) text ??= (await read(bitmap, bitmap.width, bitmap.height, widest))[0];
      bitmap.close();
      if (text) take(text);
      else say(words.none);
    } catch {
      say(words.none);
    }
    picture.value = "";
  });
  starts.addEventListener("click", start);
  stops.addEventListener("click", stop);
  photograph.addEventListener("click", () => picture.click());
  addEventListener("pagehide", stop);
  show();
})();
