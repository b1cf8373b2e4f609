import type { StackKind } from "./types";

/** A stack's specification as a form has it: texts, and what is empty is the default. */
export interface SpecTexts {
  image: string;
  cpu: string;
  memory: string;
  storage: string;
  data: string;
  region: string;
  maxPrice: string;
  /** One `NAME=value` a line. */
  env: string;
  auditedOnly: boolean;
  keep: boolean;
  follow: boolean;
}

interface Spec {
  image?: string | null;
  env?: Record<string, string>;
  resources?: Record<string, unknown>;
  preferences?: Record<string, unknown>;
  keep?: boolean;
  follow?: boolean;
}

const text = (value: unknown) => (value === null || value === undefined ? "" : String(value));

/** What the API tells of a specification, as texts. */
export function textsOf(value: Record<string, unknown> | undefined): SpecTexts {
  const { image, env = {}, resources = {}, preferences = {}, keep = false, follow = false } = (value ?? {}) as Spec;
  return {
    image: text(image), cpu: text(resources.cpu), memory: text(resources.memory), storage: text(resources.storage),
    data: text(resources.data), region: text(preferences.region), maxPrice: text(preferences.maxPrice),
    env: Object.entries(env).map(([name, content]) => `${name}=${content}`).join("\n"),
    auditedOnly: preferences.auditedOnly === true, keep, follow,
  };
}

/** The body of a PUT. `before` is the specification that is changed: what the form doesn't show stays as it was. */
export function specOf(kind: StackKind, texts: SpecTexts, before: Record<string, unknown> | undefined): Record<string, unknown> {
  const resources = filled({ cpu: texts.cpu, memory: texts.memory, storage: texts.storage, ...(kind === "node" ? { data: texts.data } : {}) });
  const kept = ((before ?? {}) as Spec).preferences ?? {};
  const hidden = Object.fromEntries(Object.entries(kept).filter(([name, value]) => !SHOWN.has(name) && value !== null));
  const preferences = {
    ...hidden, ...filled({ region: texts.region, maxPrice: texts.maxPrice }), ...(texts.auditedOnly ? { auditedOnly: true } : {}),
  };
  return {
    ...filled({ image: texts.image }), env: variablesOf(texts.env), resources, preferences, keep: texts.keep,
    ...(kind === "api" ? { follow: texts.follow } : {}),
  };
}

const SHOWN = new Set(["region", "maxPrice", "auditedOnly"]);

function filled(texts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
}

function variablesOf(lines: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of lines.split("\n")) {
    if (!line.trim()) continue;
    const [name = "", ...value] = line.split("=");
    variables[name.trim()] = value.join("=");
  }
  return variables;
}
