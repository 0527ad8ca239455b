// The list of all utterances: searched, filtered, sorted and played. Without this script the page shows the first ones.

const ORDERS = {
  number: () => 0,
  worst: (data, a, b) => letterRate(data, b) - letterRate(data, a) || data.letter_errors[b] - data.letter_errors[a],
  best: (data, a, b) => letterRate(data, a) - letterRate(data, b),
  longest: (data, a, b) => data.seconds[b] - data.seconds[a],
  shortest: (data, a, b) => data.seconds[a] - data.seconds[b],
  speaker: (data, a, b) => data.speaker[a] - data.speaker[b],
  name: (data, a, b) => (data.ids[a] < data.ids[b] ? -1 : Number(data.ids[a] > data.ids[b])),
};

function letterRate(data, number) {
  return data.letter_errors[number] / Math.max(1, data.num_letters[number]);
}

function readData(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

// The recordings in the page by number; none as long as the page is still being read.
function readRecordings() {
  return document.readyState === "loading" ? {} : readData("recording-data");
}

// Where each recording is: beside the page, in a player that stands in the page, or (null) in data to be read when asked.
function gatherRecordings(data) {
  const addresses = new Map(Object.entries(data.linked).map(([number, address]) => [Number(number), address]));
  for (const number of data.embedded) addresses.set(number, null);
  for (const audio of document.querySelectorAll("audio[data-utterance]")) {
    addresses.set(Number(audio.dataset.utterance), audio.getAttribute("src"));
  }
  return addresses;
}

class Finder {
  constructor(data, roll) {
    this.data = data;
    this.roll = roll;
    this.form = document.getElementById("finder");
    this.status = document.getElementById("found");
    this.onlyBox = document.getElementById("only");
    this.only = null;
    this.waiting = 0;
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.querySelector("[type=reset]").addEventListener("click", () => setTimeout(() => this.choose(null)));
    this.form.addEventListener("change", () => this.update());
    this.form.addEventListener("input", (event) => { if (event.target.type === "search") this.soon(); });
    this.onlyBox.querySelector("button").addEventListener("click", () => this.choose(null));
    document.addEventListener("click", (event) => {
      const { kind, set, words } = event.target.closest("button.show")?.dataset ?? {};
      if (kind !== undefined) this.choose(null, kind);
      if (set !== undefined) this.choose({ utterances: data.sets[set], words });
    });
  }

  soon() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.update(), 120);
  }

  // List the utterances of one line of a table: of a kind of errors, or some that are named; or all again.
  choose(set, kind = "") {
    this.form.reset();
    this.form.elements.kind.value = kind;
    this.only = set;
    this.update();
    this.form.scrollIntoView({ block: "start" });
    document.getElementById("find-text").focus({ preventScroll: true });
  }

  textTest() {
    const sought = this.form.elements.text.value;
    if (!sought.trim()) return () => true;
    const holds = makeFinder(sought, this.form.elements.how.value);
    const where = this.form.elements.where.value;
    const { data } = this;
    if (where === "name") return (number) => holds(data.ids[number]);
    const sides = { said: [0], heard: [1], both: [0, 1] }[where];
    return (number) => sides.some((side) => holds(textOf(data, number, side)));
  }

  kindTest() {
    const { kind } = this.form.elements;
    const { data } = this;
    if (kind.value === "") return () => true;
    if (kind.value === "none") return (number) => data.letter_errors[number] === 0;
    if (kind.value === "any") return (number) => data.letter_errors[number] > 0;
    return (number) => data.kind_bits[number] & (1 << Number(kind.value));
  }

  update() {
    clearTimeout(this.waiting);
    const { speaker, order } = this.form.elements;
    const { data } = this;
    const isWanted = [this.kindTest(), this.textTest()];
    if (speaker && speaker.value !== "") isWanted.unshift((number) => data.speaker[number] === Number(speaker.value));
    const from = this.only ? this.only.utterances : data.ids.keys();
    const found = [...from].filter((number) => isWanted.every((test) => test(number)));
    found.sort((a, b) => ORDERS[order.value](data, a, b) || a - b);
    this.roll.show(found);
    this.say(found);
  }

  say(found) {
    const all = this.data.ids.length;
    const count = (number) => number.toLocaleString("en");
    this.status.textContent = found.length === all
      ? `${count(all)} utterance${all === 1 ? "" : "s"}`
      : found.length ? `${count(found.length)} of ${count(all)} utterances`
      : "No utterance is like that.";
    this.onlyBox.hidden = !this.only;
    if (this.only) this.onlyBox.querySelector("span").textContent = `Only examples of: ${this.only.words}`;
  }
}

// What the page holds for readers without scripts gives way to the list and to buttons of the one player.
function replaceStatic(player) {
  for (const element of document.querySelectorAll(".unscripted")) element.remove();
  for (const audio of document.querySelectorAll("audio[data-utterance]")) {
    audio.replaceWith(player.makeButton(Number(audio.dataset.utterance)));
  }
  document.documentElement.classList.add("scripted");
}

function begin() {
  const data = readData("utterance-data");
  const player = new Player(
    document.getElementById("player"), gatherRecordings(data), readRecordings, (number) => data.ids[number],
  );
  const roll = new Roll(document.getElementById("listed"), new Rows(data, player));
  replaceStatic(player);
  const finder = new Finder(data, roll);
  finder.update();
  const follow = () => {
    const named = /^#u(\d+)$/.exec(location.hash);
    if (named) roll.reveal(Number(named[1]));
  };
  addEventListener("hashchange", follow);
  follow();
  performance.mark("usable"); // for benchmarks/report_page.py
}

// All it needs stands before it; the recordings, which may be megabytes, come after it and are not waited for.
begin();
