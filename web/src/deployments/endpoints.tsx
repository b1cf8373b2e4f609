import { ExternalLinkIcon } from "lucide-react";
import { CopyButton } from "@/components/copy-button";
import type { Endpoint } from "./overview";

export function Endpoints({ endpoints }: { endpoints: Endpoint[] }) {
  return (
    <ul className="flex flex-col gap-0.5">
      {endpoints.map(({ text, href }) => (
        <li key={text} className="font-mono text-xs break-all">
          {href ? (
            <a className="inline-flex items-center gap-1 text-primary underline underline-offset-2" href={href} rel="noreferrer" target="_blank">
              {text} <ExternalLinkIcon className="size-3 shrink-0" aria-label="(opens in a new tab)" />
            </a>
          ) : text}
          <CopyButton text={href ?? text.split(" ")[0] ?? text} label={`Copy the endpoint ${text}`} variant="ghost" size="icon" className="size-6" />
        </li>
      ))}
    </ul>
  );
}
