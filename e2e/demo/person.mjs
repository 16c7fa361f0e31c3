// One visitor: clicks, types and reads, in every engine by the same words.

/** Milliseconds that a visitor waits for something to show. */
const PATIENCE = 30_000;
/** Keys by the names that Playwright has for them, as WebDriver wants them. @type {Record<string, string>} */
const KEYS = {
  Enter: "\uE007",
  Tab: "\uE004",
  Control: "\uE009",
  Shift: "\uE008",
  ArrowUp: "\uE013",
  ArrowDown: "\uE015",
  Home: "\uE011",
  End: "\uE010",
  Backspace: "\uE003",
  Escape: "\uE00C",
};
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/**
 * @typedef {object} Hands what differs between the engines
 * @property {(selector: string) => Promise<void>} click
 * @property {(selector: string, text: string) => Promise<void>} fill
 * @property {(selector: string, value: string) => Promise<void>} choose
 * @property {(text: string) => Promise<void>} type
 * @property {(chord: string) => Promise<void>} press for example `Control+c`
 * @property {(width: number, height: number) => Promise<void>} resize
 * @property {(button: string, input: string, path: string) => Promise<void>} upload gives the file to what the button asks for
 */

/** @param {import("playwright").Page} page @returns {Hands} */
function playwrightHands(page) {
  return {
    click: (selector) => page.click(selector),
    fill: (selector, text) => page.fill(selector, text),
    choose: async (selector, value) => void (await page.selectOption(selector, value)),
    type: (text) => page.keyboard.type(text),
    press: (chord) => page.keyboard.press(chord),
    resize: (width, height) => page.setViewportSize({ width, height }),
    async upload(button, _input, path) {
      const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.click(button)]);
      await chooser.setFiles(path);
    },
  };
}

/** @param {(method: string, path: string, body?: unknown) => Promise<any>} command @returns {Hands} */
function webDriverHands(command) {
  /** @param {string} selector */
  const find = async (selector) => {
    const found = await command("POST", "/element", { using: "css selector", value: selector });
    return `/element/${found[ELEMENT]}`;
  };
  /** @param {{ type: string, value: string }[]} actions */
  const keys = (actions) =>
    command("POST", "/actions", { actions: [{ type: "key", id: "keyboard", actions }] });
  return {
    click: async (selector) => void (await command("POST", `${await find(selector)}/click`, {})),
    async fill(selector, text) {
      const element = await find(selector);
      await command("POST", `${element}/clear`, {});
      await command("POST", `${element}/value`, { text });
    },
    choose: async (selector, value) =>
      void (await command("POST", `${await find(`${selector} option[value="${value}"]`)}/click`, {})),
    async type(text) {
      for (const character of text) {
        const value = character === "\n" ? (KEYS["Enter"] ?? "") : character;
        await keys([
          { type: "keyDown", value },
          { type: "keyUp", value },
        ]);
      }
    },
    async press(chord) {
      const values = chord.split("+").map((key) => KEYS[key] ?? key);
      const down = values.map((value) => ({ type: "keyDown", value }));
      await keys([...down, ...values.reverse().map((value) => ({ type: "keyUp", value }))]);
    },
    resize: (width, height) => command("POST", "/window/rect", { width, height }),
    // WebDriver can't answer the window that the button opens; it gives the path to the input behind it.
    upload: async (_button, input, path) =>
      void (await command("POST", `${await find(input)}/value`, { text: path })),
  };
}

export class Person {
  #page;
  #hands;

  /** @param {import("../support/engines.mjs").Page} page */
  constructor(page) {
    this.#page = page;
    const { playwright, command } = page;
    if (playwright !== undefined) this.#hands = playwrightHands(playwright);
    else if (command !== undefined) this.#hands = webDriverHands(command);
    else throw new Error("this engine's page can't be driven by hand");
  }

  /** @param {string} url */
  async visit(url) {
    // Another fragment alone would not load the page anew.
    await this.#page.goto("about:blank");
    await this.#page.goto(url);
  }

