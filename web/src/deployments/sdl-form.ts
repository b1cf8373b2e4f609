import { isMap, isScalar, isSeq, parseDocument, type Document } from "yaml";

/** What a form shows of one service of an SDL; all as texts. */
export interface ServiceForm {
  image: string;
  port: string;
  /** NAME=value, one a line. */
  env: string;
  cpu: string;
  memory: string;
  storage: string;
  gpus: string;
  gpuModel: string;
  count: string;
}

export type FormField = keyof ServiceForm;

type Path = (string | number)[];

/** The services of an SDL by their names; null for what can't be read as one. */
export function servicesOf(sdl: string): string[] | null {
  const services = parsed(sdl)?.get("services");
  if (!isMap(services) || services.items.length === 0) return null;
  return services.items.map(({ key }) => String(isScalar(key) ? key.value : key));
}

/** What an SDL says of one of its services. */
export function readForm(sdl: string, service: string): ServiceForm | null {
  const document = parsed(sdl);
  if (!document?.hasIn(["services", service])) return null;
  const paths = pathsOf(document, service);
  const text = (path: Path | null) => {
    const value = path && document.getIn(path);
    return value == null || typeof value === "object" ? "" : String(value);
  };
  const env = document.getIn(["services", service, "env"]);
  return {
    image: text(paths.image), port: text(paths.port), cpu: text(paths.cpu), memory: text(paths.memory), storage: text(paths.storage),
    gpus: text(paths.gpus), gpuModel: text(paths.gpuModel), count: text(paths.count),
    env: isSeq(env) ? (env.toJSON() as unknown[]).join("\n") : "",
  };
}

/** The SDL with one field of a service changed; comments and everything else stay as they are. */
export function writeForm(sdl: string, service: string, field: FormField, text: string): string {
  const document = parsed(sdl);
  if (!document) return sdl;
  const path = pathsOf(document, service)[field];
  if (!path) return sdl;
  if (field === "env") {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    if (lines.length > 0) document.setIn(path, document.createNode(lines));
    else document.deleteIn(path);
  } else if (field === "gpus" && !(Number(text) > 0)) {
    document.deleteIn(path.slice(0, -1));
  } else if (field === "gpuModel") {
    document.setIn(path.slice(0, -2), document.createNode([text.trim() ? { model: text.trim() } : {}]));
  } else {
    document.setIn(path, /^\d+$/.test(text) ? Number(text) : text);
    if (field === "gpus" && !document.hasIn([...path.slice(0, -1), "attributes"])) {
      document.setIn([...path.slice(0, -1), "attributes"], document.createNode({ vendor: { nvidia: [] } }));
    }
  }
  return document.toString({ lineWidth: 0 });
}

function parsed(sdl: string): Document | null {
  const document = parseDocument(sdl);
  return document.errors.length === 0 && isMap(document.contents) ? document : null;
}

function pathsOf(document: Document, service: string): Record<FormField, Path | null> {
  const placements = document.getIn(["deployment", service]);
  const placement = isMap(placements) ? placements.items[0]?.key : undefined;
  const group: Path | null = placement === undefined ? null : ["deployment", service, String(isScalar(placement) ? placement.value : placement)];
  const profile = group && document.getIn([...group, "profile"]);
  const resources: Path | null = typeof profile === "string" ? ["profiles", "compute", profile, "resources"] : null;
  const within = (...path: Path) => resources && [...resources, ...path];
  const several = resources !== null && isSeq(document.getIn([...resources, "storage"]));
  return {
    image: ["services", service, "image"],
    port: ["services", service, "expose", 0, "port"],
    env: ["services", service, "env"],
    cpu: within("cpu", "units"),
    memory: within("memory", "size"),
    storage: several ? within("storage", 0, "size") : within("storage", "size"),
    gpus: within("gpu", "units"),
    gpuModel: within("gpu", "attributes", "vendor", "nvidia", 0, "model"),
    count: group && [...group, "count"],
  };
}
