"use strict";
// What the studio's pages do beyond links and forms. Everything that matters works without it as well.

// One recording at a time.
document.addEventListener("play", (event) => {
  for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
}, true);

// Correcting: the keyboard, and a question before what was typed is left.
const text = document.querySelector("form.edit textarea");
if (text) {
  const audio = document.querySelector("audio.long");
  let sending = false;
  text.form.addEventListener("submit", () => { sending = true; });
  window.addEventListener("beforeunload", (event) => {
    // After "Check only" or a refusal, what the page came with is not saved either.
    if (!sending && ("unsaved" in text.dataset || text.value !== text.defaultValue)) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    if (event.key === "Enter") {
      event.preventDefault();
      text.form.requestSubmit(document.getElementById("save-next"));
    } else if (event.code === "Space" && audio) {
      event.preventDefault();
      if (audio.paused) audio.play(); else audio.pause();
    }
  });
}

// Dropping a recording.
const drop = document.getElementById("drop");
if (drop) {
  const choice = drop.querySelector("input[type=file]");
  const note = document.getElementById("upload-note");
  const bar = document.getElementById("upload-bar");
  const button = drop.querySelector("button");
  const say = (sentence) => { note.textContent = sentence; };
  const send = (file) => {
    const largest = Number(drop.dataset.largest);
    if (file.size > largest) {
      say(`${file.name} has ${Math.ceil(file.size / 1e6)} MB, and the studio takes ${Math.floor(largest / 1e6)} MB at most: `
        + "give it to lowres transcribe in the terminal, or start the studio with --largest-upload.");
      return;
    }
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("recording", file, file.name);
    request.open("POST", drop.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    button.disabled = true;
    bar.hidden = false;
    say(`Copying ${file.name} into the project …`);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) { bar.max = event.total; bar.value = event.loaded; }
    });
    request.addEventListener("loadend", () => {
      const answer = request.response || {};
      if (answer.address) { window.location.assign(answer.address); return; }
      bar.hidden = true;
      button.disabled = false;
      say(answer.message ? `${answer.message} ${answer.hint || ""}` : "It could not be copied: is the studio still running?");
    });
    request.send(form);
  };
  drop.addEventListener("submit", (event) => {
    event.preventDefault();
    if (choice.files.length) send(choice.files[0]); else say("Choose a recording first.");
  });
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
  });
}

// Waiting for a transcription.
const waiting = document.getElementById("waiting");
if (waiting) {
  const bar = waiting.querySelector("progress");
  const note = document.getElementById("waiting-note");
  const look = async () => {
    try {
      const answer = await fetch(waiting.dataset.status, { cache: "no-store" });
      const status = await answer.json();
      if (status.state !== "queued" && status.state !== "running") { window.location.reload(); return; }
      note.textContent = status.sentence;
      if (status.share === null) bar.removeAttribute("value"); else bar.value = status.share;
    } catch {
      note.textContent = "The studio does not answer: was it ended in the terminal?";
    }
    window.setTimeout(look, 1000);
  };
  look();
}

// Reading along.
const heard = document.getElementById("heard");
if (heard) {
  const audio = document.querySelector("audio.long");
  const words = [...heard.querySelectorAll(".word")];
  const starts = words.map((word) => Number(word.dataset.start));
  let now = null;
  const show = () => {
    let low = 0, high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= audio.currentTime + 0.02) low = middle + 1; else high = middle;
    }
    const word = low && audio.currentTime <= Number(words[low - 1].dataset.end) + 0.3 ? words[low - 1] : null;
    if (word === now) return;
    if (now) now.classList.remove("now");
    if (word) word.classList.add("now");
    now = word;
  };
  const follow = () => { show(); if (!audio.paused) window.requestAnimationFrame(follow); };
  audio.addEventListener("play", follow);
  audio.addEventListener("seeked", show);
  heard.addEventListener("click", (event) => {
    const place = event.target.closest("[data-start]");
    if (!place) return;
    audio.currentTime = Number(place.dataset.start);
    if (place.tagName === "BUTTON") audio.play(); else show();
  });
}
