import { useEffect, useRef, useState } from "react";
import { LogBuffer, type LogLine } from "./log-buffer";
import { followLogs, type StreamState } from "./log-stream";

/** A workload's log while it is shown: its newest lines, and how the stream is. Lines come in once a frame at most. */
export function useLogs(deploymentId: string, tail: number) {
  const [lines, setLines] = useState<LogLine[]>([]);
  const [state, setState] = useState<StreamState>({ name: "connecting" });
  const [attempt, setAttempt] = useState(0);
  const buffer = useRef(new LogBuffer());
  useEffect(() => {
    const stop = new AbortController();
    const own = new LogBuffer();
    buffer.current = own;
    setLines([]);
    let frame = 0;
    void followLogs({
      deploymentId, tail, signal: stop.signal, onState: setState,
      onLines: (added) => {
        own.append(added);
        if (!frame) {
          frame = requestAnimationFrame(() => {
            frame = 0;
            setLines(own.lines);
          });
        }
      },
    });
    return () => {
      stop.abort();
      cancelAnimationFrame(frame);
    };
  }, [deploymentId, tail, attempt]);
  return { lines, state, restart: () => setAttempt(attempt + 1) };
}
