/** 1 to 32 lower-case letters, digits and hyphens; it begins with a letter and does not end in a hyphen. */
export function isEnvironment(name: string): boolean {
  return /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(name);
}
