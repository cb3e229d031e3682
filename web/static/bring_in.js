// Sends the files of a folder to the records whose rows name them: small ones many at a time, large ones in pieces.
// What is in already is not sent again, so a broken line costs nothing but choosing the folder once more.
"use strict";
(() => {
  const form = document.querySelector("form.sheet-files");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const told = form.querySelector(".sheet-told");
  const words = form.dataset;
  const token = form.querySelector("input[name=csrf_token]").value;
  const TOGETHER = 7 * 1024 * 1024;
  const MOST = 40;
  let busy = false;
  form.querySelector(".no-script").hidden = true;
  input.webkitdirectory = true;

  async function ask(method, path, body) {
    const headers = { Accept: "application/json", "X-CSRFToken": token };
    if (body instanceof Blob) headers["Content-Type"] = "application/octet-stream";
    else if (!(body instanceof FormData)) {
      headers["Content-Type"] = "application/json";
      body = JSON.stringify(body);
    }
    const reply = await fetch(path, { method, headers, body, credentials: "same-origin", redirect: "error" });
    const answer = await reply.json().catch(() => ({}));
    if (!reply.ok) throw new Error((answer.messages || []).join(" "));
    return answer;
  }

  function tell(text, names = [], bad = false) {
    const line = Object.assign(document.createElement("p"), { textContent: text, className: bad ? "fault" : "" });
    told.append(line);
    if (names.length) {
      const list = document.createElement("ul");
      list.append(...names.map((name) => Object.assign(document.createElement("li"), { textContent: name })));
      told.append(list);
    }
    return line;
  }

  async function inPieces(file, record) {
    const begun = await ask("POST", "/uploads/begin/" + record, { name: file.name, size: file.size });
    for (let number = 0; number * begun.piece_bytes < file.size; ) {
      const piece = file.slice(number * begun.piece_bytes, (number + 1) * begun.piece_bytes, "application/octet-stream");
      number = (await ask("PUT", "/uploads/" + begun.upload + "/" + number, piece)).received;
    }
    await ask("POST", "/uploads/" + begun.upload + "/finish", {});
  }

  // A folder for each dossier, each with its 001.pdf: the name alone does not tell them apart.
  const called = (file) => file.webkitRelativePath || file.name;

  function* groups(files) {
    let group = [];
    let size = 0;
    for (const file of files) {
      if (group.length && (group.length >= MOST || size + file.size > TOGETHER)) {
        yield group;
        group = [];
        size = 0;
      }
      group.push(file);
      size += file.size;
    }
    if (group.length) yield group;
  }

  async function send(files) {
    told.replaceChildren();
    document.querySelector(".sheet-came")?.remove(); // what it counted is being overtaken
    const found = await ask("POST", words.match, { names: files.map(called) });
    if (found.unknown.length) tell(words.unknown, found.unknown);
    if (found.missing.length) tell(words.missing, found.missing);
    const going = files.filter((file) => called(file) in found.records);
    const bar = Object.assign(document.createElement("progress"), { max: going.length || 1, value: 0 });
    const line = tell("");
    told.append(bar);
    const count = (done) => {
      bar.value += done;
      line.textContent = words.sending.replace("{}", bar.value).replace("{}", going.length);
    };
    let failed = 0;
    count(0);
    for (const group of groups(going.filter((file) => file.size <= TOGETHER))) {
      const body = new FormData();
      group.forEach((file) => body.append("files", file, called(file)));
      const answer = await ask("POST", form.action, body);
      failed += Object.keys(answer.failed).length;
      for (const [name, why] of Object.entries(answer.failed)) tell(name + " · " + words.failed + ": " + why, [], true);
      count(group.length);
    }
    for (const file of going.filter((each) => each.size > TOGETHER)) {
      for (const record of found.records[called(file)]) await inPieces(file, record);
      count(1);
    }
    if (!failed) tell(found.missing.length ? words.part : words.done);
  }

  input.addEventListener("change", async () => {
    if (busy || !input.files.length) return;
    busy = true;
    try {
      await send([...input.files].filter((file) => !file.name.startsWith(".")));
    } catch (error) {
      tell(words.broke + " " + error.message, [], true);
    }
    busy = false;
    input.value = "";
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("beforeunload", (event) => { if (busy) event.preventDefault(); });
})();
