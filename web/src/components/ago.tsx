import { useEffect, useState } from "react";
import { ago, moment } from "@/lib/format";

const EVERY_MILLISECONDS = 20_000;

/** How long ago something was, kept up to date; pointing at it tells the moment. */
export function Ago({ at }: { at: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), EVERY_MILLISECONDS);
    return () => clearInterval(timer);
  }, []);
  return <time dateTime={at} title={moment(at)}>{ago(at, Math.max(now, Date.parse(at)))}</time>;
}
