const themes = ["auto", "light", "dark"] as const;
type Theme = (typeof themes)[number];

const words: Record<Theme, string> = {
  auto: "Theme: as the system",
  light: "Theme: light",
  dark: "Theme: dark",
};

function stored(): Theme {
  const theme = document.documentElement.dataset["theme"];
  return theme === "light" || theme === "dark" ? theme : "auto";
}

/** Makes the button go through the themes; the choice is kept for the next visit. */
export function setUpTheme(toggle: HTMLElement): void {
  const apply = (theme: Theme): void => {
    if (theme === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
    toggle.setAttribute("aria-label", words[theme]);
    toggle.title = words[theme];
    toggle.dataset["state"] = theme;
    const word = toggle.querySelector("span");
    if (word !== null) word.textContent = theme;
    try {
      if (theme === "auto") localStorage.removeItem("theme");
      else localStorage.setItem("theme", theme);
    } catch {
      // No storage: the choice holds for this visit.
    }
    dispatchEvent(new Event("themechange"));
  };
  toggle.addEventListener("click", () => {
    apply(themes[(themes.indexOf(stored()) + 1) % themes.length] ?? "auto");
  });
  apply(stored());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    dispatchEvent(new Event("themechange")),
  );
}

/** A colour of the style sheet as it is right now, for what is not drawn by CSS. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
