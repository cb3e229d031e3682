// Scans of a stock-taking. Each is kept in this browser under an id of its own until the archive says that it took it, and
// is sent in its order; so a broken line loses none, and one that is sent twice counts once. Without this script the plain
// form takes scans one by one.
"use strict";
(() => {
  const form = document.querySelector("form.stock");
  if (!form) return;
  const words = form.dataset;
  const tokenIn = (page) => page.querySelector("form.stock input[name=csrf_token]")?.value;
  let token = tokenIn(document);
  const field = form.querySelector("input[name=scan]");
  const at = form.querySelector("input[name=at]");
  const said = document.querySelector(".scan-said");
  const waits = document.querySelector("[data-waits]");
  const standing = document.querySelector("[data-standing]");
  const recent = document.querySelector("[data-recent]");
  const AT_ONCE = 20;
  const SHOWN = 8;
  const byKey = new Map();
  const byPath = new Map();
  for (const [key, path] of JSON.parse(words.places)) {
    byKey.set(key, path);
    byPath.set(path, key);
  }
  let memory = [];
  let stored = true;
  let busy = false;
  let pause = 1000;
  let timer = 0;
  let last = "";

  // A key that sorts by time; each scan has its own, so that two pages of one browser never write over each other.
  let counter = 0;
  const nextKey = () => words.kept + String(Date.now()).padStart(15, "0") + String(counter++).padStart(6, "0");
  const newId = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };

  function keep(scan) {
    const key = nextKey();
    try {
      localStorage.setItem(key, JSON.stringify(scan));
    } catch {
      stored = false;
      memory.push([key, scan]);
    }
  }

  function waiting() {
    const found = [...memory];
    try {
      for (let n = 0; n < localStorage.length; n += 1) {
        const key = localStorage.key(n);
        if (key.startsWith(words.kept)) found.push([key, JSON.parse(localStorage.getItem(key))]);
      }
    } catch { /* no storage: what is in memory is all there is */ }
    return found.sort(([one], [other]) => (one < other ? -1 : 1));
  }

  function drop(key) {
    memory = memory.filter(([each]) => each !== key);
    try { localStorage.removeItem(key); } catch { /* nothing was stored */ }
  }

  function say(kind, head, ...lines) {
    said.className = "scan-said" + (kind ? " scan-" + kind : "");
    said.replaceChildren(...[["strong", head], ...lines.filter(Boolean).map((each) => ["span", each])].map(([tag, text]) => {
      const made = document.createElement(tag);
      made.textContent = text;
      return made;
    }));
  }

  function tellWaiting() {
    const count = waiting().length;
    waits.hidden = !count;
    waits.textContent = count ? words.waiting.replace("{}", count) : "";
  }

  function remember(text) {
    const made = document.createElement("li");
    made.className = "number";
    made.textContent = text;
    const list = recent.querySelector("ul");
    list.prepend(made);
    while (list.children.length > SHOWN) list.lastElementChild.remove();
    recent.hidden = false;
  }

  const RIGHT = { found: "✓", twice: "✓" };
  function tell(outcome) {
    const mark = RIGHT[outcome.verdict] || "✗";
    remember(`${mark} ${outcome.label} · ${outcome.place}`);
    if (outcome.id === last) say(RIGHT[outcome.verdict] ? "done" : "fault", `${mark} ${outcome.label}`, outcome.said);
  }

  async function post(scans) {
    const reply = await fetch(words.scans, {
      method: "POST", credentials: "same-origin", redirect: "error",
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ scans }),
    });
    const told = await reply.json().catch(() => ({}));
    return { status: reply.status, told };
  }

  // Who signed in again on another page has another token there.
  async function renewed() {
    const reply = await fetch(location.href, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const found = tokenIn(page);
    const theirs = page.querySelector("form.stock")?.dataset.kept === words.kept; // not another person's
    if (!found || found === token || !theirs) return false;
    token = found;
    return true;
  }

  // Sends what waits, in its order. What the archive refuses is set aside when it stands alone, so that it holds up nothing.
  async function send() {
    if (busy) return;
    busy = true;
    clearTimeout(timer);
    let most = AT_ONCE;
    try {
      for (let some = waiting().slice(0, most); some.length; some = waiting().slice(0, most)) {
        const { status, told } = await post(some.map(([, scan]) => ({ id: scan.id, place: scan.place, text: scan.text })));
        if (status === 200) {
          some.forEach(([key]) => drop(key));
          told.scans.forEach(tell);
          for (const [name, value] of Object.entries(told.figures)) {
            document.querySelector(`[data-figure=${name}]`).textContent = value;
          }
          most = AT_ONCE;
          pause = 1000;
        } else if (told.code === "form_expired" && await renewed()) {
          continue;
        } else if (status === 401 || told.code === "signed_out" || told.code === "form_expired") {
          say("fault", words.signedOut);
          break;
        } else if (status >= 500 || status === 429) {
          throw new Error("later");
        } else if (status === 422 && some.length > 1) {
          most = 1;
        } else if (status === 422) {
          drop(some[0][0]);
          say("fault", `✗ ${some[0][1].text}`, words.refused, ...(told.messages || []));
        } else {
          say("fault", words.refused, ...(told.messages || []));
          break;
        }
        tellWaiting();
      }
    } catch {
      timer = setTimeout(send, pause);
      pause = Math.min(pause * 2, 30000);
      if (waiting().some(([, scan]) => scan.id === last)) say("", waiting().at(-1)[1].text, words.keptWords);
    } finally {
      busy = false;
      tellWaiting();
    }
  }

  // What a label says of a place: its code, or the address in its QR code.
  function placeIn(text) {
    const key = (text.split("/shelves/")[1] || "").slice(0, 36).toLowerCase();
    if (byKey.has(key)) return key;
    return byPath.get(text.toUpperCase().split(/[^A-Z0-9]+/).filter(Boolean).join("-"));
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    field.value = "";
    field.focus();
    if (!text) return;
    const place = placeIn(text);
    if (place) {
      at.value = place;
      standing.textContent = byKey.get(place);
      say("place", byKey.get(place), words.here);
      return;
    }
    if (!at.value) {
      say("fault", words.first);
      return;
    }
    last = newId();
    keep({ id: last, place: at.value, text });
    tellWaiting();
    send();
  });

  addEventListener("online", send);
  addEventListener("beforeunload", (event) => {
    if (!stored && waiting().length) event.preventDefault();
  });
  tellWaiting();
  send();
})();
