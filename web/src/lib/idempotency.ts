import { useRef } from "react";

/**
 * One Idempotency-Key for each different body: whatever happens on the way, sending the same again starts nothing twice.
 */
export function useIdempotencyKey(): (body: unknown) => string {
  const last = useRef({ body: "", key: "" });
  return (body) => {
    const text = JSON.stringify(body);
    if (last.current.body !== text) last.current = { body: text, key: crypto.randomUUID() };
    return last.current.key;
  };
}
