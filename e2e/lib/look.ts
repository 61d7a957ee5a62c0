// The sizes at which pages are looked at, and what is checked of a page in each.
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

export const sizes = {
  phone: { width: 390, height: 844 },
  laptop: { width: 1366, height: 650 },
  desk: { width: 1440, height: 900 },
};

/** The low screen of a laptop shows what does not fit; by night it would only show it again. */
const lights = { phone: ["light", "dark"], laptop: ["light"], desk: ["light", "dark"] } as const;

/** Pictures of the page in every size, by day and by night, into the folder, and what axe says of it. */
export async function look(page: Page, folder: string, name: string): Promise<void> {
  for (const size of ["phone", "laptop", "desk"] as const) {
    await page.setViewportSize(sizes[size]);
    for (const colorScheme of lights[size]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) });
      const axe = new AxeBuilder({ page });
      // By night only the colours are others.
      if (colorScheme === "light") axe.withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]);
      else axe.withRules(["color-contrast"]);
      const { violations } = await axe.analyze();
      const found = violations.map(
        (v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join("; ")}`,
      );
      expect.soft(found, `${name}, ${size}, ${colorScheme}`).toEqual([]);
    }
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect.soft(over, `${name} is wider than a ${size}`).toBeLessThanOrEqual(0);
  }
  await page.setViewportSize(sizes.desk);
  await page.emulateMedia({ colorScheme: "light" });
}