  /** @template T @param {string} expression @returns {Promise<T>} */
  evaluate(expression) {
    return this.#page.evaluate(expression);
  }

  /** Waits until the expression is true in the page. @param {string} what @param {string} expression @param {number} [patience] */
  async see(what, expression, patience = PATIENCE) {
    const end = Date.now() + patience;
    for (;;) {
      /** @type {unknown} */
      let value;
      try {
        value = await this.evaluate(expression);
      } catch (error) {
        // While the page loads anew there is nobody to ask.
        value = false;
        if (Date.now() > end) throw error;
      }
      if (value) return;
      if (Date.now() > end) {
        const text = await this.evaluate("document.body.innerText").catch(() => "");
        throw new Error(`never saw ${what}; on the page:\n${String(text).slice(-2500)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  }

  /** @param {string} selector @param {number} [patience] */
  seeElement(selector, patience) {
    return this.see(selector, `document.querySelector(${JSON.stringify(selector)}) !== null`, patience);
  }

  /** Waits until the element shows that text. @param {string} selector @param {string} text @param {number} [patience] */
  read(selector, text, patience) {
    return this.see(
      `"${text}" in ${selector}`,
      `(document.querySelector(${JSON.stringify(selector)})?.innerText ?? "").replaceAll("\\u00a0", " ").includes(${JSON.stringify(text)})`,
      patience,
    );
  }

  /** @param {string} selector @returns {Promise<string>} */
  textOf(selector) {
    return this.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`);
  }

  /** Clicks, once it is there and can be clicked. @param {string} selector */
  async click(selector) {
    await this.see(
      `${selector}, enabled`,
      `(() => { const e = document.querySelector(${JSON.stringify(selector)}); return e !== null && !e.disabled && e.getAttribute('aria-disabled') !== 'true'; })()`,
    );
    await this.evaluate(
      `document.querySelector(${JSON.stringify(selector)}).scrollIntoView({ block: "center" })`,
    );
    await this.#hands.click(selector);
  }

  /** @param {string} selector @param {string} text */
  async fill(selector, text) {
    await this.seeElement(selector);
    await this.#hands.fill(selector, text);
  }

  /** @param {string} selector @param {string} value */
  async choose(selector, value) {
    await this.seeElement(selector);
    await this.#hands.choose(selector, value);
  }

  /** @param {string} text typed where the focus is; a line feed is the Enter key */
  type(text) {
    return this.#hands.type(text);
  }

  /** @param {string} chord */
  press(chord) {
    return this.#hands.press(chord);
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    return this.#hands.resize(width, height);
  }

  /** Uploads a file of this machine. @param {string} button @param {string} input that the button stands for @param {string} path */
  async upload(button, input, path) {
    await this.seeElement(button);
    await this.#hands.upload(button, input, path);
  }

  /**
   * Clicks and answers what the browser is given to download. No engine is asked to write it to a disk.
   * @param {string} selector
   * @returns {Promise<{ name: string, bytes: Uint8Array }>}
   */
  async download(selector) {
    await this.evaluate(`globalThis.downloaded = new Promise((resolve) => {
      const { click } = HTMLAnchorElement.prototype;
      HTMLAnchorElement.prototype.click = function () {
        HTMLAnchorElement.prototype.click = click;
        const name = this.download;
        resolve(fetch(this.href).then(async (file) => ({ name, bytes: [...new Uint8Array(await file.arrayBuffer())] })));
      };
    }), true`);
    await this.click(selector);
    /** @type {{ name: string, bytes: number[] }} */
    const { name, bytes } = await this.evaluate("downloaded");
    return { name, bytes: Uint8Array.from(bytes) };
  }

  /** Drops a file of the server onto an element. @param {string} selector @param {string} url @param {string} name */
  drop(selector, url, name) {
    return this.evaluate(`(async () => {
      const bytes = await (await fetch(${JSON.stringify(url)})).arrayBuffer();
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], ${JSON.stringify(name)}));
      const target = document.querySelector(${JSON.stringify(selector)});
      for (const type of ["dragover", "drop"]) target.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }));
    })()`);
  }
}
