import { useEffect, useRef, useState } from "react";
import { getSession, useSession } from "@/auth/session";
import { BuildStream, type StreamState } from "./build-stream";
import { isOver, type Build, type BuildUpdate } from "./types";

const UPDATES_TOGETHER_MILLISECONDS = 250;

export interface Progress {
  updates: BuildUpdate[];
  /** Null where there are no streams. */
  state: StreamState | null;
}

/**
 * Everything that was told of a build's progress, live.
 *
 * @param onChange Called a little after something was told, once for what comes together; stays the same function.
 * @param onTold Whether changes are told at the moment, so that nobody has to ask; stays the same function.
 */
export function useBuildStream(build: Build, onChange: () => void, onTold: (isTold: boolean) => void): Progress {
  const isSignedIn = useSession() !== null;
  const [updates, setUpdates] = useState<BuildUpdate[]>([]);
  const [state, setState] = useState<StreamState | null>(null);
  const last = useRef(0);
  const url = build.stream_url;
  const isRunning = !isOver(build.status);
  useEffect(() => {
    if (!url || !isSignedIn) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stream = new BuildStream({
      url,
      token: () => getSession()?.token,
      after: last.current,
      isOver: () => !isRunning,
      onState: (now) => {
        setState(now);
        onTold(now === "live");
      },
      onUpdate: (update) => {
        last.current = update.sequence;
        setUpdates((known) => [...known, update]);
        clearTimeout(timer);
        timer = setTimeout(onChange, UPDATES_TOGETHER_MILLISECONDS);
      },
    });
    return () => {
      clearTimeout(timer);
      stream.close();
      onTold(false);
    };
    // A build that has ended runs again when it is deployed to more chains: then its stream goes on.
  }, [url, isRunning, isSignedIn, onChange, onTold]);
  return { updates, state: url ? state : null };
}
