import { MonitorIcon, MoonIcon, SunIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "@/components/ui/button";

const KEY = "slipway.theme";
const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const ICONS = { system: MonitorIcon, light: SunIcon, dark: MoonIcon };

function kept(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? "system";
  } catch {
    return "system";
  }
}

/** Light, dark, or as the system has it; public/theme.js applies it before the first paint. */
export function ThemeToggle() {
  const [theme, setTheme] = useState<Theme>(kept);
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const apply = () => {
      document.documentElement.classList.toggle("dark", theme === "dark" || (theme === "system" && system.matches));
    };
    apply();
    system.addEventListener("change", apply);
    return () => system.removeEventListener("change", apply);
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  const Icon = ICONS[theme];
  return (
    <Button
      variant="ghost" size="icon" title={`Theme: ${theme}`} aria-label={`Theme: ${theme}. Change to ${next}`}
      onClick={() => {
        setTheme(next);
        try {
          localStorage.setItem(KEY, next);
        } catch {
          // It holds until the page is loaded again.
        }
      }}
    >
      <Icon aria-hidden />
    </Button>
  );
}
