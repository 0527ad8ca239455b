// A list of any length of which only what is near the window is drawn, in blocks that keep their height when emptied.

const ROWS_IN_BLOCK = 16;
const NEAR_PIXELS = 1000;

class Roll {
  constructor(box, rows) {
    this.box = box;
    this.rows = rows;
    this.order = [];
    this.blocks = [];
    this.current = 0;
    this.width = 0;
    this.watcher = new IntersectionObserver((seen) => this.follow(seen), { rootMargin: `${NEAR_PIXELS}px 0px` });
    new ResizeObserver(() => this.resize()).observe(box);
    box.addEventListener("keydown", (event) => this.steer(event));
    box.addEventListener("focusin", (event) => {
      const row = event.target.closest("article");
      if (row) this.makeCurrent(Number(row.dataset.position));
    });
  }

  // order: the numbers of the utterances, as they are to be listed.
  show(order) {
    this.watcher.disconnect();
    this.order = order;
    this.current = 0;
    this.width = this.box.clientWidth;
    this.blocks = [];
    for (let start = 0; start < order.length; start += ROWS_IN_BLOCK) {
      const element = make("div", "block");
      this.blocks.push({ element, start, isDrawn: false, height: this.estimate(start) });
    }
    for (const block of this.blocks) block.element.style.height = `${block.height}px`;
    this.box.hidden = !order.length; // a feed without articles would be an error to a screen reader
    this.box.replaceChildren(...this.blocks.map((block) => block.element));
    this.blocks.slice(0, 2).forEach((block) => this.draw(block));
    this.byElement = new Map(this.blocks.map((block) => [block.element, block]));
    for (const block of this.blocks) this.watcher.observe(block.element);
  }

  estimate(start) {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    let height = 0;
    for (const number of this.order.slice(start, start + ROWS_IN_BLOCK)) {
      height += this.rows.estimateHeight(number, this.width, rem);
    }
    return height;
  }

  resize() {
    if (this.box.clientWidth === this.width) return;
    this.width = this.box.clientWidth;
    for (const block of this.blocks) {
      block.height = this.estimate(block.start);
      if (!block.isDrawn) block.element.style.height = `${block.height}px`;
    }
  }

  follow(seen) {
    for (const entry of seen) {
      const block = this.byElement.get(entry.target);
      if (!block) continue;
      if (entry.isIntersecting) this.draw(block);
      else if (block.isDrawn && block !== this.blockOf(this.current)) this.empty(block);
    }
  }

  draw(block) {
    if (block.isDrawn) return;
    block.isDrawn = true;
    const rows = this.order.slice(block.start, block.start + ROWS_IN_BLOCK).map((number, index) => {
      const row = this.rows.row(number);
      const position = block.start + index;
      row.dataset.position = String(position);
      row.tabIndex = position === this.current ? 0 : -1;
      row.setAttribute("aria-posinset", String(position + 1));
      row.setAttribute("aria-setsize", String(this.order.length));
      return row;
    });
    block.element.replaceChildren(...rows);
    block.element.style.height = "";
  }

  empty(block) {
    block.height = block.element.offsetHeight;
    block.isDrawn = false;
    block.element.style.height = `${block.height}px`;
    block.element.replaceChildren();
  }

  blockOf(position) {
    return this.blocks[Math.floor(position / ROWS_IN_BLOCK)];
  }

  rowAt(position) {
    const block = this.blockOf(position);
    if (!block) return null;
    this.draw(block);
    return block.element.children[position - block.start];
  }

  // The current row is the one that the tabulator key reaches, so its block is always drawn.
  makeCurrent(position) {
    const before = this.blockOf(this.current);
    if (before && before.isDrawn) before.element.children[this.current - before.start].tabIndex = -1;
    this.current = position;
    this.rowAt(position).tabIndex = 0;
  }

  focus(position) {
    const row = this.rowAt(Math.max(0, Math.min(position, this.order.length - 1)));
    if (!row) return;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  // Bring an utterance into view, if it is listed.
  reveal(number) {
    const position = this.order.indexOf(number);
    if (position < 0) return;
    this.rowAt(position).scrollIntoView({ block: "center" });
    this.focus(position);
  }

  steer(event) {
    const row = event.target.closest("article");
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const position = Number(row.dataset.position);
    const goal = { ArrowDown: position + 1, ArrowUp: position - 1, Home: 0, End: this.order.length - 1 }[event.key];
    if (goal !== undefined) this.focus(goal);
    else if ((event.key === " " || event.key === "Enter") && event.target === row) this.rows.player.toggle(Number(row.dataset.number));
    else return;
    event.preventDefault();
  }
}
