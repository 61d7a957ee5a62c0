// A page that nobody has touched. Playwright's own look at a page counts as a press of a person for the browser, which then plays
// all sound; here the page is read, and its buttons are pressed, as only the DevTools protocol can.
import { type CDPSession, expect, type Page } from "@playwright/test";

export class Untouched {
  private constructor(
    private readonly page: Page,
    private readonly session: CDPSession,
  ) {}

  static async of(page: Page): Promise<Untouched> {
    return new Untouched(page, await page.context().newCDPSession(page));
  }

  /** The value of an expression, read without a press. */
  async read<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.session.send("Runtime.evaluate", {
      expression,
      returnByValue: true,
      awaitPromise: true,
      userGesture: false,
    });
    if (exceptionDetails) throw new Error(`${exceptionDetails.text} ${exceptionDetails.exception?.description ?? ""}`);
    return result.value as T;
  }

  /** Resolves when the browser has forgotten the last press (its transient activation is over). */
  async forgotten(): Promise<void> {
    await expect.poll(() => this.read<boolean>("navigator.userActivation.isActive")).toBe(false);
  }

  /** Resolves when the page says this, or no longer. */
  async says(words: string, is = true): Promise<void> {
    const said = `document.body.innerText.includes(${JSON.stringify(words)})`;
    await expect.poll(() => this.read<boolean>(said), words).toBe(is);
  }

  /** Calls click() on a button, which is no press of a person. */
  async clickByProgram(name: string): Promise<void> {
    await this.read(`${button(name)}.click()`);
  }

  /** Presses a button with the mouse. */
  async press(name: string): Promise<void> {
    const { x, y } = await this.read<{ x: number; y: number }>(
      `(({ left, top, width, height }) => ({ x: left + width / 2, y: top + height / 2 }))(${button(name)}.getBoundingClientRect())`,
    );
    await this.page.mouse.click(x, y);
  }
}

function button(name: string): string {
  const is = `(b) => (b.getAttribute("aria-label") ?? b.textContent.trim()) === ${JSON.stringify(name)}`;
  return `[...document.querySelectorAll("button")].find(${is})`;
}
