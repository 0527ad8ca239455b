// An utterance as a row: what was said above, what was heard below, word by word. Built of text, never of markup.

const LONGEST_WORD = 400;

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

class Rows {
  constructor(data, player) {
    this.data = data;
    this.player = player;
    this.controls = new RegExp(data.controls, "gu");
    this.isRightToLeft = new Set(data.right_to_left);
  }

  // Put text into an element, its invisible control characters named; of a very long word only the beginning.
  write(element, text) {
    const shown = text.length > LONGEST_WORD ? text.slice(0, LONGEST_WORD) : text;
    let end = 0;
    for (const match of shown.matchAll(this.controls)) {
      element.append(shown.slice(end, match.index));
      const code = match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
      element.append(make("span", "control", `U+${code}`));
      end = match.index + match[0].length;
    }
    element.append(shown.slice(end));
    if (shown !== text) element.append(`\u2026 (${text.length.toLocaleString("en")} characters)`);
  }

  // runs: pieces of a word, in turn like the other line and unlike it.
  word(className, runs) {
    const word = make("bdi", className);
    runs.forEach((text, index) => {
      if (!text) return;
      const holder = index % 2 ? word.appendChild(make("b")) : word;
      this.write(holder, text);
    });
    return word;
  }

  column(place) {
    const [kind, said, heard] =
      typeof place === "string" ? ["equal", [place], [place]]
      : place.length === 1 ? ["delete", ["", place[0]], ["\u2014"]]
      : place[0] === 0 ? ["insert", ["\u00b7"], ["", place[1]]]
      : ["substitute", place[0], place[1]];
    const column = make("span", `w ${kind}`);
    column.append(this.word("said", said), this.word("heard", heard));
    return column;
  }

  gloss(number) {
    const gloss = make("div", "gloss");
    gloss.dir = this.isRightToLeft.has(number) ? "rtl" : "ltr";
    if (this.data.language) gloss.lang = this.data.language;
    gloss.setAttribute("aria-hidden", "true");
    const places = this.data.lines[number];
    if (places.length) gloss.append(...places.map((place) => this.column(place)));
    else gloss.append(this.column(["(nothing)"]));
    return gloss;
  }

  // What a screen reader says in place of the coloured line.
  spoken(number) {
    const line = make("p", "sr");
    for (const [before, text] of [["Said: ", textOf(this.data, number, 0)], [". Heard: ", textOf(this.data, number, 1)]]) {
      const words = make("bdi");
      words.dir = "auto";
      if (this.data.language) words.lang = this.data.language;
      this.write(words, text || "(nothing)");
      line.append(before, words);
    }
    line.append(".");
    return line;
  }

  meta(number) {
    const { data } = this;
    const meta = make("p", "meta");
    const name = make("bdi");
    name.id = `name-${number}`;
    this.write(name, data.ids[number]);
    meta.append(make("span", "id"));
    meta.lastChild.append(name);
    const speaker = data.speakers[data.speaker[number]];
    if (speaker) {
      const words = meta.appendChild(make("span", "", "speaker "));
      this.write(words.appendChild(make("bdi")), speaker);
    }
    meta.append(make("span", "", `${data.seconds[number].toLocaleString("en")} s`), make("span", "", this.amount(number)));
    const kinds = data.kinds.filter((_, index) => data.kind_bits[number] & (1 << index));
    if (kinds.length) meta.append(make("span", "tags"));
    for (const kind of kinds) meta.lastChild.append(make("span", "kind", kind), " ");
    return meta;
  }

  amount(number) {
    const { data } = this;
    if (!data.letter_errors[number]) return "all right";
    const count = (number, unit) => `${number.toLocaleString("en")} ${unit}${number === 1 ? "" : "s"}`;
    return `${count(data.word_errors[number], "error")} in ${count(data.num_words[number], "word")}, `
      + `${data.letter_errors[number].toLocaleString("en")} in ${count(data.num_letters[number], "letter")}`;
  }

  row(number) {
    const row = make("article", "utterance");
    row.id = `u${number}`;
    row.dataset.number = String(number);
    row.setAttribute("aria-labelledby", `name-${number}`);
    if (this.player.has(number)) row.append(this.player.makeButton(number));
    row.append(this.meta(number), this.spoken(number), this.gloss(number));
    return row;
  }

  // About how high a row will be, in pixels, before it is drawn.
  estimateHeight(number, width, rem) {
    let lines = 1;
    let filled = 0;
    for (const place of this.data.lines[number]) {
      const letters = Math.min(lettersOf(place), LONGEST_WORD);
      const wide = Math.min(letters * 0.56 * rem + 1.05 * rem, width);
      if (filled && filled + wide > width) {
        lines += 1;
        filled = 0;
      }
      filled += wide;
      lines += Math.floor((letters * 0.56 * rem) / width);
    }
    return rem * (3.1 + lines * 3.7);
  }
}

function lettersOf(place) {
  if (typeof place === "string") return place.length;
  const length = (side) => (Array.isArray(side) ? side.join("").length : String(side || "-").length);
  return Math.max(length(place[0]), length(place[1]));
}

// The text of one side of an utterance: 0 said, 1 heard.
function textOf(data, number, side) {
  const words = [];
  for (const place of data.lines[number]) {
    if (typeof place === "string") words.push(place);
    else if (place.length === 1) { if (side === 0) words.push(place[0]); }
    else if (place[0] === 0) { if (side === 1) words.push(place[1]); }
    else words.push(place[side].join(""));
  }
  return words.join(" ");
}
