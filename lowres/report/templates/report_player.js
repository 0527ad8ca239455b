// One player for the whole page: every button that plays an utterance shows whether it is the one being heard.

class Player {
  // addresses: Map from the number of an utterance to the address of its recording, or to null where `load` gives it
  // together with all others of that kind; nameOf gives the name of an utterance.
  constructor(bar, addresses, load, nameOf) {
    this.bar = bar;
    this.addresses = addresses;
    this.load = load;
    this.nameOf = nameOf;
    this.number = null;
    this.audio = bar.querySelector("audio");
    this.title = bar.querySelector(".player-name");
    bar.querySelector("button").addEventListener("click", () => this.close());
    for (const event of ["play", "pause", "ended"]) this.audio.addEventListener(event, () => this.refresh());
    this.audio.addEventListener("error", () => this.fail());
    document.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-play]");
      if (button) this.toggle(Number(button.dataset.play));
    });
  }

  has(number) {
    return this.addresses.has(number);
  }

  addressOf(number) {
    if (this.addresses.get(number) === null) {
      for (const [key, address] of Object.entries(this.load())) this.addresses.set(Number(key), address);
    }
    return this.addresses.get(number);
  }

  makeButton(number, words = "") {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "play";
    button.dataset.play = String(number);
    if (words) button.dataset.words = words;
    this.label(button);
    return button;
  }

  label(button) {
    const number = Number(button.dataset.play);
    const isHeard = number === this.number && !this.audio.paused;
    button.classList.toggle("playing", isHeard);
    button.setAttribute("aria-label", `${isHeard ? "Pause" : "Play"} ${button.dataset.words || this.nameOf(number)}`);
  }

  toggle(number) {
    if (!this.has(number)) return;
    if (number === this.number && !this.audio.paused) {
      this.audio.pause();
      return;
    }
    if (number !== this.number) {
      const address = this.addressOf(number);
      if (!address) return;
      this.number = number;
      this.title.textContent = this.nameOf(number);
      this.audio.src = address;
      this.bar.hidden = false;
    }
    this.audio.play().catch(() => this.refresh());
  }

  close() {
    this.audio.pause();
    this.bar.hidden = true;
    const button = document.querySelector(`button[data-play="${this.number}"]`);
    if (button) button.focus();
  }

  fail() {
    if (this.number !== null) this.title.textContent = `${this.nameOf(this.number)}: the recording is not there`;
  }

  refresh() {
    for (const button of document.querySelectorAll("button[data-play]")) this.label(button);
  }
}
