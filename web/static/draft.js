// Keeps what is typed into a form at the server, sealed; the browser itself keeps nothing. Without this script the form works as any other.
"use strict";
(() => {
  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  const told = form.querySelector(".draft-told");
  const words = form.dataset;
  const read = () => new URLSearchParams(new FormData(form)).toString();
  let waits = 0;
  let kept = read();

  async function keep(leaving = false) {
    waits = 0;
    const body = read();
    if (body === kept) return;
    try {
      const reply = await fetch(words.draft, {
        method: "POST", body: new URLSearchParams(body), headers: { Accept: "application/json" },
        credentials: "same-origin", redirect: "error", keepalive: leaving,
      });
      if (!reply.ok) throw new Error(reply.status);
      kept = body;
      told.textContent = words.kept.replace("{}", (await reply.json()).at);
    } catch {
      told.textContent = words.unkept;
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(waits);
    waits = setTimeout(keep, 1500);
  });
  form.addEventListener("submit", () => {
    clearTimeout(waits);
    waits = 0;
  });
  addEventListener("pagehide", () => { if (waits) keep(true); });
})();
