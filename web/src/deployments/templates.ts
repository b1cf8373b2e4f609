import { stringify } from "yaml";

export interface Template {
  name: string;
  description: string;
  sdl: string;
}

interface Part {
  readonly image: string;
  port: number;
  /** Under which port the world reaches it; a part without one is reached by the others alone. */
  as?: number;
  env?: string[];
  args?: string[];
  after?: string;
  cpu: string | number;
  memory: string;
  storage: string;
  /** A volume that outlives a restart, and where it is mounted. */
  kept?: { size: string; mount: string };
  gpu?: string;
}

/** An SDL of services that each run once, wherever the bid is best. */
function sdlOf(parts: Record<string, Part>): string {
  const names = Object.keys(parts);
  const each = <T>(make: (part: Part, name: string) => T) => Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, make(part, name)]));
  const others = (name: string) => names.filter((other) => other !== name).map((service) => ({ service }));
  return stringify({
    version: "2.0",
    services: each(({ image, env, args, port, as, after, kept }, name) => ({
      image,
      ...(args ? { args } : {}),
      ...(env ? { env } : {}),
      expose: [{ port, ...(as ? { as } : {}), to: as ? [{ global: true }] : others(name) }],
      ...(after ? { dependencies: [{ service: after }] } : {}),
      ...(kept ? { params: { storage: { data: { mount: kept.mount } } } } : {}),
    })),
    profiles: {
      compute: each(({ cpu, memory, storage, kept, gpu }) => ({
        resources: {
          cpu: { units: cpu },
          memory: { size: memory },
          storage: kept
            ? [{ size: storage }, { name: "data", size: kept.size, attributes: { persistent: true, class: "beta3" } }]
            : { size: storage },
          ...(gpu ? { gpu: { units: 1, attributes: { vendor: { nvidia: [{ model: gpu }] } } } } : {}),
        },
      })),
      placement: { anywhere: { pricing: each(({ gpu }) => ({ denom: "uact", amount: gpu ? 100000 : 10000 })) } },
    },
    deployment: each((_, name) => ({ anywhere: { profile: name, count: 1 } })),
  });
}

const template = (name: string, description: string, parts: Record<string, Part>): Template => ({ name, description, sdl: sdlOf(parts) });

const DATABASE = { cpu: 1, memory: "2Gi", storage: "1Gi" };

