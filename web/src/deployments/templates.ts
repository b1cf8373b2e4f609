export interface Template {
  name: string;
  description: string;
  sdl: string;
}

/** SDLs to begin with. They are tested against the API's own validation. */
export const TEMPLATES: Template[] = [
  {
    name: "Web server",
    description: "nginx on port 80, half a core",
    sdl: `version: "2.0"
services:
  web:
    image: nginx:1.27@sha256:447a8665cc1dab95b1ca778e162215839ccbb9189104c79d7ec3a81e14577add
    expose:
      - port: 80
        as: 80
        to:
          - global: true
profiles:
  compute:
    web:
      resources:
        cpu:
          units: 500m
        memory:
          size: 512Mi
        storage:
          size: 1Gi
  placement:
    anywhere:
      pricing:
        web:
          denom: uact
          amount: 10000
deployment:
  web:
    anywhere:
      profile: web
      count: 1
`,
  },
  {
    name: "Web app with Redis",
    description: "two services; only the app is reached from outside",
    sdl: `version: "2.0"
services:
  app:
    image: ghcr.io/stefanprodan/podinfo:6.7.1@sha256:862ca45e61b32392f7941a1bdfdbe5ff8b6899070135f1bdca1c287d0057fc94
    env:
      - PODINFO_CACHE_SERVER=tcp://redis:6379
    expose:
      - port: 9898
        as: 80
        to:
          - global: true
    dependencies:
      - service: redis
  redis:
    image: redis:7.4@sha256:71da9275c5f3fcb97d0fa0c8c5b36cc995327265420f17a04bfd544f458059f7
    expose:
      - port: 6379
        to:
          - service: app
profiles:
  compute:
    app:
      resources:
        cpu:
          units: 500m
        memory:
          size: 512Mi
        storage:
          size: 1Gi
    redis:
      resources:
        cpu:
          units: 250m
        memory:
          size: 256Mi
        storage:
          size: 1Gi
  placement:
    anywhere:
      pricing:
        app:
          denom: uact
          amount: 10000
        redis:
          denom: uact
          amount: 10000
deployment:
  app:
    anywhere:
      profile: app
      count: 1
  redis:
    anywhere:
      profile: redis
      count: 1
`,
  },
  {
    name: "GPU inference",
    description: "Ollama on one NVIDIA A100",
    sdl: `version: "2.0"
services:
  ollama:
    image: ollama/ollama:0.5.7@sha256:7e672211886f8bd4448a98ed577e26c816b9e8b052112860564afaa2c105800e
    expose:
      - port: 11434
        as: 80
        to:
          - global: true
profiles:
  compute:
    ollama:
      resources:
        cpu:
          units: 4
        memory:
          size: 16Gi
        storage:
          size: 50Gi
        gpu:
          units: 1
          attributes:
            vendor:
              nvidia:
                - model: a100
  placement:
    anywhere:
      pricing:
        ollama:
          denom: uact
          amount: 100000
deployment:
  ollama:
    anywhere:
      profile: ollama
      count: 1
`,
  },
];
