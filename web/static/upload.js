// Sends files in pieces, one after another, and goes on where it stopped when the line breaks or the page is loaded again.
// Without this script the plain form below it takes small files.
"use strict";
(() => {
  const form = document.querySelector("form.upload");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const list = form.querySelector(".progress-list");
  const words = form.dataset;
  const token = form.querySelector("input[name=csrf_token]").value;
  const waits = [1000, 2000, 4000, 8000, 15000, 30000, 30000, 30000];
  const queue = [];
  let busy = false;
  let takenIn = 0;
  form.querySelector(".no-script").hidden = true;
  form.classList.add("scripted");

  class Refused extends Error {
    constructor(status, told) {
      super((told.messages || []).join(" "));
      this.status = status;
      this.code = told.code;
    }
  }

  const pause = (ms) => new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    addEventListener("online", () => { clearTimeout(timer); resolve(); }, { once: true });
  });

  async function ask(method, path, body) {
    const headers = { Accept: "application/json", "X-CSRFToken": token };
    if (body !== undefined && !(body instanceof Blob)) {
      headers["Content-Type"] = "application/json";
      body = JSON.stringify(body);
    } else if (body) {
      headers["Content-Type"] = "application/octet-stream";
    }
    const reply = await fetch(path, { method, headers, body, credentials: "same-origin", redirect: "error" });
    const told = await reply.json().catch(() => ({}));
    if (!reply.ok) throw new Refused(reply.status, told);
    return told;
  }

  // Keeps only a short hash of what the file is, never its name.
  function mark(file) {
    let hash = 0x811c9dc5;
    for (const unit of [words.begin, file.name, file.size, file.lastModified].join("|")) {
      hash = Math.imul(hash ^ unit.codePointAt(0), 0x01000193) >>> 0;
    }
    return "juanku-upload-" + hash.toString(16) + "-" + file.size.toString(16);
  }

  function remembered(key, value) {
    try {
      if (value === null) localStorage.removeItem(key);
      else if (value !== undefined) localStorage.setItem(key, value);
      else return localStorage.getItem(key);
    } catch { /* no storage: an upload then begins anew after a reload */ }
    return null;
  }

  async function begun(file, key) {
    const known = remembered(key);
    if (known) {
      try {
        const told = await ask("GET", words.uploads + known);
        return { upload: known, received: told.received };
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        remembered(key, null);
      }
    }
    const told = await ask("POST", words.begin, { name: file.name, size: file.size });
    remembered(key, told.upload);
    return { upload: told.upload, received: 0, piece: told.piece_bytes };
  }

  async function send(row) {
    const file = row.file;
    const key = mark(file);
    for (let attempt = 0; ; ) {
      try {
        const state = await begun(file, key);
        const piece = state.piece || Number(words.piece) || 8 * 1024 * 1024;
        let number = state.received;
        row.say(words.sending);
        while (number * piece < file.size) {
          row.bar.value = number * piece;
          const data = file.slice(number * piece, (number + 1) * piece, "application/octet-stream");
          number = (await ask("PUT", words.uploads + state.upload + "/" + number, data)).received;
          attempt = 0;
        }
        const told = await ask("POST", words.uploads + state.upload + "/finish", row.more || {});
        row.bar.value = file.size;
        remembered(key, null);
        row.say(told.doubles ? words.double : words.done);
        if (row.replaced) row.replaced.hidden = true;
        takenIn += 1;
        return;
      } catch (error) {
        const lost = !(error instanceof Refused) || error.status >= 500 || error.code === "conflict";
        if (!lost || attempt >= waits.length) {
          row.say(words.failed + ": " + (error.message || ""), true);
          return;
        }
        row.say(words.again);
        await pause(waits[attempt++]);
      }
    }
  }

  async function work() {
    if (busy) return;
    busy = true;
    while (queue.length) await send(queue.shift());
    busy = false;
    if (takenIn) {
      let link = form.querySelector("a.reload");
      if (!link) {
        link = Object.assign(document.createElement("a"), { className: "reload button", href: location.pathname, textContent: words.reload });
        form.append(link);
      }
    }
  }

  function add(files, more, replaced) {
    for (const file of files) {
      const item = document.createElement("li");
      const name = Object.assign(document.createElement("span"), { textContent: file.name, className: "file-name" });
      const state = Object.assign(document.createElement("span"), { textContent: words.waiting });
      const bar = Object.assign(document.createElement("progress"), { max: file.size || 1, value: 0 });
      bar.setAttribute("aria-label", file.name);
      item.append(name, state, bar);
      list.append(item);
      queue.push({ file, bar, more, replaced, say: (text, bad) => { state.textContent = text; state.className = bad ? "fault" : ""; } });
    }
    work();
  }

  input.addEventListener("change", () => { add(input.files); input.value = ""; });
  for (const other of document.querySelectorAll("form.replace")) {
    other.addEventListener("submit", (event) => {
      event.preventDefault();
      add(other.elements.file.files, { replaces: other.dataset.replaces, reason: other.elements.reason.value }, other.closest("li"));
      other.closest("details").open = false;
      form.scrollIntoView({ block: "nearest" });
    });
  }
  for (const kind of ["dragenter", "dragover"]) {
    form.addEventListener(kind, (event) => { event.preventDefault(); form.classList.add("over"); });
  }
  for (const kind of ["dragleave", "drop"]) {
    form.addEventListener(kind, () => form.classList.remove("over"));
  }
  form.addEventListener("drop", (event) => { event.preventDefault(); add(event.dataTransfer.files); });
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("beforeunload", (event) => { if (busy) event.preventDefault(); });
})();
