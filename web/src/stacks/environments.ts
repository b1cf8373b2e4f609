const KEY = "slipway.environments";
const MOST = 8;

/** 1 to 32 lower-case letters, digits and hyphens; it begins with a letter and does not end in a hyphen. */
export function isEnvironment(name: string): boolean {
  return /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(name);
}

/** Names of environments that were looked at in this browser, the last one first: the API keeps no list of them. */
export function recentEnvironments(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((name): name is string => typeof name === "string" && isEnvironment(name)) : [];
  } catch {
    return [];
  }
}

export function rememberEnvironment(name: string): void {
  const names = [name, ...recentEnvironments().filter((known) => known !== name)].slice(0, MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(names));
  } catch {
    // Then its name has to be typed again.
  }
}
