import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { POLL_MILLISECONDS } from "@/api/query-client";
import type { components } from "@/api/schema";
import { useSession } from "@/auth/session";

type Schemas = components["schemas"];
export type Webhook = Schemas["WebhookView"];
export type WebhookRequest = Schemas["WebhookRequest"];
export type Delivery = Schemas["DeliveryView"];
export type Key = Schemas["KeyFacts"];
export type KeyRequest = Schemas["KeyRequest"];

// Who sends a test waits for its answer.
const SOON_MILLISECONDS = 2_000;

export function useWebhooks() {
  const session = useSession();
  return useQuery({
    queryKey: ["webhooks", session?.wallet],
    enabled: session !== null,
    queryFn: async ({ signal }) => (await unwrap(api().GET("/api/webhooks", { signal }))).webhooks,
  });
}

/** What was sent to a webhook in the last seven days; `isWaiting` asks again and again. */
export function useDeliveries(id: string, isWanted: boolean, isWaiting: boolean) {
  return useQuery({
    queryKey: ["webhooks", "deliveries", id],
    enabled: isWanted,
    refetchInterval: isWaiting ? SOON_MILLISECONDS : POLL_MILLISECONDS,
    queryFn: async ({ signal }) => (await unwrap(api().GET("/api/webhooks/{id}/deliveries", { params: { path: { id } }, signal }))).deliveries,
  });
}

/** Makes, tests, confirms and deletes webhooks, and gives them new secrets. */
export function useWebhookChanges() {
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: ["webhooks"] });
  const path = (id: string) => ({ params: { path: { id } } });
  return {
    create: useMutation({ mutationFn: (body: WebhookRequest) => unwrap(api().POST("/api/webhooks", { body })), onSettled }),
    test: useMutation({ mutationFn: (id: string) => unwrap(api().POST("/api/webhooks/{id}/test", path(id))), onSettled }),
    rotate: useMutation({ mutationFn: (id: string) => unwrap(api().POST("/api/webhooks/{id}/secret", path(id))), onSettled }),
    confirm: useMutation({ mutationFn: ({ id, code }: { id: string; code: string }) => unwrap(api().POST("/api/webhooks/{id}/confirm", { ...path(id), body: { code } })), onSettled }),
    remove: useMutation({ mutationFn: (id: string) => unwrap(api().DELETE("/api/webhooks/{id}", path(id))), onSettled }),
  };
}

export function useKeys() {
  const session = useSession();
  return useQuery({
    queryKey: ["keys", session?.wallet],
    enabled: session !== null,
    queryFn: async ({ signal }) => (await unwrap(api().GET("/api/keys", { signal }))).keys,
  });
}

export function useKeyChanges() {
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: ["keys"] });
  return {
    create: useMutation({ mutationFn: (body: KeyRequest) => unwrap(api().POST("/api/keys", { body })), onSettled }),
    remove: useMutation({ mutationFn: (id: string) => unwrap(api().DELETE("/api/keys/{key_id}", { params: { path: { key_id: id } } })), onSettled }),
  };
}
