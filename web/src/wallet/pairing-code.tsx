import { encode } from "uqr";
import { CopyButton } from "@/components/copy-button";
import { Button } from "@/components/ui/button";

const EDGE = 2; // modules of quiet around the code

/** What a wallet on a telephone scans, and how a wallet on this device gets the same. */
export default function PairingCode({ uri }: { uri: string }) {
  const { data, size } = encode(uri, { border: EDGE });
  const path = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
  return (
    <div className="flex flex-col items-center gap-3">
      <svg
        viewBox={`0 0 ${size} ${size}`} role="img" aria-label="Code to scan with your wallet" shapeRendering="crispEdges"
        className="w-full max-w-64 rounded-md bg-white"
      >
        <path d={path} fill="#000" />
      </svg>
      <p className="text-sm text-muted-foreground">Scan it with the wallet on your telephone. It holds for five minutes.</p>
      <div className="flex flex-wrap justify-center gap-2">
        <Button asChild variant="outline" size="sm"><a href={uri}>Open a wallet on this device</a></Button>
        <CopyButton text={uri} label="Copy the link for your wallet">Copy the link</CopyButton>
      </div>
    </div>
  );
}
