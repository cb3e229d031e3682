// Keys of the viewer: each presses the link on the page that does the same.
"use strict";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea")) return;
  const links = {
    ArrowLeft: "a[rel=prev]", ArrowRight: "a[rel=next]", "-": "a[data-key='-']", "+": "a[data-key='+']",
    "=": "a[data-key='+']", r: "a[data-key=r]", R: "a[data-key=r]",
  };
  const scrolls = event.key.startsWith("Arrow") && event.target.closest(".sheet")?.scrollWidth > event.target.clientWidth;
  const link = !scrolls && links[event.key] && document.querySelector(links[event.key]);
  if (link) {
    event.preventDefault();
    link.click();
  }
});

// A picture that cannot be made gives way to words that say so.
const drawn = document.querySelector(".leaf img");
const undrawn = document.querySelector("[data-undrawn]");
if (drawn && undrawn) {
  const tell = () => {
    undrawn.hidden = false;
    drawn.closest(".sheet").hidden = true;
  };
  drawn.addEventListener("error", tell);
  if (drawn.complete && !drawn.naturalWidth) tell();
}