/** SDLs to begin with, of what people run most. They are tested against the API's own validation. */
export const TEMPLATES: Template[] = [
  template("Web server", "nginx on port 80, half a core", {
    web: {
      image: "nginx:1.27@sha256:447a8665cc1dab95b1ca778e162215839ccbb9189104c79d7ec3a81e14577add",
      port: 80, as: 80, cpu: "500m", memory: "512Mi", storage: "1Gi",
    },
  }),
  template("Web app with Redis", "two services; only the app is reached from outside", {
    app: {
      image: "ghcr.io/stefanprodan/podinfo:6.7.1@sha256:862ca45e61b32392f7941a1bdfdbe5ff8b6899070135f1bdca1c287d0057fc94",
      port: 9898, as: 80, env: ["PODINFO_CACHE_SERVER=tcp://redis:6379"], after: "redis", cpu: "500m", memory: "512Mi", storage: "1Gi",
    },
    redis: {
      image: "redis:7.4@sha256:71da9275c5f3fcb97d0fa0c8c5b36cc995327265420f17a04bfd544f458059f7",
      port: 6379, cpu: "250m", memory: "256Mi", storage: "1Gi",
    },
  }),
  template("GPU inference", "Ollama on one NVIDIA A100", {
    ollama: {
      image: "ollama/ollama:0.5.7@sha256:7e672211886f8bd4448a98ed577e26c816b9e8b052112860564afaa2c105800e",
      port: 11434, as: 80, cpu: 4, memory: "16Gi", storage: "50Gi", gpu: "a100",
    },
  }),
  template("Language model API", "vLLM, which speaks OpenAI's protocol, on one NVIDIA H100", {
    vllm: {
      image: "vllm/vllm-openai:v0.11.0@sha256:014a95f21c9edf6abe0aea6b07353f96baa4ec291c427bb1176dc7c93a85845c",
      port: 8000, as: 80, env: ["HF_TOKEN="], cpu: 8, memory: "64Gi", storage: "150Gi", gpu: "h100",
    },
  }),
  template("PostgreSQL", "a database whose data are kept", {
    postgres: {
      image: "postgres:17@sha256:d74eeac9a635390a49bc21bd49fccd973de707e2a53a76ac49b552b8712ec46f",
      port: 5432, as: 5432, env: ["POSTGRES_PASSWORD=change-me", "PGDATA=/var/lib/postgresql/data/pgdata"], kept: { size: "10Gi", mount: "/var/lib/postgresql/data" }, ...DATABASE,
    },
  }),
  template("MariaDB", "a database whose data are kept", {
    mariadb: {
      image: "mariadb:11@sha256:efb4959ef2c835cd735dbc388eb9ad6aab0c78dd64febcd51bc17481111890c4",
      port: 3306, as: 3306, env: ["MARIADB_ROOT_PASSWORD=change-me"], kept: { size: "10Gi", mount: "/var/lib/mysql" }, ...DATABASE,
    },
  }),
  template("MySQL", "a database whose data are kept", {
    mysql: {
      image: "mysql:8.4@sha256:b3b90af2a6552ae30c266fdb7d5dd55f3afb72404bb78d37fe8a23eb857fd3fb",
      port: 3306, as: 3306, env: ["MYSQL_ROOT_PASSWORD=change-me"], kept: { size: "10Gi", mount: "/var/lib/mysql" }, ...DATABASE,
    },
  }),
  template("MongoDB", "a database whose documents are kept", {
    mongo: {
      image: "mongo:8.0@sha256:4a0f30875898413139bec44c73c02a05fed172578de65b644dcdcee143ae7306",
      port: 27017, as: 27017, env: ["MONGO_INITDB_ROOT_USERNAME=root", "MONGO_INITDB_ROOT_PASSWORD=change-me"], kept: { size: "10Gi", mount: "/data/db" }, ...DATABASE,
    },
  }),
  template("Redis", "a store of its own; what it saves is kept", {
    redis: {
      image: "redis:7.4@sha256:71da9275c5f3fcb97d0fa0c8c5b36cc995327265420f17a04bfd544f458059f7",
      port: 6379, as: 6379, args: ["redis-server", "--requirepass", "change-me", "--appendonly", "yes"], kept: { size: "2Gi", mount: "/data" }, cpu: "250m", memory: "512Mi", storage: "1Gi",
    },
  }),
  template("Dashboards", "Grafana; what you draw is kept", {
    grafana: {
      image: "grafana/grafana:11.4.0@sha256:d8ea37798ccc41061a62ab080f2676dda6bf7815558499f901bdb0f533a456fb",
      port: 3000, as: 80, env: ["GF_SECURITY_ADMIN_PASSWORD=change-me"], kept: { size: "2Gi", mount: "/var/lib/grafana" }, cpu: "500m", memory: "512Mi", storage: "1Gi",
    },
  }),
  template("Minecraft server", "on port 25565; its world is kept", {
    minecraft: {
      image: "itzg/minecraft-server:java21@sha256:2849cd16063903439cd34c6eaddbcecc8914367ac9334c9757f6a7ea5007273c",
      port: 25565, as: 25565, env: ["EULA=TRUE"], kept: { size: "10Gi", mount: "/data" }, cpu: 2, memory: "4Gi", storage: "2Gi",
    },
  }),
  template("IPFS node", "Kubo, reached by its peers; its blocks are kept", {
    kubo: {
      image: "ipfs/kubo:v0.32.1@sha256:7cc0e0de8f845d6c9fa1dce414c069974c34ed3cd3742e0d4f5bccda4adc376d",
      port: 4001, as: 4001, kept: { size: "50Gi", mount: "/data/ipfs" }, cpu: 1, memory: "2Gi", storage: "1Gi",
    },
  }),
];
